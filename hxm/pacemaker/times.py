"""Times as the cluster's tools write them."""

from __future__ import annotations

import re

_UNITS = {"": 1.0, "s": 1.0, "sec": 1.0, "ms": 1e-3, "msec": 1e-3, "us": 1e-6, "usec": 1e-6}
_UNITS |= {"m": 60.0, "min": 60.0, "h": 3600.0, "hr": 3600.0}
_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def seconds(text: str) -> float | None:
    """A time as the cluster's tools write it (crm_get_msec, crm_get_interval), or None."""
    if match := re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)\s*", text):
        unit = _UNITS.get(match[2])
        return None if unit is None else float(match[1]) * unit
    if (match := _ISO.fullmatch(text)) and any(match.groups()):
        days, hours, minutes, rest = (int(group or 0) for group in match.groups())
        return float(((days * 24 + hours) * 60 + minutes) * 60 + rest)
    return None
