"""Orders in a loop: each waits for another, and nothing of it ever begins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hxm.policy import listed
from hxm.policy.reasons.facts import Change, Facts, Reason, Subject, places, subject_of
from hxm.policy.relations import Order
from hxm.policy.unjudged import may_start


class _Wait(NamedTuple):
    """That one primitive starts after another, by an order or in its group."""

    then: str
    first: str
    by: Order | str


def loop_of(facts: Facts, subject: Subject) -> tuple[Reason | None, frozenset[str]]:
    """Why it waits for itself, and the primitives of that loop; the shortest is told.

    What is active need not start. Which of the orders is wrong nobody knows: of a loop always the
    same is named.
    """
    return facts.once(("loop", subject.id), lambda: _loop_of(facts, subject))


def _loop_of(facts: Facts, subject: Subject) -> tuple[Reason | None, frozenset[str]]:
    loops = filter(None, (_shortest(facts, primitive.id) for primitive in subject.inside))
    for waits in loops:
        orders = {wait.by.id: wait.by for wait in waits if isinstance(wait.by, Order)}
        wrong = min(orders)
        command = facts.cluster.advice("unbind", constraint=wrong, kind="rsc_order")
        do = may_start(facts.cluster, command, f"{wrong} is the wrong one")
        pairs = listed([f"{wait.first} before {wait.then}" for wait in reversed(waits)])
        evidence = listed([wait.by if isinstance(wait.by, str) else wait.by.id for wait in waits])
        change = Change("drop", wrong)
        reason = Reason(f"a loop of orders: {pairs}", evidence, do, True, change, lasting=True)
        return reason, frozenset(wait.then for wait in waits)
    return None, frozenset()


def _shortest(facts: Facts, start: str) -> list[_Wait]:
    """The waits that lead from a primitive back to itself."""
    paths: dict[str, list[_Wait]] = {start: []}
    names = [start]
    for name in names:  # which grows
        for wait in _waits(facts, name):
            path = [*paths[name], wait]
            if wait.first == start:
                return path
            if wait.first not in paths:
                paths[wait.first] = path
                names.append(wait.first)
    return []


def _waits(facts: Facts, name: str) -> Iterator[_Wait]:
    """What has to start before a primitive that is not active."""
    primitive = facts.cluster.primitives.get(name)
    if not primitive or places(facts, name):
        return
    ids = filter(None, (name, primitive.parent, primitive.clone))
    for order in facts.relations.orders_before.of(*ids):
        starts = order.mandatory and order.first_action == order.then_action == "start"
        if starts and not order.one_suffices:
            for first in subject_of(facts.cluster, order.first).inside:
                yield _Wait(name, first.id, order)
    members = facts.relations.members.get(primitive.parent or "", ())
    if name in members and primitive.parent != primitive.clone:
        for member in members[: members.index(name)]:
            yield _Wait(name, member, str(primitive.parent))
