"""The cluster's lock: read from the CIB's properties, judged, and told."""

from __future__ import annotations

import pytest
from factories import ban, cluster, domain, node, prefer, reasons, told, under_way
from hypothesis import given
from hypothesis import strategies as st

from hxm.cluster import lock_holder
from hxm.cluster.lock_holder import HolderState
from hxm.config import Config
from hxm.model import Lock
from hxm.pacemaker.lock import claim_step, holder_of, lives, lock_in, renew_in
from hxm.policy.forecast.goal_kinds import reached
from hxm.policy.orders import lock
from hxm.policy.state.findings import leftovers
from hxm.policy.state.lock import forsaken, order_that_runs

NOW = 1760000100.0
PROPERTIES = {
    "hxm-lock": "root@host1:12:345",
    "hxm-lock-what": "migrate nfs to host2",
    "hxm-lock-since": "1760000040",
    "hxm-lock-renewed": "1760000090",
}
HELD = Lock("root@host1:12:345", "root", "host1", "12", "345", "migrate nfs to host2", 60.0, 10.0)
HELD = HELD._replace(renewed="1760000090")


def locked(*nodes, **known):
    return cluster(domain("nfs", "host2"), domain("sles"), *nodes, lock=HELD._replace(**known))


def test_is_read_from_the_properties():
    assert lock_in(PROPERTIES, NOW) == HELD
    assert lock_in({}, NOW) is None


@pytest.mark.parametrize("broken", ["", "root", "root@host1", "@", ":::", "a@b:c:d:e:f"])
def test_a_broken_one_is_still_a_lock(broken):
    found = lock_in(PROPERTIES | {"hxm-lock": broken}, NOW)
    assert (found is None) == (broken == "")


@pytest.mark.parametrize(
    ("time", "age"),
    [("", None), ("soon", None), ("9" * 40, None), ("-5", None), ("1760009999", 0.0)],
)
def test_what_is_no_time_is_not_known(time, age):
    found = lock_in(PROPERTIES | {"hxm-lock-since": time, "hxm-lock-renewed": time}, NOW)
    assert (found.age, found.idle) == (age, age)


def test_a_person_gives_no_signs_of_life():
    assert lock_in(PROPERTIES | {"hxm-lock": "bob@host1"}, NOW).idle is None


@pytest.mark.parametrize(
    ("holder", "said", "why"),
    [
        ("bob, do not touch", "bob, do not touch holds", "it names no process"),
        ("bob@host1", "bob on host1 holds", "it names no process"),
        ("@", "somebody holds", "it names no process"),
        ("root@host2 pid 7: nfs at 23:10", "'root@host2 pid 7: nfs at 23:10' holds", "it names no"),
        ("bob's@gone:7:1", "bob's on gone (process 7) holds", "gone is no node of this cluster"),
        ("root@host2:7:1", "root on host2 (process 7) holds", "host2 does not say whether"),
    ],
)
def test_one_that_was_written_by_hand_is_told_as_far_as_it_is_known(holder, said, why):
    seen = cluster(domain("nfs", "host2"), lock=lock_in({"hxm-lock": holder}, NOW))
    (reason,) = reasons(lock.unlock(seen))
    assert reason.startswith(f"{said} the cluster's lock, since when is not told: {why}")


@given(st.text(), st.text(), st.text())
def test_no_name_ever_breaks_out_of_the_document(who, where, what):
    holder = holder_of(who, where, 12, "345")
    step = claim_step(holder, what, NOW)
    for value in step.values.values():
        assert not set(value) & set("'\"<>&[]{}\n")
    found = lock_in(PROPERTIES | {"hxm-lock": holder}, NOW)
    assert (found.pid, found.started) == ("12", "345")


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (locked(), ""),
        (locked(alive=True), ""),
        (locked(alive=False), "its process has ended"),
        (locked(idle=61.0), "no sign of life for 61 s"),
        (locked(alive=True, idle=61.0), ""),
        (locked(idle=61.0)._replace(history=(under_way("migrate_to"),)), ""),
        (locked(node("host1", online=False), node("host2")), "host1 is OFFLINE"),
        (locked(node("host1", unclean=True), node("host2")), "host1 is UNCLEAN (online)"),
        (locked(node("host2")), ""),  # its host may be called otherwise than its node
        (locked(node("host2"), idle=61.0), "no sign of life for 61 s"),
        (locked(node("host1", standby=True), node("host2")), ""),
        (locked(node("host1", online=False), node("host2"), pid="", started=""), ""),
    ],
)
def test_is_forsaken(seen, expected):
    assert forsaken(seen, seen.lock) == expected


def test_the_others_are_told_by_whom_and_since_when():
    (objection,) = lock.held(locked())
    assert objection.status == 107
    assert objection.lifted_by == ""
    assert objection.what == (
        "root on host1 (process 12) is at 'migrate nfs to host2' for 60 s: one change at a time"
    )
    assert not list(lock.held(locked(alive=False)))
    assert not list(lock.held(cluster()))


