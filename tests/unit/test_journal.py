"""The journal's orders: as they were begun, and as they ended."""

from __future__ import annotations

import json

import pytest

from hxm.records.journal import read_orders


def entry(what, pid=1, outcome="done"):
    return {"host": "host1", "pid": pid, "what": what, "outcome": outcome}


def begun(what, pid=1):
    return entry(what, pid, "begun")


ORDERS = {
    "one": ([begun("a"), entry("a")], [(begun("a"), entry("a"))]),
    "killed": ([begun("a")], [(begun("a"), None)]),
    "two at once": (
        [begun("a"), begun("b", 2), entry("b", 2), entry("a")],
        [(begun("a"), entry("a")), (begun("b", 2), entry("b", 2))],
    ),
    "a pid used again": ([begun("a"), entry("b")], [(begun("a"), None), (entry("b"), entry("b"))]),
    "without a beginning": ([entry("a")], [(entry("a"), entry("a"))]),
    "odd": ([begun("a", [1]), entry("a", [1])], [(begun("a", [1]), entry("a", [1]))]),
}


@pytest.mark.parametrize(("lines", "orders"), ORDERS.values(), ids=ORDERS)
def test_ends_belong_to_their_beginnings(tmp_path, lines, orders):
    path = tmp_path / "journal"
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))
    assert read_orders(str(path)) == orders
