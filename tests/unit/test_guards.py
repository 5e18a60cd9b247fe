"""Every reason to refuse, to ask or to warn: when it is given, and when not."""

from __future__ import annotations

import pytest
from every_verb import VERBS, decided, subject
from factories import (
    cluster,
    domain,
    failure,
    local,
    node,
    prefer,
    primitive,
    reasons,
    under_way,
)

from hxm.plan import Forecast, Movement, Phase, Plan, Step
from hxm.policy import guards, last_failed
from hxm.policy.guards.quorum import quorum_after
from hxm.policy.orders import hygiene, placement
from hxm.policy.state.findings import leftovers
from hxm.policy.state.running_twice import on_two_nodes

WHOLE_CLUSTER = {
    "all well": ({}, []),
    "no DC": ({"dc": None}, ["has no DC, 102"]),
    "no quorum": ({"quorum": False}, ["has no quorum, 106, --force"]),
    "neither": ({"dc": None, "quorum": False}, ["has no DC, 102", "has no quorum, 106, --force"]),
    "fencing under way": ({"pending_fencing": ("host2",)}, ["is under way, 107, --force"]),
    "in maintenance": ({"maintenance": True}, []),
    "fencing disabled": ({"fencing": False}, []),
}


@pytest.mark.parametrize(("known", "expected"), WHOLE_CLUSTER.values(), ids=WHOLE_CLUSTER)
def test_a_change_is_never_begun_in_a_cluster_that_would_not_carry_it_out(known, expected):
    assert reasons(list(guards.whole_cluster(cluster(**known)))) == expected


NODES = {
    "online": (node("host2"), []),
    "standby": (node("host2", standby=True), []),
    "offline": (node("host2", online=False), []),
    "pending": (node("host2", pending=True), []),
    "unclean": (node("host2", unclean=True), ["not yet fenced, 107, --force"]),
    "unclean and offline": (
        node("host2", unclean=True, online=False),
        ["not yet fenced, 107, --force"],
    ),
}


@pytest.mark.parametrize(("other", "expected"), NODES.values(), ids=NODES)
def test_a_change_is_never_begun_while_a_lost_node_is_not_fenced(other, expected):
    assert reasons(list(guards.whole_cluster(cluster(node("host1"), other)))) == expected


POLICIES = {
    "stop": (["has no quorum, 106, --force"], []),
    "demote": (["has no quorum, 106, --force"], []),
    "freeze": (["has no quorum, 106, --force"], []),
    "ignore": ([], ["only fencing keeps domUs single"]),
}


@pytest.mark.parametrize(("policy", "expected"), POLICIES.items(), ids=POLICIES)
def test_what_a_lost_quorum_means_is_the_clusters_own_policy(policy, expected):
    lost = cluster(quorum=False, properties={"no-quorum-policy": policy})
    against, warnings = expected
    assert reasons(list(guards.whole_cluster(lost))) == against
    assert [each.split(": ")[1] for each in guards.warnings(lost)] == warnings
    assert guards.warnings(cluster(properties={"no-quorum-policy": policy})) == ()


STRAY = {
    "the cluster knows": (domain("nfs", "host1"), []),
    "stopped, and it runs here": (domain("nfs", stray="host1"), ["does not know it, 107"]),
    "elsewhere, and it runs here": (
        domain("nfs", "host2", stray="host1"),
        ["at once, 107, --force"],
    ),
}


@pytest.mark.parametrize(("one", "expected"), STRAY.values(), ids=STRAY)
def test_an_instance_that_the_cluster_does_not_know_is_never_doubled(one, expected):
    assert (
        reasons([*on_two_nodes(cluster(one), [one]), *guards.stray(cluster(one), [one])])
        == expected
    )


ALL_THREE = [node("host1"), node("host2"), node("host3")]
OFFLINE = node("host3", online=False)
QUORUM_AFTER = {
    "two of three": (ALL_THREE, {}, []),
    "one of three": ([*ALL_THREE[:2], OFFLINE], {}, ["would have no quorum, 107, --yes"]),
    "standby still votes": ([*ALL_THREE[:2], node("host3", standby=True)], {}, []),
    "one of two": (ALL_THREE[:2], {}, []),
    "two of four": (
        [*ALL_THREE[:2], OFFLINE, node("host4")],
        {},
        ["would have no quorum, 107, --yes"],
    ),
    "nobody counts": ([*ALL_THREE[:2], OFFLINE], {"no-quorum-policy": "ignore"}, []),
}


