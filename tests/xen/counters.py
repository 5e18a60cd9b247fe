"""What the guests write on the shared disk, read from outside: see domu/bin/counter."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

SECTOR = 512


class Slot(NamedTuple):
    """A guest's own word: how often it was started, where last, how often it has written since."""

    starts: int = 0
    host: str = ""
    run: str = ""
    written: int = 0
    double: str = ""
    """What a guest wrote that found another one on its disk; empty if none ever did."""


def parse_slot(sectors: bytes) -> Slot:
    """The first two sectors of a guest's disk; all zeros before its first start."""
    first, second = (
        sectors[number * SECTOR : (number + 1) * SECTOR].rstrip(b"\0 \n").decode("ascii", "replace")
        for number in range(2)
    )
    words = first.split()
    if not words:
        return Slot(double=second)
    _, starts, host, run, written = words
    return Slot(int(starts), host, run, int(written), second)


def read_slot(disk: Path, start: int) -> Slot:
    with open(disk, "rb") as file:
        file.seek(start)
        return parse_slot(file.read(2 * SECTOR))


def longest_silence(read: Callable[[], Slot], until: Callable[[], bool]) -> float:
    """The longest time in seconds without a new count, until something has happened."""
    longest, last, since = 0.0, read(), time.monotonic()
    while not until():
        now = read()
        if now != last:
            last, since = now, time.monotonic()
        longest = max(longest, time.monotonic() - since)
        time.sleep(0.05)
    return longest
