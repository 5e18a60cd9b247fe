"""The drills: what is done, what must come of it, what stands against it, and what is measured."""

from __future__ import annotations

import pytest
from factories import cluster, domain, failure, node, primitive, told

from hxm import act, witness
from hxm.config import Config
from hxm.decide import drill, guards
from hxm.decide.forecast import reached
from hxm.foresee import spell
from hxm.model import UPDATE, Forecast, Goal, Movement, Operation, Primitive, Resource
from hxm.witness import Witness

MONITOR = {"name": "monitor", "interval": "10s"}
WATCHED = [primitive(name, operations=(MONITOR,)) for name in ("nfs", "sles")]
PINGER = Primitive("p", "ocf:pacemaker:ping", {"host_list": "10.0.0.1 10.0.0.2"}, {}, {}, {})
PARTS = (domain("nfs", "host1"), domain("sles", "host2"), *WATCHED)


def seen(*parts, **known):
    hosts = [each for each in parts if type(each).__name__ == "Node"]
    hosts = hosts or [node("host1", dc=True), node("host2"), node("host3")]
    others = [each for each in parts if each not in hosts]
    return cluster(*hosts, *PARTS, *others, local_node="host3", toolstack="xl", **known)


NOW = seen(PINGER)
HOST1, HOST2, _ = NOW.nodes
NFS = NOW.domains[0]
PLANS = {
    "kill": (
        drill.kill(NOW, NFS),
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
            "join host1 10.0.0.1 pingd 600",
            "join host1 10.0.0.2 pingd 600",
        ],
    ),
    "fence": (drill.fence(NOW, HOST2), ["fence host2", "-> anew sles", "-> back host2"]),
}


@pytest.mark.parametrize("name", drill.DRILLS)
def test_a_drill_breaks_one_thing_and_makes_it_whole_again(name):
    plan, lines = PLANS[name]
    assert told(plan) == lines
    assert plan.measures
    (question,) = plan.objections  # in a cluster that is well
    assert question.lifted_by == "--yes"
    for word in {"kill": ["nfs"], "fence": ["sles", "die"], "dc": ["host1"]}.get(name, []):
        assert word in question.message


def test_only_fencing_asks_twice():
    assert [name for name, (plan, _) in PLANS.items() if plan.twice] == ["fence"]


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
    for plan in (drill.kill(now, now.domains[0]), drill.fence(now, now.nodes[1])):
        assert any(why in each.message and each.lifted_by != "--yes" for each in plan.objections)


CLONED = primitive("pings", agent="ocf:pacemaker:ping", clone="pings-clone")
FENCER = primitive("fencer", agent="stonith:external/ipmi")
AROUND = (
    CLONED,
    FENCER,
    *(
        Resource("pings", CLONED.agent, "Started", nodes=(each.name,), clone="pings-clone")
        for each in NOW.nodes
    ),
    Resource("fencer", FENCER.agent, "Started", nodes=("host1",)),
)
LEAVING = (
    Movement("nfs", "live", "host1", "host2"),
    Movement("pings", "stop", "host1"),
    Movement("fencer", "move", "host1", "host3"),
)
DRAINED = {
    "everything leaves": (LEAVING, []),
    "a domU has no place": (
        (Movement("nfs", "stop", "host1"), *LEAVING[1:]),
        ["nfs would have no place and stop", "nfs would stop on host1"],
    ),
    "a clone's instance stays": ((LEAVING[0], LEAVING[2]), ["pings would stay on host1"]),
}


@pytest.mark.parametrize(("movements", "against"), DRAINED.values(), ids=DRAINED)
@pytest.mark.parametrize("name", ["standby", "dc"])
def test_a_drained_node_is_looked_at_before_it_is_taken_back(name, movements, against):
    now = seen(*AROUND)
    plan = drill.standby(now, HOST1) if name == "standby" else drill.dc(now)
    back = (Movement("pings", "start", None, "host1"), Movement("fencer", "move", "host3", "host1"))
    between = ((),) * (len(plan.phases) - 2)
    predicted = Forecast((movements, *between, back), now)
    found = guards.foreseen(now, plan, predicted)
    assert [each.message for each in found] == against


