"""Timings of a domU's operations that the hypervisor can stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

ADVICE = {"start": 60, "stop": 40, "monitor": 30, "migrate_to": 120, "migrate_from": 120}
"""Seconds: the least that ocf:heartbeat:Xen asks for (4.12), where it cannot be asked itself."""
INTERVAL = 10
"""Seconds between two looks of the monitor, by the agent's advice."""
_AFTER_SHUTDOWN = 30
"""Seconds that are left for a destroy when a clean shutdown has had its time."""
_RATE = 50
"""MiB in a second that a live migration moves at least: half of what a 1 Gbit/s link carries."""


def timings(
    like: Sequence[Mapping[str, str]],
    advice: Mapping[str, int],
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
    found = []
    for name, advised in ADVICE.items():
        theirs = [seconds(each.get("timeout", "")) for each in like if each.get("name") == name]
        longest = max(advice.get(name, advised), least.get(name, 0), *theirs, 0)
        interval = "0"
        if name == "monitor":
            looks = [seconds(each.get("interval", "")) for each in like if each["name"] == name]
            usual = max(looks, default=0) or INTERVAL
            interval = f"{wanted.get('interval', usual)}s"
        timeout = f"{wanted.get(name, longest)}s"
        found.append({"name": name, "interval": interval, "timeout": timeout})
    return tuple(found)


_UNITS = {"": 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hr": 3600}


def seconds(said: str) -> int:
    """A time as Pacemaker reads it (crm_get_msec), rounded up; 0 for what is none."""
    digits = said[: len(said) - len(said.lstrip("0123456789"))]
    unit = said[len(digits) :].strip()
    if not digits or (unit not in _UNITS and unit not in ("ms", "msec")):
        return 0
    return int(digits) * _UNITS[unit] if unit in _UNITS else -(-int(digits) // 1000)
