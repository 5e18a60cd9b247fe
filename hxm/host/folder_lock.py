"""Locks on folders: they leave nothing behind, and die with their holder."""

from __future__ import annotations

import fcntl
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_POLL = 0.05  # seconds


@contextmanager
def locked(
    folder: str, patience: float = math.inf, waiting: Callable[[], None] | None = None
) -> Iterator[None]:
    """Hold the folder's lock. Raises BlockingIOError if it is not free within `patience` seconds.

    `waiting` is called once if it is not free at first. Another OSError: there is no such folder,
    or a link.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    end = time.monotonic() + patience
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= end:
                    raise
                if waiting:
                    waiting()
                    waiting = None
                time.sleep(_POLL)
        yield
    finally:
        os.close(descriptor)
