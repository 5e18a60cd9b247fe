"""What a transition means: from the scheduler's actions to movements, from goals to verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hxm.model import IN_FLIGHT, Cluster, Node, Resource
from hxm.plan import Action, Forecast, Goal, GoalKind, Movement, Plan, Step, StepKind
from hxm.policy import is_true, listed, resource_name
from hxm.policy.forecast.goal_kinds import newest, reached
from hxm.policy.forecast.movement_kinds import nodes_after, phrase


def movements(actions: Iterable[Action], cluster: Cluster) -> tuple[Movement, ...]:
    """One movement for each resource that starts, stops or moves; before them what is fenced.

    The instances of a clone never move: each starts or stops. Of several stops of one resource that
    counts which is where it runs: another ends what a live migration has left behind.
    """
    places = {resource.id: resource.nodes for resource in cluster.resources}
    starts: dict[str, str] = {}
    stops: dict[str, str] = {}
    by_subject: dict[Action | str, Movement | None] = {}
    for action in actions:
        resource, node = action.resource, action.node
        if action.operation == "fence":
            by_subject[action] = Movement("", "fence", node)
        elif action.operation not in ("start", "stop", "migrate_to"):
            continue
        elif resource in cluster.cloned:
            by_subject[action] = (
                Movement(resource, "stop", node)
                if action.operation == "stop"
                else Movement(resource, "start", None, node)
            )
        elif action.operation == "migrate_to":
            by_subject[resource] = Movement(resource, "live", action.source or node, action.target)
        else:
            if action.operation == "start":
                starts[resource] = node
            elif stops.get(resource) not in places.get(resource, ()):
                stops[resource] = node
            by_subject.setdefault(resource, None)
    for key in [key for key, movement in by_subject.items() if movement is None]:
        by_subject[key] = _cold(str(key), stops.get(str(key)), starts.get(str(key)))
    moved = [movement for movement in by_subject.values() if movement]
    return tuple(sorted(moved, key=lambda movement: movement.kind != "fence"))


def _cold(resource: str, stopped: str | None, started: str | None) -> Movement:
    if stopped and started:
        return Movement(resource, "restart" if stopped == started else "move", stopped, started)
    if stopped:
        return Movement(resource, "stop", stopped)
    return Movement(resource, "start", None, started)


def after_all(cluster: Cluster, phases: Iterable[Iterable[Movement]]) -> Cluster:
    """The cluster as it will be if these movements come about.

    An instance of a clone that starts is one of those that are listed as stopped.
    """
    moves: dict[str, list[Movement]] = {}
    for movement in (movement for phase in phases for movement in phase):
        moves.setdefault(movement.resource, []).append(movement)

    cloned = {resource.id.partition(":")[0] for resource in cluster.resources if resource.clone}

    def places(resource: str, nodes: tuple[str, ...]) -> tuple[str, ...]:
        """The scheduler names the primitive of a clone, and the instance if each is unique."""
        primitive = resource.partition(":")[0]
        left = [move.source for move in moves.get(primitive, ()) if primitive in cloned]
        nodes = tuple(node for node in nodes if node not in left)
        for movement in moves.get(resource, ()) if resource not in cloned else ():
            nodes = nodes_after(movement, nodes)
        return nodes

    def after(nodes: tuple[str, ...], role: str | None) -> dict[str, Any]:
        unchanged = role in IN_FLIGHT or (role == "Stopped") == (not nodes)
        return {"nodes": nodes, "role": role if unchanged else "Started" if nodes else "Stopped"}

    resources = tuple(
        resource._replace(**after(places(resource.id, resource.nodes), resource.role))
        for resource in cluster.resources
    )
    resources = tuple(_with_clones_started(resources, moves))
    domains = tuple(
        domain._replace(**after(places(domain.resource, domain.nodes), domain.role))
        if domain.resource
        else domain
        for domain in cluster.domains
    )
    return cluster._replace(resources=resources, domains=domains)


def _with_clones_started(
    resources: Iterable[Resource], moves: Mapping[str, Sequence[Movement]]
) -> Iterator[Resource]:
    targets = {
        primitive: [movement.target for movement in moved if movement.kind == "start"]
        for primitive, moved in moves.items()
    }
    for resource in resources:
        waiting = targets.get(resource.id.split(":")[0], [])
        if resource.clone and not resource.nodes and waiting:
            yield resource._replace(nodes=(waiting.pop(0) or "",), role="Started")
        else:
            yield resource


_STEPS_TOLD: frozenset[StepKind] = frozenset(
    {
        *("move", "move-and-ban", "unmove", "unban", "clear", "delete-constraint"),
        *("standby", "clear-standby"),
    }
)
_GOALS_TOLD: frozenset[GoalKind] = frozenset(
    {"running", "elsewhere", "stopped", "anew", "empty", "usable", "gone"}
)
_STANDBY: Mapping[StepKind, bool] = {"standby": True, "clear-standby": False}


def _is_told(step: Step) -> bool:
    return step.kind in _STEPS_TOLD or step.values.get("name") == "target-role"


def movements_tell_all(cluster: Cluster, plan: Plan) -> bool:
    """Whether `after_steps` gives all that the plan's goals ask for, without the cluster's tools.

    Not where anything is unusual: something failed, runs twice, is under way, or is in a guest;
    nor where something may be promoted, which is no movement.
    """
    return (
        all(_is_told(step) for phase in plan.phases for step in phase.steps)
        and all(goal.kind in _GOALS_TOLD for phase in plan.phases for goal in phase.goals)
        and all(node.kind == "member" for node in cluster.nodes)
        and settled(cluster)
        and not any(
            resource.failed
            or resource.blocked
            or resource.orphaned
            or resource.role not in ("Started", "Stopped")
            or len(resource.nodes) > 1
            or (resource.role == "Stopped" and _may_be_promoted(cluster, resource))
            for resource in cluster.resources
        )
    )


def _may_be_promoted(cluster: Cluster, resource: Resource) -> bool:
    primitive = cluster.primitives.get(resource.id.partition(":")[0])
    return primitive is not None and is_true(primitive.meta.get("promotable", ""))


def after_steps(
    cluster: Cluster, steps: Sequence[Step], phases: Iterable[Iterable[Movement]]
) -> Cluster:
    """The cluster after the steps, which lead to these movements.

    Told are: who runs where and who is told to stop, standby, and the interim constraints that go.
    """
    standby = {step.values["node"]: _STANDBY[step.kind] for step in steps if step.kind in _STANDBY}
    roles = {
        step.values["resource"]: step.values.get("value")
        for step in steps
        if step.values.get("name") == "target-role"
    }
    cleared = {step.values["resource"] for step in steps if step.kind == "clear"}
    deleted = {step.values["constraint"] for step in steps if step.kind == "delete-constraint"}
    after = after_all(cluster, phases)
    return after._replace(
        nodes=tuple(
            node._replace(standby=standby.get(node.name, node.standby)) for node in after.nodes
        ),
        domains=tuple(
            domain._replace(target_role=roles.get(domain.resource or ""))
            if roles.keys() & cluster.ids_of(domain)
            else domain
            for domain in after.domains
        ),
        constraints=tuple(
            constraint
            for constraint in after.constraints
            if constraint.id not in deleted
            and not (constraint.made_by_a_move and constraint.resource in cleared)
        ),
    )


def with_goals(plan: Plan, predicted: Forecast) -> Plan:
    """The plan with what the forecast promises among its goals: no domU of it may get lost."""
    if not predicted.simulated:
        return plan
    phases = list(plan.phases)
    wanted = [number for number, phase in enumerate(phases) if not phase.only_if_still]
    stops = {movement.resource for movement in predicted.movements if movement.kind == "stop"}
    ends = [Goal("stopped", subject) for subject in plan.subjects if subject in stops]
    left = [Goal("withdrawn", end.subject) for end in ends]
    promised = [
        goal
        for goal in (*(Goal("running", resource) for resource in plan.subjects), *ends, *left)
        if reached(predicted.after, goal)
        and not any(known[:2] == goal[:2] for phase in phases for known in phase.goals)
    ]
    last = phases[wanted[-1]]
    phases[wanted[-1]] = last._replace(goals=(*last.goals, *promised))
    return plan._replace(phases=tuple(phases))


def elsewhere(cluster: Cluster, plan: Plan, predicted: Forecast) -> Iterator[str]:
    """What the plan stops and the cluster starts again on another node."""
    stops = {
        movement.resource: movement.source
        for movement in predicted.movements
        if movement.kind == "stop"
    }
    for movement in predicted.movements:
        before = stops.get(movement.resource) if movement.resource in plan.subjects else None
        if before and movement.kind == "start" and movement.target != before:
            yield f"{name_of(cluster, movement)} starts on {movement.target}, not on {before} again"


def tried_again(cluster: Cluster, plan: Plan, predicted: Forecast) -> Iterator[str]:
    """What a cleanup makes the cluster do, which its name does not say."""
    moved = [
        f"{name_of(cluster, movement)} would {phrase(movement)}"
        for movement in dict.fromkeys(predicted.movements)
        if cluster.domain_of(movement.resource)
    ]
    if moved and plan.verb == "cleanup":
        yield f"the cluster tries again: {listed(moved, 4)}"


def settled(cluster: Cluster, before: Cluster | None = None) -> bool:
    """Whether nothing is visibly under way: no role in flight, no pending action, no fencing.

    A node that was lost or pending `before` already is not waited for.
    """
    waiting = {node.name for node in before.nodes if _unsettled(node)} if before else set()
    return (
        not any(resource.role in IN_FLIGHT for resource in cluster.resources)
        and not any(operation.pending for operation in cluster.history)
        and not cluster.pending_fencing
        and cluster.idle
        and not any(_unsettled(node) and node.name not in waiting for node in cluster.nodes)
    )


def _unsettled(node: Node) -> bool:
    return node.pending or node.unclean


def came_live(cluster: Cluster, resource: str, node: str) -> bool:
    """Whether the resource came to the node by live migration, by the node's own history.

    The last action there is migrate_from after a live migration, and start after a cold restart,
    which `crm_resource --wait` still reports as a success.
    """
    return newest(cluster, resource, node, "migrate_from") > newest(
        cluster, resource, node, "start"
    )


def ends_a_migration(cluster: Cluster, movement: Movement, after: Cluster) -> bool:
    """Whether it stops on its source what runs on another node, before and after."""
    now, then = cluster.domain_of(movement.resource), after.domain_of(movement.resource)
    return bool(
        movement.kind == "stop"
        and (now and now.running and movement.source not in now.nodes)
        and (then and then.running)
    )


def name_of(cluster: Cluster, movement: Movement) -> str:
    """The name of what moves: the domU, another resource, or the node that is fenced."""
    return resource_name(cluster, movement.resource) or movement.source or ""


def movement_text(cluster: Cluster, movement: Movement) -> str:
    """One line on a movement, for plans and progress."""
    return f"{name_of(cluster, movement)}: {phrase(movement).removeprefix('be ')}"
