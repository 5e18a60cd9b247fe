"""What has to do with a resource, directly or through others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hxm.policy import listed
from hxm.policy.reasons.facts import Facts, Subject, places, subject_of
from hxm.policy.relations import INFINITY, Order


def bound_to(facts: Facts, subject: Subject) -> Iterator[Subject]:
    """What must run where it does."""
    for colocation in facts.relations.colocations_with.of(*subject.ids):
        if colocation.score >= INFINITY and not colocation.by:
            yield subject_of(facts.cluster, colocation.resource, called=True)


def needed(facts: Facts, subject: Subject) -> tuple[str, ...]:
    """The ids of the resource, and of all that it needs or that needs it, the nearest first."""
    ids = dict.fromkeys(sorted(subject.ids))
    pending = [*ids]
    for name in pending:
        for other in _beside(facts, name):
            if other not in ids:
                further = sorted(subject_of(facts.cluster, other).ids)
                pending += [one for one in further if one not in ids]
                ids.update(dict.fromkeys(further))
    return tuple(ids)


def _beside(facts: Facts, name: str) -> Iterator[str]:
    relations = facts.relations
    yield from (order.first for order in relations.orders_before.of(name))
    yield from (colocation.other for colocation in relations.colocations_of.of(name))
    yield from (colocation.resource for colocation in relations.colocations_with.of(name))


def using(facts: Facts, subject: Subject) -> list[str]:
    """The domUs that run where it does, and need it, directly or through others; and where."""
    relations, ids = facts.relations, dict.fromkeys(subject.ids)
    pending = [*ids]
    for name in pending:
        groups = (g for g, inside in relations.members.items() if name in inside)
        after = (order.then for order in relations.orders_after.of(name) if order.holds_back)
        beside = (one.resource for one in relations.colocations_with.of(name) if one.score > 0)
        for other in (*groups, *after, *beside, *relations.members.get(name, ())):
            pending += [other] if other not in ids else []
            ids.setdefault(other)
    domains = (domain for name in ids if (domain := facts.cluster.domain_of(name)))
    here = {node for part in subject.parts for node in places(facts, part)}
    return [
        f"{domain.name} on {listed(there)}"
        for domain in domains
        if (there := [node for node in domain.nodes if node in here])
    ]


def place_counts(facts: Facts, subject: Subject, first: str) -> bool:
    """Whether it matters where the other starts: on the same node, or one of a clone for each."""
    if all(primitive.clone for primitive in subject.inside):
        return True
    wanted, ids = subject_of(facts.cluster, first).ids, set(subject.ids)
    while not (reached := set(_always_with(facts, ids))) <= ids:
        ids |= reached
    return not wanted.isdisjoint(ids)


def _always_with(facts: Facts, ids: Iterable[str]) -> Iterator[str]:
    colocations = facts.relations.colocations_of.of(*ids)
    return (colocation.other for colocation in colocations if colocation.score >= INFINITY)


def apart(facts: Facts, subject: Subject, first: Subject) -> bool:
    """Whether what is to start before the subject may not do so where that is to run."""
    relations = facts.relations
    mine = relations.colocations_of.of(*subject.ids) + relations.colocations_with.of(*subject.ids)
    return any(
        colocation.score <= -INFINITY and {colocation.resource, colocation.other} & first.ids
        for colocation in mine
    )


def alternatives(facts: Facts, order: Order) -> list[str]:
    """What one of is enough, in a set with require-all=false."""
    orders = facts.relations.orders_before.of(order.then) if order.one_suffices else ()
    alike = (one.first for one in orders if one.id == order.id)
    return list(dict.fromkeys(alike))


def follows(facts: Facts, other: str, subject: Subject) -> bool:
    """Whether the other waits for this to start, so that nothing follows from its being down."""
    orders = facts.relations.orders_after.of(*subject.ids)
    return any(order.then == other and order.holds_back for order in orders)


def later_in_group(facts: Facts, subject: Subject) -> Iterator[str]:
    """The members of its group that start after it, and run where it does."""
    for primitive in subject.inside:
        members = facts.relations.members.get(primitive.parent or "", ())
        if primitive.id in members and primitive.parent not in (primitive.clone, subject.id):
            yield from members[members.index(primitive.id) + 1 :]
