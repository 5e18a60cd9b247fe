"""Everything that is printed: text, tables in every form, JSON, questions and progress.

On a terminal Rich draws; elsewhere it is plain text without colour or wrapping, and Rich is not
even loaded.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal, TextIO

from hxm.output import TABLE, Form, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console


def out(text: str) -> None:
    """A line of the answer, on stdout."""
    sys.stdout.write(text + "\n")


def prose(text: str) -> None:
    """A line of the answer that is no command: a terminal shows it folded, and hanging."""
    out(hanging(text, sys.stdout))


def hanging(text: str, stream: TextIO) -> str:
    """The text, folded for the stream; what is folded is set in further than its beginning."""
    return folded(text, " " * (len(text) - len(text.lstrip()) + 4), stream)


def beside(text: str) -> None:
    """A line beside the answer, on stderr, after what the answer says so far."""
    sys.stdout.flush()
    sys.stderr.write(f"{text}\n")


def note(text: str, hint: str = "") -> None:
    """A message beside the answer, with who speaks; folded at blanks if a terminal shows it.

    The hint is mostly a command, which is to be copied whole: it is not folded.
    """
    beside(folded(f"hxm: {text}", " " * 5, sys.stderr))
    if hint:
        beside(f"     {hint}")


def folded(text: str, indent: str, stream: TextIO) -> str:
    """The text, folded at blanks if the stream is a terminal that it would be too long for."""
    if len(text) < _NARROW or not stream.isatty():
        return text
    import shutil
    import textwrap

    width = shutil.get_terminal_size().columns
    return textwrap.fill(
        text,
        max(width, _NARROW // 2),
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
    )


_NARROW = 60


def show_json(value: Any) -> None:
    """The answer for programs: one JSON document."""
    import json

    out(json.dumps(value, indent=2))


def show(table: Table, form: Form = TABLE) -> None:
    """A table in the form that was asked for; raises UsageError for a column that is not there.

    Without any wish it is drawn by Rich on a terminal and aligned by blanks elsewhere.
    """
    if not form.usual:
        from hxm.output import formats

        table = formats.arranged(table, form)
    if form.output not in ("table", "plain"):
        out(formats.written(table, form))
    elif form.output == "table" and sys.stdout.isatty():
        _rich_table(table, form)
    else:
        for line in plain_lines(table, headers=form.headers):
            out(line)


def plain_lines(table: Table, *, headers: bool = True) -> Iterator[str]:
    """The table in plain text: columns two blanks apart, no blanks at the ends of lines."""
    grid = [table.headers, *table.rows] if headers else table.rows
    widths = [
        max((len(row[column]) for row in grid), default=0) for column in range(len(table.headers))
    ]
    for row in grid:
        cells = (
            cell.rjust(width) if column in table.right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


def _rich_table(table: Table, form: Form) -> None:
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    drawing = console()
    widths = fitted(table, drawing.width)
    drawn = RichTable(
        box=box.SIMPLE_HEAD,
        padding=(0, _GAP - 1, 0, 0),
        pad_edge=False,
        show_edge=False,
        show_header=form.headers,
    )
    for column, width in widths.items():
        justify: Literal["right", "left"] = "right" if column in table.right else "left"
        drawn.add_column(table.headers[column], justify=justify, overflow="fold", width=width)
    for row in table.rows:
        cells = [row[column] for column in widths]
        drawn.add_row(*(Text(cell, style=STYLES.get(cell.split(" ")[0], "")) for cell in cells))
    drawing.print(drawn)


def console(*, stderr: bool = False) -> Console:
    """What Rich draws on: never so narrow, as COLUMNS=0 would have it, that nothing is seen."""
    import shutil

    from rich.console import Console

    made = Console(highlight=False, stderr=stderr)
    if made.width < _NARROW // 3:
        made.width = max(shutil.get_terminal_size().columns, _NARROW // 3)
    return made


_GAP = 2
"""Blanks between two columns."""


def fitted(table: Table, room: int) -> dict[int, int]:
    """The columns that have room side by side, and how wide each is: folded at blanks alone.

    Only where a word alone has no room is it broken, the longest first.
    """

    def longest(column: int, *, word: bool) -> int:
        cells = (row[column] for row in (table.headers, *table.rows))
        parts = (part for cell in cells for part in (cell.split() if word else [cell]))
        return max(map(len, parts), default=0)

    columns = range(len(table.headers))
    least = {column: longest(column, word=column not in table.whole) for column in columns}
    for column in table.gives_way:
        if sum(least.values()) + _GAP * (len(least) - 1) > room:
            del least[column]
    widths = {column: longest(column, word=False) for column in least}
    while sum(widths.values()) + _GAP * (len(widths) - 1) > max(room, 3 * len(widths)):
        slack = max(
            widths, key=lambda column: (max(widths[column] - least[column], 0), widths[column])
        )
        widths[slack] -= 1
    return widths


STYLES = {
    "Started": "green",
    "online": "green",
    "Stopped": "yellow",
    "standby": "yellow",
    "maintenance": "yellow",
    "unmanaged": "yellow",
    "pending": "yellow",
    "Migrating": "cyan",
    "Starting": "cyan",
    "Stopping": "cyan",
    "OFFLINE": "red",
    "UNCLEAN": "bold red",
    "failed": "red",
    "blocked": "bold red",
}


def narrow() -> bool:
    """Whether the answer goes to a terminal of less than 100 columns."""
    import shutil

    return sys.stdout.isatty() and shutil.get_terminal_size().columns < 100


# Questions


def ask(question: str) -> bool:
    """A yes or no from the terminal; anything but yes is no."""
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):  # Ctrl-D
        sys.stderr.write("\n")
    return answer.strip().lower() in ("y", "yes")


def watched() -> bool:
    """Whether somebody sees what is said beside the answer."""
    return sys.stderr.isatty()


def can_ask() -> bool:
    """Whether there is somebody to answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()
