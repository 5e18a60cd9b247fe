"""Shows on a terminal how far an order is; elsewhere it shows nothing."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import Any

_A_MOMENT = 1.0
"""Seconds before progress is shown."""
_OTHERS = 52
"""Columns that a bar, its count, its times and a name need."""


class Display:
    """A progress display that shows nothing."""

    def report(self, text: str) -> None:
        """Something that has happened, in a line."""

    def doing(self, text: str) -> None:
        """What is being done: it is gone with the display."""

    def left(self, names: Sequence[str], total: int) -> None:
        """Which of so many domUs are not yet where they are to be."""

    def arrived(self, transfers: Sequence[tuple[str, str, int, int]]) -> None:
        """Name, target, and the MiB that have arrived, and of how many, of domUs on their way."""


class _Bar(Display):
    """A line for each event, and below them a bar with what is left and when it should end."""

    def __init__(self, update: Callable[..., None], write: Callable[[str], None]) -> None:
        """`update` changes the bar's fields; `write` puts a line above it."""
        self._update, self._write = update, write
        self._started = time.monotonic()
        self._last = ""
        self._several = False
        self._arriving = False
        self._copied: float | None = None
        """When all memory of the one domU had arrived, by the monotonic clock."""

    def report(self, text: str) -> None:
        if text != self._last:
            self._write(f"  {time.monotonic() - self._started:5.1f} s  {text}")
        self._last = text

    def doing(self, text: str) -> None:
        self._update(left=text)

    def left(self, names: Sequence[str], total: int) -> None:
        if total > 1:
            done = total - len(names)
            self._fill(done, total, f"{done} of {total}", " ".join(names))
        self._several = total > 1

    def arrived(self, transfers: Sequence[tuple[str, str, int, int]]) -> None:
        """One domU alone is the bar itself, whose end is then estimated, until it has ended."""
        if self._arriving and not transfers:
            self._update(total=None, completed=0, count="", left="")
            self._copied = None
        self._arriving = False
        if len(transfers) == 1 and not self._several:
            self._arriving = True
            ((name, target, mib, of),) = transfers
            if mib < of:
                self._copied = None
                self._fill(mib, of, f"{mib} of {of} MiB", f"{name} -> {target}")
            else:
                self._fill(mib, of, "", self._waiting())
        elif transfers:
            parts = [f"{name} {100 * mib // of} %" for name, _, mib, of in transfers]
            self._update(left=" ".join(parts))

    def _fill(self, done: int, total: int, count: str, left: str) -> None:
        """A bar that is full counts as over, and its clock stops: what follows has no end yet."""
        end = total if done < total else None
        self._update(total=end, completed=done if end else 0, count=count, left=left)

    def _waiting(self) -> str:
        """What happens once all memory is there, and for how long already."""
        self._copied = self._copied or time.monotonic()
        minutes, seconds = divmod(int(time.monotonic() - self._copied), 60)
        return f"memory copied; waiting {minutes}:{seconds:02} for the cluster"


class _Late(Display):
    """Keeps what it is told, and draws it only once that takes longer than a moment."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._lock = threading.Lock()
        self._left: tuple[Sequence[str], int] = ((), 0)
        self._drawn: Display | None = None
        self._over = False
        self._end = ExitStack()
        self._timer = threading.Timer(_A_MOMENT, self._draw)
        self._timer.daemon = True
        self._timer.start()

    def _draw(self) -> None:
        with self._lock:
            if self._over:
                return
            self._drawn = self._end.enter_context(_bar(self._title))
            self._drawn.left(*self._left)

    def report(self, text: str) -> None:
        with self._lock:
            if self._drawn:
                self._drawn.report(text)

    def left(self, names: Sequence[str], total: int) -> None:
        with self._lock:
            self._left = names, total
            if self._drawn:
                self._drawn.left(names, total)

    def close(self) -> None:
        """Draw no more, and take away what was drawn."""
        self._timer.cancel()
        with self._lock:
            self._over = True
            self._end.close()


@contextmanager
def display(title: str, *, at_once: bool = True) -> Iterator[Display]:
    """The display for an order, as long as it takes; or from a moment on, if it takes longer."""
    if not sys.stderr.isatty():
        yield Display()
    elif at_once:
        with _bar(title) as bar:
            yield bar
    else:
        with closing(_Late(title)) as late:
            yield late


@contextmanager
def _bar(title: str) -> Iterator[Display]:
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
    short = Column(no_wrap=True, overflow="ellipsis", max_width=max(16, drawing.width - _OTHERS))
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False, table_column=short),
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

        def update(left: str, **values: Any) -> None:
            if "total" in values:  # to update() a total of None is none that was given
                bar.tasks[task].total = values.pop("total")
            bar.update(task, left=printable(left), **values)

        yield _Bar(update, lambda text: drawing.print(Line(text)))
