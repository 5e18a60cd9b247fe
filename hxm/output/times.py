"""Times and durations, for people and for programs."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

_ALMOST_A_MINUTE = 59.95


def iso_time(at: float) -> str:
    """A time in ISO 8601, with this host's zone, for programs."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(at))


def time_column(times: Sequence[float]) -> tuple[str, list[str]]:
    """A header and cells for times: the header has the zone, unless the zone changes.

    On a terminal, times of today have no date.
    """
    local_times = [time.localtime(at) for at in times]
    today = time.strftime("%Y-%m-%d ") if sys.stdout.isatty() else "none"
    zones = {local_time.tm_zone for local_time in local_times}
    form, header = "%Y-%m-%d %H:%M:%S", "Time"
    if len(zones) > 1:
        form += " %Z"
    elif zones:
        header = f"Time ({zones.pop()})"
    return header, [
        time.strftime(form, local_time).removeprefix(today) for local_time in local_times
    ]


def local_time(at: float) -> str:
    """A time for a message, as `time_column` has it."""
    return time_column([at])[1][0]


def took(seconds: float | None) -> str:
    """How long something took; a dash if it was not measured."""
    if not seconds:
        return "-"
    if seconds < _ALMOST_A_MINUTE:
        return f"{max(seconds, 0.1):.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
