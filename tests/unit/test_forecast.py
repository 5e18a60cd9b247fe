"""From the scheduler's actions to movements, and from goals to what can be seen."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from factories import DATA, cluster, domain, node, prefer, primitive, under_way

from hxm.errors import CannotAsk
from hxm.model import Operation, Resource
from hxm.pacemaker.crm_mon import parse_status
from hxm.pacemaker.simulate import actions_in, read_graph
from hxm.plan import Action, Forecast, Goal, GoalKind, Movement, MovementKind, Phase, Plan
from hxm.policy.forecast import (
    after_all,
    came_live,
    elsewhere,
    goal_kinds,
    movement_kinds,
    movements,
    settled,
    with_goals,
)
from hxm.policy.forecast.goal_kinds import missing, reached, started_since
from hxm.policy.forecast.movement_kinds import phrase

GRAPHS = DATA / "graphs"
CLONES = ("STONITH-child", "evms-child", "configpool-child", "pingd-child")
LISTED = cluster(domain("nfs", "host1"), *(primitive(name, clone="c") for name in CLONES))


def stops(*names: str, where: str = "host1") -> list[tuple[Any, ...]]:
    return [(name, "stop", where, None) for name in names]


# Graphs of the real scheduler (crm_simulate 2.1.5) for the sandbox's cluster
CAPTURED = {
    "nothing": [],
    "live": [("nfs", "live", "host1", "host2")],
    "cold": [("nfs", "move", "host1", "host2")],
    "start": [("nfs", "start", None, "host1")],
    "stop": [("nfs", "stop", "host1", None)],
    "restart": [("nfs", "restart", "host1", "host1")],
    "drain": [
        *stops("STONITH-child", "STONITH-iLO-host2", "evms-child", "configpool-child"),
        *stops("pingd-child"),
        ("nfs", "live", "host1", "host2"),
    ],
    "fence": [("", "fence", "host2", None), ("sles", "start", None, "host1")],
    "never-begun": [("web", "stop", "alpha", None)],
}
"""The last one starts web after fs, which has failed in maintenance and is not started."""


@pytest.mark.parametrize(("name", "expected"), CAPTURED.items(), ids=CAPTURED)
def test_a_transition_never_means_less_than_it_does(name, expected):
    actions = actions_in(read_graph(str(GRAPHS / f"{name}.xml")))
    assert [tuple(each) for each in movements(actions, LISTED)] == expected


def test_every_captured_graph_is_held_against_its_meaning():
    assert {path.stem for path in GRAPHS.glob("*.xml")} == set(CAPTURED)


def act(operation: str, where: str = "host1", resource: str = "nfs", **known) -> Action:
    return Action(operation, resource, where, **known)


MIGRATE_TO = act("migrate_to", source="host1", target="host2")
WRITTEN = {
    "nothing": ([], []),
    "watching only": ([act("monitor"), act("notify"), act("cancel"), act("delete")], []),
    "stop before start": (
        [act("stop"), act("start", "host2")],
        [("nfs", "move", "host1", "host2")],
    ),
    "start before stop": (
        [act("start", "host2"), act("stop")],
        [("nfs", "move", "host1", "host2")],
    ),
    "restart": ([act("stop"), act("start")], [("nfs", "restart", "host1", "host1")]),
    "live, stop first": ([act("stop"), MIGRATE_TO], [("nfs", "live", "host1", "host2")]),
    "live, stop last": (
        [MIGRATE_TO, act("migrate_from", "host2"), act("stop")],
        [("nfs", "live", "host1", "host2")],
    ),
    "what a migration left, and where it runs": (
        [act("stop"), act("stop", "host3"), act("start", "host2")],
        [("nfs", "move", "host1", "host2")],
    ),
    "the same, in another order": (
        [act("stop", "host3"), act("stop")],
        [("nfs", "stop", "host1", None)],
    ),
    "a migration without its source": (
        [act("migrate_to", target="host2")],
        [("nfs", "live", "host1", "host2")],
    ),
    "a clone on two nodes": (
        [act("start", "host1", "pingd-child"), act("start", "host2", "pingd-child")],
        [("pingd-child", "start", None, "host1"), ("pingd-child", "start", None, "host2")],
    ),
    "a clone leaves one node and comes to another": (
        [act("stop", "host1", "pingd-child"), act("start", "host2", "pingd-child")],
        [("pingd-child", "stop", "host1", None), ("pingd-child", "start", None, "host2")],
    ),
    "two nodes fenced": (
        [act("fence", "host2", ""), act("fence", "host3", "")],
        [("", "fence", "host2", None), ("", "fence", "host3", None)],
    ),
}


@pytest.mark.parametrize(("actions", "expected"), WRITTEN.values(), ids=WRITTEN)
def test_no_order_of_actions_ever_changes_their_meaning(actions, expected):
    assert [tuple(each) for each in movements(actions, LISTED)] == expected


def test_every_movement_has_its_words():
    for kind in get_args(MovementKind):
        assert "None" not in phrase(Movement("nfs", kind, "host1", "host2"))


BROKEN = {"empty": "", "half": "<transition_graph><synapse>", "none": None}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_an_unreadable_graph_is_never_a_transition_without_actions(text, tmp_path):
    path = tmp_path / "graph.xml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(CannotAsk):
        read_graph(str(path))


# Goals

ON = domain("nfs", "host2")
RUNNING, ON_HOST2 = Goal("running", "nfs"), Goal("running", "nfs", "host2")
STOPPED = Goal("stopped", "nfs")
MIGRATING = domain("nfs", "host1", role="Migrating")
ARRIVED = domain("nfs", "host1", "host2", role="Stopping")
REACHED = {
    "runs": ([ON], RUNNING, True),
    "runs there": ([ON], ON_HOST2, True),
    "runs elsewhere": ([domain("nfs", "host1")], ON_HOST2, False),
    "stopped": ([domain("nfs")], RUNNING, False),
    "starting": ([domain("nfs", "host2", role="Starting")], RUNNING, False),
    "migrating": ([MIGRATING], RUNNING, False),
    "arrived, and not yet gone from the other": ([ARRIVED], ON_HOST2, False),
    "on two nodes": ([domain("nfs", "host1", "host2")], RUNNING, False),
    "on a lost node": ([node("host2", unclean=True), ON], RUNNING, False),
    "on an offline node": ([node("host2", online=False), ON], RUNNING, False),
    "on a node that nobody knows": ([node("host1"), ON], RUNNING, False),
    "runs, to be stopped": ([ON], STOPPED, False),
    "is stopped": ([domain("nfs")], STOPPED, True),
    "stopping": ([domain("nfs", "host2", role="Stopping")], STOPPED, False),
    "migrating from nowhere is not stopped": ([domain("nfs", role="Migrating")], STOPPED, False),
    "starting, nowhere yet, is not stopped": ([domain("nfs", role="Starting")], STOPPED, False),
    "empty": ([ON], Goal("empty", "host1"), True),
    "not empty": ([ON], Goal("empty", "host2"), False),
    "still leaving": ([ARRIVED], Goal("empty", "host1"), False),
    "not empty: a service": (
        [Resource("web", "ocf:heartbeat:apache", "Started", nodes=("host1",))],
        Goal("empty", "host1"),
        False,
    ),
    "usable": ([], Goal("usable", "host1"), True),
    "not usable": ([node("host1", standby=True)], Goal("usable", "host1"), False),
    "no such node": ([], Goal("usable", "host9"), False),
    "managed": ([ON], Goal("managed", "nfs"), True),
    "not managed": ([ON._replace(managed=False)], Goal("managed", "nfs"), False),
    "unmanaged": ([ON._replace(managed=False)], Goal("unmanaged", "nfs"), True),
    "not unmanaged": ([ON], Goal("unmanaged", "nfs"), False),
    "no such domU": ([], RUNNING, False),
    "no such domU is not stopped": ([], STOPPED, False),
}


@pytest.mark.parametrize(("parts", "goal", "expected"), REACHED.values(), ids=REACHED)
def test_a_goal_is_never_called_reached_before_it_is(parts, goal, expected):
    assert reached(cluster(*parts), goal) is expected


# At rest


def lab(sample: str):
    status = parse_status((DATA / "pacemaker-2.1.5-lab" / f"{sample}.xml").read_bytes())
    return cluster(
        *status.nodes,
        *status.resources,
        history=status.history,
        pending_fencing=status.pending_fencing,
    )


AT_REST = {
    "01-running": True,
    "02-migrating": False,
    "03-moved": True,
    "06-standby": True,
    "06-standby-draining": False,
    "07-starting": False,
    "07-stopped": True,
    "08-maintenance": True,
    "09-unmanaged-failed": True,
    "10-start-failed": True,
    "11-migrate-failed": True,
    "12-monitor-failed-0": False,
    "13-shutdown-hangs": False,
    "20-kill-unclean": False,
    "21-fencing-fails": False,
    "22-splitbrain-minority": False,
    "30-booting-no-dc": False,
    "31-shutdown-done": False,
    "32-no-quorum": False,
}


@pytest.mark.parametrize(("sample", "expected"), AT_REST.items(), ids=AT_REST)
def test_a_cluster_is_never_called_at_rest_while_something_is_under_way(sample, expected):
    assert settled(lab(sample)) is expected


def test_a_pending_action_alone_keeps_a_cluster_from_rest():
    assert settled(cluster(ON))
    assert not settled(cluster(ON, under_way("monitor")))
    assert not settled(cluster(ON, pending_fencing=("host1",)))
    assert not settled(cluster(ON, node("host1", pending=True)))


def done(task: str, call: int, where: str = "host2", rc: int = 0) -> Operation:
    return Operation(where, "nfs", task, call, rc)


ARRIVALS = {
    "live": ([done("migrate_from", 9)], True),
    "cold": ([done("start", 9)], False),
    "nothing known": ([], False),
    "live after an earlier start": ([done("start", 5), done("migrate_from", 9)], True),
    "restarted after a live arrival": ([done("migrate_from", 5), done("start", 9)], False),
    "a failed arrival, then a start": ([done("migrate_from", 8, rc=1), done("start", 9)], False),
    "an arrival still under way": ([done("migrate_from", -1, rc=193)], False),
    "live, elsewhere": ([done("migrate_from", 9, "host1")], False),
    "another's": ([done("migrate_from", 9)._replace(resource="sles")], False),
}


@pytest.mark.parametrize(("history", "live"), ARRIVALS.values(), ids=ARRIVALS)
def test_a_cold_restart_is_never_called_live(history, live):
    assert came_live(cluster(ON, *history), "nfs", "host2") is live


def test_a_captured_migration_was_live_and_a_failed_one_was_not():
    assert came_live(lab("03-moved"), "nfs", "host3")
    assert not came_live(lab("11-migrate-failed"), "nfs", "host2")
    assert not came_live(lab("10-start-failed"), "nfs", "host3")


# Goals, and what is not so


def drain(*phases: Phase) -> Plan:
    return Plan("standby", "drain host1", ("nfs", "off"), phases, drains="host1")


def test_a_domu_that_the_forecast_keeps_is_never_lost_between_stop_and_start():
    """Between the two it is on no node, and a node without it looks empty."""
    before = cluster(domain("nfs", "host1"), domain("off"))
    then = cluster(domain("nfs", "host2"), domain("off"))
    plan = with_goals(drain(Phase((), (Goal("empty", "host1"),))), Forecast(((),), then))
    assert plan.phases[0].goals == (Goal("empty", "host1"), Goal("running", "nfs"))
    between = cluster(domain("nfs"), domain("off"))
    assert reached(between, Goal("empty", "host1"))
    assert not all(reached(between, goal) for goal in plan.phases[0].goals)
    assert all(reached(then, goal) for goal in plan.phases[0].goals)
    assert not reached(before, Goal("empty", "host1"))


def test_a_goal_that_stands_already_is_not_set_again_nor_one_for_tidying():
    goal = Goal("running", "nfs", "host2")
    tidy = Phase((), (), only_if_still=True)
    plan = drain(Phase((), (goal,)), tidy)
    predicted = Forecast(((), ()), cluster(domain("nfs", "host2")))
    assert with_goals(plan, predicted) == plan


MISSING = {
    "reached": (Goal("running", "nfs"), ""),
    "elsewhere": (Goal("running", "nfs", "host2"), "nfs is Started on host1"),
    "not running": (Goal("running", "sles"), "sles does not run"),
    "not stopped": (Goal("stopped", "nfs"), "nfs is Started on host1"),
    "not empty": (Goal("empty", "host1"), "nfs still on host1"),
    "not gone": (Goal("gone", "cli-prefer-nfs"), "cli-prefer-nfs is not gone"),
    "in maintenance": (Goal("watched", ""), ""),
    "no maintenance": (Goal("maintenance", ""), "the cluster is not in maintenance"),
    "not usable": (Goal("usable", "host9"), "host9 is not usable"),
}


@pytest.mark.parametrize(("goal", "words"), MISSING.values(), ids=MISSING)
def test_what_is_missing_is_said_in_words(goal, words):
    seen = cluster(domain("nfs", "host1"), domain("sles"), prefer())
    assert missing(seen, goal) == words


def test_a_node_that_was_away_before_is_not_waited_for():
    away = cluster(node("host1"), node("host2", pending=True))
    assert not settled(away)
    assert settled(away, away)
    assert not settled(cluster(node("host1", unclean=True), node("host2", pending=True)), away)


def test_a_restart_is_seen_by_a_newer_start_on_the_same_node():
    old = cluster(domain("nfs", "host1"), Operation("host1", "nfs", "start", 5, 0))
    for call, rc, restarted in ((5, 0, False), (7, 0, True), (7, 1, False)):
        new = cluster(domain("nfs", "host1"), Operation("host1", "nfs", "start", call, rc))
        assert started_since(old, new, "nfs", "host1") is restarted
    assert not started_since(old, old, "nfs", "host2")


AFTER = {
    "live": ([Movement("nfs", "live", "host1", "host2")], ("host2",), "Started"),
    "stop": ([Movement("nfs", "stop", "host1")], (), "Stopped"),
    "start": ([Movement("nfs", "start", None, "host2")], ("host2",), "Started"),
    "restart": ([Movement("nfs", "restart", "host1", "host1")], ("host1",), "Started"),
    "nothing": ([], ("host1",), "Started"),
    "the end of a migration from": ([Movement("nfs", "stop", "host3")], ("host1",), "Started"),
    "another": ([Movement("sles", "stop", "host1")], ("host1",), "Started"),
    "in two phases": (
        [Movement("nfs", "stop", "host1"), Movement("nfs", "start", None, "host2")],
        *(("host2",), "Started"),
    ),
}


@pytest.mark.parametrize(("found", "nodes", "role"), AFTER.values(), ids=AFTER)
def test_a_scheduler_that_only_computes_never_leaves_the_end_open(found, nodes, role):
    seen = after_all(cluster(domain("nfs", "host1")), [[each] for each in found])
    (resource,) = seen.resources
    one = seen.domain_of("nfs")
    assert (one.nodes, one.role) == (resource.nodes, resource.role) == (nodes, role)


def test_what_is_listed_nowhere_and_restarts_runs():
    moved = [[Movement("nfs", "restart", "host1", "host1")]]
    assert after_all(cluster(domain("nfs")), moved).domains[0].nodes == ("host1",)


def test_a_clones_instance_that_stops_leaves_its_node():
    instances = [Resource("x", "a", "Started", nodes=(name,), clone="c") for name in ("h1", "h2")]
    seen = after_all(cluster(*instances), [[Movement("x", "stop", "h1")]])
    assert [each.nodes for each in seen.resources] == [(), ("h2",)]


def test_a_unique_instance_moves_by_its_own_name():
    instances = [
        Resource(f"x:{at}", "a", "Started", nodes=(f"h{at}",), clone="c") for at in (0, 1, 2)
    ]
    moved = [Movement("x:0", "stop", "h0"), Movement("x:1", "move", "h1", "h3")]
    seen = after_all(cluster(*instances), [moved])
    assert [each.nodes for each in seen.resources] == [(), ("h3",), ("h2",)]


def test_a_dc_at_work_is_never_taken_for_rest():
    assert settled(cluster(domain("nfs", "host1")))
    assert not settled(cluster(domain("nfs", "host1"), idle=False))


def test_a_stop_that_is_foreseen_has_to_be_seen():
    """A restore that stops a domU, or takes it out of the cluster, ended well without a stop."""
    before = cluster(domain("nfs", "host1"), domain("sles", "host1"))
    stop = tuple(Movement(each, "stop", "host1") for each in ("nfs", "sles"))
    plan = drain(Phase(()))._replace(subjects=("nfs", "sles"))
    found = with_goals(plan, Forecast((stop,), cluster(domain("nfs"))))
    goals = found.phases[0].goals
    assert goals == (Goal("stopped", "nfs"), Goal("withdrawn", "sles"))
    assert not any(reached(before, goal) for goal in goals)


STOP, START = Movement("nfs", "stop", "host1"), Movement("nfs", "start", None, "host2")
AGAIN = {
    "elsewhere": (("nfs",), (STOP, START), ["nfs starts on host2, not on host1 again"]),
    "where it was": (("nfs",), (STOP, START._replace(target="host1")), []),
    "only stopped": (("nfs",), (STOP,), []),
    "only started": (("nfs",), (START,), []),
    "another's order": (("sles",), (STOP, START), []),
}


@pytest.mark.parametrize(("subjects", "found", "said"), AGAIN.values(), ids=AGAIN)
def test_a_restart_on_another_node_is_said_beforehand(subjects, found, said):
    before = cluster(domain("nfs", "host1"))
    plan = Plan("reboot", "reboot", subjects, ())
    phases = tuple((each,) for each in found)
    assert list(elsewhere(before, plan, Forecast(phases, before))) == said


def test_every_kind_of_goal_has_its_row_and_a_misspelt_one_raises():
    assert set(goal_kinds._GOALS) == set(get_args(GoalKind))
    with pytest.raises(KeyError):
        reached(cluster(domain("nfs", "host1")), Goal("stoped", "nfs"))


def test_every_kind_of_movement_has_its_row_and_a_misspelt_one_raises():
    assert set(movement_kinds._MOVEMENTS) == set(get_args(MovementKind))
    with pytest.raises(KeyError):
        after_all(cluster(domain("nfs", "host1")), [[Movement("nfs", "stopp", "host1")]])
