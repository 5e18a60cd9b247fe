"""Migrate, unmigrate, standby and active: the steps, the goals, and what stands against them."""

from __future__ import annotations

import pytest
from factories import (
    ban,
    cluster,
    domain,
    local,
    node,
    prefer,
    primitive,
    reasons,
    told,
    under_way,
)

from hxm.model import Constraint, Resource
from hxm.orders.pipeline import named_resources
from hxm.plan import AlreadyDone
from hxm.policy.orders import placement
from hxm.policy.state.findings import leftovers

NFS = domain("nfs", "host1")
MIGRATING = domain("nfs", "host1", role="Migrating")
HOST1, HOST2, HOST3 = node("host1"), node("host2"), node("host3")
MOVED = "-> running nfs on host2"
TIDY = "then, if nothing moves: "
MOVE = ["move nfs host2", MOVED, f"{TIDY}unmove nfs"]
BAN = ["move-and-ban nfs host2", MOVED, f"{TIDY}unmove nfs", f"{TIDY}unban nfs host1"]
STOPPED = ["move nfs host2", MOVED, f"{TIDY}unmove nfs"]

MIGRATE = {
    "runs elsewhere": ([NFS], MOVE, []),
    "runs there": (
        [domain("nfs", "host2")],
        ["nothing: nfs runs on host2 already"],
        [],
    ),
    "runs there, and something was left": (
        [domain("nfs", "host2"), prefer()],
        ["nothing: nfs runs on host2 already; cli-prefer-nfs is still there: hxm unmigrate nfs"],
        [],
    ),
    "stopped": ([domain("nfs")], STOPPED, ["does not run, 107"]),
    "another's preference is in the way": (
        [NFS, prefer(to="host3")],
        MOVE,
        ["would be replaced, 107, --yes"],
    ),
    "another's ban is not": ([NFS, ban(where="host3")], MOVE, []),
    "in flight": ([MIGRATING], MOVE, ["being migrated, 107"]),
    "in flight, at its end": (
        [domain("nfs", "host1", "host2", role="Stopping")],
        MOVE,
        ["being migrated, 107"],
    ),
    "unmanaged": (
        [domain("nfs", "host1", managed=False)],
        MOVE,
        ["would do nothing, 107, --force"],
    ),
}


@pytest.mark.parametrize(("parts", "lines", "against"), MIGRATE.values(), ids=MIGRATE)
def test_a_migration_never_leaves_its_constraint_unless_it_must(parts, lines, against):
    seen = cluster(*parts)
    decision = placement.migrate(seen, seen.domains[0], HOST2)
    assert told(decision) == lines
    assert reasons(decision) == against


def test_migrate_has_a_stronger_second_way_and_no_third():
    decision = placement.migrate(cluster(NFS), NFS, HOST2)
    assert told(decision.fallback) == BAN
    assert decision.fallback.fallback is None
    assert decision.fallback.objections == decision.objections


def test_a_ban_of_anothers_is_never_replaced_unasked():
    seen = cluster(NFS, ban(where="host1"))
    decision = placement.migrate(seen, NFS, HOST2)
    assert reasons(decision) == []
    assert reasons(decision.fallback) == ["would be replaced, 107, --yes"]


def test_migrate_never_expects_less_than_live():
    decision = placement.migrate(cluster(NFS), NFS, HOST2)
    assert decision.expects == decision.fallback.expects == {"live"}


def test_migrate_takes_its_constraint_back_when_it_fails():
    decision = placement.migrate(cluster(NFS), NFS, HOST2)
    assert [step.kind for step in decision.rollback] == ["unmove"]
    assert [step.kind for step in decision.fallback.rollback] == ["unmove", "unban"]


def test_a_constraint_is_kept_only_when_asked_for():
    decision = placement.migrate(cluster(NFS), NFS, HOST2, keep=True)
    assert told(decision) == MOVE[:2]
    assert told(decision.fallback) == [*BAN[:2], f"{TIDY}unban nfs host1"]
    assert decision.intentions == decision.fallback.intentions
    assert "left in place: cli-prefer-nfs" in decision.intentions[0]


UNUSABLE = {
    "standby": node("host2", standby=True),
    "offline": node("host2", online=False),
    "maintenance": node("host2", maintenance=True),
    "pending": node("host2", pending=True),
}


@pytest.mark.parametrize("target", UNUSABLE.values(), ids=UNUSABLE)
def test_migrate_never_orders_a_node_that_cannot_take_it(target):
    seen = cluster(HOST1, target, NFS)
    assert reasons(placement.migrate(seen, NFS, target)) == ["cannot take a domU, 107"]


# Unmigrate

OLD = Constraint("cli-standby-nfs", "nfs", "ban", "host1")
LOST = prefer("gone")
SLES = domain("sles", "host2")

