"""A table in every form: nothing lost, nothing that a document or a program would misread."""

from __future__ import annotations

import csv
import io
import sys

import pytest
from factories import cluster, primitive
from lxml import html

from hxm.arguments.parse import parse_and_run
from hxm.catalog import COMMANDS
from hxm.commands import list as hxm_list
from hxm.commands import nodes, status, why
from hxm.config import Config
from hxm.errors import UsageError
from hxm.orders import report
from hxm.output import Form, Table, render
from hxm.output.formats import FORMS, arranged, written
from hxm.output.render import show
from hxm.output.tables import everything_table
from hxm.output.terminal import console, fitted
from hxm.plan import Forecast, Movement, Phase, Plan

TABLE = Table(
    ("Name", "Mem", "Node", "Role"),
    [
        ("nfs", "512", "host1", "Started"),
        ("a|b", "-", "-", "Stopped"),
        ('say "x",\ty', "2048", "host2", "<b>Started</b>"),
    ],
    frozenset({1}),
)


def test_csv_is_read_back_as_it_was():
    rows = list(csv.reader(io.StringIO(written(TABLE, Form("csv")))))
    assert rows == [list(TABLE.headers), *map(list, TABLE.rows)]


def test_a_spreadsheet_runs_nothing_of_a_csv():
    cells = (
        '=HYPERLINK("http://x/","y")',
        "+1",
        "@a",
        "-2+3|cmd",
        "\tx",
        "-b----",
        "-",
        "-5",
        "a=b",
    )
    (_, row) = csv.reader(io.StringIO(written(Table(("x",) * len(cells), [cells]), Form("csv"))))
    assert [cell for cell in row if cell.startswith("'")] == [f"'{cell}" for cell in cells[:5]]
    assert row[5:] == list(cells[5:])


def test_tsv_has_a_line_for_each_row_and_a_tab_between_cells():
    lines = written(TABLE, Form("tsv")).split("\n")
    assert [line.count("\t") for line in lines] == [3] * 4
    assert lines[1] == "nfs\t512\thost1\tStarted"


def test_html_is_escaped():
    found = html.fromstring(written(TABLE, Form("html")))
    cells = [cell.text_content().strip() for cell in found.iter("td")]
    assert cells[8:] == ['say "x",\ty', "2048", "host2", "<b>Started</b>"]
    assert len(list(found.iter("th"))) == 4


def test_a_bar_in_markdown_ends_no_cell():
    assert "a\\|b" in written(TABLE, Form("github")).split("\n")[3]


@pytest.mark.parametrize(
    ("wish", "names"),
    [
        ("mem", ["nfs", 'say "x",\ty', "a|b"]),
        ("-mem", ['say "x",\ty', "nfs", "a|b"]),
        ("name", ["a|b", "nfs", 'say "x",\ty']),
        ("-no", ['say "x",\ty', "nfs", "a|b"]),
    ],
)
def test_what_is_not_known_is_sorted_last(wish, names):
    assert [row[0] for row in arranged(TABLE, Form(sort=wish)).rows] == names


def test_columns_are_chosen_by_the_beginnings_of_their_names():
    chosen = arranged(TABLE, Form(columns="node,MEM"))
    assert chosen.headers == ["Node", "Mem"]
    assert chosen.rows[0] == ["host1", "512"]
    assert chosen.right == {1}


@pytest.mark.parametrize("wish", ["x", "n", "name,x"])
def test_a_column_that_is_not_there_is_named(wish):
    with pytest.raises(UsageError, match=f"'{wish[-1]}'"):
        arranged(TABLE, Form(columns=wish))


@pytest.mark.parametrize("output", [each for each in FORMS if each != "json"])
@pytest.mark.parametrize("headers", [True, False])
@pytest.mark.parametrize("rows", [TABLE.rows, []])
def test_headers_may_be_left_out_of_every_form(capsys, output, headers, rows):
    show(TABLE._replace(rows=rows), Form(output, headers=headers))
    said = capsys.readouterr().out
    assert ("Role" in said) == headers
    assert ("host1" in said) == bool(rows)


ROW = ("nfs", "2048", "host1->host2", "constrained not-live")
FITTING = {
    "everything": (46, {0: 4, 1: 4, 2: 12, 3: 20}),
    "it is folded at the blank": (40, {0: 4, 1: 4, 2: 12, 3: 14}),
    "a column gives way": (31, {0: 4, 2: 12, 3: 11}),
    "only what never fits is broken": (21, {0: 4, 2: 6, 3: 7}),
}


@pytest.mark.parametrize(("room", "expected"), FITTING.values(), ids=FITTING)
def test_a_narrow_terminal_breaks_no_word_that_has_room(room, expected):
    table = Table(("Name", "Mem", "Node", "Flags"), [ROW], gives_way=(1,))
    assert fitted(table, room) == expected
    assert fitted(table._replace(whole=frozenset({3})), 46)[3] == 20


