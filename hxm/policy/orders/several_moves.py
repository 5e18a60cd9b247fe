"""Several domUs moved by one order: to one node, home after a drain, or spread by their memory.

Each move is planned as `hxm migrate` plans it, with the same objections; the moves become one plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from hxm.model import Cluster, ManagedDomain, Node
from hxm.plan import AlreadyDone, Decision, Goal, Objection, Phase, Plan, Shift
from hxm.policy import all_typed, called, counted, guards, listed
from hxm.policy.orders.placement import active, migrate
from hxm.policy.steps import clear_standby_step


class Move(NamedTuple):
    """One domU and the node that it is to go to."""

    domain: ManagedDomain
    node: Node


def migrate_all(
    cluster: Cluster, moves: Sequence[Move], *, keep: bool = False, chosen: bool = False
) -> Decision:
    """Move all of them at once: one plan, with one forecast, and one question at most.

    `chosen` says that the scheduler chose the nodes, which is shown and asked about.
    """
    decisions = [migrate(cluster, move.domain, move.node, keep=keep) for move in moves]
    plans = [decision for decision in decisions if isinstance(decision, Plan)]
    already = [decision.message for decision in decisions if isinstance(decision, AlreadyDone)]
    if not plans:
        return AlreadyDone("; ".join(already))
    plan = plans[0] if len(plans) == 1 else _at_once(plans, moves)
    if chosen:
        plan = _asked(plan, _choice(moves))
    unmoved = _unmoved(decisions, moves)
    return _alike(
        plan,
        lambda plan: plan._replace(
            notes=(*plan.notes, *already),
            intentions=(*plan.intentions, *already) if plan.intentions else (),
            unchanged=unmoved,
        ),
    )


def _unmoved(decisions: Sequence[Decision], moves: Sequence[Move]) -> tuple[str, ...]:
    return tuple(
        move.domain.resource
        for decision, move in zip(decisions, moves, strict=True)
        if isinstance(decision, AlreadyDone)
    )


def _choice(moves: Sequence[Move]) -> Objection:
    places = listed([f"{move.node.name} for {move.domain.name}" for move in moves])
    return Objection(
        f"no node was named: the scheduler chooses {places}",
        "name a node, or use --yes to do it anyway",
        lifted_by=guards.YES,
    )


def _asked(plan: Plan, objection: Objection) -> Plan:
    """The plan with a question."""
    return _alike(plan, lambda plan: plan._replace(objections=(*plan.objections, objection)))


def _alike(plan: Plan, change: Callable[[Plan], Plan]) -> Plan:
    """The plan and the fallback that may take its place, both changed."""
    changed = change(plan)
    return changed._replace(fallback=_alike(plan.fallback, change)) if plan.fallback else changed


def _at_once(plans: Sequence[Plan], moves: Sequence[Move]) -> Plan:
    """The first phases of all in one; what tidies up stays apart for each domU."""
    by_node: dict[str, list[str]] = {}
    subjects = {subject for plan in plans for subject in plan.subjects}
    for move in moves:
        if move.domain.resource in subjects:
            by_node.setdefault(move.node.name, []).append(move.domain.name)
    about = "; ".join(f"{listed(names)} to {node}" for node, names in by_node.items())
    first = Phase(
        tuple(step for plan in plans for step in plan.phases[0].steps),
        tuple(goal for plan in plans for goal in plan.phases[0].goals),
    )
    fallbacks = [plan.fallback for plan in plans if plan.fallback]
    return plans[0]._replace(
        about=f"migrate {about}",
        subjects=tuple(subject for plan in plans for subject in plan.subjects),
        phases=(first, *(phase for plan in plans for phase in plan.phases[1:])),
        objections=tuple(
            dict.fromkeys(objection for plan in plans for objection in plan.objections)
        ),
        rollback=tuple(step for plan in plans for step in plan.rollback),
        undo=_undo(plans, moves),
        intentions=tuple(line for plan in plans for line in plan.intentions),
        fallback=_at_once(fallbacks, moves) if fallbacks else None,
    )


def _undo(plans: Sequence[Plan], moves: Sequence[Move]) -> str:
    """What takes the constraints of all these moves away."""
    subjects = {subject for plan in plans for subject in plan.subjects}
    domains = [move.domain for move in moves if move.domain.resource in subjects]
    return f"hxm unmigrate {all_typed(domains)}"


# Home after a drain


def home(cluster: Cluster, node: Node, away: Sequence[ManagedDomain]) -> Decision:
    """Take the node out of standby if it is in it, and move back what a drain moved away."""
    at_home = [domain for domain in away if node.name not in domain.nodes]
    if not at_home:
        decision = active(cluster, node)
        nothing = f"nothing that a drain moved away from {node.name} is known here, or left to move"
        if isinstance(decision, AlreadyDone):
            return AlreadyDone(f"{decision.message}; {nothing}")
        return decision._replace(notes=(nothing,)) if isinstance(decision, Plan) else decision
    if node.usable or not (node.standby and node.member):
        return migrate_all(cluster, [Move(domain, node) for domain in at_home])
    back = node._replace(standby=False)
    nodes = tuple(back if other.name == node.name else other for other in cluster.nodes)
    moved = migrate_all(cluster._replace(nodes=nodes), [Move(domain, back) for domain in at_home])
    return _after_standby(cluster, node, moved) if isinstance(moved, Plan) else moved


def _after_standby(cluster: Cluster, node: Node, moved: Plan) -> Plan:
    returns = Phase((clear_standby_step(node.name),), (Goal("usable", node.name),))
    fallback = _after_standby(cluster, node, moved.fallback) if moved.fallback else None
    return moved._replace(
        verb="active",
        about=f"{moved.about}, after the standby of {node.name}",
        phases=(returns, *moved.phases),
        objections=(*guards.not_in_standby(cluster, node), *moved.objections),
        undo=f"hxm standby {node.name}",
        fallback=fallback,
    )


# Spread by memory


def spread(
    cluster: Cluster, memory: Mapping[str, int | None], places: Sequence[str]
) -> Iterator[Move]:
    """The moves that would even out the domUs' memory over these nodes, the best first.

    `memory` is in MiB, by resource; one that is not known counts as the average of the others.
    A domU that is not live, is in flight or has an interim constraint stays.
    """
    known = [amount for amount in memory.values() if amount]
    average = sum(known) // len(known) if known else 1
    nodes = [node for node in cluster.nodes if node.usable and node.name in places]
    load = dict.fromkeys((node.name for node in nodes), 0)
    where: dict[str, str] = {}
    movable: list[ManagedDomain] = []
    for domain in cluster.managed_domains:
        if len(domain.nodes) == 1 and domain.nodes[0] in load:
            load[domain.nodes[0]] += memory.get(domain.resource) or average
            where[domain.resource] = domain.nodes[0]
            if domain.live and not domain.interim and not domain.in_flight:
                movable.append(domain)
    for _ in movable:
        if not (best := _best(load, where, movable, memory, average)):
            return
        domain, target = best
        amount = memory.get(domain.resource) or average
        load[where[domain.resource]] -= amount
        load[target] += amount
        where[domain.resource] = target
        movable.remove(domain)
        yield Move(domain, next(node for node in nodes if node.name == target))


def _best(
    load: Mapping[str, int],
    where: Mapping[str, str],
    movable: Sequence[ManagedDomain],
    memory: Mapping[str, int | None],
    average: int,
) -> tuple[ManagedDomain, str] | None:
    """The domU whose move from the fullest node evens out the memory best; None: no move helps."""
    full, empty = max(load, key=lambda name: load[name]), min(load, key=lambda name: load[name])
    gap = load[full] - load[empty]
    amounts = {
        domain: memory.get(domain.resource) or average
        for domain in movable
        if where[domain.resource] == full
    }
    better = {domain: abs(gap - 2 * amount) for domain, amount in amounts.items() if amount < gap}
    return (min(better, key=lambda domain: better[domain]), empty) if better else None


def balance(cluster: Cluster, moves: Sequence[Move], memory: Sequence[Shift] = ()) -> Decision:
    """Carry the moves out one after the other: each has arrived before the next begins.

    `memory` is what they make of that of the hosts.
    """
    plans = [
        plan for move in moves if isinstance(plan := migrate(cluster, move.domain, move.node), Plan)
    ]
    if not plans:
        there = listed([f"{shift.used} MiB on {shift.host}" for shift in memory])
        return AlreadyDone(f"the domUs are spread as evenly as moves can make it: {there}")
    domains = [move.domain for move in moves]
    in_turn = ", one after the other" if len(plans) > 1 else ""
    question = Objection(
        f"{counted(len(plans), 'domU')} would move{in_turn}: {called(domains)}",
        "use --yes to do it anyway",
        lifted_by=guards.YES,
    )
    plan = _alike(_in_turn(plans, moves), lambda plan: plan._replace(memory=tuple(memory)))
    return _asked(plan, question)


def _in_turn(plans: Sequence[Plan], moves: Sequence[Move]) -> Plan:
    fallbacks = [plan.fallback for plan in plans if plan.fallback]
    together = plans[0]
    return together._replace(
        verb="balance",
        about="; ".join(plan.about for plan in plans),
        subjects=tuple(subject for plan in plans for subject in plan.subjects),
        phases=tuple(phase for plan in plans for phase in plan.phases),
        objections=tuple(
            dict.fromkeys(objection for plan in plans for objection in plan.objections)
        ),
        rollback=(),
        undo=_undo(plans, moves),
        fallback=_in_turn(fallbacks, moves) if fallbacks else None,
    )
