"""What Rich draws on a terminal; loaded only where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from hxm.output import Form, Table
from hxm.output.styles import style_of
from hxm.printable import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

_GAP = 2
"""Blanks between two columns."""
_LEAST = 20
"""Columns that are drawn on at least, whatever COLUMNS says."""


class Line(Text):
    """A line with styles: whatever is put into it or appended is made printable."""

    def __init__(self, text: str = "", style: Any = "", **options: Any) -> None:
        super().__init__(printable(text), style, **options)

    def append(self, text: Text | str, style: Any = None) -> Text:
        """As Rich's own."""
        return super().append(printable(text) if isinstance(text, str) else text, style)


def console(*, stderr: bool = False) -> Console:
    """What Rich draws on: never so narrow, as COLUMNS=0 would have it, that nothing is seen."""
    import shutil

    made = Console(highlight=False, stderr=stderr)
    if made.width < _LEAST:
        made.width = max(shutil.get_terminal_size().columns, _LEAST)
    return made


def draw(table: Table, form: Form) -> None:
    """A table of printable cells, with as many of its columns as the terminal has room for."""
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
        drawn.add_row(*(Line(cell, style=style_of(cell)) for cell in cells))
    drawing.print(drawn)


def side_by_side(table: Table, widths: Mapping[int, int], room: int) -> dict[int, int]:
    """The columns of these widths without those that give way where there is no room for all."""
    left = dict(widths)
    for column in table.gives_way:
        if sum(left.values()) + _GAP * (len(left) - 1) > room:
            left.pop(column, None)
    return left


def fitted(table: Table, room: int) -> dict[int, int]:
    """The columns that have room side by side, and how wide each is: folded at blanks alone.

    Before anything is folded, columns that say nothing give way. Only where a word alone has no
    room is it broken, the longest first.
    """

    def longest(column: int, *, word: bool) -> int:
        cells = (row[column] for row in (table.headers, *table.rows))
        parts = (part for cell in cells for part in (cell.split() if word else [cell]))
        return max(map(len, parts), default=0)

    silent = [n for n in table.gives_way if {row[n] for row in table.rows} <= {"", "-"}]
    whole = {column: longest(column, word=False) for column in range(len(table.headers))}
    columns = side_by_side(table._replace(gives_way=tuple(silent)), whole, room)
    least = {column: longest(column, word=column not in table.whole) for column in columns}
    least = side_by_side(table, least, room)
    widths = {column: longest(column, word=False) for column in least}
    while sum(widths.values()) + _GAP * (len(widths) - 1) > max(room, 3 * len(widths)):
        slack = max(
            widths, key=lambda column: (max(widths[column] - least[column], 0), widths[column])
        )
        widths[slack] -= 1
    return widths
