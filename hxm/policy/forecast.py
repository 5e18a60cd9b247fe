"""What a transition means: from the scheduler's actions to movements, from goals to verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hxm.model import IN_FLIGHT, UPDATE, Action, Cluster, Domain, Forecast, Goal, Movement, Node
from hxm.policy import Plan, listed
from hxm.policy.relations import score_of


def movements(actions: Iterable[Action], clones: frozenset[str]) -> tuple[Movement, ...]:
    """One movement for each resource that starts, stops or moves; before them what is fenced.

    The instances of a clone (`clones`: their primitives) never move: each starts or stops.
    """
    starts: dict[str, str] = {}
    stops: dict[str, str] = {}
    found: dict[Action | str, Movement | None] = {}
    for action in actions:
        resource, node = action.resource, action.node
        if action.operation == "fence":
            found[action] = Movement("", "fence", node)
        elif action.operation not in ("start", "stop", "migrate_to"):
            continue
        elif resource in clones:
            kind = action.operation
            source, target = (node, None) if kind == "stop" else (None, node)
            found[action] = Movement(resource, kind, source, target)
        elif action.operation == "migrate_to":
            found[resource] = Movement(resource, "live", action.source or node, action.target)
        else:
            (starts if action.operation == "start" else stops)[resource] = node
            found.setdefault(resource, None)
    for key in [key for key, movement in found.items() if movement is None]:
        found[key] = _cold(str(key), stops.get(str(key)), starts.get(str(key)))
    moved = [movement for movement in found.values() if movement]
    return tuple(sorted(moved, key=lambda movement: movement.kind != "fence"))


def _cold(resource: str, stopped: str | None, started: str | None) -> Movement:
    if stopped and started:
        kind = "restart" if stopped == started else "move"
        return Movement(resource, kind, stopped, started)
    if stopped:
        return Movement(resource, "stop", stopped)
    return Movement(resource, "start", None, started)


def after_all(cluster: Cluster, phases: Iterable[Iterable[Movement]]) -> Cluster:
    """The cluster as it will be if these movements come about: for schedulers that only compute.

    What starts as a further instance of a clone is left out.
    """
    found = [movement for phase in phases for movement in phase]

    def places(resource: str, nodes: tuple[str, ...], clone: bool) -> tuple[str, ...]:
        for movement in found:
            if movement.resource != resource or (clone and movement.kind == "start"):
                continue
            if clone:
                nodes = tuple(node for node in nodes if node != movement.source)
            elif movement.kind != "restart":
                nodes = (movement.target,) if movement.target else ()
        return nodes

    def after(nodes: tuple[str, ...], role: str | None) -> dict[str, Any]:
        unchanged = role in IN_FLIGHT or (role == "Stopped") == (not nodes)
        return {"nodes": nodes, "role": role if unchanged else "Started" if nodes else "Stopped"}

    resources = tuple(
        each._replace(
            **after(places(each.id.split(":")[0], each.nodes, bool(each.clone)), each.role)
        )
        for each in cluster.resources
    )
    domains = tuple(
        each._replace(**after(places(each.resource or "", each.nodes, False), each.role))
        if each.resource
        else each
        for each in cluster.domains
    )
    return cluster._replace(resources=resources, domains=domains)


def reached(cluster: Cluster, goal: Goal, before: Cluster | None = None) -> bool:
    """Whether the goal's state can be seen in the cluster.

    empty, usable, sound: a node runs nothing, may run something, and nothing failed there either;
    maintenance, watched: a node, or without a subject the cluster, is in maintenance or is not;
    gone: a constraint is; forgotten: the failures of a resource are, everywhere or on a node;
    unlocked: a holder's lock is; marked, unmarked: an update has this state, or there is none;
    elsewhere: a domU runs, and not on the node; anew: it has been started since `before`; led:
    another node than this one is the DC; lost, back: a node is not, is again, a full member;
    connected: an attribute of a ping resource says that the node reaches something;
    running, stopped, managed, unmanaged, idle: a domU is; healthy: its monitor has found it on the
    node, and it is nowhere else; absent: it is nowhere (that every node has looked the scheduler
    knows); unwatched: no node remembers it; withdrawn: it is no resource any more.
    """
    if goal.kind in ("empty", "usable", "sound", "maintenance", "watched", "lost", "back"):
        return _is_node(cluster, goal)
    if goal.kind in ("marked", "unmarked"):
        return cluster.properties.get(UPDATE) == (goal.subject or None)
    if goal.kind == "unlocked":
        return not cluster.lock or cluster.lock.holder != goal.subject
    if goal.kind == "gone":
        return all(constraint.id != goal.subject for constraint in cluster.constraints)
    if goal.kind == "forgotten":
        return not any(
            failure.resource == goal.subject and goal.node in (None, failure.node)
            for failure in cluster.failures
        )
    if goal.kind == "led":
        return cluster.dc not in (None, "", goal.subject)
    if goal.kind == "connected":
        return score_of(cluster.transient.get(goal.node or "", {}).get(goal.subject, "")) > 0
    if goal.kind == "withdrawn":
        return all(each.id != goal.subject for each in cluster.resources)
    domain = cluster.domain_of(goal.subject)
    if domain is None or not _is_domain(cluster, domain, goal):
        return False
    (where, *_) = domain.nodes or ("",)
    return goal.kind != "anew" or not before or started_since(before, cluster, goal.subject, where)


def _is_node(cluster: Cluster, goal: Goal) -> bool:
    if goal.kind == "empty":
        return not any(goal.subject in resource.nodes for resource in cluster.resources)
    node = cluster.node(goal.subject)
    if goal.kind in ("usable", "sound"):
        failed = any(failure.node == goal.subject for failure in cluster.failures)
        return bool(node and node.usable) and not (failed and goal.kind == "sound")
    if goal.kind in ("lost", "back"):
        return bool(node and node.member) == (goal.kind == "back")
    asleep = node.maintenance if node else cluster.maintenance
    return asleep == (goal.kind == "maintenance")


def _is_domain(cluster: Cluster, domain: Domain, goal: Goal) -> bool:
    if goal.kind == "stopped":
        return not domain.running and not domain.in_flight
    if goal.kind in ("managed", "unmanaged"):
        return domain.managed == (goal.kind == "managed")
    if goal.kind in ("idle", "unwatched", "absent", "healthy"):
        return _is_watched(cluster, domain, goal)
    alive = {node.name for node in cluster.nodes if node.reachable}
    return (
        domain.role == "Started"
        and not domain.failed
        and len(domain.nodes) == 1
        and domain.nodes[0] in alive
        and (goal.node in (None, domain.nodes[0])) == (goal.kind != "elsewhere")
    )


def _is_watched(cluster: Cluster, domain: Domain, goal: Goal) -> bool:
    """What the nodes' histories say of the domU; a first look is a `probe` (crm_mon 2.0.3)."""
    found = [each for each in cluster.history if each.resource == goal.subject]
    if goal.kind == "unwatched":
        return not found
    if domain.in_flight or any(each.pending for each in found):
        return False
    if goal.kind == "idle":
        return True
    monitored = [each.node for each in found if each.task == "monitor" and each.rc == 0]
    there = (goal.node,) if goal.node else ()
    return not domain.failed and domain.nodes == there and all(each in monitored for each in there)