UNMIGRATE = {
    "nothing left": ([NFS], ["nothing: no leftover moves or bans to remove"], []),
    "a preference": ([NFS, prefer()], ["clear nfs"], []),
    "a preference and a ban of one": ([NFS, prefer(), ban()], ["clear nfs"], []),
    "of two": ([NFS, SLES, prefer(), ban("sles")], ["clear nfs", "clear sles"], []),
    "of a move by Pacemaker before 1.1.10, by id": (
        [NFS, OLD],
        ["delete-constraint cli-standby-nfs"],
        [],
    ),
    "old and new of one": (
        [NFS, OLD, prefer()],
        ["delete-constraint cli-standby-nfs", "clear nfs"],
        [],
    ),
    "of a resource that is gone, by id": (
        [NFS, LOST],
        ["delete-constraint cli-prefer-gone"],
        [],
    ),
    "of what is no domU": (
        [primitive("web", agent="ocf:heartbeat:apache"), prefer("web")],
        ["clear web"],
        [],
    ),
    "in flight": ([MIGRATING, prefer()], ["clear nfs"], ["being migrated, 107"]),
    "in flight, by a pending action": (
        [NFS, prefer(), under_way("migrate_to")],
        ["clear nfs"],
        ["being migrated, 107"],
    ),
    "in flight, at its end": (
        [domain("nfs", "host1", "host2", role="Stopping"), prefer()],
        ["clear nfs"],
        ["being migrated, 107"],
    ),
    "one of two in flight": (
        [MIGRATING, SLES, prefer(), prefer("sles")],
        ["clear nfs", "clear sles"],
        ["being migrated, 107"],
    ),
    "in flight without a constraint": ([MIGRATING, SLES, prefer("sles")], ["clear sles"], []),
}


@pytest.mark.parametrize(("parts", "lines", "against"), UNMIGRATE.values(), ids=UNMIGRATE)
def test_a_constraint_is_never_cleared_while_its_domu_migrates(parts, lines, against):
    seen = cluster(*parts)
    decision = placement.unmigrate(seen, None)
    assert [line for line in told(decision) if "-> gone" not in line] == lines
    assert reasons(decision) == against
    if not isinstance(decision, AlreadyDone):
        goals = {goal.subject for phase in decision.phases for goal in phase.goals}
        assert goals == {each.id for each in seen.constraints}


GROUPED = (primitive("nfs", parent="grp"), prefer("grp"))


def test_a_groups_constraint_is_never_cleared_while_a_member_migrates():
    seen = cluster(MIGRATING, *GROUPED)
    decision = placement.unmigrate(seen, None)
    assert reasons(decision) == ["being migrated, 107"]


def test_the_constraint_of_its_group_is_never_kept_from_the_domu_that_is_named():
    seen = cluster(NFS, *GROUPED)
    decision = placement.unmigrate(seen, seen.ids_of(NFS))
    assert not isinstance(decision, AlreadyDone), "it says that nothing was left behind"


def test_force_never_lifts_a_migration_in_flight():
    seen = cluster(MIGRATING, prefer())
    assert [each.lifted_by for each in placement.unmigrate(seen, None).objections] == [""]


def test_unmigrate_never_touches_what_it_was_not_told_to():
    seen = cluster(NFS, SLES, prefer(), ban("sles"))
    decision = placement.unmigrate(seen, ["nfs"])
    assert told(decision) == ["clear nfs", "-> gone cli-prefer-nfs"]
    assert decision.subjects == ("nfs",)
    assert told(placement.unmigrate(cluster(NFS, SLES, prefer()), ["sles"])) == [
        "nothing: sles: no leftover moves or bans to remove"
    ]


def test_what_the_tool_would_not_clear_is_deleted_by_its_id():
    by_hand = prefer()._replace(id="cli-prefer-nfs-for-the-weekend")
    decision = placement.unmigrate(cluster(NFS, by_hand), None)
    assert told(decision)[0] == "delete-constraint cli-prefer-nfs-for-the-weekend"


def test_whose_a_constraint_is_and_how_old_is_never_left_out():
    decision = placement.unmigrate(
        cluster(NFS, prefer()), None, {"cli-prefer-nfs": "by root, 3 h ago"}
    )
    assert decision.intentions == ("cli-prefer-nfs: nfs must run on host2 (by root, 3 h ago)",)
    assert decision.notes == ("cli-prefer-nfs: nfs was to run on host2 (by root, 3 h ago)",)


LEFT = {
    "a domU's": (NFS, prefer()),
    "its group's": (NFS, *GROUPED),
    "a lost resource's": (NFS, LOST),
    "another resource's": (NFS, primitive("web", agent="ocf:heartbeat:apache"), prefer("web")),
}


@pytest.mark.parametrize("parts", LEFT.values(), ids=LEFT)
def test_what_is_left_is_never_named_with_a_command_that_does_not_remove_it(parts):
    seen = cluster(*parts)
    (finding,) = leftovers(seen)
    program, verb, *words = finding.do.split()
    assert (program, verb) == ("hxm", "unmigrate")
    assert not isinstance(placement.unmigrate(seen, named_resources(seen, words)), AlreadyDone)


