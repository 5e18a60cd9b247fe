"""Who was where: from the captured night, and from events that say too little."""

from __future__ import annotations

from itertools import pairwise

import pytest
from test_timeline import BEGIN, END, captured

from hxm.policy.stays import Stay, stays
from hxm.policy.timeline import Event, history


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
    "moved": ((moved(150, "a", "b"),), ("b",), [("a", 100, 150, False), ("b", 152, 200, True)]),
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
