"""Timings of a domU's operations that the hypervisor can stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

ADVICE = {"start": 60, "stop": 40, "monitor": 30, "migrate_to": 120, "migrate_from": 120}
"""Seconds: the least that ocf:heartbeat:Xen asks for (4.12), where it cannot be asked itself."""
INTERVAL = 10
"""Seconds between two looks of the monitor, by the agent's advice."""
_AFTER_SHUTDOWN = 30
"""Seconds that are left for a destroy when a clean shutdown has had its time."""
_RATE = 50
"""MiB in a second that a live migration moves at least: half of what a 1 Gbit/s link carries."""


class Timed(NamedTuple):
    """An operation of a neighbour's, in seconds."""

    name: str
    interval: float
    timeout: float


def timings(
    like: Sequence[Timed],
    advice: Mapping[str, float],
    wanted: Mapping[str, int],
    *,
    memory: int | None,
    shutdown_timeout: int | None,
) -> tuple[Mapping[str, str], ...]:
    """The operations with timings, in seconds, that the hypervisor can stand.

    What the configuration wants counts; else the longest of what the agent advises, what the
    neighbours have (never their start-delay), what a clean shutdown and a destroy take, and what
    the domU's memory takes to be moved.
    """
    least = {
        "stop": (shutdown_timeout or 0) + _AFTER_SHUTDOWN if shutdown_timeout is not None else 0,
        "migrate_to": 60 + (memory or 0) // _RATE,
        "migrate_from": 60 + (memory or 0) // _RATE,
    }
    operations = []
    for name, advised in ADVICE.items():
        theirs = [timed.timeout for timed in like if timed.name == name]
        longest = -int(-max(advice.get(name, advised), least.get(name, 0), *theirs, 0) // 1)
        interval = "0"
        if name == "monitor":
            usual = -int(
                -max((timed.interval for timed in like if timed.name == name), default=0) // 1
            )
            interval = f"{wanted.get('interval', usual or INTERVAL)}s"
        timeout = f"{wanted.get(name, longest)}s"
        operations.append({"name": name, "interval": interval, "timeout": timeout})
    return tuple(operations)
