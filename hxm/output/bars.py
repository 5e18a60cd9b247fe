"""Bars of characters: amounts side by side, to scale."""

from __future__ import annotations

from collections.abc import Sequence

_BLOCKS, _LETTERS = "▓█░·", "0#+."


def wide(encoding: str | None) -> bool:
    """Whether the encoding has the characters that lines and bars are drawn with."""
    return (encoding or "").lower().replace("-", "") == "utf8"


def marks(encoding: str | None) -> str:
    """Four marks that the encoding has, for four kinds of amount: full first, free last."""
    return _BLOCKS if wide(encoding) else _LETTERS


def bar(amounts: Sequence[int], scale: float, drawn: str) -> str:
    """The amounts side by side, `scale` to a character, each with its own mark.

    What is not zero has at least one character; the rounding never adds up.
    """
    text = ""
    total = 0
    for amount, mark in zip(amounts, drawn, strict=True):
        total += max(0, amount)
        count = round(total / scale) - len(text)
        text += mark * max(count, 1 if amount > 0 else 0)
    return text