@pytest.mark.parametrize(
    ("nodes", "properties", "expected"), QUORUM_AFTER.values(), ids=QUORUM_AFTER
)
def test_a_node_is_never_called_safe_to_power_off_where_that_costs_the_quorum(
    nodes, properties, expected
):
    seen = cluster(*nodes, properties=properties)
    assert reasons(list(quorum_after(seen, seen.nodes[0]))) == expected


def test_a_domu_that_no_cluster_moves_away_is_never_left_unsaid():
    seen = cluster(local("other"), local("Domain-0", 0), domain("nfs", "host1"))
    assert reasons(list(guards.left_on(seen, seen.nodes[0]))) == ["would stay on, 107, --force"]
    assert reasons(list(guards.left_on(seen, seen.nodes[1]))) == []


def test_booting_nodes_are_not_called_lost_without_a_dc():
    booting = cluster(node("host1", online=False, unclean=True), dc=None, quorum=False)
    assert reasons(list(guards.whole_cluster(booting))) == [
        "has no DC, 102",
        "has no quorum, 106, --force",
    ]


def test_disabled_fencing_is_never_left_unsaid():
    assert guards.warnings(cluster()) == ()
    (warning,) = guards.warnings(cluster(fencing=False))
    assert "run twice" in warning


IN_FLIGHT = {
    "running": (domain("nfs", "host1"), [], False),
    "stopped": (domain("nfs"), [], False),
    "role Migrating": (domain("nfs", "host1", role="Migrating"), [], True),
    "role Migrating, nowhere": (domain("nfs", role="Migrating"), [], True),
    "both nodes, Stopping": (domain("nfs", "host1", "host2", role="Stopping"), [], True),
    "one node, Stopping": (domain("nfs", "host1", role="Stopping"), [], False),
    "Starting": (domain("nfs", "host1", role="Starting"), [], False),
    "pending migrate_to": (domain("nfs", "host1"), [under_way("migrate_to")], True),
    "pending migrate_from": (domain("nfs", "host1"), [under_way("migrate_from")], True),
    "pending stop": (domain("nfs", "host1"), [under_way("stop")], False),
    "another's migration": (domain("nfs", "host1"), [under_way("migrate_to", "sles")], False),
}


def test_a_migration_that_is_not_written_down_is_never_ruled_out():
    """Before 1.1.18 only the DC knows of it."""
    seen = cluster(domain("nfs", "host1"), idle=False, dialect="Pacemaker 1.0")
    for lifted_by in ("", guards.FORCE):
        (found,) = guards.in_flight(seen, seen.domains, lifted_by)
        assert "cannot be told" in found.what
        assert (found.status, found.lifted_by) == (107, guards.FORCE)


def test_what_no_scheduler_foresees_is_never_done_unasked():
    seen = cluster(domain("nfs", "host1"))
    plan = Plan("shutdown", "shut down nfs", ("nfs",), ())
    (found,) = guards.foreseen(seen, plan, Forecast((), seen, simulated=False))
    assert (found.what.split(":")[0], found.lifted_by) == ("not simulated", guards.YES)


@pytest.mark.parametrize(("one", "history", "migrating"), IN_FLIGHT.values(), ids=IN_FLIGHT)
def test_a_migration_in_flight_is_never_overlooked(one, history, migrating):
    seen = cluster(one, *history)
    assert guards.migrating(seen, one) is migrating
    assert reasons(list(guards.in_flight(seen, [one]))) == (
        ["being migrated, 107"] if migrating else []
    )
    forced = list(guards.in_flight(seen, [one], guards.FORCE))
    assert reasons(forced) == (["being migrated, 107, --force"] if migrating else [])


