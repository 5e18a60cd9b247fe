"""What a command line is declared with: options, operands, and the readers of their values.

Light: Typer is not loaded here. A reader raises ValueError, with what is wrong as its text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(?:([mgt])(?:i?b)?)?", re.IGNORECASE)


class Option(NamedTuple):
    """An option with all its spellings; `value` is empty for a flag."""

    spellings: tuple[str, ...]
    value: str
    """As the help shows it: NODE, or the only words that are accepted: table|json."""
    help: str
    default: str = ""
    """As the help shows it; it comes from the function's signature."""
    hidden: bool = False
    opposites: tuple[str, ...] = ()
    """Those of the spellings that mean the opposite: --no-wait."""
    read: Callable[[Any], Any] | None = None
    """Makes the value of what was typed, or of the default."""

    @property
    def words(self) -> tuple[str, ...]:
        """The words that are accepted as the value, if it is one of a few: table, json."""
        words = tuple(self.value.split("|"))
        return words if len(words) > 1 and all(map(str.islower, words)) else ()


class Operand(NamedTuple):
    """An operand: `metavar` as the help shows it."""

    metavar: str
    help: str
    repeated: bool = False
    """Whether any number of them may follow one another."""
    offers: tuple[str, ...] = ()
    """What may stand there, if the metavar does not begin with all of it."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What may stand there: DOMAIN, NODE, or a word as it is."""
        if self.offers:
            return self.offers
        first = self.metavar.partition(" ")[0]
        return tuple(first.replace("...", "").strip("[]").split("|"))


def one_of(words: tuple[str, ...]) -> Callable[[str], str]:
    """Accepts one of these words."""

    def read(value: str) -> str:
        if value not in words:
            raise ValueError(f"{value!r} is none of: {', '.join(words)}")
        return value

    return read


def whole(least: int, most: int | None = None) -> Callable[[Any], int]:
    """Accepts a whole number in these bounds."""

    def read(value: Any) -> int:
        try:
            number = int(value)
        except ValueError:
            raise ValueError(f"{value!r} is not a whole number") from None
        if number < least:
            raise ValueError(f"{number} is less than {least}")
        if most is not None and number > most:
            raise ValueError(f"{number} is more than {most}")
        return number

    return read


def seconds(value: Any, least: float = 0) -> float:
    """Accepts a finite number of seconds, at least this many."""
    try:
        number = float(value)
    except ValueError:
        raise ValueError(f"{value!r} is no number") from None
    if not least <= number < float("inf"):
        raise ValueError(f"it must be a number of seconds, from {least:g} on")
    return number


def interval(value: Any) -> float:
    """Accepts the seconds between two looks at the cluster: at least one."""
    return seconds(value, least=1)


def mebibytes(value: str) -> int:
    """The MiB of a size such as 2G, or 2048, which is in MiB."""
    size = _SIZE.fullmatch(value.strip())
    number = float(size[1]) * 1024 ** "mgt".index((size[2] or "m").lower()) if size else 0
    if not 1 <= number <= 1 << 30:
        raise ValueError(f"{value!r} is no size of a domU: 2G, or 2048 (MiB)")
    return round(number)
