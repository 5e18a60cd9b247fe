"""What happened, told from captured transitions, and from pieces that contradict each other."""

from __future__ import annotations

import bz2
import json
import os
import tracemalloc
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from factories import DATA
from hypothesis import given
from hypothesis import strategies as st

from hxm.arguments.since import parse_since
from hxm.errors import CannotAsk, UsageError
from hxm.pacemaker import transitions
from hxm.pacemaker.transitions import parse_fencing, parse_status, read_transitions
from hxm.policy.past.events import Done, Event, Fenced, Look, Ordered, Pieces
from hxm.policy.past.timeline import history
from hxm.records.past import parse_pieces, written
from hxm.xml_reading import MOST_TAGS

LAB = DATA / "history-2.1.5"
BEGIN, END = 1795657799.0, 1795657850.0
"""A live migration, one that failed, the fencing of host3 with sles on it, a standby of host1."""


def captured(folder: Path = LAB) -> Pieces:
    found, cut = read_transitions(str(folder), 0)
    assert cut is None
    look, done = parse_status(fromstring((LAB / "cib.xml").read_bytes()), END)
    fenced = frozenset(parse_fencing(fromstring((LAB / "fencing.xml").read_bytes())))
    return found.joined(Pieces(frozenset(done), (look,), fenced))


def told(pieces: Pieces, since: float = 0) -> list[str]:
    return [
        " ".join(filter(None, (each.subject, each.what, each.where, each.note)))
        for each in history(pieces)
        if each.at >= since
    ]


def test_the_captured_night_is_told_line_by_line():
    assert told(captured(), BEGIN) == [
        "nfs moved live host1 -> host2",
        "nfs live move failed (error) host2 -> host1",
        "nfs stopped host2",
        "nfs started host1",
        "host3 was lost",
        "host3 was fenced (off) by host1",
        "sles lost with its node host3",
        "sles started host2",
        "host3 joined",
        "host1 standby",
        "nfs moved live host1 -> host3",
        "host1 active again",
    ]


def test_it_is_what_the_stand_in_for_xl_has_seen():
    """Its own log has fractions of seconds; Pacemaker's times are those of the action's begin."""
    seen = [json.loads(line) for line in (LAB / "events").read_text().splitlines()]
    own = {"moved live": "migrate", "started": "create", "stopped": "shutdown"}
    own |= {"live move failed (error)": "migrate", "lost with its node": "fence"}
    events = [each for each in history(captured()) if each.at >= BEGIN and each.what in own]
    begun = [each for each in seen if each["op"] in own.values() and "rc" not in each]
    assert len(events) == len(begun) == 7
    for event, each in zip(events, begun, strict=True):
        assert own[event.what] == each["op"]
        assert event.subject == each["name"] or each["op"] == "fence"
        assert abs(event.at - each["at"]) <= 2.0
        assert each["host"] in event.where or each["op"] == "fence"