TWICE = {
    "one node": (domain("nfs", "host1"), []),
    "no node": (domain("nfs"), []),
    "two nodes": (domain("nfs", "host1", "host2"), ["at once, 107, --force"]),
    "three nodes": (domain("nfs", "host1", "host2", "host3"), ["at once, 107, --force"]),
    "two nodes, end of a migration": (domain("nfs", "host1", "host2", role="Stopping"), []),
    "two nodes, migrating": (domain("nfs", "host1", "host2", role="Migrating"), []),
}


@pytest.mark.parametrize(("one", "expected"), TWICE.values(), ids=TWICE)
def test_a_domu_that_runs_twice_is_never_passed_over(one, expected):
    assert reasons(list(on_two_nodes(cluster(one), [one]))) == expected


AWAY = node("host1", maintenance=True)
OFF = "hxm maintenance off"
BLOCKED_TWICE = domain("nfs", "host1", "host2", managed=False, blocked=True)
ON_SEVERAL = "is blocked, because it is active on several nodes (multiple-active=block)"
LOOKED_AWAY = {
    "looking": ([domain("nfs", "host1")], {}, None),
    "maintenance of the cluster": (
        [domain("nfs", "host1")],
        {"maintenance": True},
        ("the whole cluster is in maintenance", OFF),
    ),
    "maintenance of its node": (
        [AWAY, domain("nfs", "host1")],
        {},
        ("the node host1 is in maintenance", f"{OFF} host1"),
    ),
    "maintenance of another node": ([AWAY, domain("nfs", "host2")], {}, None),
    "maintenance of the domU": (
        [primitive("nfs", own={"maintenance": "yes"}), domain("nfs", "host1", managed=False)],
        {},
        ("nfs is in maintenance", f"{OFF} nfs"),
    ),
    "unmanaged": (
        [domain("nfs", "host1", managed=False)],
        {},
        ("nfs is unmanaged", "hxm manage nfs"),
    ),
    "unmanaged and stopped": (
        [domain("nfs", managed=False)],
        {},
        ("nfs is unmanaged", "hxm manage nfs"),
    ),
    "unmanaged, and a node by its name": (
        [domain("node-red", "host1", managed=False)],
        {},
        ("node-red is unmanaged", "hxm manage node-red"),
    ),
    "blocked, which crm_mon also calls unmanaged": (
        [domain("nfs", "host1", managed=False, blocked=True, failed=True)],
        {},
        ("nfs is blocked by a failure", "hxm cleanup nfs"),
    ),
    "blocked on two nodes, with an old failure elsewhere": (
        [BLOCKED_TWICE, failure("monitor", where="host3")],
        {},
        (f"nfs {ON_SEVERAL}", "hxm why nfs"),
    ),
    "blocked on two nodes by a stop that failed": (
        [BLOCKED_TWICE, failure("stop", where="host2"), failure("monitor", where="host3")],
        {},
        ("nfs is blocked by a failure: its stop failed on host2", "hxm cleanup nfs"),
    ),
    "blocked on two nodes by a migration that failed": (
        [BLOCKED_TWICE, failure("migrate_to", where="host2"), failure("monitor", where="host3")],
        {},
        ("nfs is blocked by a failure: its migrate_to failed on host2", "hxm cleanup nfs"),
    ),
    "no role known": ([domain("nfs", "host1", managed=False, role=None)], {}, None),
    "not the cluster's": ([local("other")], {}, None),
}


@pytest.mark.parametrize(("parts", "known", "expected"), LOOKED_AWAY.values(), ids=LOOKED_AWAY)
def test_an_order_is_never_given_to_a_cluster_that_looks_away(parts, known, expected):
    seen = cluster(*parts, **known)
    away = guards.looked_away(seen, seen.domains[0])
    assert (away and (away.reason, away.end)) == expected
    found = list(guards.ignored(seen, seen.domains))
    assert reasons(found) == (["would do nothing, 107, --force"] if expected else [])
    if expected:
        assert found[0].what.endswith(expected[0])
        assert found[0].do.startswith(f"{expected[1]} first;")


