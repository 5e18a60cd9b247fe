"""Shows the cluster on a whole terminal, as it changes; keys select what is shown."""

from __future__ import annotations

import os
import re
import select
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.live import Live

from hxm.cluster.poller import Poller
from hxm.config import Config
from hxm.errors import CannotAsk
from hxm.host import programs
from hxm.model import Cluster, Domain
from hxm.output import Table, render, tables
from hxm.output.render import wrapped
from hxm.output.styles import style_of
from hxm.output.tables import by_remedy
from hxm.output.terminal import Line, console, side_by_side
from hxm.policy import counted, duration
from hxm.policy.state.findings import findings
from hxm.policy.state.summary import BAD, BUSY, GOOD, ODD, Word, news, overview
from hxm.printable import printable

if TYPE_CHECKING:
    from rich.text import Text

_COLOURS = {GOOD: "", BUSY: "cyan", ODD: "yellow", BAD: "bold red"}
_OLD = 10.0
"""Seconds from which on the age of what is shown stands beside the time."""
_NARROW = 76
"""On a narrower terminal only the essential columns are shown."""
_ESSENTIAL = ("Name", "Node", "Role", "Flags")
_KEYS = {"d": "domUs", "n": "nodes", "f": "failures", "e": "events", "?": "help", "q": "quit"}
_HELP = """
d  domUs: those that move first, then those with problems, then the others;
   below, if there is room, the nodes and what needs attention
n  nodes, their state and what runs on them
f  what needs attention, with the command that changes it
e  events since the watch began
up, down, PgUp, PgDn, or k and j   scroll
q, Ctrl-C   quit

hxm polls the cluster every few seconds, every second while something moves;
the last line shows the polls in the last minute and the age of the data.
"""
_UP, _DOWN = ("k", "\x1b[A", "\x1bOA"), ("j", "\x1b[B", "\x1bOB")
_SCROLLS = {
    **dict.fromkeys(_UP, -1),
    **dict.fromkeys(_DOWN, 1),
    "\x1b[5~": -10,
    "\x1b[6~": 10,
}
_KEY = re.compile(r"\x1b[\[O][0-9;]*[A-Z~]|.", re.DOTALL)
"""One key: a single read may return several."""


