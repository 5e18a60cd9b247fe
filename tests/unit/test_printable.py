"""The words of others never become more than words on a terminal."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Self

import pytest
from factories import cluster, domain, failure, node
from rich.console import Console

from hxm.cluster.poller import Poller
from hxm.commands import graph
from hxm.config import Config
from hxm.output import Form, Table, progress, render, tables
from hxm.output.formats import FORMS
from hxm.policy.graph import Branch
from hxm.policy.state.summary import BAD, Word
from hxm.printable import printable
from hxm.terminal.shell import prompt
from hxm.terminal.watch import Watch

HOSTILE = {
    "a title for the terminal": "a\x1b]0;owned\a",
    "a sequence in C1": "a\x9b2Jb",
    "a row of its own": "x)\n2026-01-01 00:00:00  0.0 s  destroy nfs  alice",
    "a line separator": "a\u2028b\u2029c\x85d",
    "back to the beginning": "a\rb\x08c\x0bd\x0ce",
    "read from right to left": "\u202egpj.exe\u2066",
    "no character": "a\x00b\udcffc",
    "a tab": "a\tb",
}
ORDINARY = ["", "nfs", "two words", "Ünïcödé", "中文", "[red]x[/red]", "back\\slash", "e\u0301"]

hostile = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays_as_it_is(text):
    assert printable(text) is text


@hostile
def test_the_rest_is_written_as_python_writes_it(text):
    shown = printable(text)
    assert shown.isprintable()
    assert shown == "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


class Stream(io.StringIO):
    """A stdout or stderr that may pass for a terminal."""

    encoding = "utf-8"

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal

    def __enter__(self) -> Self:
        self.before = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = self
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout, sys.stderr = self.before


@pytest.fixture(params=[True, False], ids=["terminal", "pipe"])
def stream(request, monkeypatch) -> Stream:
    """What stdout and stderr write to within it."""
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("TERM", "dumb")
    return Stream(terminal=request.param)


def lines_of(stream: Stream) -> list[str]:
    """What was printed, which holds nothing that a terminal could obey."""
    *lines, last = stream.getvalue().split("\n")
    stream.seek(0)
    stream.truncate()
    assert last == ""
    assert all(line.replace("\t", "").isprintable() for line in lines), lines
    return lines


WAYS: dict[str, Callable[[str], None]] = {
    "out": render.out,
    "prose": render.prose,
    "beside": render.beside,
    "note": render.note,
    "hint": lambda text: render.note("wrong", text),
    "long": lambda text: render.prose(f"{'word ' * 30}{text}"),
}


@hostile
@pytest.mark.parametrize("way", WAYS)
def test_a_line_is_one_line(stream, way, text):
    with stream:
        WAYS[way](text)
        lines = lines_of(stream)
        WAYS[way](printable(text))
    assert len(lines) == len(lines_of(stream))


@hostile
@pytest.mark.parametrize("output", [form for form in FORMS if form != "json"])
def test_a_row_is_one_row(stream, output, text):
    def count(cell: str) -> int:
        with stream:
            render.show(Table(("Name", "Why"), [(cell, "b"), ("c", cell)]), Form(output))
        return len(lines_of(stream))

    assert count(text) == count("plain")


@hostile
def test_json_holds_it_exactly_and_in_ascii(stream, text):
    import json

    with stream:
        render.show_json({"why": text})
    printed = "".join(lines_of(stream))
    assert json.loads(printed) == {"why": text}
    assert printed.isascii()


@hostile
def test_a_question_is_one_line(stream, monkeypatch, text):
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
    with stream:
        assert render.ask(text)
    assert stream.getvalue().isprintable()


@hostile
def test_the_lines_of_a_list_are_one_a_domain(stream, text):
    now = cluster(domain(text, "host1"), domain("sles", "host2"))
    with stream:
        for line in tables.domains_lines(now, now.domains):
            render.out(line)
    assert len(lines_of(stream)) == 3
    assert len(tables.summary(now._replace(name=text))) == len(tables.summary(now))


@hostile
def test_progress(stream, monkeypatch, text):
    monkeypatch.setenv("COLUMNS", "1000")
    with stream, progress.display(text) as shown:
        shown.report(text)
        shown.left([text, "sles"], 2)
    said = stream.getvalue().replace("\n", "").replace("\r", "")
    assert said.isprintable(), said


@hostile
def test_a_tree(stream, text):
    with stream:
        graph._show_tree([Branch(text, (Branch(text, ()),))])
    assert len(lines_of(stream)) == 2


@hostile
@pytest.mark.parametrize("view", "dnfe")
def test_the_watch(text, view):
    now = cluster(
        domain(text, "host1", failed=True),
        failure("monitor", text, "host1"),
        nodes=(node("host1"), node(text, online=False, unclean=True)),
    )
    poller = Poller(Config(), lambda: None)
    poller.cluster, poller.fault = now._replace(name=text), text
    watch = Watch(poller)
    watch.record_events()
    watch.events.append(("12:00:00", Word(text, BAD)))
    watch.press(view)
    drawn = Stream(terminal=False)
    Console(file=drawn, width=200, height=40).print(watch.screen(200, 40))
    assert len(lines_of(drawn)) == 40


@hostile
def test_the_bottom_line_of_the_shell(text):
    parts = list(prompt._fitting([Word(text, BAD), Word(text)], 400))
    assert len(parts) == 4
    assert all(part.isprintable() for _, part in parts)
