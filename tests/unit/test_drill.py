"""The drills: what is done, what must come of it, what stands against it, and what is measured."""

from __future__ import annotations

import time

import pytest
from factories import cluster, domain, failure, node, primitive, told

from hxm.config import Config
from hxm.model import UPDATE, Operation, Primitive, Resource
from hxm.orders import execute
from hxm.orders.downtime import DowntimeMeter
from hxm.orders.simulate import spell
from hxm.plan import ON_NODE, Forecast, Goal, Movement, Step
from hxm.policy import guards
from hxm.policy.forecast.goal_kinds import missing, reached
from hxm.policy.orders import drill

MONITORS = (drill.Monitor("10s"), drill.Monitor("1min"))
PINGER = Primitive("p", "ocf:pacemaker:ping", {"host_list": "10.0.0.1 10.0.0.2"}, {}, {}, {})
PARTS = (domain("nfs", "host1"), domain("sles", "host2"))


def seen(*parts, **known):
    hosts = [each for each in parts if type(each).__name__ == "Node"]
    hosts = hosts or [node("host1", dc=True), node("host2"), node("host3")]
    others = [each for each in parts if each not in hosts]
    usual = {"local_node": "host3", "toolstack": "xl", "transient": {"host1": {"pingd": "100"}}}
    return cluster(*hosts, *PARTS, *others, **usual | known)


NOW = seen(PINGER)
OLD = seen(PINGER, dialect="Heartbeat 2.1")
HOST1, HOST2, _ = NOW.nodes
NFS = NOW.domains[0]
PLANS = {
    "kill": (
        drill.kill(NOW, NFS, MONITORS),
        ["kill nfs host1 nfs", "-> anew nfs", "cleanup nfs", "-> forgotten nfs", "-> running nfs"],
    ),
    "standby": (
        drill.standby(NOW, HOST2),
        ["standby host2", "-> empty host2", "clear-standby host2", "-> usable host2"],
    ),
    "dc": (
        drill.dc(NOW),
        [
            "standby host1",
            "-> empty host1",
            "stop-stack host1",
            "-> led host1",
            "start-stack host1",
            "-> back host1",
            "clear-standby host1",
            "-> usable host1",
        ],
    ),
    "ping": (
        drill.ping(NOW, HOST1),
        [
            "cut host1 10.0.0.1 pingd 600",
            "cut host1 10.0.0.2 pingd 600",
            "-> elsewhere nfs on host1",
            "join host1 10.0.0.1",
            "join host1 10.0.0.2",
            "-> connected pingd on host1",
        ],
    ),
    "fence": (drill.fence(NOW, HOST2), ["fence host2", "-> anew sles", "-> back host2"]),
}


@pytest.mark.parametrize("name", drill.DRILLS)
def test_a_drill_breaks_one_thing_and_makes_it_whole_again(name):
    plan, lines = PLANS[name]
    assert told(plan) == lines
    assert plan.is_drill
    (question,) = plan.objections  # in a cluster that is well
    assert question.lifted_by == "--yes"
    for word in {"kill": ["nfs"], "fence": ["sles", "die"], "dc": ["host1"]}.get(name, []):
        assert word in question.what


def test_every_drill_says_what_takes_it_back():
    for plan, undo in (
        (PLANS["kill"][0], "crm_resource --refresh --resource=nfs"),
        (PLANS["standby"][0], "hxm active host2"),
        (PLANS["dc"][0], "systemctl start pacemaker, on host1, and hxm active host1"),
        (drill.dc(OLD), "service heartbeat start, on host1, and hxm active host1"),
        (
            PLANS["ping"][0],
            "ip route del unreachable 10.0.0.1; ip route del unreachable 10.0.0.2, on host1",
        ),
        (PLANS["fence"][0], "switch host2 on, then hxm status"),
    ):
        assert plan.undo == undo


def test_only_fencing_asks_twice():
    assert [name for name, (plan, _) in PLANS.items() if plan.confirm_twice] == ["fence"]