TARGETS = {
    "usable": (node("host2"), []),
    "standby": (node("host2", standby=True), ["cannot take a domU, 107"]),
    "standby after a failure": (node("host2", standby_onfail=True), ["cannot take a domU, 107"]),
    "maintenance": (node("host2", maintenance=True), ["cannot take a domU, 107"]),
    "offline": (node("host2", online=False), ["cannot take a domU, 107"]),
    "pending": (node("host2", pending=True), ["cannot take a domU, 107"]),
    "unclean": (node("host2", unclean=True), ["cannot take a domU, 107"]),
    "a domU itself": (
        node("guest1", kind="guest", container="vm3"),
        ["guest1 is a guest node: it runs inside vm3, and takes no domU, 107"],
    ),
}


@pytest.mark.parametrize(("one", "expected"), TARGETS.values(), ids=TARGETS)
def test_a_domu_is_never_sent_to_a_node_that_cannot_take_it(one, expected):
    assert reasons(list(guards.target(cluster(nodes=(one,)), one))) == expected


def test_a_target_in_standby_comes_with_the_command_that_ends_it():
    hints = []
    for kept in (node(standby=True), node(online=False), node(maintenance=True)):
        hints += [objection.do for objection in guards.target(cluster(nodes=(kept,)), kept)]
    assert hints == [
        "hxm active host1",
        "on host1: systemctl start pacemaker",
        "hxm maintenance off host1",
    ]


LAST = {
    "another is usable": ([node("host2")], []),
    "alone": ([], ["last usable node, 107, --force"]),
    "the other in standby": ([node("host2", standby=True)], ["last usable node, 107, --force"]),
    "the other offline": ([node("host2", online=False)], ["last usable node, 107, --force"]),
    "the other in maintenance": (
        [node("host2", maintenance=True)],
        ["last usable node, 107, --force"],
    ),
    "one of two others": ([node("host2", unclean=True), node("host3")], []),
}


@pytest.mark.parametrize(("others", "expected"), LAST.values(), ids=LAST)
def test_the_last_usable_node_is_never_drained_unasked(others, expected):
    leaving = node("host1")
    assert reasons(list(guards.last_usable(cluster(leaving, *others), leaving))) == expected


# What the scheduler would do beyond the order

SEEN = cluster(
    domain("nfs", "host1"),
    domain("sles", "host2"),
    domain("cold", "host1", live=False),
    primitive("web", agent="ocf:heartbeat:apache"),
    primitive("pingd", agent="ocf:pacemaker:ping", clone="pingd-clone"),
    primitive("ilo", agent="stonith:external/riloe"),
)


def plan(*subjects: str, expects: tuple[str, ...] = (), phases: int = 1, **known) -> Plan:
    step = Step("set-meta", "", {})
    return Plan("verb", "about", subjects, (Phase((step,)),) * phases, frozenset(expects), **known)


LIVE = Movement("nfs", "live", "host1", "host2")
COLD = Movement("nfs", "move", "host1", "host2")
NOT_LIVE = " would move host1 -> host2, stopped and started, not live"
FORESEEN = {
    "nothing moves": ((), (), [], []),
    "as ordered": (("nfs",), ("live",), [LIVE], []),
    "not live": (
        ("nfs",),
        ("live",),
        [COLD],
        [f"nfs{NOT_LIVE}, 107, --yes"],
    ),
    "not live, and why": (
        ("cold",),
        ("live",),
        [Movement("cold", "move", "host1", "host2")],
        [f"cold{NOT_LIVE} (allow-migrate is not set), 107, --yes"],
    ),
    "another moves live": (("nfs",), (), [Movement("sles", "live", "host2", "host1")], []),
    "another starts": (("nfs",), (), [Movement("sles", "start", None, "host1")], []),
    "another stops": (
        ("nfs",),
        ("stop",),
        [Movement("sles", "stop", "host2")],
        ["sles would stop on host2, 107, --yes"],
    ),
    "several stop": (
        ("nfs",),
        ("stop",),
        [Movement("sles", "stop", "host2"), Movement("web", "stop", "host2")],
        ["sles, web would stop on host2, 107, --yes"],
    ),
    "another restarts": (
        ("nfs",),
        ("stop",),
        [Movement("sles", "restart", "host2", "host2")],
        ["sles would restart on host2, 107, --yes"],
    ),
    "no domU at all, but a service": (
        ("nfs",),
        (),
        [Movement("web", "stop", "host2")],
        ["web would stop on host2, 107, --yes"],
    ),
    "the subject does more than ordered": (
        ("nfs",),
        ("stop",),
        [Movement("nfs", "start", None, "host2")],
        ["nfs would start on host2, 107, --yes"],
    ),
    "a clone's instance": ((), (), [Movement("pingd", "stop", "host1")], []),
    "a fencing device": ((), (), [Movement("ilo", "stop", "host1")], []),
    "fencing": (
        ("nfs",),
        (),
        [Movement("", "fence", "host2")],
        ["host2 would be fenced, 107, --yes"],
    ),
    "the same twice is said once": (
        (),
        (),
        [Movement("sles", "stop", "host2")] * 2,
        ["sles would stop on host2, 107, --yes"],
    ),
}


