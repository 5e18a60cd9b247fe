"""A table in every form: nothing lost, nothing that a document or a program would misread."""

from __future__ import annotations

import csv
import io

import pytest
from lxml import html

from hxm.errors import UsageError
from hxm.forms import FORMS, arranged, written
from hxm.render import Form, Table, show

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