def test_columns_that_say_nothing_give_way_before_anything_is_folded():
    table = Table(("Name", "ID", "Mem", "Flags"), [ROW], gives_way=(2, 1))
    empty = table._replace(rows=[("nfs", "-", "2048", "constrained not-live")])
    assert [*fitted(empty, 34)] == [0, 2, 3]
    assert [*fitted(empty, 36)] == [0, 1, 2, 3]
    assert fitted(table._replace(rows=[("nfs", "7", "2048", "constrained not-live")]), 30)[3] < 20


def test_what_a_terminal_shows_is_folded_at_blanks(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    show(Table(("Name", "Mem", "Node", "Flags"), [ROW]))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[2:]] == [[*ROW[:3], "constrained"], ["not-live"]]


@pytest.mark.parametrize("words", [["--columns", "node"], ["--sort", "node"], ["--no-headers"]])
def test_what_json_would_have_to_ignore_is_refused(words):
    with pytest.raises(UsageError, match="JSON has no columns"):
        parse_and_run(COMMANDS["nodes"], nodes, ["-o", "json", *words], Config)


@pytest.mark.parametrize(
    "words", [["-o", "csv"], ["--columns", "name"], ["-o", "plain", "--sort=id"]]
)
def test_what_is_no_table_takes_no_form_of_one(words):
    with pytest.raises(UsageError, match="--long prints no table"):
        parse_and_run(COMMANDS["list"], hxm_list, ["--long", *words], Config)


@pytest.mark.parametrize("columns", ["0", "1", "3"])
def test_a_terminal_without_a_width_shows_something_all_the_same(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    assert console().width >= 20


def test_what_a_plan_and_a_reason_say_is_folded_at_blanks(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    moves = tuple(Movement(f"fencing-{each}", "stop", "host1", None) for each in range(6))
    devices = {each.resource: primitive(each.resource, agent="stonith:x") for each in moves}
    seen = cluster(primitives=devices)
    plan = Plan("drill", "it", (), (Phase(()),), notes=("      " + "a note " * 9,))
    lines = report.plan_lines(seen, plan, Forecast((moves,), seen), (), Config(), sys.stdout)[1:]
    why._tell(f"      {' '.join(f'location-{each}' for each in range(9))}")
    shown = [*"\n".join(lines).splitlines(), *capsys.readouterr().out.splitlines()]
    assert len(shown) == 6
    assert all(len(each) <= 60 and each.startswith("      ") for each in shown)


def test_a_plan_names_every_node_that_an_instance_of_a_clone_leaves():
    """It stays away from there, and what runs there may need it; the others come and go."""
    moves = (
        *(Movement("gfs", "stop", source=name) for name in ("host1", "host2")),
        Movement("gfs", "start", target="host3"),
        Movement("ping", "stop", source="host1"),
    )
    seen = cluster(
        primitives={each: primitive(each, clone=f"c_{each}") for each in ("gfs", "ping")}
    )
    plan = Plan("migrate", "it", (), (Phase(()),))
    lines = report.plan_lines(seen, plan, Forecast((moves,), seen), (), Config(), sys.stdout)
    said = ["c_gfs: stop on host1, host2, start on host3", "also stop: c_ping"]
    assert [line.strip() for line in lines[1:]] == said


def test_the_help_of_status_names_the_columns_of_its_one_table():
    *first, last = everything_table(cluster(), []).headers
    assert f"{', '.join(first)} and {last}" in " ".join(status.run.__doc__.split())


HINTS = {
    "hxm active host1": ["     hxm active host1"],
    "use: hxm standby host1 --reason 'a long one'; it also moves away what runs there": [
        "     use: hxm standby host1 --reason 'a long one';",
        "         it also moves away what runs there",
    ],
    "use: hxm standby host1 --reason 'a; b: it'\"'\"'s c' --dry-run": [
        "     use:",
        "         hxm standby host1 --reason 'a; b: it'\"'\"'s c' --dry-run",
    ],
    f"hxm why {'x' * 60}": [f"     hxm why {'x' * 60}"],
    "wait for its end, or bring the node back; crm_mon -1 -A shows it": [
        "     wait for its end, or bring the node back;",
        "         crm_mon -1 -A shows it",
    ],
}


def test_a_message_that_begins_with_the_name_of_a_tool_is_folded_as_prose():
    message = "hxm: xl and xm move one domU at a time, and hxm takes several"
    assert render.wrapped(message, 40, "     ") == [
        "hxm: xl and xm move one domU at a time,",
        "     and hxm takes several",
    ]


@pytest.mark.parametrize("hint", HINTS)
def test_a_hint_is_never_folded_within_a_command(hint, monkeypatch):
    monkeypatch.setenv("COLUMNS", "52")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert render.hint_lines(hint, 5, sys.stdout) == HINTS[hint]
