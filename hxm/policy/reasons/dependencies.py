"""What is against a resource, and what it needs, followed to what is against that.

So the cause is told and not the constraint.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from hxm.model import Node
from hxm.policy import is_false, is_promoted, listed
from hxm.policy.reasons.blocked import blocked
from hxm.policy.reasons.everywhere import everywhere, left_alone
from hxm.policy.reasons.facts import (
    ONE_OF,
    Change,
    Facts,
    Reason,
    Subject,
    alike,
    forbids,
    places,
    remove,
    subject_of,
    weight,
)
from hxm.policy.reasons.instances import how_many, no_more, too_few_nodes
from hxm.policy.reasons.loops import loop_of
from hxm.policy.reasons.obstacles import kept_empty, on_node
from hxm.policy.reasons.promotion import not_promoted
from hxm.policy.reasons.related import (
    alternatives,
    apart,
    bound_to,
    follows,
    later_in_group,
    place_counts,
)
from hxm.policy.reasons.room import room, utilization
from hxm.policy.relations import INFINITY, Colocation, Order, score_of, spoken


class _Path(NamedTuple):
    """How far the question has been followed."""

    node: Node
    seen: frozenset[str]
    """The resources that it has come through: there are circles."""
    causes: dict[tuple[str, str, str], list[Reason]]
    """What was found against each resource and role on a node: many paths can lead to one.

    In a circle of constraints the first path's lack what that path had come through. All others are
    among the causes of the facts, where they serve every domU and node.
    """
    circles: list[str]
    """What was passed over because the path had come through it."""

    def at(self, node: Node) -> _Path:
        """The same with another node in question."""
        return self._replace(node=node)


def against(facts: Facts, subject: Subject, node: Node) -> Iterator[Reason]:
    """What keeps the resource from the node, or makes the cluster put it elsewhere."""
    if node.container in subject.ids:
        yield Reason(f"{node.name} is the guest node of {subject.id} itself", absolute=True)
    yield from kept_empty(facts, node, subject)
    yield from on_node(facts, subject, node)
    yield from _dependencies(facts, subject, _Path(node, frozenset(), {}, []))
    yield from _held_there(facts, subject)
    yield from no_more(facts, subject, node)
    yield from room(facts, subject, node)


def _dependencies(facts: Facts, subject: Subject, path: _Path) -> Iterator[Reason]:
    """Orders, colocations and the group: what must run before it, with it, or not where it does."""
    in_question, path = not path.seen, path._replace(seen=path.seen | subject.ids)
    yield from _orders(facts, subject, path)
    yield from _group(facts, subject, path)
    if in_question:  # of what it needs only the absolute counts (`_caused`), and these are not
        yield from _dependents(facts, subject, path)
        yield from _shunned(facts, subject, path)
    yield from _colocations(facts, subject, path)


def _circle(name: str, path: _Path) -> bool:
    """Whether the path has come through it."""
    if name in path.seen:
        path.circles.append(name)
    return name in path.seen


def _orders(facts: Facts, subject: Subject, path: _Path) -> Iterator[Reason]:
    loop, inside = loop_of(facts, subject)
    yield from [loop] if loop else ()
    for order in facts.relations.orders_before.of(*subject.ids):
        if not order.holds_back or order.first in inside:
            continue
        if _circle(order.first, path):
            continue
        role = "Promoted" if order.first_action == "promote" else ""
        verb = "be promoted" if role else "start"
        choices = alternatives(facts, order)
        if any(places(facts, first) for first in choices):
            continue
        first = f"{ONE_OF}{listed(choices, 4)}" if choices[1:] else order.first
        what = f"{first} must {verb} before {subject.it}"
        if missing := _missing(facts, order.first):
            noun = "instance" if missing == 1 else "instances"
            what = f"{spoken(missing)} more {noun} of {order.first} must run before {subject.it}"
            what += " (clone-min)"
            yield from _started(facts, subject, order, what, path, missing)
        elif places(facts, order.first, role):
            ends = (r for r in _causes(facts, order.first, path, role) if r.stops)
            yield from _caused([*blocked(facts, order.first), *ends], what, order.id)
            yield from _caused(_for_good(facts, order.first, path, role), what, order.id)
        elif not role and order.first in (one.id for one in bound_to(facts, subject)):
            # which follows: that it is down is a reason for nothing
            yield from _caused(_causes(facts, order.first, path), what, order.id)
        elif place_counts(facts, subject, order.first):
            yield from _needed(facts, order.first, what, order.id, path, role)
        else:
            yield from _started(facts, subject, order, what, path)


def _group(facts: Facts, subject: Subject, path: _Path) -> Iterator[Reason]:
    members_of = facts.relations.members
    for primitive in subject.inside:
        members = members_of.get(primitive.parent or "", ())
        if primitive.id in members and primitive.parent not in (primitive.clone, subject.id):
            for before in members[: members.index(primitive.id)]:
                it = subject.it if primitive.id == subject.id else primitive.id
                what = f"{before} starts before {it} in the group {primitive.parent}"
                where, there = str(primitive.parent), places(facts, before)
                if not there:
                    yield from _needed(facts, before, what, where, path)
                elif path.node.name in there:
                    yield from _caused(blocked(facts, before), what, where)
                elif causes := _causes(facts, before, path):
                    yield from _caused(causes, what, where)
                elif is_false(primitive.meta.get("critical", "true")):
                    stays = f"{before} is on {listed(sorted(there))}, and does not move for {it}"
                    evidence = f"{where}: critical=false of {primitive.id}"
                    yield Reason(f"{what}; {stays}", evidence, absolute=True)


def _for_good(facts: Facts, first: str, path: _Path, role: str) -> Sequence[Reason]:
    """Why what runs is about to stop and has no other place: all that it has failed on."""
    one = subject_of(facts.cluster, first, called=True)
    if any(part.clone for part in one.inside) or any(left_alone(facts, one)):
        return ()
    there = places(facts, first, role)
    nodes = [node for node in facts.cluster.nodes if node.name in there]
    if not all(any(_ended(facts, first, path.at(node), role)) for node in nodes):
        return ()
    return _weighed(facts, one, role, [*facts.cluster.nodes], 1, path).causes


def _ended(facts: Facts, other: str, path: _Path, role: str) -> Iterator[Reason]:
    """What ends it where it is: a failure there, a ban, or a ticket that is gone."""
    for reason in _causes(facts, other, path, role):
        change = reason.change
        failed = change and change.kind == "forget" and change.value
        if change and reason.absolute and (failed or change.kind in ("drop", "ticket")):
            yield reason


def _missing(facts: Facts, first: str) -> int:
    """How many more instances of a clone have to run before anything starts after it."""
    inside = subject_of(facts.cluster, first).inside
    least = [score_of(part.meta.get("clone-min", "0")) for part in inside if part.clone]
    most = max(least, default=0)
    return most if most >= INFINITY else max(most - how_many(facts, first), 0)


def _started(
    facts: Facts, subject: Subject, order: Order, what: str, path: _Path, missing: int = 1
) -> Iterator[Reason]:
    """Why what must start first, on whatever node, does not: of the likeliest nodes."""
    role = "Promoted" if order.first_action == "promote" else ""
    there = places(facts, order.first, role)
    first = subject_of(facts.cluster, order.first, called=True)
    idle = [node for node in facts.cluster.nodes if node.name not in there]
    without = path.node if apart(facts, subject, first) else None
    nodes = [node for node in idle if node != without] or idle
    if there and len(nodes) < missing:
        yield from _caused(too_few_nodes(facts, first), what, order.id)
        return
    key, before = ("started", first.id, role, missing, without), len(path.circles)
    memory = {} if facts.memory is None else facts.memory
    weighed = memory.get(key)
    if not isinstance(weighed, _Weighed):
        weighed = _weighed(facts, first, role, nodes, missing, path)
        if len(path.circles) == before:  # else it holds on this path alone
            memory[key] = weighed
    if not weighed.causes:
        where = path.at(weighed.likeliest) if there else path
        yield from _needed(facts, order.first, what, order.id, where, role)
    yield from _caused(weighed.causes, what, order.id)


class _Weighed(NamedTuple):
    """The node that is the nearest to running something, and what is against that there."""

    likeliest: Node
    causes: Sequence[Reason]
    """Of as many nodes as have to run it; none: one of these has nothing against it."""


def _weighed(
    facts: Facts, first: Subject, role: str, nodes: list[Node], missing: int, path: _Path
) -> _Weighed:
    by_node: dict[Node, list[Reason]] = {}
    for node in nodes:
        causes = [*kept_empty(facts, node, first)]
        causes += _causes(facts, first.id, path.at(node), role)
        by_node[node] = [cause for cause in causes if cause.absolute]
    in_part = {where for primitive in first.inside for where in places(facts, primitive.id)}
    nodes = sorted(nodes, key=lambda node: (weight(node, by_node[node]), node.name not in in_part))
    if not all(by_node[node] for node in nodes[:missing]):
        return _Weighed(nodes[0], ())
    general = [*everywhere(facts, first)]
    if nodes[1:]:
        general += [r for r in by_node[nodes[0]] if all(r in by_node[node] for node in nodes)]
    known = [
        cause if cause in general else cause.on(node.name)
        for node in nodes[:missing]
        for cause in by_node[node]
    ]
    return _Weighed(nodes[0], known)


def _colocations(facts: Facts, subject: Subject, path: _Path) -> Iterator[Reason]:
    for colocation in facts.relations.colocations_of.of(*subject.ids):
        if _circle(colocation.other, path):
            continue
        there = alike(facts, colocation, places(facts, colocation.other, colocation.other_role))
        by = f" by {colocation.by}" if colocation.by else ""
        role = colocation.other_role if is_promoted(colocation.other_role) else ""
        what = f"{subject.it} must run where {colocation.other} {'is promoted' if role else 'does'}"
        what += by
        if colocation.score >= INFINITY and path.node.name not in there:
            if there:
                what += f": on {listed(sorted(there))}"
            if not there and not role and follows(facts, colocation.other, subject):
                yield from _caused(_causes(facts, colocation.other, path), what, colocation.id)
            else:
                yield from _needed(facts, colocation.other, what, colocation.id, path, role)
        elif colocation.score >= INFINITY:
            other = subject_of(facts.cluster, colocation.other)
            ends = () if any(left_alone(facts, other)) else _ended(facts, other.id, path, role)
            yield from _caused(ends, what, colocation.id)
        elif colocation.score < 0 and path.node.name in there:
            what = f"{subject.it} is to keep away from {colocation.other}, which "
            what += _place(facts, colocation, colocation.other, path.node)
            evidence = f"{colocation.id}: {spoken(colocation.score)}"
            hard, change = colocation.score <= -INFINITY, Change("drop", colocation.id)
            do = remove(facts, colocation)
            if _comes(facts, colocation.other, path.node):
                do = f"hxm why {subject_of(facts.cluster, colocation.other, called=True).word}"
            yield Reason(what, evidence, do, hard, change, lasting=True)


def _shunned(facts: Facts, subject: Subject, path: _Path) -> Iterator[Reason]:
    """What runs there and is to keep away from it: it may yield, so that is not absolute."""
    for colocation in facts.relations.colocations_with.of(*subject.ids):
        there = alike(facts, colocation, places(facts, colocation.resource, colocation.role))
        keeps_away = colocation.score < 0 and path.node.name in there
        if keeps_away and not _circle(colocation.resource, path):
            place = _place(facts, colocation, colocation.resource, path.node)
            what = f"{colocation.resource}, which {place}, is to keep away from {subject.it}"
            evidence = f"{colocation.id}: {spoken(colocation.score)}"
            change = Change("drop", colocation.id)
            yield Reason(what, evidence, remove(facts, colocation), change=change, lasting=True)


def _place(facts: Facts, colocation: Colocation, other: str, node: Node) -> str:
    if colocation.by:
        return f"has the same {colocation.by}"
    return "comes there" if _comes(facts, other, node) else "runs there"


def _comes(facts: Facts, other: str, node: Node) -> bool:
    """Whether it is not there yet, by facts of what is about to be."""
    return bool(facts.now) and node.name not in places(facts.as_now, other)


def _not_there(facts: Facts, other: str, role: str) -> str:
    """What it is, where it is active nowhere, or about to be."""
    leaves = facts.now and places(facts.as_now, other, role)
    if role:
        return "is about to be demoted" if leaves else "is nowhere promoted"
    return "is about to stop" if leaves else "does not run"


def _dependents(facts: Facts, subject: Subject, path: _Path) -> Iterator[Reason]:
    """What must run with it, and keeps it from where it may not be itself; that is not absolute."""
    bound = (other.id for other in bound_to(facts, subject))
    names = dict.fromkeys(name for name in bound if not _circle(name, path))
    for name in (*names, *later_in_group(facts, subject)):
        dependent = subject_of(facts.cluster, name, called=True)
        there = places(facts, name)
        stays = there and path.node.name not in there
        held = left_alone(facts, dependent) if stays else ()
        for reason in (*held, *on_node(facts, dependent, path.node)):
            if reason.absolute:
                what = f"{name} must run where {subject.it} does: {reason.what}"
                yield reason._replace(what=what, absolute=False)


def _needed(
    facts: Facts, other: str, what: str, where: str, path: _Path, role: str = ""
) -> Iterator[Reason]:
    """Why what it needs is not there; where nothing is found, that it is not."""
    dependency = subject_of(facts.cluster, other, called=True)
    causes = _causes(facts, other, path, role)
    causes += not_promoted(facts, dependency) if role else ()
    yield from _caused(causes, what, where)
    if forbids(causes):
        return
    if (
        facts.now
        and path.node.name in places(facts.as_now, other, role)
        and places(facts, other, role)
    ):
        return  # it goes elsewhere, and takes along what is to run with it
    if not role and (full := list(no_more(facts, dependency, path.node))):
        yield from _caused((reason._replace(absolute=True) for reason in full), what, where)
        return
    if not places(facts, other, role):
        what += f", and {_not_there(facts, other, role)}"
    in_group = where in facts.relations.members
    change = Change("start", other) if in_group else Change("drop", where)
    at = f" {path.node.name}" if places(facts, other, role) else ""
    yield Reason(what, where, f"hxm why {dependency.word}{at}", True, change)


_DEEPEST = 80  # resources in a row that are followed: each takes several frames, and a line


def _causes(facts: Facts, other: str, path: _Path, role: str = "") -> list[Reason]:
    """What is against a resource that is needed on the node; each cause once, by its first path."""
    if len(path.seen) > _DEEPEST:
        path.circles.append(other)  # what is not followed counts for this path alone
        return []
    key = other, role, path.node.name
    shared = path.causes if facts.causes is None else facts.causes
    if key in path.causes:
        path.circles.append(other)
    elif key not in shared:
        before = len(path.circles)
        needed = subject_of(facts.cluster, other, called=True)
        causes: dict[object, Reason] = {}
        for reason in (
            *everywhere(facts, needed),
            *on_node(facts, needed, path.node, role),
            *_dependencies(facts, needed, path),
            *utilization(facts, needed, path.node),
        ):
            causes.setdefault((reason.change or reason.what, reason.absolute), reason)
        complete = len(path.circles) == before
        (shared if complete else path.causes)[key] = [*causes.values()]
    return (path.causes.get(key) or shared.get(key, [])).copy()


def _caused(causes: Iterable[Reason], what: str, where: str) -> Iterator[Reason]:
    """Those of the causes that forbid it, as the cause of what follows from them."""
    for reason in causes:
        if reason.absolute:
            evidence = "; ".join(filter(None, (where, reason.evidence)))
            yield reason._replace(what=f"{what}; {reason.what}", evidence=evidence)


def _held_there(facts: Facts, subject: Subject) -> Iterator[Reason]:
    """What must stop before it can leave where it runs, and is left alone."""
    cluster, relations = facts.cluster, facts.relations
    if not any(places(facts, part) for part in subject.parts):
        return
    after = dict.fromkeys(
        order.then for order in relations.orders_after.of(*subject.ids) if order.holds_back
    )
    after |= dict.fromkeys(later_in_group(facts, subject))
    for name in after:
        if name not in subject.ids and places(facts, name):
            what = f"{name} must stop before {subject.it}"
            other = subject_of(cluster, name, called=True)
            yield from _caused(left_alone(facts, other), what, "")