def missing(cluster: Cluster, goal: Goal) -> str:
    """What of the goal is not so, in words; empty if it is reached."""
    if reached(cluster, goal):
        return ""
    domain = cluster.domain_of(goal.subject)
    who = domain.name if domain else goal.subject or "the cluster"
    if goal.kind == "empty":
        there = {each.id for each in cluster.resources if goal.subject in each.nodes}
        return f"{listed(sorted(there))} still on {goal.subject}"
    if domain and goal.kind in ("running", "stopped", "elsewhere", "anew"):
        if not domain.running:
            return f"{who} does not run"
        return f"{who} is {domain.role or 'active'} on {listed(domain.nodes)}"
    if goal.kind == "led":
        return f"the DC is {cluster.dc or 'nobody'}"
    if domain and goal.kind in ("healthy", "absent"):
        where = f"on {listed(domain.nodes)}" if domain.nodes else "nowhere"
        return (
            f"the cluster sees {who} {where}, and not as it is" if goal.node else f"it is {where}"
        )
    if goal.kind == "sound":
        return f"{who} is not well"
    if goal.kind == "connected":
        return f"{goal.subject} does not say that {goal.node} reaches what it pings"
    return f"{who} is not {'in ' * (goal.kind == 'maintenance')}{goal.kind}"


