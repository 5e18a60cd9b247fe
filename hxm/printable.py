"""Text of others, made fit for a terminal: names, reasons, what programs and other hosts say."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""The text in one line; what is not printable becomes what Python writes for it, as `\x1b`.

    That is every control character (a line end as well), what turns the direction of reading, and
    bytes that are not UTF-8.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
