"""What a transition means: from the scheduler's actions to movements, from goals to verdicts."""

from __future__ import annotations

from collections.abc import Iterable

from hxm.model import IN_FLIGHT, Action, Cluster, Goal, Movement


def movements(actions: Iterable[Action], clones: frozenset[str]) -> tuple[Movement, ...]:
    """One movement for each resource that starts, stops or moves, in the scheduler's order.

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
    return tuple(movement for movement in found.values() if movement)


def _cold(resource: str, stopped: str | None, started: str | None) -> Movement:
    if stopped and started:
        kind = "restart" if stopped == started else "move"
        return Movement(resource, kind, stopped, started)
    if stopped:
        return Movement(resource, "stop", stopped)
    return Movement(resource, "start", None, started)


def reached(cluster: Cluster, goal: Goal) -> bool:
    """Whether the goal's state can be seen in the cluster, with nothing under way."""
    if goal.kind == "empty":
        return not any(goal.subject in resource.nodes for resource in cluster.resources)
    if goal.kind == "usable":
        node = cluster.node(goal.subject)
        return bool(node and node.usable)
    if goal.kind == "unlocked":
        return not cluster.lock or cluster.lock.holder != goal.subject
    domain = cluster.domain_of(goal.subject)
    if domain is None:
        return False
    if goal.kind == "stopped":
        return not domain.running and not domain.in_flight
    if goal.kind in ("managed", "unmanaged"):
        return domain.managed == (goal.kind == "managed")
    alive = {node.name for node in cluster.nodes if node.online and not node.unclean}
    return (
        domain.role == "Started"
        and len(domain.nodes) == 1
        and domain.nodes[0] in alive
        and goal.node in (None, domain.nodes[0])
    )


def settled(cluster: Cluster) -> bool:
    """Whether nothing is visibly under way: no role in flight, no pending action, no fencing."""
    return (
        not any(resource.role in IN_FLIGHT for resource in cluster.resources)
        and not any(operation.pending for operation in cluster.history)
        and not cluster.pending_fencing
        and not any(node.pending or node.unclean for node in cluster.nodes)
    )


def came_live(cluster: Cluster, resource: str, node: str) -> bool:
    """Whether the resource came to the node by live migration, by the node's own history.

    The last action there is migrate_from after a live migration, and start after a cold restart,
    which `crm_resource --wait` reports as a success all the same.
    """
    calls = {
        operation.task: operation.call
        for operation in cluster.history
        if operation.node == node and operation.resource == resource and operation.rc == 0
    }
    return calls.get("migrate_from", -1) > calls.get("start", -1)


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