REFUSED = {
    "in a sandbox": (seen(sandbox="/cib.xml"), "needs a cluster that runs"),
    "during an update": (seen(properties={UPDATE: "x"}), "rolling update is under way"),
    "without fencing": (seen(fencing=False), "fencing is disabled"),
    "after a failure": (seen(failure()), "start of nfs failed"),
    "without quorum": (seen(quorum=False), "no quorum"),
    "one node away": (seen(node("host1"), node("host2"), node("host3", online=False)), "OFFLINE"),
}


@pytest.mark.parametrize(("now", "why"), REFUSED.values(), ids=REFUSED)
def test_a_cluster_in_trouble_is_not_drilled(now, why):
    for plan in (drill.kill(now, now.domains[0], MONITORS), drill.fence(now, now.nodes[1])):
        assert any(why in each.what and each.lifted_by != "--yes" for each in plan.objections)


CLONED = seen(
    primitive("ping", clone="pingd", agent="ocf:pacemaker:ping"),
    *(
        Resource("ping", "ocf:pacemaker:ping", "Started", nodes=(name,), clone="pingd")
        for name in ("host1", "host2", "host3")
    ),
)
LEAVE = (Movement("nfs", "live", "host1", "host2"), Movement("ping", "stop", "host1"))
RETURN = (Movement("ping", "start", None, "host1"),)


@pytest.mark.parametrize("plan", [drill.standby(CLONED, HOST1), drill.dc(CLONED)])
def test_a_clone_that_is_there_again_in_the_end_is_no_reason_to_refuse(plan):
    between = ((),) * (len(plan.phases) - 2)
    drained = Forecast((LEAVE, *between, RETURN), CLONED)
    assert list(guards.foreseen(CLONED, plan, drained)) == []
    stays = Forecast((LEAVE[:1], *between, ()), CLONED)
    (objection,) = guards.foreseen(CLONED, plan, stays)
    assert objection.what == "ping would stay on host1"
    stops = Forecast(((Movement("nfs", "stop", "host1"), LEAVE[1]), *between, RETURN), CLONED)
    found = [each.what for each in guards.foreseen(CLONED, plan, stops)]
    assert "nfs would have no place and stop" in found


def test_a_clone_that_comes_back_is_no_reason_to_leave_a_drill_half_done(monkeypatch):
    plan = drill.dc(CLONED)
    found = execute.Execution(CLONED, plan, Forecast((), CLONED), Config(), lambda _: None)
    done = []
    monkeypatch.setattr(execute, "simulator", lambda: "crm_simulate")
    monkeypatch.setattr(execute, "would_move", lambda *_: RETURN)
    monkeypatch.setattr(execute, "read_cluster", lambda *_, **__: CLONED)
    monkeypatch.setattr(execute.Execution, "_carry_out", lambda _, phase: done.extend(phase.steps))
    assert found._goals_missed(plan.phases[1]).status == 1
    assert [each.kind for each in done] == ["start-stack", "clear-standby"]


NAMING = PINGER._replace(params={"host_list": "10.0.0.1 gw fd00::1 fe80::1%eth0"})
ON_FAIL = {
    drill.Monitor("2min", "ignore"): "lets it stay away",
    drill.Monitor("2min", "block"): "with on-fail=block of its monitor the cluster leaves it alone",
    drill.Monitor("2min", "stop"): "does not start it again",
    drill.Monitor("2min", "standby"): "drains its node",
    drill.Monitor("2min", "fence"): "fences its node",
}


def test_what_would_prove_nothing_is_refused():
    for plan, why in (
        (drill.kill(NOW, NFS, ()), "nothing watches nfs"),
        (drill.kill(NOW, domain("nfs"), MONITORS), "does not run"),
        *((drill.kill(NOW, NFS, (*MONITORS, each)), why) for each, why in ON_FAIL.items()),
        (drill.ping(seen(), HOST1), "has a host_list"),
        (drill.ping(NOW, node("host3")), "no domU runs on host3"),
        (drill.ping(seen(NAMING), HOST1), "the host_list of p names gw, fe80::1%eth0: a route"),
        (drill.ping(seen(PINGER, transient={}), HOST1), "pingd does not say that host1 reaches"),
        (drill.fence(NOW, node("host3")), "this is host3 itself"),
        (drill.dc(seen(dc="host3")), "this is host3 itself"),
    ):
        assert any(why in each.what and not each.lifted_by for each in plan.objections), why


