"""The kinds of goal: when each is reached, and what to say where it is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from hxm.model import UPDATE, Cluster, Domain, Operation
from hxm.plan import Goal, GoalKind
from hxm.policy import listed, resource_name
from hxm.policy.relations import score_of

_Check = Callable[[Cluster, Goal, Cluster | None], bool]
"""Of the cluster, the goal, and the cluster as it was before, where that is known."""


class _GoalRow(NamedTuple):
    reached: _Check
    missing: Callable[[Cluster, Goal], str]
    """What to say where it is not reached."""


def reached(cluster: Cluster, goal: Goal, before: Cluster | None = None) -> bool:
    """Whether the goal's state can be seen in the cluster. Raises KeyError for an unknown kind."""
    return _GOALS[goal.kind].reached(cluster, goal, before)


def missing(cluster: Cluster, goal: Goal) -> str:
    """What of the goal is not so, in words; empty if it is reached."""
    return "" if reached(cluster, goal) else _GOALS[goal.kind].missing(cluster, goal)


def _of_domain(check: Callable[[Cluster, Domain, Goal], bool]) -> _Check:
    def of_domain(cluster: Cluster, goal: Goal, _: Cluster | None) -> bool:
        domain = cluster.domain_of(goal.subject)
        return domain is not None and check(cluster, domain, goal)

    return of_domain


def _is_empty(cluster: Cluster, goal: Goal, _: Cluster | None) -> bool:
    return not any(goal.subject in resource.nodes for resource in cluster.resources)


def _is_usable(cluster: Cluster, goal: Goal, _: Cluster | None) -> bool:
    node = cluster.node(goal.subject)
    return bool(node and node.usable)


def _is_sound(cluster: Cluster, goal: Goal, before: Cluster | None) -> bool:
    failed = any(failure.node == goal.subject for failure in cluster.failures)
    return _is_usable(cluster, goal, before) and not failed


def _is_member(cluster: Cluster, goal: Goal, _: Cluster | None) -> bool:
    node = cluster.node(goal.subject)
    return bool(node and node.member)


def _in_maintenance(cluster: Cluster, goal: Goal, _: Cluster | None) -> bool:
    node = cluster.node(goal.subject)
    return node.maintenance if node else cluster.maintenance


def _has_mark(cluster: Cluster, goal: Goal, _: Cluster | None) -> bool:
    return cluster.properties.get(UPDATE) == (goal.subject or None)


def _is_unlocked(cluster: Cluster, goal: Goal, _: Cluster | None) -> bool:
    return not cluster.lock or cluster.lock.holder != goal.subject


def _is_gone(cluster: Cluster, goal: Goal, _: Cluster | None) -> bool:
    return all(constraint.id != goal.subject for constraint in cluster.constraints)


def _is_forgotten(cluster: Cluster, goal: Goal, _: Cluster | None) -> bool:
    return not any(
        failure.resource == goal.subject and goal.node in (None, failure.node)
        for failure in cluster.failures
    )


def _is_led(cluster: Cluster, goal: Goal, _: Cluster | None) -> bool:
    return cluster.dc not in (None, "", goal.subject)


def _is_connected(cluster: Cluster, goal: Goal, _: Cluster | None) -> bool:
    return score_of(cluster.transient.get(goal.node or "", {}).get(goal.subject, "")) > 0


def _is_withdrawn(cluster: Cluster, goal: Goal, _: Cluster | None) -> bool:
    return all(resource.id != goal.subject for resource in cluster.resources)


def _is_stopped(_: Cluster, domain: Domain, __: Goal) -> bool:
    return not domain.running and not domain.in_flight


def _runs_well(cluster: Cluster, domain: Domain) -> bool:
    """Whether it is started, and on one node only, which can be reached."""
    reachable = {node.name for node in cluster.nodes if node.reachable}
    return (
        domain.role == "Started"
        and not domain.failed
        and len(domain.nodes) == 1
        and domain.nodes[0] in reachable
    )


def _is_running(cluster: Cluster, domain: Domain, goal: Goal) -> bool:
    return _runs_well(cluster, domain) and goal.node in (None, domain.nodes[0])


def _is_elsewhere(cluster: Cluster, domain: Domain, goal: Goal) -> bool:
    return _runs_well(cluster, domain) and goal.node not in (None, domain.nodes[0])


def _is_anew(cluster: Cluster, goal: Goal, before: Cluster | None) -> bool:
    domain = cluster.domain_of(goal.subject)
    if domain is None or not _is_running(cluster, domain, goal):
        return False
    return not before or started_since(before, cluster, goal.subject, domain.nodes[0])


def _history(cluster: Cluster, goal: Goal) -> list[Operation]:
    return [operation for operation in cluster.history if operation.resource == goal.subject]


def _is_unwatched(cluster: Cluster, _: Domain, goal: Goal) -> bool:
    return not _history(cluster, goal)


def _is_idle(cluster: Cluster, domain: Domain, goal: Goal) -> bool:
    pending = any(operation.pending for operation in _history(cluster, goal))
    return not domain.in_flight and not pending