def with_goals(plan: Plan, predicted: Forecast) -> Plan:
    """The plan with what the forecast promises among its goals: no domU of it may get lost."""
    if not predicted.simulated:
        return plan
    phases = list(plan.phases)
    wanted = [number for number, phase in enumerate(phases) if not phase.only_if_still]
    stops = {each.resource for each in predicted.movements if each.kind == "stop"}
    ends = [Goal("stopped", each) for each in plan.subjects if each in stops]
    left = [Goal("withdrawn", each.subject) for each in ends]
    promised = [
        goal
        for goal in (*(Goal("running", resource) for resource in plan.subjects), *ends, *left)
        if reached(predicted.after, goal)
        and not any(each[:2] == goal[:2] for phase in phases for each in phase.goals)
    ]
    last = phases[wanted[-1]]
    phases[wanted[-1]] = last._replace(goals=(*last.goals, *promised))
    return plan._replace(phases=tuple(phases))


def elsewhere(cluster: Cluster, plan: Plan, predicted: Forecast) -> Iterator[str]:
    """What the plan stops and the cluster starts again on another node."""
    stops = {each.resource: each.source for each in predicted.movements if each.kind == "stop"}
    for each in predicted.movements:
        before = stops.get(each.resource) if each.resource in plan.subjects else None
        if before and each.kind == "start" and each.target != before:
            yield f"{name_of(cluster, each)} starts on {each.target}, not on {before} again"


def settled(cluster: Cluster, before: Cluster | None = None) -> bool:
    """Whether nothing is visibly under way: no role in flight, no pending action, no fencing.

    A node that was lost or pending `before` already is not waited for.
    """
    waiting = {each.name for each in before.nodes if _unsettled(each)} if before else set()
    return (
        not any(resource.role in IN_FLIGHT for resource in cluster.resources)
        and not any(operation.pending for operation in cluster.history)
        and not cluster.pending_fencing
        and cluster.idle
        and not any(_unsettled(node) and node.name not in waiting for node in cluster.nodes)
    )


def _unsettled(node: Node) -> bool:
    return node.pending or node.unclean


def started_since(before: Cluster, after: Cluster, resource: str, node: str) -> bool:
    """Whether the resource was started on the node between two looks at the cluster."""
    return _newest(after, resource, node, "start") > _newest(before, resource, node, "start")


def _newest(cluster: Cluster, resource: str, node: str, task: str) -> int:
    """The call id of the newest such action that succeeded, by the node's own history."""
    return max(
        (
            operation.call
            for operation in cluster.history
            if operation[:3] == (node, resource, task) and operation.rc == 0
        ),
        default=-1,
    )


def came_live(cluster: Cluster, resource: str, node: str) -> bool:
    """Whether the resource came to the node by live migration, by the node's own history.

    The last action there is migrate_from after a live migration, and start after a cold restart,
    which `crm_resource --wait` reports as a success all the same.
    """
    return _newest(cluster, resource, node, "migrate_from") > _newest(
        cluster, resource, node, "start"
    )


def name_of(cluster: Cluster, movement: Movement) -> str:
    """Who moves: the domU, another resource, or the node that is fenced."""
    domain = cluster.domain_of(movement.resource)
    return domain.name if domain else movement.resource or movement.source or ""


def phrase(movement: Movement) -> str:
    """What it does, as in "it would ...": stop on host1."""
    source, target = movement.source, movement.target
    return {
        "start": f"start on {target}",
        "stop": f"stop on {source}",
        "restart": f"restart on {source}",
        "move": f"move {source} -> {target}, stopped and started, not live",
        "live": f"move {source} -> {target}, live",
        "fence": "be fenced",
    }[movement.kind]


def told(cluster: Cluster, movement: Movement) -> str:
    """One line on a movement, for plans and progress."""
    return f"{name_of(cluster, movement)}: {phrase(movement).removeprefix('be ')}"