@pytest.mark.parametrize(
    ("subjects", "expects", "movements", "expected"), FORESEEN.values(), ids=FORESEEN
)
def test_nothing_stops_or_restarts_beyond_the_order_unasked(subjects, expects, movements, expected):
    forecast = Forecast((tuple(movements),), SEEN)
    found = list(guards.foreseen(SEEN, plan(*subjects, expects=expects), forecast))
    assert reasons(found) == expected


GUESTS = (node("host1"), node("host2"), node("g1", kind="guest", container="vm3"))
ON_HOST, IN_GUEST, IDLE = domain("nfs", "host1"), domain("nfs", "g1"), domain("nfs")
INTO = Movement("nfs", "live", "host1", "g1")
START_IN = Movement("nfs", "start", None, "g1")
INTO_GUESTS = {
    "a move": (ON_HOST, (INTO,), (), True),
    "a start": (IDLE, (START_IN,), (), True),
    "a move that would be anyway": (ON_HOST, (INTO,), (INTO,), False),
    "another that would be anyway": (ON_HOST, (INTO,), (Movement("nfs", "live", "host1", "host2"),),
                                     True),
    "a restart in there": (IN_GUEST, (Movement("nfs", "restart", "g1", "g1"),), (), False),
    "the second half of it": (IN_GUEST, (START_IN,), (), False),
    "the way out": (IN_GUEST, (Movement("nfs", "live", "g1", "host1"),), (), False),
    "what is no domU": (ON_HOST, (Movement("pool", "start", None, "g1"),), (), False),
}  # fmt: skip


@pytest.mark.parametrize(
    ("nfs", "moved", "anyway", "refused"), INTO_GUESTS.values(), ids=INTO_GUESTS
)
def test_no_order_sends_a_domu_into_a_guest_node_nor_is_refused_for_another(
    nfs, moved, anyway, refused
):
    seen = cluster(*GUESTS, nfs)
    objections = [*guards.into_guests(seen, Forecast((moved,), seen, anyway=anyway))]
    assert [(each.lifted_by, "nfs-not-on-g1" in each.do) for each in objections] == (
        [("", True)] if refused else []
    )


def test_what_a_phase_that_is_left_out_would_move_is_not_asked_about():
    away = Movement("sles", "stop", "host2")
    order = plan("nfs", expects=("live",), phases=2)
    done = Forecast(((LIVE,), (away,)), SEEN)
    assert reasons(list(guards.foreseen(SEEN, order, done))) != []
    left_out = done._replace(left_out=frozenset({1}))
    assert reasons(list(guards.foreseen(SEEN, order, left_out))) == []


@pytest.mark.parametrize(
    ("then", "expected"), [("host1", []), (None, ["sles would stop on host3, 107, --yes"])]
)
def test_the_end_of_a_migration_is_no_stop_of_what_runs_on(then, expected):
    seen = cluster(domain("nfs", "host1"), domain("sles", "host1"))
    forecast = Forecast(((Movement("sles", "stop", "host3"),),), seen)
    if not then:
        forecast = forecast._replace(after=cluster(domain("nfs", "host1"), domain("sles")))
    assert reasons(list(guards.foreseen(seen, plan("nfs"), forecast))) == expected


AFTER = {
    "moved": (domain("nfs", "host2"), []),
    "without a place": (domain("nfs"), ["nfs would have no place and stop, 107, --force"]),
}


