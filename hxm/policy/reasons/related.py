"""What has to do with a resource, directly or through others."""

from __future__ import annotations

from collections.abc import Iterator

from hxm.policy.reasons.facts import Facts, Subject, subject_of
from hxm.policy.relations import INFINITY


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
