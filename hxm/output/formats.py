"""Output formats of a table for documents and programs; loaded only when one is used."""

from __future__ import annotations

import csv
import io
import re

from hxm.errors import UsageError
from hxm.output import Form, Table

FORMS = ("table", "plain", "json", "csv", "tsv", "github", "html")
_FORMULA = re.compile(r"[=+@\t\r]|-.*[(|!]")
"""What a spreadsheet would run, in a name or a reason; a state of xl's begins with a dash, too."""
_DELIMITERS = {"csv": ",", "tsv": "\t"}


def arranged(table: Table, form: Form) -> Table:
    """The table with the chosen columns and order; raises UsageError for an unknown column."""
    rows = list(table.rows)
    if form.sort:
        by = _column(table, form.sort.removeprefix("-"))
        known = sorted(
            (row for row in rows if row[by] not in ("", "-")),
            key=lambda row: _sort_key(row[by], number=by in table.right),
            reverse=form.sort.startswith("-"),
        )
        rows = known + [row for row in rows if row[by] in ("", "-")]
    chosen = [_column(table, name) for name in form.columns.split(",") if name.strip()]
    if not chosen:
        return table._replace(rows=rows)
    return Table(
        [table.headers[column] for column in chosen],
        [[row[column] for column in chosen] for row in rows],
        frozenset(place for place, column in enumerate(chosen) if column in table.right),
    )


def written(table: Table, form: Form) -> str:
    """The table as csv, tsv, github (Markdown) or html (a table element), without a final newline.

    A tab or a line break within a tsv cell becomes a blank; a csv cell that a spreadsheet would run
    as a formula begins with an apostrophe.
    """
    if form.output in _DELIMITERS:
        return _separated(table, form)
    from tabulate import tabulate

    rows = [[cell.replace("|", "\\|") for cell in row] for row in table.rows]
    columns = range(len(table.headers))
    alignment = ["right" if column in table.right else "left" for column in columns]
    text: str = tabulate(
        rows if form.output == "github" else table.rows,
        table.headers if form.headers else (),
        tablefmt=form.output,
        disable_numparse=True,
        colalign=alignment if rows else None,
    )
    return text


def _separated(table: Table, form: Form) -> str:
    rows = [table.headers, *table.rows] if form.headers else table.rows
    if form.output == "tsv":
        rows = [[" ".join(cell.split()) for cell in row] for row in rows]
    else:
        rows = [[f"'{cell}" if _FORMULA.match(cell) else cell for cell in row] for row in rows]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=_DELIMITERS[form.output], lineterminator="\n")
    writer.writerows(rows)
    return text.getvalue().removesuffix("\n")


def _column(table: Table, name: str) -> int:
    """The column whose header begins so, in any case."""
    wanted = name.strip().lower()
    headers = [header.lower() for header in table.headers]
    matches = [place for place, header in enumerate(headers) if header.startswith(wanted)]
    if wanted in headers:
        matches = [headers.index(wanted)]
    if len(matches) != 1 or not wanted:
        what = "fits more than one" if len(matches) > 1 else "is none"
        raise UsageError(
            f"{name.strip()!r} {what} of the columns", f"there are: {', '.join(table.headers)}"
        )
    return matches[0]


def _sort_key(cell: str, *, number: bool) -> tuple[float, str]:
    try:
        return (float(cell.split(maxsplit=1)[0]) if number else 0.0, cell.lower())
    except ValueError:
        return (float("inf"), cell.lower())