@pytest.mark.parametrize(("after", "expected"), AFTER.values(), ids=AFTER)
def test_a_drain_never_stops_a_domu_without_force(after, expected):
    seen = cluster(domain("nfs", "host1"), domain("sles", "host2"), domain("off"))
    then = cluster(after, domain("sles"), domain("off"))
    drain = plan("nfs", expects=("live",), drains="host1")
    assert reasons(list(guards.foreseen(seen, drain, Forecast(((),), then)))) == expected
    other = plan("nfs", expects=("live",))
    assert reasons(list(guards.foreseen(seen, other, Forecast(((),), then)))) == []


# Which verb asks which guard

LIFE = ("start", "shutdown", "reboot", "destroy")
MOVES = ("migrate", "migrate several", "active --home")
NEVER_IN_FLIGHT = {*MOVES, "unmigrate", "unmigrate all", "cleanup"}
STATES = {
    "healthy": (subject(), {}),
    "no DC": (subject(dc=None), dict.fromkeys(VERBS, "has no DC, 102")),
    "no quorum": (subject(quorum=False), dict.fromkeys(VERBS, "has no quorum, 106, --force")),
    "fencing": (
        subject(pending_fencing=("host4",)),
        dict.fromkeys(VERBS, "is under way, 107, --force"),
    ),
    "unclean node": (
        subject(node("host4", unclean=True), node("host5")),
        dict.fromkeys(VERBS, "not yet fenced, 107, --force"),
    ),
    "migrating": (
        subject(nfs=domain("nfs", "host1", role="Migrating")),
        dict.fromkeys(set(VERBS) - NEVER_IN_FLIGHT, "being migrated, 107, --force")
        | dict.fromkeys(NEVER_IN_FLIGHT, "being migrated, 107"),
    ),
    "maintenance": (
        subject(maintenance=True),
        dict.fromkeys((*LIFE, *MOVES, "standby"), "would do nothing, 107, --force"),
    ),
    "unmanaged": (
        subject(nfs=domain("nfs", "host1", managed=False)),
        dict.fromkeys((*LIFE, *MOVES, "standby"), "would do nothing, 107, --force"),
    ),
    "on two nodes": (
        subject(nfs=domain("nfs", "host1", "host3")),
        dict.fromkeys((*LIFE, "standby", "manage"), "at once, 107, --force")
        | dict.fromkeys(MOVES[:2], "at once, 107")
        | dict.fromkeys(("unmigrate", "unmigrate all", "cleanup"), "at once, 107, --yes"),
    ),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(("seen", "expected"), STATES.values(), ids=STATES)
def test_no_verb_ever_forgets_a_guard(seen, expected, verb):
    assert reasons(decided(verb, seen)) == list(filter(None, [expected.get(verb)]))


@pytest.mark.parametrize("verb", VERBS)
def test_no_verb_ever_keeps_quiet_about_disabled_fencing(verb):
    (warning,) = guards.warnings(subject(fencing=False))
    assert warning in decided(verb, subject(fencing=False)).warnings
    assert warning not in decided(verb, subject()).warnings


FAILED = failure("migrate_to")
KNOWN = {
    "nobody was asked": ((), (), "look first: hxm list nfs --everywhere"),
    "one was asked": (("host1",), ("host1",), "look first: hxm list nfs --everywhere"),
    "it runs on one": (("host1", "host2"), ("host1",), "hxm cleanup nfs"),
    "it runs on none": (("host1", "host2"), (), "hxm cleanup nfs"),
    "it runs on both": (
        ("host1", "host2"),
        ("host1", "host2"),
        "hxm unmanage nfs; then on each node where it runs but the one to keep: xl destroy nfs",
    ),
}


@pytest.mark.parametrize(("heard", "seen", "remedy"), KNOWN.values(), ids=KNOWN)
def test_destroy_is_advised_only_when_the_toolstacks_have_seen_two(heard, seen, remedy):
    one = domain("nfs", "host1", "host2", seen=seen)
    (objection,) = on_two_nodes(cluster(one, FAILED, heard=heard), [one])
    assert objection.do.startswith(remedy)
    assert ("xl destroy nfs" in objection.do) == (len(seen) == 2)
    assert ("the cluster supposes" in objection.what) == (len(seen) < 2)


KEEP = "on each node where it runs but the one to keep: xl destroy nfs"
REFRESH = "crm_resource --refresh --resource=nfs"
BOTH = ("host1", "host2")
ACTIVE_TWICE = {
    "managed": ({}, f"hxm unmanage nfs; then {KEEP}; then {REFRESH}; then hxm manage nfs"),
    "unmanaged": ({"managed": False}, f"{KEEP}; then {REFRESH}; then hxm manage nfs"),
    "blocked": ({"managed": False, "blocked": True}, f"{KEEP}; then {REFRESH}"),
    "unmanaged, and seen on one": (
        {"managed": False, "seen": BOTH[:1]},
        REFRESH,
    ),
    "blocked, and seen on both": (
        {"managed": False, "blocked": True, "seen": BOTH},
        f"{KEEP}; then {REFRESH}",
    ),
}
"""Of a domU on two nodes that has not failed: a cleanup would change nothing there."""


@pytest.mark.parametrize(("state", "remedy"), ACTIVE_TWICE.values(), ids=ACTIVE_TWICE)
def test_of_two_instances_one_is_ended_and_the_cluster_looks(state, remedy):
    one = domain("nfs", *BOTH, **state)
    heard = BOTH if one.seen else ()
    (objection,) = on_two_nodes(cluster(one, heard=heard), [one])
    look = "" if heard else "look first: hxm list nfs --everywhere; "
    assert objection.do == f"{look}{remedy}"


@pytest.mark.parametrize("failures", [(), (FAILED,)])
def test_a_cleanup_is_refused_where_it_would_leave_both_running_and_else_asked_about(failures):
    seen = cluster(domain("nfs", *BOTH, managed=False, blocked=True), *failures)
    against = [each.lifted_by for each in hygiene.cleanup(seen, ["nfs"], None).objections]
    assert against == ["--yes" if failures else "--force"]


IN_DOUBT = {
    "nobody was asked": ((), (), "--yes"),
    "one was asked": (("host1",), ("host1",), "--yes"),
    "it runs on one": (BOTH, ("host1",), None),
    "it runs on both": (BOTH, BOTH, "--force"),
}


@pytest.mark.parametrize(("heard", "seen", "lifted_by"), IN_DOUBT.values(), ids=IN_DOUBT)
def test_what_has_the_cluster_act_on_a_domu_in_doubt_asks_first(heard, seen, lifted_by):
    in_doubt = cluster(domain("nfs", *BOTH, seen=seen), FAILED, prefer(), heard=heard)
    cleanup = hygiene.cleanup(in_doubt, ["nfs"], None)
    unmigrate = placement.unmigrate(in_doubt, None)
    for plan in (cleanup, unmigrate):
        assert [each.lifted_by for each in plan.objections] == [lifted_by] * bool(lifted_by)
    assert bool(cleanup.unforeseeable) == bool(lifted_by)
    (constraint,) = (left.do for left in leftovers(in_doubt) if "prefer" in left.what)
    assert (constraint == "hxm unmigrate nfs") == (not lifted_by)


def test_manage_is_refused_where_nothing_is_to_be_written_and_two_run_on():
    refused = hygiene.manage(cluster(BLOCKED_TWICE), [BLOCKED_TWICE])
    assert reasons(refused) == ["at once, 107"]
    assert f"{KEEP}; then {REFRESH}" in refused.objections[0].do


LAST_FAILED = {
    "failed to start, and on another node, too": ((failure(), failure(where="host2")), "start"),
    "a monitor failed on another node": ((failure(), failure("monitor", where="host2")), "start"),
    "it was started, and failed later": ((failure(), failure("monitor")), "monitor"),
    "its monitor found it gone": ((failure("monitor")._replace(reason="not running"),), "gone"),
    "it failed to start on another node": ((failure(where="host2"),), ""),
}


@pytest.mark.parametrize(("failures", "expected"), LAST_FAILED.values(), ids=LAST_FAILED)
def test_what_failed_last_is_told_by_the_failures_of_the_node_itself(failures, expected):
    one = domain("nfs", "host1", failed=True)
    assert last_failed(cluster(one, *failures), one) == expected