def test_what_would_prove_nothing_is_refused():
    unwatched = seen(primitive("nfs", operations=()))
    for plan, why in (
        (drill.kill(unwatched, unwatched.domains[0]), "nothing watches nfs"),
        (drill.kill(seen(), domain("nfs")), "does not run"),
        (drill.ping(seen(), HOST1), "has a host_list"),
        (drill.ping(NOW, node("host3")), "no domU runs on host3"),
        (drill.fence(NOW, node("host3")), "this is host3 itself"),
        (drill.dc(seen(dc="host3")), "this is host3 itself"),
    ):
        assert any(why in each.message and not each.lifted_by for each in plan.objections), why


def test_what_is_done_on_a_node_goes_there_and_never_through_a_text():
    plan, _ = PLANS["ping"]
    (argv,) = spell(NOW, plan.phases[0].steps[0])
    assert argv[:2] == ("ssh", "-o")
    assert argv[-2] == "host1"
    assert argv[-1].endswith("sh 10.0.0.1 600")
    (argv,) = spell(NOW._replace(local_node="host1"), plan.phases[1].steps[0])
    assert argv == ("ip", "route", "del", "unreachable", "10.0.0.1")
    stop = PLANS["dc"][0].phases[1].steps[0]
    (argv,) = spell(NOW._replace(local_node="host1", dialect="Heartbeat 2.1"), stop)
    assert argv == ("service", "heartbeat", "stop")


def test_anew_is_a_newer_start_and_elsewhere_another_node():
    started = Operation("host1", "nfs", "start", 12, 0)
    before = seen(started)
    anew, elsewhere = Goal("anew", "nfs"), Goal("elsewhere", "nfs", "host1")
    assert not reached(before, anew, before)
    assert reached(seen(started, Operation("host1", "nfs", "start", 20, 0)), anew, before)
    assert not reached(before, elsewhere, before)
    assert reached(before, elsewhere._replace(node="host2"), before)


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(witness.time, "monotonic", lambda: now[0])
    return now


def test_away_is_from_the_blow_to_the_new_start_whatever_the_cluster_thinks(clock):
    before = seen()
    watching = Witness(before, ["nfs"])
    watching.strike("nfs", "host1")
    gone = before._replace(domains=(NFS._replace(role="Stopped", nodes=()),))
    back = seen(Operation("host1", "nfs", "start", 20, 0))
    for second, look in ((101, before), (110, gone), (112, gone), (115, back), (120, back)):
        clock[0] = float(second)
        watching.look(look)
    (found,) = watching.found()
    assert found == ("nfs", "nfs", 15.0, 10.0)


def test_who_migrates_is_not_away_and_who_never_comes_back_still_is(clock):
    watching = Witness(NOW, ["nfs", "sles"])
    moving = NFS._replace(role="Migrating")
    stopped = NOW.domains[1]._replace(role="Stopped", nodes=())
    watching.look(NOW._replace(domains=(moving, stopped)))
    clock[0] = 107.0
    assert [(each.name, each.seconds) for each in watching.found()] == [("nfs", 0.0), ("sles", 7.0)]


def test_a_cluster_that_has_to_notice_is_given_until_the_end(monkeypatch):
    plan, _ = PLANS["kill"]
    found = act.Performance(NOW, plan, Forecast(((), ()), NOW), Config(), lambda _: None)
    monkeypatch.setattr(found, "_at_rest", lambda: pytest.fail("rest is no answer"))
    monkeypatch.setattr(found, "_look", lambda: True)
    assert found._await((Goal("anew", "gone"),), 0.0, notices=True) is False