def test_a_damaged_transition_is_left_out(tmp_path):
    for path in LAB.glob("pe-*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "pe-input-99.bz2").write_bytes(b"BZh91AY&SY")
    (tmp_path / "pe-input-98.bz2").write_bytes(b"")
    assert told(captured(tmp_path)) == told(captured())


def test_what_is_too_old_is_not_read(tmp_path):
    assert read_transitions(str(LAB), 1e12) == (Pieces(), None)
    assert read_transitions(str(tmp_path / "none"), 0) == (Pieces(), None)


def bomb(folder, number, document):
    path = folder / f"pe-input-{number}.bz2"
    path.write_bytes(bz2.compress(document))
    os.utime(path, (number, number))


def test_what_a_transition_unpacks_to_has_a_bound_in_elements(tmp_path):
    """3 kB that take 1.6 GB as a tree."""
    bomb(tmp_path, 1, b"<cib>" + b"<a/>" * MOST_TAGS + b"</cib>")
    tracemalloc.start()
    assert read_transitions(str(tmp_path), 0) == (Pieces(), None)
    assert tracemalloc.get_traced_memory()[1] < 1.5 * transitions._LARGEST
    tracemalloc.stop()


def test_those_that_are_too_large_hide_no_others(tmp_path, monkeypatch):
    monkeypatch.setattr(transitions, "_LARGEST", 1000)
    monkeypatch.setattr(transitions, "_MOST_BYTES", 3000)
    bomb(tmp_path, 1, b"<cib/>")
    for number in range(2, 11):
        bomb(tmp_path, number, bytes(5000))
    found, cut = read_transitions(str(tmp_path), 0)
    assert ([look.at for look in found.looks], cut) == ([1], None)


def test_a_reading_that_ends_before_anything_was_read_is_not_silent(tmp_path, monkeypatch):
    monkeypatch.setattr(transitions, "_LARGEST", 1000)
    monkeypatch.setattr(transitions, "_LONGEST", -1)
    for number in range(1, 4):
        bomb(tmp_path, number, bytes(5000))
    assert read_transitions(str(tmp_path), 0) == (Pieces(), 3)


def test_reading_them_has_an_end(tmp_path, monkeypatch):
    monkeypatch.setattr(transitions, "_LONGEST", -1)
    for number in range(1, 4):
        bomb(tmp_path, number, b"<cib/>")
    found, cut = read_transitions(str(tmp_path), 0)
    assert (len(found.looks), cut) == (1, 3)


def test_from_one_host_to_the_other_nothing_is_lost():
    pieces = captured().joined(
        Pieces(ordered=frozenset([order("migrate", "migrate nfs to host2")]))
    )
    again = parse_pieces(json.dumps(written(pieces)).encode())
    assert again == pieces
    assert told(again.joined(pieces)) == told(pieces)
    for other in (
        b"",
        b"{}",
        b"[]",
        b'{"done": [1]}',
        b'{"looks": [[1, 2]]}',
        b"command not found",
    ):
        with pytest.raises(CannotAsk):
            parse_pieces(other)


OLD = sorted((DATA / "cibs").rglob("*.xml"))


@pytest.mark.parametrize("path", OLD, ids=[str(each.relative_to(DATA / "cibs")) for each in OLD])
def test_every_generations_cib_is_read(path):
    look, done = parse_status(fromstring(path.read_bytes()), 1.0)
    assert look.nodes
    assert all(each.node in look.nodes and each.resource for each in done)


# Pieces made up


def done(task: str, node: str, at: float, **known) -> Done:
    usual = {"resource": "nfs", "call": int(at), "rc": 0, "seconds": 1.0, "domu": True}
    return Done(at=at, node=node, task=task, **usual | known)


def order(verb: str, what: str, at: float = 10.0, **known) -> Ordered:
    usual = {"ended": at + 5, "status": 0, "outcome": what, "subjects": ("nfs",)}
    usual |= {"who": "root", "host": "host1", "why": ""}
    return Ordered(at=at, verb=verb, what=what, **usual | known)


HERE = Look(0.0, {"host1": ("online",), "host2": ("online",)}, "host1")
STARTED = done("start", "host1", 5)
SHUT = order("shutdown", "shut down nfs")

CASES = {
    "nothing": ([], [], [], []),
    "a probe that finds nothing": ([done("monitor", "host1", 5, rc=7)], [], [], []),
    "a probe that finds it": ([done("monitor", "host1", 5)], [], [], ["nfs found running host1"]),
    "a monitor that is well": ([done("monitor", "host1", 5, recurring=True)], [], [], []),
    "a crash": (
        [done("monitor", "host1", 5, rc=7, recurring=True)],
        [],
        [],
        ["nfs found not running host1"],
    ),
    "a start that failed": (
        [done("start", "host1", 5, rc=1, why="no such file")],
        [],
        [],
        ["nfs start failed (no such file) host1"],
    ),
    "a stop that timed out": (
        [done("stop", "host1", 5, rc=1, why="timed out")],
        [],
        [],
        ["nfs stop failed (timed out) host1"],
    ),
    "another resource is told of only if it fails": (
        [
            done("start", "host1", 5, resource="ping", domu=False),
            done("monitor", "host1", 6, rc=1, resource="ping", domu=False, recurring=True),
        ],
        [],
        [],
        ["ping monitor failed (error) host1"],
    ),
    "an arrival alone": (
        [done("migrate_from", "host2", 5, source="host1", target="host2")],
        [],
        [],
        ["nfs arrived live host1 -> host2"],
    ),
    "no arrival": (
        [done("migrate_to", "host1", 5, source="host1", target="host2")],
        [],
        [],
        ["nfs moved live host1 -> host2 host2 has not written down its arrival"],
    ),
    "refused by the target": (
        [
            done("migrate_to", "host1", 5, source="host1", target="host2"),
            done("migrate_from", "host2", 6, rc=1, source="host1", target="host2"),
        ],
        [],
        [],
        ["nfs live move failed (error) host1 -> host2"],
    ),
    "all within one second": (
        [
            done("stop", "host1", 5, call=9),
            done("migrate_from", "host2", 5, source="host1", target="host2"),
            done("migrate_to", "host1", 5, call=8, source="host1", target="host2"),
        ],
        [],
        [],
        ["nfs moved live host1 -> host2"],
    ),
    "within one second, of two transitions": (
        [
            done("start", "host1", 5, call=1, transition=7),
            done("stop", "host1", 5, call=2, transition=8),
            done("start", "host2", 5, call=1, transition=8),
            done("migrate_to", "host2", 5, call=2, transition=9, target="host1"),
            done("stop", "host2", 5, call=3, transition=9),
        ],
        [],
        [],
        [
            "nfs started host1",
            "nfs stopped host1",
            "nfs started host2",
            "nfs moved live host2 -> host1 host1 has not written down its arrival",
        ],
    ),
    "a later stop where the one of the move is no longer written down": (
        [
            done("migrate_to", "host2", 5, call=4, source="host2", target="host1"),
            done("migrate_from", "host1", 6, source="host2", target="host1"),
            done("migrate_to", "host1", 15, source="host1", target="host2"),
            done("migrate_from", "host2", 16, call=6, source="host1", target="host2"),
            done("stop", "host2", 20, call=8),
        ],
        [],
        [],
        ["nfs moved live host2 -> host1", "nfs moved live host1 -> host2", "nfs stopped host2"],
    ),
    "two orders within one second": (
        [done("stop", "host1", 10, call=1), done("start", "host1", 10, call=2)],
        [],
        [
            SHUT._replace(at=10.2, ended=10.4),
            order("start", "start nfs", 10.5, ended=10.9),
        ],
        [
            "ordered: shut down nfs",
            "nfs stopped host1",
            "ordered: start nfs",
            "nfs started host1",
        ],
    ),
    "twice": (
        [STARTED, done("start", "host2", 20)],
        [],
        [],
        ["nfs started host1", "nfs started host2 no stop on host1 is known"],
    ),
    "not twice: it was fenced": (
        [STARTED, done("start", "host2", 20)],
        [Fenced(15.0, "host1", "reboot", "success", "the cluster")],
        [],
        [
            "nfs started host1",
            "host1 was fenced (reboot)",
            "nfs lost with its node host1",
            "nfs started host2",
        ],
    ),
    "fenced in vain": (
        [STARTED, done("start", "host2", 20)],
        [Fenced(15.0, "host1", "off", "failed", "the cluster")],
        [],
        [
            "nfs started host1",
            "host1 fencing failed (off)",
            "nfs started host2 no stop on host1 is known",
        ],
    ),
    "ordered and done": (
        [STARTED, done("stop", "host1", 11)],
        [],
        [SHUT],
        ["nfs started host1", "ordered: shut down nfs", "nfs stopped host1"],
    ),
    "ordered, and no trace of it": (
        [STARTED],
        [],
        [SHUT],
        [
            "nfs started host1",
            "ordered: shut down nfs the cluster's records show no such thing of nfs",
        ],
    ),
    "moved, and not live, as agreed": (
        [STARTED, done("stop", "host1", 11), done("start", "host2", 12)],
        [],
        [order("migrate", "migrate nfs to host2")],
        [
            "nfs started host1",
            "ordered: migrate nfs to host2",
            "nfs stopped host1",
            "nfs started host2",
        ],
    ),
    "ordered and failed": (
        [STARTED],
        [],
        [SHUT._replace(status=124, outcome="too late", why="patch")],
        ["nfs started host1", "ordered: shut down nfs (failed: too late) patch"],
    ),
    "ordered and interrupted": (
        [],
        [],
        [SHUT._replace(status=130, outcome="interrupted; the cluster continues")],
        ["ordered: shut down nfs (interrupted)"],
    ),
    "past the guard": (
        [],
        [],
        [order("", "xl pause nfs", ended=None, status=None, outcome="past the guard", why="t")],
        ["past the guard: xl pause nfs t"],
    ),
    "ordered, and killed": (
        [],
        [],
        [SHUT._replace(ended=None, status=None)],
        ["ordered: shut down nfs (no end is written down)"],
    ),
}


@pytest.mark.parametrize(("actions", "fenced", "ordered", "lines"), CASES.values(), ids=CASES)
def test_pieces_are_told(actions, fenced, ordered, lines):
    pieces = Pieces(frozenset(actions), (HERE,), frozenset(fenced), frozenset(ordered))
    assert told(pieces) == lines


def test_orders_of_one_second_are_told_as_the_journal_has_them():
    verbs = [f"order {number}" for number in range(20)]
    orders = [order("", verb, number=number) for number, verb in enumerate(verbs)]
    assert told(Pieces(ordered=frozenset(orders))) == [f"ordered: {verb}" for verb in verbs]


def test_who_ordered_it_is_known_only_within_the_order():
    pieces = Pieces(
        frozenset([STARTED, done("stop", "host1", 11), done("start", "host1", 30)]),
        ordered=frozenset([SHUT]),
    )
    assert [each.by for each in history(pieces)] == ["", "root@host1", "root", ""]


def test_what_only_looks_tell_of_nodes_and_cluster():
    looks = (
        HERE,
        HERE._replace(at=1.0, nodes={**HERE.nodes, "host2": ("unclean",)}, quorum=False),
        HERE._replace(at=2.0, nodes={"host1": ("online", "maintenance"), "host2": ()}, dc="host2"),
        HERE._replace(at=3.0, maintenance=True),
    )
    assert told(Pieces(looks=looks)) == [
        "host2 was lost",
        "cluster the quorum was lost",
        "host1 maintenance",
        "host2 became the DC",
        "cluster the quorum was regained",
        "host1 no maintenance any more",
        "host2 joined",
        "host1 became the DC",
        "cluster maintenance",
    ]


def test_whom_an_event_concerns():
    event = Event(1.0, "nfs", "moved live", "host1 -> host2", about=("sles",))
    assert all(map(event.concerns, ("nfs", "host1", "host2", "sles")))
    assert not any(map(event.concerns, ("host", "vm3", "->x")))


NOW = 1795657850.0  # 2026-11-26 01:50:50 UTC
SINCE = {
    "2h": NOW - 7200,
    "3d": NOW - 3 * 86400,
    "90 min": NOW - 5400,
    "1W": NOW - 7 * 86400,
    "today": 1795651200.0,
    "yesterday": 1795564800.0,
    "1:30": 1795656600.0,
    "01:30:05": 1795656605.0,
    "2026-11-26": 1795651200.0,
    "2026-11-26 01:30": 1795656600.0,
    "2026-11-26T01:30Z": 1795656600.0,
    "2026-11-26t02:30:00+01:00": 1795656600.0,
}


@pytest.mark.parametrize(("said", "meant"), SINCE.items(), ids=SINCE)
def test_since_when(said, meant, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    __import__("time").tzset()
    assert parse_since(said, NOW) == meant


@given(
    st.text(max_size=12) | st.sampled_from(["", "-1d", "3x", "25:00", "2026-13-01", "now", "²h"])
)
def test_nonsense_is_one_clear_line(said):
    try:
        assert parse_since(said, NOW) < 1e12
    except UsageError as error:
        assert "\n" not in error.message[:60].replace("\\n", "")
