"""What the value of an option may be, for Typer: loaded with hxm.arguments.options alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import typer

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(?:([mgt])(?:i?b)?)?", re.IGNORECASE)


def one_of(known: Sequence[str]) -> Callable[[str], str]:
    """One of these words, as it is."""

    def check(value: str) -> str:
        if value not in known:
            raise typer.BadParameter(f"{value!r} is none of: {', '.join(known)}")
        return value

    return check


def seconds(value: float | None) -> float | None:
    """A number of seconds from 0 on, or nothing."""
    if value is not None and not 0 <= value < float("inf"):
        raise typer.BadParameter("it must be a number of seconds, from 0 on")
    return value


def mebibytes(value: str) -> int:
    """The MiB of a size such as 2G, or 2048, which is in MiB."""
    found = _SIZE.fullmatch(value.strip())
    size = float(found[1]) * 1024 ** "mgt".index((found[2] or "m").lower()) if found else 0
    if not 1 <= size <= 1 << 30:
        raise typer.BadParameter(f"{value!r} is no size of a domU: 2G, or 2048 (MiB)")
    return round(size)
