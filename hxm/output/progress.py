"""How far an order is, for somebody who waits at a terminal; elsewhere nothing is shown."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager


class Display:
    """Where the work reports to, and nobody looks."""

    def report(self, text: str) -> None:
        """Something that has happened, in a line."""

    def left(self, names: Sequence[str], total: int) -> None:
        """Which of so many domUs are not yet where they are to be."""


class _Bar(Display):
    """A line for each event, and below them a bar with what is left and when it should end."""

    def __init__(self, update: Callable[..., None], write: Callable[[str], None]) -> None:
        """`update` changes the bar's fields; `write` puts a line above it."""
        self._update, self._write = update, write
        self._started = time.monotonic()
        self._last = ""

    def report(self, text: str) -> None:
        if text != self._last:
            self._write(f"  {time.monotonic() - self._started:5.1f} s  {text}")
        self._last = text

    def left(self, names: Sequence[str], total: int) -> None:
        if total > 1:
            done = total - len(names)
            count = f"{done} of {total}"
            self._update(total=total, completed=done, count=count, left=" ".join(names))


@contextmanager
def display(title: str) -> Iterator[Display]:
    """The display for an order, as long as it takes."""
    if not sys.stderr.isatty():
        yield Display()
        return
    from rich.progress import (
        BarColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.table import Column

    from hxm.output.terminal import Line, console
    from hxm.printable import printable

    drawing = console(stderr=True)
    cropped = Column(no_wrap=True, overflow="ellipsis", ratio=1)
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(12),
        TextColumn("{task.fields[count]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[left]}", markup=False, table_column=cropped),
        console=drawing,
        transient=True,
        expand=True,
    )
    with bar:
        task = bar.add_task(printable(title), total=None, count="", left="")
        yield _Bar(
            lambda left, **values: bar.update(task, left=printable(left), **values),
            lambda text: drawing.print(Line(text)),
        )
