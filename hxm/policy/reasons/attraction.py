"""What draws a domU from where it runs: a preferred node, a partner, who needs its room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hxm.plan import Movement
from hxm.policy import listed, resource_name
from hxm.policy.forecast import name_of
from hxm.policy.reasons.everywhere import by_opt_in
from hxm.policy.reasons.facts import Change, Facts, Reason, alike, places, remove
from hxm.policy.reasons.question import Question
from hxm.policy.relations import Location, applying, at_this_time, score_of, spoken


def attracted(question: Question, here: str) -> Sequence[Reason]:
    """Why the cluster is about to move it, where nothing is against the node where it runs.

    Only that without which it would stay: the first alone, or all together.
    """
    verdict = question.inquiry.verdict((), None) if question.inquiry else None
    movements = verdict.movements if verdict else ()
    own = [move for move in movements if move.resource in question.subject.parts]
    targets = dict.fromkeys(move.target for move in own if move.target)
    drawn = [one for target in targets for one in preferred(question, target)]
    drawn += [one for target in targets for one in _with_partners(question, movements, target)]
    return first_that_holds(question, here, drawn)


def first_that_holds(question: Question, here: str, reasons: Sequence[Reason]) -> Sequence[Reason]:
    """The first without which it would stay on the node, or all if it would without them all."""
    inquiry = question.inquiry
    for some in (*([reason] for reason in reasons), reasons[1:] and reasons):
        verdict = inquiry.verdict(some, None) if some and inquiry else None
        moves = verdict.movements if verdict else ()
        leaves = any(m.source == here for m in moves if m.resource in question.subject.parts)
        if verdict and not leaves:
            return [reason._replace(confirmed=True) for reason in some]
    return ()


def preferred(question: Question, node: str) -> Iterator[Reason]:
    """The constraints that prefer the node, but for those that a move left."""
    facts, ids = question.facts, question.subject.ids
    interim = {constraint.id for constraint in facts.cluster.constraints}
    for location in facts.relations.locations:
        if location.resource not in ids or location.id in interim:
            continue
        score, evidence, how = applying(facts.relations, location, node), location.id, ""
        if at_this_time(facts.relations, location, node):
            score, how = location.score, " now, by a rule with dates"
            evidence += f": {location.dates}"
        if score and score > 0:
            what = f"{node} is preferred{how}: score {spoken(score)}"
            change, do = Change("drop", location.element), remove(facts, location)
            if attribute := location.score_attribute:
                evidence, do = _by_attribute(facts, location, do)
                what = f"{node} is preferred by its {attribute}: score {spoken(score)}"
            if lets := _lets(question, location, node):
                what, do = f"{what}, and {lets}", ""
            yield Reason(what, evidence, do, change=change)


def _lets(question: Question, location: Location, node: str) -> str:
    """What the location permits: without it the resource may have to leave; empty: nothing."""
    relations = question.facts.relations
    if location.exclusive:
        return "it may run only there and where others like it name nodes"
    others = [
        applying(relations, other, node)
        for other in relations.locations_of.of(*question.subject.ids)
        if other.element != location.element
    ]
    alone = all(score is None or score < 0 for score in others)
    return "nothing else allows it there" if by_opt_in(question.facts.cluster) and alone else ""


def _by_attribute(facts: Facts, location: Location, do: str) -> tuple[str, str]:
    """What the attribute is on each host, and what to do: nobody gives up the rule about pings."""
    attribute, hosts = location.score_attribute, [h for h in facts.cluster.hosts if h.online]
    by_value: dict[str, list[str]] = {}
    for host in hosts:
        value = facts.relations.attributes_of(host.name).get(attribute, "not set")
        by_value.setdefault(value, []).append(host.name)
    values = [f"{value} on {listed(names, 4)}" for value, names in by_value.items()]
    if attribute.startswith("ping") and by_value:
        worst = by_value[min(by_value, key=score_of)]
        look = f"look at the network of {listed(worst, 4)}, and at the ping resource"
        do = look if len(by_value) > 1 else ""
    return f"{attribute} is {', '.join(values)}; {location.id}", do


def _with_partners(
    question: Question, movements: Sequence[Movement], node: str
) -> Iterator[Reason]:
    """What it is to run with, or what is to run with it, and comes to the node as well."""
    facts, ids = question.facts, question.subject.ids
    for colocation in facts.relations.colocations:
        ends = colocation.resource, colocation.other
        mine, partner = ends if ends[0] in ids else reversed(ends)
        role = colocation.other_role if ends[0] in ids else colocation.role
        there = alike(facts, colocation, frozenset({node}))
        coming = {move.resource.partition(":")[0] for move in movements if move.target in there}
        comes = bool(coming & _inside(question, partner))
        is_there = not comes and not there.isdisjoint(places(facts, partner, role))
        if colocation.score > 0 and mine in ids and (comes or is_there):
            word = resource_name(facts.cluster, partner)
            place = f"a node of the same {colocation.by}" if colocation.by else node
            what = f"{word}, with which it is to run, {'comes to' if comes else 'is on'} {place}"
            evidence = f"{colocation.id}: {spoken(colocation.score)}"
            change = Change("drop", colocation.id)
            yield Reason(what, evidence, f"hxm why {word}", change=change)


def _inside(question: Question, name: str) -> set[str]:
    primitives = question.facts.cluster.primitives.values()
    return {one.id for one in primitives if name in (one.id, one.parent, one.clone)}


def gives_way(question: Question, here: str) -> Iterator[Reason]:
    """What comes to the node, needs its room, and has the higher priority."""
    facts = question.facts
    verdict = question.inquiry.verdict((), None) if question.inquiry else None
    movements = verdict.movements if verdict else ()
    if not facts.utilization.heeded:
        return
    primitives = facts.cluster.primitives
    own = max(score_of(one.meta.get("priority", "0")) for one in question.subject.inside)
    above = [
        f"{name_of(facts.cluster, move)} ({priority})"
        for move in movements
        if move.target == here and move.resource in primitives
        if (priority := score_of(primitives[move.resource].meta.get("priority", "0"))) > own
    ]
    if above:
        yield Reason(f"it gives its room to what has a higher priority: {listed(above, 4)}")
