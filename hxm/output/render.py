"""Everything that is printed: text, tables in every form, JSON and questions.

On a terminal Rich draws; elsewhere it is plain text without colour or wrapping, and Rich is not
even loaded. Whatever comes here may hold the words of others: no escape sequence and no line end
in it reaches a terminal (see `printable`).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TextIO

from hxm.output import TABLE, Form, Table
from hxm.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator


_cluster = ""


def name_cluster(name: str) -> None:
    """From now on let every command of hxm's that is shown name the cluster that it is for."""
    global _cluster  # noqa: PLW0603 - a command has one cluster
    _cluster = name


def _named(text: str) -> str:
    if not _cluster or "hxm " not in text:
        return text
    import re
    import shlex

    from hxm.catalog import COMMANDS

    def for_it(match: re.Match[str]) -> str:
        there, verb = match.groups()
        if verb not in COMMANDS or (there and verb != "guard"):
            return match[0]
        return f"hxm --on {shlex.quote(_cluster)} {verb}"

    return re.sub(r"\b(ssh \S+ )?hxm ([a-z-]+)", for_it, text)


def out(line: str) -> None:
    """A line of the answer, on stdout. Tabs stay, as in `xl list`."""
    _write(sys.stdout, line)


def document(text: str) -> None:
    """An answer of several lines, such as JSON or HTML; line ends within values are escaped."""
    if text.replace("\n", "").isprintable():  # 10,000 lines of 300 domUs at once
        sys.stdout.write(f"{text}\n")
        return
    for line in text.split("\n"):
        out(line)


def prose(line: str) -> None:
    """A line of prose; a terminal shows it folded, with a hanging indent."""
    for part in hanging(line, sys.stdout):
        out(part)


def hanging(line: str, stream: TextIO) -> list[str]:
    """The line, folded for the stream; what is folded is set in further than its beginning."""
    return folded(line, len(line) - len(line.lstrip()) + 4, stream)


def beside(line: str) -> None:
    """A line on stderr, after what stdout has so far."""
    sys.stdout.flush()
    _write(sys.stderr, line)


def _write(stream: TextIO, line: str) -> None:
    if not line.isprintable():
        line = "\t".join(map(printable, line.split("\t")))
    stream.write(f"{_named(line)}\n")


def note(text: str, *hints: str) -> None:
    """A message on stderr, with the program's name, and lines of what to do about it."""
    for line in folded(f"hxm: {text}", 5, sys.stderr):
        beside(line)
    for hint in filter(None, hints):
        for line in hint_lines(hint, 5, sys.stderr):
            beside(line)


def folded(line: str, indent: int, stream: TextIO) -> list[str]:
    """The line, folded if the stream is a terminal that it would be too long for.

    All lines but the first begin with `indent` blanks.
    """
    line = _named(printable(line))
    if len(line) < _NARROW or not stream.isatty():
        return [line]
    import shutil

    width = shutil.get_terminal_size().columns
    return wrapped(line, max(width, _NARROW // 2), " " * indent)


_NARROW = 60


def hint_lines(hint: str, indent: int, stream: TextIO) -> list[str]:
    """A hint, folded as `folded` does it, set in by `indent` blanks, and its rest by 4 more."""
    return folded(f"{' ' * indent}{hint}", indent + 4, stream)


def wrapped(line: str, width: int, margin: str) -> list[str]:
    """The line, folded at blanks, but never within a command, which is to be copied whole.

    A command stands at the beginning or behind a colon or a semicolon, and reaches to the next.
    """
    import re
    import textwrap

    whole = re.sub(_COMMAND, lambda match: match[0].replace(" ", _GLUE), line)
    lines = textwrap.wrap(
        whole,
        width,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
    )
    return [folded_line.replace(_GLUE, " ") for folded_line in lines]


def parts(text: str) -> Iterator[tuple[str, bool]]:
    """The text in parts, and whether each is a command; together they are the whole text."""
    import re

    end = 0
    for match in re.finditer(_COMMAND, text):
        command = match[0].rstrip(";:")
        yield text[end : match.start()], False
        yield command, True
        end = match.start() + len(command)
    yield text[end:], False


_GLUE = "\0"
_COMMAND = (
    r"(?:(?<=[;:] )(?<!^hxm: )|(?:^ *))"
    r"(?:hxm|xl|xm|crm_\w+|cibadmin|stonith_admin|systemctl|ssh|export) "
    r"""(?:(?<=[ =])'(?:[^']|'"'"')*'|[^;:]|[;:](?=\S))*[;:]?"""
)
"""What is in quotes may hold what ends a command; a message behind `hxm: ` begins with none."""


def show_json(value: Any) -> None:
    """The answer for programs: one JSON document."""
    import json

    document(json.dumps(value, indent=2, allow_nan=False))


def show(table: Table, form: Form = TABLE) -> None:
    """A table in the form that was asked for; raises UsageError for a column that is not there.

    Without any wish it is drawn by Rich on a terminal and aligned by blanks elsewhere. A cell is
    one line in every form.
    """
    table = table._replace(rows=[[_named(printable(cell)) for cell in row] for row in table.rows])
    if not form.usual:
        from hxm.output import formats

        table = formats.arranged(table, form)
    if form.output not in ("table", "plain"):
        document(formats.written(table, form))
    elif form.output == "table" and sys.stdout.isatty():
        from hxm.output.terminal import draw

        draw(table, form)
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


def narrow() -> bool:
    """Whether the answer goes to a terminal of less than 100 columns."""
    import shutil

    return sys.stdout.isatty() and shutil.get_terminal_size().columns < 100


# Questions


def ask(question: str) -> bool:
    """A yes or no from the terminal; anything but yes is no."""
    sys.stderr.write(f"{printable(question)} [y/N] ")
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):  # Ctrl-D
        sys.stderr.write("\n")
    return answer.strip().lower() in ("y", "yes")


def watched() -> bool:
    """Whether stderr is a terminal."""
    return sys.stderr.isatty()


def can_ask() -> bool:
    """Whether somebody can answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()
