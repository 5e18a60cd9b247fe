"""Migrate, unmigrate, standby and active: where things run, and the constraints this takes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from hxm.model import Cluster, Constraint, ManagedDomain, Node
from hxm.plan import AlreadyDone, Decision, Goal, Phase, Plan, Step
from hxm.policy import guards, listed, resource_ids, resources, typed
from hxm.policy.forecast.goal_kinds import reached
from hxm.policy.guards.quorum import quorum_after
from hxm.policy.state.findings import described
from hxm.policy.state.running_twice import may_run_twice, on_two_nodes
from hxm.policy.steps import (
    clear_standby_step,
    clear_step,
    delete_constraint_step,
    move_and_ban_step,
    move_step,
    standby_step,
    unban_step,
    unmove_step,
)
from hxm.policy.ways import ways


def migrate(cluster: Cluster, domain: ManagedDomain, node: Node, *, keep: bool = False) -> Decision:
    """Prefer the node, see the domU arrive live, and take the preference away again.

    Where that brings nothing it is banned from where it is, until it has arrived. What is taken
    away is what was put there: another's constraints on the domU stay. `keep` leaves the
    preference, but no ban, which would keep the domU down when the new node is lost.
    """
    resource = domain.resource
    goals = (Goal("running", resource, node.name),)
    if reached(cluster, goals[0]) and not domain.stray:
        are = "is" if len(domain.interim) == 1 else "are"
        left = f"; {listed(domain.interim)} {are} still there: hxm unmigrate {typed(domain)}"
        hint = "; without a move there is nothing to keep" if keep else ""
        hint = left if domain.interim else hint
        return AlreadyDone(f"{domain.name} runs on {node.name} already{hint}")
    source = domain.nodes[0] if domain.nodes else node.name
    objections = (
        *guards.whole_cluster(cluster),
        *guards.stopped([domain]),
        *guards.ignored(cluster, [domain]),
        *guards.in_flight(cluster, [domain]),
        # crm_resource --move takes no resource that is active on two nodes
        *(twice._replace(lifted_by="") for twice in on_two_nodes(cluster, [domain])),
        *guards.target(cluster, node),
    )
    doomed = (f"cli-prefer-{resource}", f"cli-ban-{resource}-on-{source}")

    unmove = unmove_step(domain)
    stays = (f"left in place: cli-prefer-{resource}, until: hxm unmigrate {typed(domain)}",)

    def way(move: Step, back: tuple[Step, ...], doomed: Sequence[str]) -> Plan:
        removed = tuple(step for step in back if not (keep and step == unmove))
        tidy = (Phase(removed, (), only_if_still=True),) if removed else ()
        return Plan(
            "migrate",
            f"migrate {domain.name} to {node.name}",
            (resource,),
            (Phase((move,), goals), *tidy),
            frozenset({"live"}),
            (*objections, *guards.replaced(domain, cluster, doomed)),
            guards.warnings(cluster),
            rollback=back,
            undo=f"hxm unmigrate {typed(domain)}",
            intentions=stays if keep else (),
        )

    both = (unmove, unban_step(domain, source))
    plans = {
        "gently": way(move_step(domain, node.name), (unmove,), doomed[:1]),
        "strongly": way(move_and_ban_step(domain, node.name), both, doomed),
    }
    first, *others = (plans[name] for name in ways(cluster, resource))
    return first._replace(fallback=next(iter(others), None))


def unmigrate(
    cluster: Cluster,
    wanted: Collection[str] | None,
    origins: Mapping[str, str] | None = None,
) -> Decision:
    """Remove every interim constraint of these resources, or of everything.

    Never while a migration is in flight: the domU could end up on two nodes. `origins` tells
    whose a constraint is, and how old.
    """
    interim = [
        constraint
        for constraint in cluster.constraints
        if wanted is None or constraint.resource in wanted
    ]
    if not interim:
        what = "" if wanted is None else f"{listed(sorted(wanted))}: "
        return AlreadyDone(f"{what}no leftover moves or bans to remove")
    concerned = [
        domain
        for domain in cluster.managed_domains
        if cluster.ids_of(domain) & {constraint.resource for constraint in interim}
    ]
    ids = listed([constraint.id for constraint in interim])
    return Plan(
        "unmigrate",
        f"remove {ids}",
        resources(concerned),
        (
            Phase(
                _sweep(cluster, interim),
                tuple(Goal("gone", constraint.id) for constraint in interim),
            ),
        ),
        frozenset(),
        (
            *guards.whole_cluster(cluster, [constraint.resource for constraint in interim]),
            *guards.in_flight(cluster, concerned),
            *may_run_twice(cluster, concerned),
        ),
        guards.warnings(cluster),
        done=f"removed {ids}",
        notes=tuple(
            described(cluster, constraint._replace(expired=True), origins) for constraint in interim
        ),
        intentions=tuple(described(cluster, constraint, origins) for constraint in interim),
    )


def standby(cluster: Cluster, node: Node) -> Decision:
    """Drain the node: the cluster moves away what can move, and stops the rest."""
    if node.standby and not _occupied(cluster, node):
        return AlreadyDone(f"{node.name} is in standby already and the cluster runs nothing on it")
    steps = () if node.standby else (standby_step(node.name),)
    here = [domain for domain in cluster.managed_domains if node.name in domain.nodes]
    return Plan(
        "standby",
        f"drain {node.name}",
        resources(here),
        (Phase(steps, (Goal("empty", node.name),)),),
        frozenset({"live"}),
        (
            *guards.whole_cluster(cluster),
            *guards.cannot_drain(cluster, node),
            *guards.ignored(cluster, here),
            *guards.in_flight(cluster, cluster.managed_domains, guards.FORCE),
            *on_two_nodes(cluster, here),
            *guards.last_usable(cluster, node),
            *guards.left_on(cluster, node),
            *quorum_after(cluster, node),
        ),
        guards.warnings(cluster),
        drains=node.name,
        done=f"{node.name} is in standby and the cluster runs nothing on it: safe to power off",
        undo=f"hxm active {node.name}",
    )


def active(cluster: Cluster, node: Node) -> Decision:
    """Take the standby away, permanent and until reboot, whichever there is."""
    if node.usable:
        return AlreadyDone(f"{node.name} is active already")
    goals = (Goal("usable", node.name),) if node.online and not node.maintenance else ()
    return Plan(
        "active",
        f"take {node.name} out of standby",
        (),
        (Phase((clear_standby_step(node.name),), goals),),
        objections=(
            *guards.whole_cluster(cluster),
            *guards.not_in_standby(cluster, node),
            *guards.in_flight(cluster, cluster.managed_domains, guards.FORCE),
        ),
        warnings=guards.warnings(cluster),
        done=f"{node.name} is active again",
        undo=f"hxm standby {node.name}",
    )


def _occupied(cluster: Cluster, node: Node) -> bool:
    return any(node.name in resource.nodes for resource in cluster.resources)


def _sweep(cluster: Cluster, interim: Sequence[Constraint]) -> tuple[Step, ...]:
    """The tool clears all of a resource's own at once; the others are deleted one by one.

    Those are what 1.1.9 and older called cli-standby, what a lost resource left, and what somebody
    gave an id of the same kind (crm_resource --clear knows the ids that it makes itself).
    """
    steps: dict[str, Step] = {}
    known = resource_ids(cluster)
    for constraint in interim:
        if constraint.resource in known and constraint.made_by_a_move:
            steps[constraint.resource] = clear_step(constraint.resource)
        else:
            steps[constraint.id] = delete_constraint_step(constraint.id)
    return tuple(steps.values())