class Watch:
    """The contents of the screen, from the data of a poller."""

    def __init__(self, poller: Poller) -> None:
        self.poller = poller
        self.view = "d"
        self.top = 0
        """The number of rows that are scrolled off the top."""
        self.events: deque[tuple[str, Word]] = deque(maxlen=500)
        self._before: Cluster | None = None

    def record_events(self) -> None:
        """Record the events since the last call."""
        now = self.poller.cluster
        if now is not self._before:
            at = time.strftime("%H:%M:%S")
            if now and self._before:
                self.events.extend((at, word) for word in news(self._before, now))
            self._before = now

    def press(self, key: str) -> bool:
        """Carry out a key; False if it ends the watch."""
        if key in ("q", "\x03", "\x04"):
            return False
        if key in _KEYS:
            self.view, self.top = key, 0
        self.top = max(0, self.top + _SCROLLS.get(key, 0))
        return True

    def screen(self, width: int, height: int) -> RenderableType:
        """The whole screen, of this many columns and lines."""
        head = self._head(width)[: max(2, height // 3)]
        if height >= 20:  # so that the table keeps its position
            head += [Line("")] * (3 - len(head))
        foot = self._foot(width)
        events = self._events(3) if self.view == "d" and height >= 16 else []
        room = height - len(head) - len(events) - 2
        body = self._body(width, room)
        self.top = max(0, min(self.top, len(body) - room))
        shown = body[self.top : self.top + room]
        if len(body) > room:
            below = len(body) - self.top - room + 1
            shown = [*shown[:-1], Line(f"... {below} more" if below > 1 else "")]
        shown += [Line("")] * (room - len(shown))
        lines = [*head, Line(""), *shown, *events, foot]
        for line in lines:
            line.truncate(width, overflow="ellipsis")
            line.no_wrap = True
        return Group(*lines)

    def _head(self, width: int) -> list[Text]:
        cluster = self.poller.cluster
        here = f"{cluster.name or 'cluster'} " if cluster else ""
        here = f"sandbox {here}" if cluster and cluster.sandbox else here
        text = Line(f"hxm watch {here}{time.strftime('%H:%M:%S')}", "bold")
        if cluster and self.poller.age >= _OLD:
            text.append(f", seen {duration(self.poller.age)} ago", _COLOURS[ODD])
        words = overview(cluster, "f") if cluster else [Word("asking the cluster ...", BUSY)]
        for transfer in self.poller.transfers:
            words.append(Word(f"{transfer.name} -> {transfer.target}: {transfer.share}", BUSY))
        if self.poller.fault:
            words.insert(0, Word(self.poller.fault, BAD))
        lines, line = [text], Line("")
        for word in words:
            if line.plain and len(line) + len(word.text) + 3 > width:
                lines.append(line)
                line = Line("")
            if line.plain:
                line.append(" | ")
            line.append(word.text, _COLOURS[word.kind])
        return [*lines, line]

    def _foot(self, width: int) -> Text:
        keys = " ".join(f"{key}:{what}" for key, what in _KEYS.items())
        age = f"{self.poller.age:.0f} s old" if self.poller.cluster else ""
        polls = self.poller.polls_per_minute
        freshness = f"{age}, {counted(polls, 'poll')}/min".lstrip(", ")
        style = "bold red" if self.poller.stale and self.poller.cluster else "dim"
        if len(keys) + len(freshness) + 2 > width:
            keys = " ".join(_KEYS)
        return Line.assemble(
            (keys, "dim"), " " * (width - len(keys) - len(freshness)), (freshness, style)
        )

    def _events(self, count: int) -> list[Text]:
        newest = list(self.events)[: -count - 1 : -1]
        lines = [_event(at, word) for at, word in newest]
        return [Line(""), *lines, *[Line("")] * (count - len(lines))]

    def _body(self, width: int, room: int) -> list[Text]:
        cluster = self.poller.cluster
        if self.view == "?":
            return [Line(line) for line in _HELP.strip().splitlines()]
        if self.view == "e":
            return [_event(at, word) for at, word in reversed(self.events)] or [Line("nothing yet")]
        if not cluster:
            return []
        if self.view == "n":
            return _lines(tables.nodes_table(cluster), width)
        if self.view == "f":
            return _findings(cluster, width) or [Line("nothing needs attention")]
        domains = list(cluster.domains)
        if len(domains) >= room:
            domains.sort(key=lambda domain: _urgency(cluster, domain))
        lines = _lines(tables.domains_table(cluster, domains), width, _ESSENTIAL)
        for below in (_lines(tables.nodes_table(cluster), width), _findings(cluster, width)):
            if below and len(lines) + 1 + len(below) <= room:
                lines += [Line(""), *below]
        return lines


def _urgency(cluster: Cluster, domain: Domain) -> int:
    """DomUs that move come first, then those with problems; the others keep their order."""
    if domain.in_flight:
        return 0
    wrong = domain.failed or domain.blocked or domain.stray or len(domain.nodes) > 1
    lost = any(node.unclean for node in cluster.nodes if node.name in domain.nodes)
    missing = domain.resource and not domain.running and not domain.told_to_stop
    return 1 if wrong or lost or missing else 2


def _findings(cluster: Cluster, width: int) -> list[Text]:
    """The findings with their commands, folded to the width of the terminal."""
    lines = []
    for remedy, alike in by_remedy(findings(cluster)).items():
        texts = [(finding.what, "  ") for finding in alike] + [(f"    {remedy}", "      ")]
        for text, margin in texts:
            lines += wrapped(printable(text), max(width, 20), margin)
    return [Line(line) for line in lines]


def _event(at: str, word: Word) -> Text:
    return Line.assemble((f"{at}  ", "dim"), (word.text, _COLOURS[word.kind]))


def _lines(table: Table, width: int, essential: Sequence[str] = ()) -> list[Text]:
    """The table in lines, coloured; on a narrow terminal only the essential columns.

    Where it has no room, columns are left out, so that no row is cut that need not be.
    """
    columns = list(range(len(table.headers)))
    if width < _NARROW and essential:
        columns = [n for n in columns if table.headers[n] in essential]
    grid = [[printable(cell) for cell in row] for row in (table.headers, *table.rows)]
    widest = {n: max(len(row[n]) for row in grid) for n in columns}
    widths = side_by_side(table, widest, width)
    lines: list[Text] = []
    for number, row in enumerate(grid):
        line = Line("")
        for column, wide in widths.items():
            cell = row[column]
            style = style_of(cell) if number else "bold"
            line.append("  " if line.plain else "")
            line.append(cell.rjust(wide) if column in table.right else cell.ljust(wide), style)
        line.rstrip()
        lines.append(line)
    return lines


@contextmanager
def _keys() -> Iterator[int]:
    """The terminal without echo, each key readable at once; restored at the end."""
    import termios
    import tty

    before = termios.tcgetattr(0)
    tty.setcbreak(0)
    mode = termios.tcgetattr(0)
    mode[3] &= ~termios.ISIG
    termios.tcsetattr(0, termios.TCSANOW, mode)
    try:
        yield 0
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def watch(config: Config, interval: float) -> int:
    """Show the cluster until q or Ctrl-C; returns 0.

    A signal that ends it raises KeyboardInterrupt, so that the terminal is restored.
    """
    woken, wake = os.pipe()
    os.set_blocking(wake, False)

    def stir(*_: Any) -> None:
        with suppress(BlockingIOError):
            os.write(wake, b".")

    poller = Poller(config, stir, interval, transfers=True)
    watching = Watch(poller)
    drawing = console()
    signal.signal(signal.SIGWINCH, stir)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    poller.start()
    try:
        with _keys() as keyboard, Live(console=drawing, screen=True, auto_refresh=False) as live:
            while True:
                watching.record_events()
                live.update(watching.screen(*_size(drawing)), refresh=True)
                ready = select.select([keyboard, woken], [], [], 1.0)[0]
                if woken in ready:
                    os.read(woken, 1000)
                if keyboard in ready:
                    typed = os.read(keyboard, 100).decode("utf-8", "replace")
                    if not typed or not all(map(watching.press, _KEY.findall(typed))):
                        return 0
    finally:
        programs.end_all()  # the poller may wait for one that hangs


def _size(console: Console) -> tuple[int, int]:
    return console.size.width, console.size.height


def watch_plainly(config: Config, interval: float, count: int | None) -> int:
    """For a pipe or a file: print the changes and the list at each poll, `count` times.

    A poll that fails becomes one line; raises CannotAsk if it is the only one.
    """
    from hxm.cluster.lock_holder import HolderState
    from hxm.cluster.read import read_cluster

    before: Cluster | None = None
    holder = HolderState(config)
    while count is None or count > 0:
        try:
            cluster = holder.added_to(read_cluster(config))
        except CannotAsk as error:
            if count == 1:
                raise
            render.out(f"{_now()}  {error.message}")
        else:
            render.out(f"{_now()}  {one_line(overview(cluster))}")
            for word in news(before, cluster) if before else ():
                render.out(f"  {word.text}")
            for line in tables.domains_lines(cluster, cluster.domains):
                render.out(line)
            before = cluster
        count = None if count is None else count - 1
        sys.stdout.flush()
        if count != 0:
            render.out("")
            time.sleep(interval)
    return 0


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S%z")


def one_line(words: Sequence[Word]) -> str:
    """The words in one line."""
    return " | ".join(word.text for word in words)
