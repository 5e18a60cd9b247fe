"""S-expressions, in which xend tells of its domUs (XendDomainInfo.sxpr of Xen 3.0 to 4.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_WORD = re.compile(r"""[()]|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^\s()'"]+""")


def expressions(text: str) -> Iterator[list[Any]]:
    """The lists at the top of a text, nested as they are. Raises ValueError if it is cut off."""
    open_lists: list[list[Any]] = []
    for word in _WORD.findall(text):
        if word == "(":
            open_lists.append([])
        elif word != ")":
            if open_lists:
                quoted = word[0] in "'\""
                open_lists[-1].append(re.sub(r"\\(.)", r"\1", word[1:-1]) if quoted else word)
        elif open_lists:
            closed = open_lists.pop()
            if not open_lists:
                yield closed
                continue
            open_lists[-1].append(closed)
    if open_lists:
        raise ValueError("cut off")


def facts_in(expression: list[Any]) -> dict[str, str]:
    """What each (KEY VALUE) in it says; of those with one key the first counts."""
    return {
        entry[0]: entry[1]
        for entry in reversed(expression)
        if isinstance(entry, list) and len(entry) == 2 and all(isinstance(e, str) for e in entry)
    }