# Standby and active

NOTHING_ON = Resource("pingd", "ocf:pacemaker:ping", "Stopped")
STANDBY = {
    "with domUs": (
        [HOST1, HOST2, NFS, SLES],
        ["standby host1", "-> empty host1"],
        ["nfs"],
        [],
    ),
    "with nothing": ([HOST1, HOST2, SLES], ["standby host1", "-> empty host1"], [], []),
    "already, and empty": (
        [node("host1", standby=True), HOST2, SLES],
        ["nothing: host1 is in standby already and the cluster runs nothing on it"],
        [],
        [],
    ),
    "already, and not yet empty": (
        [node("host1", standby=True), HOST2, NFS],
        ["-> empty host1"],
        ["nfs"],
        [],
    ),
    "the last usable node": (
        [HOST1, node("host2", standby=True), NFS],
        ["standby host1", "-> empty host1"],
        ["nfs"],
        ["last usable node, 107, --force"],
    ),
    "alone": (
        [HOST1, NFS],
        ["standby host1", "-> empty host1"],
        ["nfs"],
        ["last usable node, 107, --force"],
    ),
    "offline": (
        [node("host1", online=False), HOST2],
        ["standby host1", "-> empty host1"],
        [],
        ["cannot be drained, 107"],
    ),
    "pending": (
        [node("host1", pending=True), HOST2],
        ["standby host1", "-> empty host1"],
        [],
        ["cannot be drained, 107"],
    ),
    "unclean": (
        [node("host1", unclean=True), HOST2, NFS],
        ["standby host1", "-> empty host1"],
        ["nfs"],
        ["not yet fenced, 107, --force", "cannot be drained, 107"],
    ),
    "with an unmanaged domU, which would stay": (
        [HOST1, HOST2, domain("nfs", "host1", managed=False)],
        ["standby host1", "-> empty host1"],
        ["nfs"],
        ["would do nothing, 107, --force"],
    ),
    "another's domU is unmanaged": (
        [HOST1, HOST2, domain("sles", "host2", managed=False)],
        ["standby host1", "-> empty host1"],
        [],
        [],
    ),
}


@pytest.mark.parametrize(("parts", "lines", "subjects", "against"), STANDBY.values(), ids=STANDBY)
def test_a_node_is_never_called_empty_before_it_is(parts, lines, subjects, against):
    seen = cluster(*parts)
    decision = placement.standby(seen, seen.nodes[0])
    assert told(decision) == lines
    assert reasons(decision) == against
    if not isinstance(decision, AlreadyDone):
        assert (decision.drains, list(decision.subjects)) == ("host1", subjects)
        assert decision.expects == {"live"}


def test_a_node_in_standby_is_never_called_empty_while_a_service_runs_there():
    web = Resource("web", "ocf:heartbeat:apache", "Started", nodes=("host1",))
    seen = cluster(node("host1", standby=True), HOST2, web)
    assert told(placement.standby(seen, seen.nodes[0])) == ["-> empty host1"]


def test_an_unmanaged_domu_of_this_host_is_no_subject_of_a_drain():
    seen = cluster(HOST1, HOST2, local("other"))
    assert placement.standby(seen, HOST1).subjects == ()


BY_ATTRIBUTE = {"node_attributes": {"host3": {"standby": "on"}}}
CLEAR = "clear-standby host3"
ACTIVE = {
    "usable": (HOST3, {}, ["nothing: host3 is active already"], []),
    "permanent": (node("host3", standby=True), BY_ATTRIBUTE, [CLEAR, "-> usable host3"], []),
    "until reboot": (node("host3", standby=True), {}, [CLEAR, "-> usable host3"], []),
    "offline": (node("host3", standby=True, online=False), BY_ATTRIBUTE, [CLEAR], []),
    "offline, and shown as nothing else": (
        node("host3", online=False),
        BY_ATTRIBUTE,
        [CLEAR],
        [],
    ),
    "maintenance as well": (
        node("host3", standby=True, maintenance=True),
        BY_ATTRIBUTE,
        [CLEAR],
        [],
    ),
    "offline alone": (node("host3", online=False), {}, [CLEAR], ["is not in standby, 107"]),
    "maintenance alone": (
        node("host3", maintenance=True),
        {},
        [CLEAR],
        ["is not in standby, 107"],
    ),
}


@pytest.mark.parametrize(("one", "known", "lines", "against"), ACTIVE.values(), ids=ACTIVE)
def test_active_never_waits_for_what_it_does_not_change(one, known, lines, against):
    decision = placement.active(cluster(HOST1, HOST2, one, **known), one)
    assert told(decision) == lines
    assert reasons(decision) == against
