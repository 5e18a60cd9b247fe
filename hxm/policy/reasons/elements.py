"""What else in the CIB may be the reason, which the model does not explain: the nearest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hxm.policy import is_promoted
from hxm.policy.reasons.facts import Facts, Reason, Subject, places, subject_of
from hxm.policy.relations import Location, applying


class _Tie(NamedTuple):
    """What the resource needs, by an order or by a colocation."""

    element: str
    """The tag and the id."""
    other: str
    role: str
    at: str
    """The node where it must be; empty: it does not matter."""


def likeliest_first(
    facts: Facts, subject: Subject, elements: Iterable[Reason], node: str | None
) -> list[Reason]:
    """The elements, those first by which it needs what is not as it should be.

    They lead to that resource, whose own reasons say more. Last come the locations that say
    nothing of the node, or of any.
    """
    ties = dict(_ties(facts, subject, node))
    silent = _silent(facts, node)

    def rank(reason: Reason) -> int:
        name = reason.change.subject if reason.change else ""
        if name in ties:
            return 0 if _ails(facts, ties[name]) else 2
        return 3 if name in silent else 1

    return [_leading(facts, ties, reason) for reason in sorted(elements, key=rank)]


def _leading(facts: Facts, ties: dict[str, _Tie], reason: Reason) -> Reason:
    tie = ties.get(reason.change.subject) if reason.change else None
    if not tie:
        return reason
    word = subject_of(facts.cluster, tie.other).word
    what = f"it needs {tie.other} ({tie.element}): the scheduler says so"
    return reason._replace(what=what, do=" ".join(filter(None, ("hxm why", word, tie.at))))


def _ties(facts: Facts, subject: Subject, node: str | None) -> Iterator[tuple[str, _Tie]]:
    """What it needs, by the id of the element; where one names several, one that ails."""
    by_element: dict[str, list[_Tie]] = {}
    for order in facts.relations.orders:
        if order.then in subject.ids and order.holds_back:
            role = "Promoted" if order.first_action == "promote" else ""
            tie = _Tie(f"rsc_order {order.id}", order.first, role, "")
            by_element.setdefault(order.id, []).append(tie)
    for colocation in facts.relations.colocations:
        if colocation.resource in subject.ids and colocation.score > 0:
            role = "Promoted" if is_promoted(colocation.other_role) else ""
            element = f"rsc_colocation {colocation.id}"
            tie = _Tie(element, colocation.other, role, node or "")
            by_element.setdefault(colocation.id, []).append(tie)
    for name, ties in by_element.items():
        yield name, next((tie for tie in ties if _ails(facts, tie)), ties[0])


def _ails(facts: Facts, tie: _Tie) -> bool:
    """Whether what is needed does not run, has failed, or runs on fewer nodes than could run it."""
    there = places(facts, tie.other, tie.role)
    parts = subject_of(facts.cluster, tie.other).inside
    failed = {failure.resource.partition(":")[0] for failure in facts.cluster.failures}
    if not there or (tie.at and tie.at not in there) or any(part.id in failed for part in parts):
        return True
    cloned = any(part.clone for part in parts)
    usable = sum(node.usable for node in facts.cluster.hosts)
    return cloned and not tie.role and len(there) < usable


def _silent(facts: Facts, node: str | None) -> set[str]:
    """The locations that, as far as hxm can judge a rule, say nothing of the node."""
    names = [node] if node else [each_node.name for each_node in facts.cluster.nodes]
    speaking = {
        location.id
        for location in facts.relations.locations
        if not _judged(location) or any(applying(facts.relations, location, name) for name in names)
    }
    return {location.id for location in facts.relations.locations} - speaking


def _judged(location: Location) -> bool:
    unclear = location.dated or location.exclusive
    return not unclear and all(expression.judged for expression in location.expressions)
