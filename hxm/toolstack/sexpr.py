"""S-expressions, in which xend tells of its domUs (XendDomainInfo.sxpr of Xen 3.0 to 4.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_WORD = re.compile(
    "|".join(
        (
            r"[()]",
            *(rf"{q}[^{q}\\]*+(?:\\.[^{q}\\]*+)*\\?(?:{q}|\Z)" for q in "'\""),
            r"[^\s()'\"]+",
        )
    ),
    re.DOTALL,
)
"""A bracket, or a word. One whose quotation mark is not closed goes on to the end of the text:
else each mark would be looked at anew from there on."""
_FIRST = re.compile(r"^\(", re.MULTILINE)


def expressions(text: str) -> Iterator[list[Any]]:
    """The lists at the top of a text, nested as they are. Raises ValueError if it is cut off.

    The first begins a line; a greeting of a login may stand before it.
    """
    start = _FIRST.search(text)
    open_lists: list[list[Any]] = []
    for word in _WORD.findall(text, start.start()) if start else ():
        if word == "(":
            open_lists.append([])
        elif word != ")":
            if open_lists:
                open_lists[-1].append(_unquoted(word))
        elif open_lists:
            closed = open_lists.pop()
            if not open_lists:
                yield closed
                continue
            open_lists[-1].append(closed)
    if open_lists:
        raise ValueError("cut off")


def _unquoted(word: str) -> str:
    if word[0] not in "'\"":
        return word
    if len(word) < 2 or word[-1] != word[0]:
        raise ValueError("cut off")
    return re.sub(r"(?s)\\(.)", r"\1", word[1:-1])


def facts_in(expression: list[Any]) -> dict[str, str]:
    """What each (KEY VALUE) in it says; of those with one key the first counts."""
    return {
        entry[0]: entry[1]
        for entry in reversed(expression)
        if isinstance(entry, list) and len(entry) == 2 and all(isinstance(e, str) for e in entry)
    }
