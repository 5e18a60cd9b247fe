"""Who was where: from the captured night, and from events that say too little."""

from __future__ import annotations

from itertools import pairwise

import pytest
from test_timeline import BEGIN, END, captured

from hxm.output.time_line import draw, letters_of
from hxm.policy.past.events import Event
from hxm.policy.past.stays import Row, Stay, stays
from hxm.policy.past.timeline import history


def test_the_captured_night_is_a_row_of_stays():
    now = {"nfs": ("host3",), "sles": ("host2",), "web": ("host1",)}
    found = stays(history(captured()), now, BEGIN - 9, END)
    assert [(stay.resource, stay.node, stay.lasts) for stay in found] == [
        ("nfs", "host1", False),
        ("nfs", "host2", False),
        ("nfs", "host1", False),
        ("nfs", "host3", True),
        ("sles", "host3", False),
        ("sles", "host2", True),
        ("web", "host1", True),
    ]
    assert (found[0].since, found[-1].since, found[-1].until) == (BEGIN - 9, BEGIN - 9, END)
    for earlier, later in pairwise(found[:4]):
        assert earlier.since < earlier.until <= later.since


def came(at: float, node: str) -> Event:
    return Event(at, "nfs", "started", node, 1.0, came=node)


def left(at: float, node: str) -> Event:
    return Event(at, "nfs", "stopped", node, 1.0, left=node)


def moved(at: float, source: str, target: str) -> Event:
    return Event(at, "nfs", "moved live", "", 2.0, left=source, came=target)


ROWS = {
    "no event": ((), ("a",), [("a", 100, 200, True)]),
    "nothing at all": ((), (), []),
    "stopped": ((left(150, "a"),), (), [("a", 100, 150, False)]),
    "started": ((came(150, "a"),), ("a",), [("a", 151, 200, True)]),
    "moved": ((moved(150, "a", "b"),), ("b",), [("a", 100, 152, False), ("b", 152, 200, True)]),
    "only the beginning is older": ((came(50, "a"),), ("a",), [("a", 100, 200, True)]),
    "all of it is older": ((came(50, "a"), left(60, "a")), (), []),
    "stopped where it was not": (
        (came(120, "a"), left(130, "b")),
        ("a",),
        [("a", 121, 200, True)],
    ),
    "no end is known": (
        (came(120, "a"), came(150, "b")),
        ("b",),
        [("a", 121, 151, False), ("b", 151, 200, True)],
    ),
    "no beginning is known": (
        (left(120, "a"),),
        ("b",),
        [("a", 100, 120, False), ("b", 121, 200, True)],
    ),
    "twice": ((came(150, "b"),), ("a", "b"), [("a", 151, 200, True), ("b", 151, 200, True)]),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_the_events_make_of_it(name):
    events, now, expected = ROWS[name]
    found = stays(events, {"nfs": now}, 100, 200)
    assert found == [Stay("nfs", *row) for row in expected]


def test_what_the_cluster_does_not_know_any_more_has_no_row():
    assert stays([came(150, "a")], {}, 100, 200) == []


@pytest.mark.parametrize(
    ("nodes", "letters"),
    [
        (("host1", "host2"), "12"),
        (("alpha", "beta"), "ab"),
        (("xen-a-1", "xen-b-1"), "ab"),
        (("host1", "host11"), "AB"),
        ((), ""),
    ],
)
def test_a_letter_tells_the_nodes_apart(nodes, letters):
    assert "".join(letters_of(nodes).values()) == letters


def row(name: str, *spans: tuple[float, float, str], failures: tuple[float, ...] = ()) -> Row:
    own = [Stay(name, node, since, until, until == 1200) for since, until, node in spans]
    return Row(name, own, [*failures])


DRAWN = [
    row("moved", (0, 600, "host1"), (600, 1200, "host2")),
    row("stopped", (0, 600, "host2")),
    row("restarted", (0, 601, "host1"), (602, 1200, "host1"), failures=(900.0,)),
    row("to and fro", (0, 600, "host1"), (601, 602, "host2"), (603, 1200, "host1")),
    row("never"),
]


def test_the_drawing_works_without_colour_in_any_encoding(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    letters = letters_of(("host1", "host2"))
    assert list(draw(DRAWN, letters, 0, 1200, 36, "utf-8")) == [
        "UTC         01-01       00:10",
        "moved       1───────────2───────────",
        "stopped     2───────────············",
        "restarted   1───────────1─────!─────",
        "to and fro  1───────────*1──────────",
        "never       ························",
        "1 host1   2 host2",
        "· not known to run",
        "* several changes",
        "! something failed",
    ]
    assert (
        "1---------------------------------2---" in [*draw(DRAWN, letters, 0, 1200, 80, "ascii")][1]
    )
    assert all(len(line) <= 80 for line in draw(DRAWN, letters, 0, 1200, 80, "ascii"))