def _is_seen(cluster: Cluster, domain: Domain, goal: Goal) -> bool:
    """Whether it runs on the goal's node alone, or nowhere, and a monitor says so.

    crm_mon 2.0.3 shows the first monitor as a `probe`.
    """
    monitored = {
        operation.node
        for operation in _history(cluster, goal)
        if operation.task == "monitor" and operation.rc == 0
    }
    nodes = (goal.node,) if goal.node else ()
    return (
        _is_idle(cluster, domain, goal)
        and not domain.failed
        and domain.nodes == nodes
        and monitored.issuperset(nodes)
    )


def _negated(check: _Check) -> _Check:
    return lambda cluster, goal, before: not check(cluster, goal, before)


def _is_not(cluster: Cluster, goal: Goal) -> str:
    return f"{resource_name(cluster, goal.subject) or 'the cluster'} is not {goal.kind}"


def _not_in_maintenance(_: Cluster, goal: Goal) -> str:
    return f"{goal.subject or 'the cluster'} is not in maintenance"


def _not_empty(cluster: Cluster, goal: Goal) -> str:
    active = {resource.id for resource in cluster.resources if goal.subject in resource.nodes}
    return f"{listed(sorted(active))} still on {goal.subject}"


def _where_it_is(cluster: Cluster, goal: Goal) -> str:
    domain = cluster.domain_of(goal.subject)
    if not domain:
        return _is_not(cluster, goal)
    if not domain.running:
        return f"{domain.name} does not run"
    return f"{domain.name} is {domain.role or 'active'} on {listed(domain.nodes)}"


def _where_it_is_seen(cluster: Cluster, goal: Goal) -> str:
    domain = cluster.domain_of(goal.subject)
    if not domain:
        return _is_not(cluster, goal)
    where = f"on {listed(domain.nodes)}" if domain.nodes else "nowhere"
    if not goal.node:
        return f"it is {where}"
    return f"the cluster sees {domain.name} {where}, and not as it is"


def _not_sound(_: Cluster, goal: Goal) -> str:
    return f"{goal.subject} is not well"


def _not_led(cluster: Cluster, _: Goal) -> str:
    return f"the DC is {cluster.dc or 'nobody'}"


def _not_connected(_: Cluster, goal: Goal) -> str:
    return f"{goal.subject} does not say that {goal.node} reaches what it pings"


_GOALS: Mapping[GoalKind, _GoalRow] = {
    # of a node
    "empty": _GoalRow(_is_empty, _not_empty),
    "usable": _GoalRow(_is_usable, _is_not),
    "sound": _GoalRow(_is_sound, _not_sound),
    "lost": _GoalRow(_negated(_is_member), _is_not),
    "back": _GoalRow(_is_member, _is_not),
    "led": _GoalRow(_is_led, _not_led),
    "connected": _GoalRow(_is_connected, _not_connected),
    # of a node, or without a subject of the cluster
    "maintenance": _GoalRow(_in_maintenance, _not_in_maintenance),
    "watched": _GoalRow(_negated(_in_maintenance), _is_not),
    # of the cluster: the state of an update, a lock, a constraint, failures
    "marked": _GoalRow(_has_mark, _is_not),
    "unmarked": _GoalRow(_has_mark, _is_not),
    "unlocked": _GoalRow(_is_unlocked, _is_not),
    "gone": _GoalRow(_is_gone, _is_not),
    "forgotten": _GoalRow(_is_forgotten, _is_not),
    # of a domU
    "running": _GoalRow(_of_domain(_is_running), _where_it_is),
    "stopped": _GoalRow(_of_domain(_is_stopped), _where_it_is),
    "elsewhere": _GoalRow(_of_domain(_is_elsewhere), _where_it_is),
    "anew": _GoalRow(_is_anew, _where_it_is),
    "managed": _GoalRow(_of_domain(lambda _, domain, __: domain.managed), _is_not),
    "unmanaged": _GoalRow(_of_domain(lambda _, domain, __: not domain.managed), _is_not),
    "idle": _GoalRow(_of_domain(_is_idle), _is_not),
    "healthy": _GoalRow(_of_domain(_is_seen), _where_it_is_seen),
    "absent": _GoalRow(_of_domain(_is_seen), _where_it_is_seen),
    "unwatched": _GoalRow(_of_domain(_is_unwatched), _is_not),
    "withdrawn": _GoalRow(_is_withdrawn, _is_not),
}
"""Every kind of goal: when it is reached, and the words where it is not."""


def started_since(before: Cluster, after: Cluster, resource: str, node: str) -> bool:
    """Whether the resource was started on the node between two looks at the cluster."""
    return newest(after, resource, node, "start") > newest(before, resource, node, "start")


def newest(cluster: Cluster, resource: str, node: str, task: str) -> int:
    """The call id of the newest such action that succeeded, by the node's own history."""
    return max(
        (
            operation.call
            for operation in cluster.history
            if operation[:3] == (node, resource, task) and operation.rc == 0
        ),
        default=-1,
    )