def test_what_is_done_on_a_node_goes_there_and_never_through_a_text():
    plan, _ = PLANS["ping"]
    (argv,) = spell(NOW, plan.phases[0].steps[0], Config())
    assert argv[0] == "ssh"
    assert argv[-2] == "host1"
    assert argv[-1].endswith("sh 10.0.0.1 600'")
    (argv,) = spell(NOW._replace(local_node="host1"), plan.phases[1].steps[0], Config())
    assert (argv[:2], argv[3:]) == (("sh", "-c"), ("sh", "10.0.0.1"))
    stop = PLANS["dc"][0].phases[1].steps[0]
    (argv,) = spell(NOW._replace(local_node="host1", dialect="Heartbeat 2.1"), stop, Config())
    assert argv == ("service", "heartbeat", "stop")


@pytest.mark.parametrize("kind", ON_NODE)
def test_every_kind_of_step_that_is_done_on_a_node_is_spelt(kind):
    values = {"node": "host1", "domain": "nfs", "address": "10.0.0.1", "after": "600"}
    ((program, *_),) = spell(NOW, Step(kind, "", values), Config())
    assert program == "ssh"


def test_anew_is_a_newer_start_and_elsewhere_another_node():
    started = Operation("host1", "nfs", "start", 12, 0)
    before = seen(started)
    anew, elsewhere = Goal("anew", "nfs"), Goal("elsewhere", "nfs", "host1")
    assert not reached(before, anew, before)
    assert reached(seen(started, Operation("host1", "nfs", "start", 20, 0)), anew, before)
    assert not reached(before, elsewhere, before)
    assert reached(before, elsewhere._replace(node="host2"), before)


def test_a_ping_path_is_there_again_when_the_attribute_says_so():
    goal = Goal("connected", "pingd", "host1")
    for value, there in (("100", True), ("1", True), ("0", False), ("", False)):
        now = seen(transient={"host1": {"pingd": value}})
        assert reached(now, goal) == there
        assert bool(missing(now, goal)) != there
    assert not reached(seen(transient={"host2": {"pingd": "100"}}), goal)


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_away_is_from_the_blow_to_the_new_start_whatever_the_cluster_thinks(clock):
    before = seen()
    meter = DowntimeMeter(before, ["nfs"])
    meter.record_failure("nfs", "host1")
    gone = before._replace(domains=(NFS._replace(role="Stopped", nodes=()),))
    back = seen(Operation("host1", "nfs", "start", 20, 0))
    for second, snapshot in ((101, before), (110, gone), (112, gone), (115, back), (120, back)):
        clock[0] = float(second)
        meter.record_snapshot(snapshot)
    (measured,) = meter.per_domain()
    assert measured == ("nfs", "nfs", 15.0, 10.0)


def test_who_migrates_is_not_away_and_who_never_comes_back_still_is(clock):
    meter = DowntimeMeter(NOW, ["nfs", "sles"])
    moving = NFS._replace(role="Migrating")
    stopped = NOW.domains[1]._replace(role="Stopped", nodes=())
    meter.record_snapshot(NOW._replace(domains=(moving, stopped)))
    clock[0] = 107.0
    assert [(each.name, each.seconds) for each in meter.per_domain()] == [
        ("nfs", 0.0),
        ("sles", 7.0),
    ]


def test_a_cluster_that_has_to_notice_is_given_until_the_end(monkeypatch):
    plan, _ = PLANS["kill"]
    found = execute.Execution(NOW, plan, Forecast(((), ()), NOW), Config(), lambda _: None)
    monkeypatch.setattr(found, "_at_rest", lambda: pytest.fail("rest is no answer"))
    monkeypatch.setattr(found, "_look", lambda: True)
    assert found._await((Goal("anew", "gone"),), 0.0, notices=True) is False
