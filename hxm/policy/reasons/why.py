"""Why a domU runs where it does, or does not run: reasons in plain words, the weightiest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from hxm.model import Domain, ManagedDomain, Node, is_managed
from hxm.policy import guards, listed, typed, whereabouts
from hxm.policy.doubles import on_two_nodes
from hxm.policy.findings import lock_held_by
from hxm.policy.forecast import name_of
from hxm.policy.movement_kinds import phrase
from hxm.policy.reasons.facts import (
    Change,
    Facts,
    Reason,
    Subject,
    forbids,
    places,
    remove,
    subject_in,
)
from hxm.policy.reasons.obstacles import against, everywhere, on_node, whole_cluster
from hxm.policy.reasons.search import Inquiry
from hxm.policy.relations import applying, fail_count, score_of, spoken

_NEVER = "-INFINITY"
_OURS = ("quorum", "up")
"""What hxm refuses to change anything for, although the scheduler would go on."""


class Answer(NamedTuple):
    """The state of things in one sentence, and what makes it so."""

    says: str
    reasons: tuple[Reason, ...]
    also: tuple[str, ...] = ()
    """What else would move if the reasons were gone, and the domU where it was asked for."""
    scores: Mapping[str, str] = MappingProxyType({})


class Question(NamedTuple):
    """A domU, what is known, and the scheduler, where it can be asked."""

    facts: Facts
    domain: ManagedDomain
    subject: Subject
    inquiry: Inquiry | None = None
    unknown: tuple[Reason, ...] = ()
    """What else in the CIB may be the reason, which the model does not understand."""


def ask(
    facts: Facts,
    domain: Domain,
    node: Node | None = None,
    inquiry: Inquiry | None = None,
    unknown: Sequence[Reason] = (),
) -> Answer:
    """Why it runs where it does or does not run; with a node, why it is not there."""
    if not is_managed(domain):
        where = f"on {listed(domain.nodes)}" if domain.nodes else "on this host"
        says = f"{domain.name} {f'runs {where}' if domain.has_instance else 'does not run'}, "
        says += "and the cluster does not manage it"
        return Answer(says, (Reason("nobody but its toolstack starts, stops or watches it"),))
    subject = subject_in(facts.cluster, domain)
    question = Question(facts, domain, subject, inquiry, tuple(unknown))
    if node and node.name not in domain.nodes:
        answer = _elsewhere(question, node)
    else:
        answer = _running(question) if domain.nodes else _down(question)
    return answer._replace(scores=facts.scores)


def _running(question: Question) -> Answer:
    facts, domain = question.facts, question.domain
    troubles = list(_troubles(question))
    role = "runs" if domain.role in ("Started", None) else f"is {domain.role}"
    says = f"{domain.name} {role} on {listed(domain.nodes)}"
    if len(domain.nodes) > 1:
        says = f"{domain.name} is {domain.role or 'active'} on {listed(domain.nodes)}"
        return Answer(says, tuple(troubles))
    here = domain.nodes[0]
    barred = _barred(question, here)
    reasons = [*troubles, *([] if barred else _failed(facts, domain))]
    if not forbids(troubles) and not domain.in_flight:
        reasons += _staying(question, here, barred)
    return Answer(says, tuple(dict.fromkeys(reasons)))


def _down(question: Question) -> Answer:
    """Why it runs nowhere: what holds everywhere, and what is against each node."""
    facts, domain, inquiry = question.facts, question.domain, question.inquiry
    if domain.resource in facts.cluster.unlisted:
        (objection,) = whereabouts.not_listed(facts.cluster, [domain])
        reason = Reason.of(objection)
        return Answer(f"it is not known where {domain.name} runs", (reason,))
    says = f"{domain.name} does not run"
    troubles = list(_troubles(question))
    whole = [each for each in troubles if each.absolute]
    nodes = {node: list(against(facts, question.subject, node)) for node in facts.cluster.nodes}
    if not inquiry:
        first = {node.name: (_hard(r) or r)[:1] for node, r in nodes.items()}
        told = [] if whole else list(_together(facts, first))
        return Answer(says, (*troubles, *told))
    if inquiry.reaches((), None):
        verdict = inquiry.verdict((), None)
        moves = [m for m in verdict.movements if m.resource == domain.resource] if verdict else []
        where = f" on {moves[0].target}" if moves and moves[0].target else ""
        now = Reason(f"the cluster is about to start it{where}", "", "hxm status")
        return Answer(says, (*troubles, now))
    found = inquiry.confirmed([whole], None)
    if found:
        return Answer(says, _in_order(found, troubles), _beside(question, found, None))
    best = sorted(nodes, key=lambda node: (node.kind == "guest", _weight(nodes[node])))
    node = best[0]
    soft = [each for each in troubles if not each.absolute]
    tiers = [[*whole, *_hard(nodes[node])], [*soft, *nodes[node], *_failed(facts, domain)]]
    found = inquiry.confirmed([*tiers, question.unknown], None)
    if not found:
        return Answer(says, (*troubles, *_together(facts, {n.name: r for n, r in nodes.items()})))
    here_only = [each.change for each in nodes[node]]
    everywhere_ = [each for each in found if each.change not in here_only]
    by_node: dict[str, Sequence[Reason]] = {}
    if here := [each for each in found if each not in everywhere_]:
        for other, reasons in nodes.items():
            by_node[other.name] = here if other is node else _of_another(inquiry, whole, reasons)
    told = [*_in_order(everywhere_, troubles), *_together(facts, by_node)]
    return Answer(says, tuple(dict.fromkeys(told)), _beside(question, found, None))


def _of_another(
    inquiry: Inquiry, whole: Sequence[Reason], reasons: Sequence[Reason]
) -> Sequence[Reason]:
    """What is against a further node; only supposed where the scheduler may not be asked again."""
    hard = _hard(reasons)
    found = inquiry.confirmed([[*whole, *hard]], None) if hard and inquiry.left else None
    return [each for each in found or hard[:1] if each not in _sure(whole)]


def _sure(reasons: Iterable[Reason]) -> list[Reason]:
    """The reasons as they are when they are confirmed."""
    return [each._replace(confirmed=True) for each in reasons]


def _hard(reasons: Iterable[Reason]) -> list[Reason]:
    return [each for each in reasons if each.absolute]


def _weight(reasons: Sequence[Reason]) -> tuple[bool, int]:
    """How far a node is from running it: what lies outside the cluster weighs most."""
    outside = any(each.change and each.change.kind in ("up", "heal") for each in reasons)
    return outside, len(_hard(reasons))


def _in_order(found: Sequence[Reason], troubles: Sequence[Reason]) -> tuple[Reason, ...]:
    """What was confirmed, then what else is to be known and is no cause."""
    told = [each.change for each in found]
    notes = [each for each in troubles if not each.absolute]
    return (*found, *(each for each in notes if not each.change or each.change not in told))


def _elsewhere(question: Question, node: Node) -> Answer:
    """Why it is not on that node: what holds everywhere, then what holds there."""
    facts, domain, inquiry = question.facts, question.domain, question.inquiry
    elsewhere = f", but on {listed(domain.nodes)}" if domain.nodes else ""
    says = f"{domain.name} does not run on {node.name}{elsewhere}"
    troubles = list(_troubles(question))
    there = list(against(facts, question.subject, node))
    if not inquiry:
        reasons = [*troubles, *sorted(there, key=lambda each: not each.absolute)]
        free = [] if forbids(reasons) else _free(question, node)
        return Answer(says, tuple(dict.fromkeys(reasons + free)))
    hard = [*_hard(troubles), *_hard(there)]
    if inquiry.reaches((), node.name):
        reasons = [each for each in (*troubles, *there) if not each.absolute]
        if facts.scores.get(node.name) == _NEVER:  # what it needs would come along
            along = "what it runs with would come along: without that its score there is -INFINITY"
            reasons = [*reasons, *(_hard(there) or [Reason(along)])]
        refused = [each for each in _hard(troubles) if not each.change or each.change.kind in _OURS]
        free = [] if refused else _free(question, node)
        reasons = [*refused, *reasons, *free]
        also = _beside(question, (), node)
        return Answer(says, tuple(dict.fromkeys(reasons)), also)
    soft = [each for each in (*troubles, *there) if not each.absolute]
    tiers = [hard, [*soft, *_failed(facts, domain)], question.unknown]
    found = inquiry.confirmed(tiers, node.name)
    if found:
        notes = [each for each in troubles if not each.absolute and each not in found]
        return Answer(says, (*found, *notes), _beside(question, found, node))
    plain = all(each.change for each in hard)  # else it is a fact that nothing can be tried for
    rest = [_unknown(facts, domain, node.name)] if plain else []
    return Answer(says, tuple(dict.fromkeys([*hard, *rest])))


def _free(question: Question, node: Node) -> list[Reason]:
    """That nothing forbids the node, where it runs elsewhere, and why it stays there."""
    domain = question.domain
    if not domain.nodes:
        return []
    command = f"hxm migrate {typed(domain)} {node.name}"
    staying = list(_staying(question, domain.nodes[0], []))
    return [*staying, Reason(f"nothing forbids {node.name}", do=command)]


def _beside(question: Question, found: Sequence[Reason], node: Node | None) -> tuple[str, ...]:
    """What else would move with the reasons gone."""
    inquiry, cluster = question.inquiry, question.facts.cluster
    if not inquiry:
        return ()
    name = node.name if node else None
    before = inquiry.verdict((), None)
    after = inquiry.verdict(found, name)
    if not after:
        return ()
    known = set(before.movements) if before else set()
    return tuple(
        f"{name_of(cluster, each)} would {phrase(each)}"
        for each in after.movements
        if each not in known
        and each.resource not in question.subject.ids
        and guards.concerns(cluster, each)
    )


def _troubles(question: Question) -> Iterator[Reason]:
    """What concerns it wherever it would run."""
    cluster, domain = question.facts.cluster, question.domain
    in_clone = list(whereabouts.cloned(cluster, [domain]))
    for guard in (in_clone or on_two_nodes(cluster, [domain]), guards.stray(cluster, [domain])):
        yield from map(Reason.of, guard)
    for name in domain.nodes:
        node = cluster.node(name)
        if node and node.unclean:
            what = f"{name} is lost and not yet fenced: before that it starts nowhere else"
            change = Change("up", name)
            yield Reason(what, "", cluster.advice("confirm", node=name), True, change)
    yield from whole_cluster(cluster)
    if cluster.pending_fencing:
        yield Reason(f"fencing of {listed(cluster.pending_fencing)} is under way", do="hxm status")
    if domain.in_flight:
        yield Reason(f"an action on it is under way ({domain.role})", do="hxm status")
    for name in domain.nodes:
        node = cluster.node(name)
        if node and node.maintenance:
            what, do = f"the node {name} is in maintenance", f"hxm maintenance off {name}"
            yield Reason(what, "", do, True, Change("wake", name, "node"))
    away = guards.looked_away(cluster, domain)
    for reason in everywhere(question.facts, question.subject):
        kind = reason.change.kind if reason.change else ""
        if kind in ("wake", "manage", "forget") and away:
            what = f"the cluster leaves it alone: {away.reason}"
            yield reason._replace(what=what, do=away.end)
        else:
            yield reason
    if cluster.lock:
        yield Reason(f"the cluster is being changed: {lock_held_by(cluster.lock)}")


def _failed(facts: Facts, domain: ManagedDomain) -> Iterator[Reason]:
    """What it has failed at and may yet do."""
    for each in facts.cluster.failures:
        if each.resource == domain.resource:
            count = fail_count(facts.relations, each.resource, each.node)
            evidence = f"{each.reason}, {each.when}"
            evidence += f"; fail count {spoken(count)}" if count else ""
            what = f"its {each.operation} failed on {each.node}"
            do = f"hxm cleanup {typed(domain)} {each.node}"
            change = Change("forget", each.resource, each.node)
            yield Reason(what, evidence, do, change=change)


def _together(facts: Facts, found: Mapping[str, Sequence[Reason]]) -> Iterator[Reason]:
    """All that is against each node, nodes with the same together."""
    names = list(found)
    nodes: dict[tuple[str, ...], list[str]] = {}
    kept: dict[tuple[str, ...], Reason] = {}
    for name, reasons in found.items():
        for each in _hard(reasons) or list(reasons)[:1] or [_no_reason(facts, name)]:
            key = each.what, each.evidence, each.do
            nodes.setdefault(key, []).append(name)
            kept.setdefault(key, each)
    for words, where in nodes.items():
        heading = "nowhere" if where == names and len(names) > 1 else f"not on {listed(where)}"
        yield kept[words]._replace(what=f"{heading}: {kept[words].what}")


def _no_reason(facts: Facts, node: str) -> Reason:
    score = facts.scores.get(node)
    said = f"the scheduler's score there is {score}" if score else ""
    return Reason("no reason was found", said, "")


def _unknown(facts: Facts, domain: ManagedDomain, node: str) -> Reason:
    do = facts.cluster.advice("why", resource=domain.resource)
    return _no_reason(facts, node)._replace(do=do)


def _staying(question: Question, here: str, barred: Sequence[Reason]) -> Iterator[Reason]:
    """Why it is there and not elsewhere, in as few reasons as tell it."""
    facts, domain, ids = question.facts, question.domain, question.subject.ids
    cluster, relations = facts.cluster, facts.relations
    mine = [each for each in cluster.constraints if each.resource in ids and not each.expired]
    for each in mine:
        sent = each.kind == "prefer"
        if (each.node == here) == sent and (sent or not barred):
            what = "a move sent it there" if sent else f"a ban keeps it off {each.node}"
            yield Reason(what, each.id, f"hxm unmigrate {typed(domain)}")
    interim = {each.id for each in mine}
    for location in relations.locations:
        score = applying(relations, location, here)
        if location.resource in ids and location.id not in interim and score and score > 0:
            what = f"{here} is preferred: score {spoken(score)}"
            yield Reason(what, location.id, remove(cluster, location))
    for beside in relations.colocations:
        with_it = here in places(facts, beside.other, beside.other_role)
        if beside.resource in ids and beside.score > 0 and with_it:
            yield Reason(f"{beside.other} runs there", f"{beside.id}: {spoken(beside.score)}")
    yield from barred
    primitive = question.subject.inside[0]
    stickiness = primitive.meta.get("resource-stickiness") or cluster.properties.get(
        "default-resource-stickiness", "0"
    )
    if score_of(stickiness) > 0:
        yield Reason(f"it stays where it is: its stickiness is {stickiness}")
    elif not mine and not barred:
        yield Reason("the cluster chose the node, and may choose another: it has no stickiness")


def _barred(question: Question, here: str) -> list[Reason]:
    """Why no other node may run it; nothing if one may. A score that allows it outweighs all."""
    facts = question.facts
    others = [node for node in facts.cluster.hosts if node.name != here]
    found = {node.name: _hard(against(facts, question.subject, node)) for node in others}
    usable = [node.name for node in others if node.usable]  # of others the score says nothing
    if not all(found.values()) or any(facts.scores.get(n, _NEVER) != _NEVER for n in usable):
        return []
    nodes: dict[Reason, list[str]] = {}
    for name, reasons in found.items():
        nodes.setdefault(reasons[0], []).append(name)
    return [
        reason._replace(what=f"{listed(names)} may not run it: {reason.what}")
        for reason, names in nodes.items()
    ]


def first_reason(facts: Facts, domain: ManagedDomain) -> Reason | None:
    """The weightiest reason why a domU that should run does not, by the model alone."""
    answer = ask(facts, domain)
    return next((each for each in answer.reasons if each.absolute), None)


def barring(facts: Facts, node: Node) -> Reason | None:
    """What keeps every domU off a host, but for what it needs; None: one runs there, or may."""
    cluster, reason = facts.cluster, None
    for domain in cluster.managed_domains:
        if node.name in domain.nodes:
            return None
        hard = _hard(on_node(facts, subject_in(cluster, domain), node))
        if not hard:
            return None
        reason = reason or hard[0]
    return reason
