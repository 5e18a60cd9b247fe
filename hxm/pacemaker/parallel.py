"""Runs simulations in parallel, as many as this host has memory for: each holds the CIB many times.

Threads, and not processes: what they do is wait for a tool.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from hxm.host import programs

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")

_TIMES = 45
"""What a tool takes, in the size of the CIB: crm_mon 2.1.5 needs 710 MiB for one of 17 MiB."""
_SHARE = 2
"""At most half of the memory that is free is taken."""


def at_once(cib: str) -> int:
    """The number of tools that may work on copies of this CIB side by side; at least 1.

    A tool on another node sends the copies that it was given back, and so has them for itself.
    """
    if programs.elsewhere():
        return 1
    cores = len(os.sched_getaffinity(0))
    need = _TIMES * max(os.path.getsize(cib), 1)
    return max(1, min(cores, _available() // _SHARE // need))


def _available() -> int:
    """The bytes that the kernel could give to programs (proc(5), MemAvailable), or 0."""
    try:
        with open("/proc/meminfo", encoding="utf-8") as file:
            sizes = dict(line.split(":", 1) for line in file)
        return int(sizes["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return 0


def side_by_side(
    work: Callable[[_Given], _Made], given: Sequence[_Given], threads: int
) -> Iterator[_Made]:
    """The results in the order of what was given; what was not begun yet is dropped at the end."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(threads) as pool:
        try:
            yield from pool.map(work, given)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
