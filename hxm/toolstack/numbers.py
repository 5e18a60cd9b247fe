"""Numbers in what toolstacks print; Python's own int and float take `1_000`, `nan` and `٣` too."""

from __future__ import annotations

import re

_WHOLE = re.compile("[0-9]{1,15}")
_SECONDS = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")


def whole(text: str) -> int:
    """A whole number from 0 on, in ASCII digits. Raises ValueError for anything else."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(text[:60])
    return int(text)


def seconds(text: str) -> float:
    """A number from 0 on, with a point or without. Raises ValueError for anything else."""
    if not _SECONDS.fullmatch(text):
        raise ValueError(text[:60])
    return float(text)
