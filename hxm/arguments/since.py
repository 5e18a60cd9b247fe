"""The times that `--since` accepts."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from hxm.errors import UsageError

_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_AGO = re.compile(r"(\d{1,6}) ?(s|min|m|h|d|w)")


def parse_since(text: str, now: float) -> float:
    """The time in seconds since the epoch. Raises UsageError for invalid text.

    `2h` and `3d` count back from now; today and yesterday begin at midnight. A time without a zone
    is in this host's zone; a time without a date is today's.
    """
    word = text.strip().lower()
    if ago := _AGO.fullmatch(word):
        return now - int(ago[1]) * _UNITS[ago[2]]
    here = datetime.fromtimestamp(now).astimezone()
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    if word == "today":
        return midnight.timestamp()
    if word == "yesterday":
        return (midnight - timedelta(days=1)).timestamp()
    try:
        if re.fullmatch(r"\d{1,2}:\d\d(:\d\d)?", word):
            if word[1] == ":":
                word = f"0{word}"
            word = f"{midnight:%Y-%m-%d}T{word}"
        return datetime.fromisoformat(word.upper()).timestamp()
    except (ValueError, OverflowError):
        raise UsageError(
            f"--since {text[:40]!r} is not a time", "2h, 3d, yesterday, 14:30, 2026-11-26 14:30"
        ) from None