@pytest.mark.parametrize(
    ("own", "seen", "alive"),
    [
        ("345", "345", True),
        ("345", "346", False),
        ("345", "", False),
        ("", "346", None),  # written by hand: the number may be another's by now
        ("", "", False),
    ],
)
def test_a_process_lives_if_its_start_is_the_lock_s(own, seen, alive):
    assert lives(HELD._replace(started=own), seen) is alive


def test_unlock():
    assert told(lock.unlock(cluster())) == ["nothing: nobody holds the cluster's lock"]
    plan = lock.unlock(locked(alive=False))
    assert told(plan) == ["release root@host1:12:345", "-> unlocked root@host1:12:345"]
    (goal,) = plan.phases[0].goals  # it waits for that alone, whatever the cluster is at
    assert not reached(locked(), goal)
    assert reached(cluster(), goal)
    assert reached(locked(holder="root@host2:3:4"), goal)
    assert reasons(lock.unlock(locked(alive=False))) == []
    (reason,) = reasons(lock.unlock(locked()))
    assert reason.endswith(": host1 does not say whether its process is alive, 107, --force")


ORDER = "an order runs: migrate nfs to host2, by root on host1, for 60 s"
WHO_LEFT_WHAT = {
    "alive": (locked(alive=True), ORDER, ["cli-ban-sles-on-host1"]),
    "on a host that was not asked": (locked(), ORDER, ["cli-ban-sles-on-host1"]),
    "for more than an hour": (
        locked(alive=True, age=5400.0),
        ORDER.replace("60 s", "90 min"),
        ["hxm-lock", "cli-ban-sles-on-host1"],
    ),
    "of many, in part": (locked(what="x" * 80), None, []),
    "of many, counted": (locked(what="migrate nfs, ... (90 in all) to host2"), None, []),
    "over": (locked(alive=False), "", ["hxm-lock", "cli-prefer-nfs", "cli-ban-sles-on-host1"]),
    "by hand": (
        locked(pid="", started="", idle=None),
        "",
        ["hxm-lock", "cli-prefer-nfs", "cli-ban-sles-on-host1"],
    ),
}


@pytest.mark.parametrize(("seen", "order", "left"), WHO_LEFT_WHAT.values(), ids=WHO_LEFT_WHAT)
def test_what_an_order_has_set_that_runs_is_not_left_behind(seen, order, left):
    seen = seen._replace(constraints=(prefer(), ban("sles")))
    assert [finding.what.partition(":")[0] for finding in leftovers(seen)] == left
    assert order is None or order_that_runs(seen) == order
    assert len(list(leftovers(seen, only=["nfs"]))) == 1, "its own report tells it"


def test_nor_is_the_standby_of_a_node_that_it_drains():
    host1 = node("host1", standby=True)
    for what, left in (("drain host1", []), ("drain host2", ["hxm active host1"])):
        seen = locked(host1, node("host2"), what=what, alive=True)
        assert [finding.do for finding in leftovers(seen)] == left


def test_is_named_among_what_was_left_behind():
    (finding,) = leftovers(locked(alive=False))
    assert finding.do == "hxm unlock"
    (by_hand,) = leftovers(locked(pid="", started="", idle=None))
    assert by_hand.do.endswith(": hxm unlock --force"), "else it is refused"
    assert "and has ended" in finding.what
    assert not list(leftovers(locked(), only=["nfs"]))


def test_a_lock_that_a_document_brings_along_is_as_young_as_its_replacing(tmp_path):
    """Between the decision and the replacing lies a question, and its answer."""
    path = tmp_path / "configuration.xml"
    path.write_text(
        "".join(f'<nvpair name="{each}" value="{said}"/>' for each, said in PROPERTIES.items())
    )
    before = path.read_text()
    renew_in(str(path), NOW + 0.7)
    assert path.read_text() == before.replace("1760000090", "1760000100")


def test_who_watches_asks_the_holder_s_node_seldom(monkeypatch):
    """An order that was killed elsewhere is no order that runs; to ask that is a login each."""
    clock, asked = [1000.0], []

    def answers(_, lock, __):
        asked.append((clock[0], lock.holder))
        return alive[0]

    alive: list[bool | None] = [True]
    monkeypatch.setattr(lock_holder, "is_alive", answers)
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    state = HolderState(Config())

    def at(seconds, seen):
        clock[0] = 1000.0 + seconds
        shown = state.added_to(seen).lock
        return shown and shown.alive

    assert [at(seconds, locked()) for seconds in (0, 5)] == [True, True]
    alive[0] = False
    assert [at(seconds, locked()) for seconds in (9, 10)] == [True, False]
    alive[0] = None
    assert [at(seconds, locked()) for seconds in (20, 79, 80)] == [None, None, None]
    assert at(81, locked(holder="root@host2:1:2")) is None, "another order is asked about at once"
    assert at(82, cluster()) is None
    assert [at for at, _ in asked] == [1000, 1010, 1020, 1080, 1081]
