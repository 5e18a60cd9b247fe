"""Draws where each domU ran: a row for each, time from left to right, hosts as letters."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from hxm.output.bars import wide
from hxm.policy.past.stays import Row

_LEAST = 20
"""Columns of time that are drawn at least, on however narrow a terminal."""
_FAILED, _SEVERAL = "!", "*"
_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(60 * count for count in (1, 2, 5, 10, 15, 30)),
    *(3600 * count for count in (1, 2, 3, 6, 12)),
    *(86400 * count for count in (1, 2, 7, 14, 28)),
)
"""Seconds between two marks of the axis; the shortest that fits is taken."""
_COLOURS = ("green", "cyan", "magenta", "yellow", "blue", "bright_green", "bright_cyan")


def show(rows: Sequence[Row], nodes: Sequence[str], begin: float, end: float) -> None:
    """The drawing of this time; in colour where the terminal has any."""
    letters = letters_of(nodes)
    columns = shutil.get_terminal_size().columns
    drawn = list(draw(rows, letters, begin, end, columns, sys.stdout.encoding))
    if not sys.stdout.isatty():
        from hxm.output import render

        for text in drawn:
            render.out(text)
        return
    from hxm.output.terminal import Line, console

    styles = dict(zip(letters.values(), _COLOURS * len(letters), strict=False))
    styles[_FAILED] = "bold red"
    drawing = console()
    for number, text in enumerate(drawn):
        line = Line(text)
        style = ""
        for at in range(_label(rows), len(text)) if 0 < number <= len(rows) else ():
            style = styles.get(text[at], style if text[at] in "─-" else "")
            line.stylize(style, at, at + 1)
        drawing.print(line, soft_wrap=True)


def letters_of(nodes: Sequence[str]) -> dict[str, str]:
    """A letter for each node: one of its name that tells it from all others, else A, B, C ..."""
    for at in range(min(map(len, nodes), default=0)):
        letters = [node[at] for node in nodes]
        distinct = len(set(letters)) == len(nodes)
        if distinct and all(letter.isascii() and letter.isalnum() for letter in letters):
            return dict(zip(nodes, letters, strict=True))
    return {node: chr(ord("A") + count % 26) for count, node in enumerate(nodes)}


def draw(
    rows: Sequence[Row],
    letters: Mapping[str, str],
    begin: float,
    end: float,
    columns: int,
    encoding: str | None,
) -> Iterator[str]:
    """The axis, a line for each row, and what the marks mean; `columns` wide if there is room."""
    label = _label(rows)
    width = max(columns - label, _LEAST)
    marks = ("─", "·") if wide(encoding) else ("-", ".")
    zone = time.strftime("%Z", time.localtime(end))
    yield f"{zone[: label - 1]:<{label}}{_axis(begin, end, width)}".rstrip()
    used: set[str] = set()
    for row in rows:
        line = _line(row, letters, begin, (end - begin) / width, width, marks)
        used.update(line)
        yield f"{row.name:<{label}}{line}"
    others = {
        marks[1]: "not known to run",
        _SEVERAL: "several changes",
        _FAILED: "something failed",
    }
    meanings = {letter: node for node, letter in letters.items()} | others
    yield from _legend([f"{mark} {meanings[mark]}" for mark in meanings if mark in used], columns)


def _label(rows: Sequence[Row]) -> int:
    return max((len(row.name) for row in rows), default=0) + 2


def _legend(meanings: Sequence[str], columns: int) -> Iterator[str]:
    """What the marks mean, folded between two of them."""
    text = ""
    for meaning in meanings:
        if text and len(text) + 3 + len(meaning) > columns:
            yield text
            text = ""
        text += f"   {meaning}" if text else meaning
    yield text


def _line(
    row: Row,
    letters: Mapping[str, str],
    begin: float,
    scale: float,
    width: int,
    marks: tuple[str, str],
) -> str:
    """A mark for each piece of time: the letter where a stay begins, then a line."""
    stays_on, nowhere = marks

    def column_of(at: float) -> int:
        return min(max(int((at - begin) / scale), 0), width - 1)

    failed = {column_of(at) for at in row.failures}
    changes: list[list[str]] = [[] for _ in range(width)]
    for stay in row.stays:
        changes[column_of(stay.since)].append(stay.node)
        if not stay.lasts:
            changes[column_of(stay.until)].append("")
    line, place, written = "", "", False
    for column, here in enumerate(changes):
        moves = [node for node, after in pairwise([*here, ""]) if node or not after]
        place = here[-1] if here else place
        written = written and not here
        if column in failed:
            line += _FAILED
        elif len(moves) > 1:
            line += _SEVERAL
        elif not place:
            line += nowhere
        else:
            line += stays_on if written else letters.get(place, "?")
            written = True
    return line


def ticks(begin: float, end: float, width: int) -> Iterator[tuple[float, str]]:
    """The round times on an axis of this width in characters, each with its label."""
    scale = (end - begin) / width
    step = next((step for step in _STEPS if step / scale >= _room(step)), _STEPS[-1])
    zone = time.localtime(begin).tm_gmtoff
    at = -(-(begin + zone) // step) * step - zone
    while at < end:
        yield at, _time(at, step)
        at += step


def _axis(begin: float, end: float, width: int) -> str:
    """Time labels above their columns."""
    text = ""
    for at, word in ticks(begin, end, width):
        column = int((at - begin) / (end - begin) * width)
        if column >= len(text) + bool(text) and column + len(word) <= width:
            text = f"{text:<{column}}{word}"
    return text or _time(begin, 1)


def _room(step: int) -> int:
    return len(_time(0.0, step)) + 3


def _time(at: float, step: int) -> str:
    local = time.localtime(at)
    if step < 60:
        return time.strftime("%H:%M:%S", local)
    midnight = (local.tm_hour, local.tm_min) == (0, 0)
    return time.strftime("%m-%d" if midnight else "%H:%M", local)
