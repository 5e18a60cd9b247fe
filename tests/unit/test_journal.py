"""The journal's orders: as they were begun, and as they ended."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from hxm.records import journal
from hxm.records.journal import orders_backwards


def entry(what, pid=1, outcome="done"):
    return {"host": "host1", "pid": pid, "what": what, "outcome": outcome, "before": None}


def begun(what, pid=1):
    return entry(what, pid, "begun")


ALONE = {"what": "guard bypass xl", "outcome": "past the guard"}
ORDERS = {
    "one": ([begun("a"), entry("a")], [(begun("a"), entry("a"))]),
    "killed": ([begun("a")], [(begun("a"), None)]),
    "two at once": (
        [begun("a"), begun("b", 2), entry("b", 2), entry("a")],
        [(begun("a"), entry("a")), (begun("b", 2), entry("b", 2))],
    ),
    "a pid used again": ([begun("a"), entry("b")], [(entry("b"), entry("b")), (begun("a"), None)]),
    "two ends": (
        [begun("a"), entry("a"), entry("a", outcome="again")],
        [(entry("a", outcome="again"),) * 2, (begun("a"), entry("a"))][::-1],
    ),
    "not begun": ([begun("a"), ALONE, entry("a")], [(begun("a"), entry("a")), (ALONE, ALONE)]),
    "without a beginning": ([entry("a")], [(entry("a"), entry("a"))]),
    "odd": ([begun("a", [1]), entry("a", [1])], [(begun("a", [1]), entry("a", [1]))]),
}


@pytest.mark.parametrize(("lines", "orders"), ORDERS.values(), ids=ORDERS)
def test_ends_belong_to_their_beginnings(tmp_path, lines, orders):
    path = tmp_path / "journal"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert [*orders_backwards(str(path))][::-1] == orders


def written_at(seconds):
    at = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S%z}"
    return entry(f"order {seconds}") | {"at": at}


def test_the_journal_is_read_as_far_back_as_the_window(tmp_path, monkeypatch):
    path = tmp_path / "journal"
    entries = [written_at(seconds) for seconds in range(100_000, 200_000)]
    entries[99_990] = written_at(5)  # before the clock was set
    path.write_text("".join(f"{json.dumps(line)}\n" for line in entries))
    parsed = []

    def entry_in(line):
        parsed.append(line)
        return json.loads(line)

    monkeypatch.setattr(journal, "_entry_in", entry_in)
    found = [order["what"] for order, _ in orders_backwards(str(path), 199_900)]
    assert found.index("order 199900") == 99 - 9 + 9
    assert len(parsed) < 2000


def test_what_is_no_journal_ends_soon(tmp_path, monkeypatch):
    (tmp_path / "journal").write_bytes(b"x\n" * 100_000)
    parsed = []
    monkeypatch.setattr(journal, "_entry_in", lambda _: parsed.append(1))
    assert [*orders_backwards(str(tmp_path / "journal"))] == []
    assert len(parsed) < 2000
