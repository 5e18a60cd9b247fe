"""What brings a domU to a node that nothing forbids, and why it stays where it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hxm.model import Node, Primitive
from hxm.plan import Movement
from hxm.policy import guards, is_promoted, listed, typed
from hxm.policy.forecast import name_of
from hxm.policy.reasons.attraction import preferred
from hxm.policy.reasons.behind import failures_behind
from hxm.policy.reasons.everywhere import OPT_IN, by_opt_in
from hxm.policy.reasons.facts import NEVER, Change, Reason, places, subject_of
from hxm.policy.reasons.instances import no_more
from hxm.policy.reasons.question import Answer, Question, hard_ones, imminent, side_effects, unknown
from hxm.policy.reasons.related import bound_to, needed
from hxm.policy.reasons.room import UNCOUNTED
from hxm.policy.reasons.search import Verdict
from hxm.policy.relations import INFINITY, applying, at_this_time, score_of, spoken
from hxm.policy.state import fencing
from hxm.policy.state.node_remedy import once_back
from hxm.policy.unjudged import on_condition
from hxm.policy.ways import How, taken, ways

_BEFORE = "hxm changes nothing before this ends"
"""What a lost node is to what the scheduler would go through with all the same."""

ABOUT_TO_START = "the cluster is about to start it"
"""How that is told, before where and after what."""

_OURS = ("quorum", "up")
"""What hxm refuses to change anything for, although the scheduler would go on."""


def allowed(
    question: Question, node: Node, against_it: Sequence[Reason], *, makes_room: bool = False
) -> Answer:
    """The answer where the scheduler would put it on the node if it had to, or if it is moved."""
    domain, inquiry = question.domain, question.inquiry
    elsewhere = f", but on {listed(domain.nodes)}" if domain.nodes else ""
    says = f"{domain.name} does not run on {node.name}{elsewhere}"
    soft = [reason for reason in against_it if not reason.absolute]
    refused = list(refusals(question, node, hard_ones(against_it)))
    waits = all(reason.what.startswith(_BEFORE) for reason in refused)
    if waits and not domain.nodes and (starts := imminent(question)):
        there = any(move.target == node.name for move in starts)
        free_too = Reason(f"nothing forbids {node.name}: the cluster chose the other")
        besides = [] if there else soft or [free_too]
        return Answer(says, (about_to_start(question, starts), *besides))
    if not waits or not domain.nodes or not inquiry:
        return Answer(says, tuple(dict.fromkeys([*refused, *soft])))
    offer, verdict = offered(question, node)
    if makes_room:
        offer = offer._replace(what=f"a move to {node.name} makes room for it there")
    moved = verdict.movements if verdict else ()
    if verdict and not brings(question, node, verdict):
        reasons = hard_ones(against_it) or _immovable(question, node, soft)
        named = [reason.change for reason in reasons]
        rest = [reason for reason in soft if not reason.change or reason.change not in named]
        return Answer(says, tuple(dict.fromkeys([*reasons, *rest])))
    if behind := _left_behind(question, node, moved):
        shown = [reason for reason in soft if reason.do]
        what = f"a move there would leave {listed(behind, 4)} behind, which must run where it does"
        return Answer(says, tuple(dict.fromkeys([*shown, Reason(what)])))
    along = list(_along(question, node, moved)) if _score(question, node) == NEVER else []
    if _score(question, node) == NEVER and not along:
        names = [name_of(question.facts.cluster, move) for move in moved if move.kind == "stop"]
        stops = f", and stops {listed(names, 4)}" if names else ""
        what = f"its score there is -INFINITY, and yet a move brings it there{stops}"
        offer = offer._replace(what=what)
    along = [*_leaving(question, node, moved), *along]
    known = {reason.what for reason in soft}
    stays_for = [
        reason for reason in staying(question, domain.nodes[0], []) if reason.what not in known
    ]
    if _would_come(question, node, soft):
        first = [*soft, *along, *stays_for]
    else:  # to take out a constraint that weighs against it is then no remedy
        noted = [reason._replace(do="") if reason.lasting else reason for reason in soft]
        first = [*along, *stays_for, *noted]
    reasons = [*first, *refused, offer._replace(confirmed=bool(verdict))]
    return Answer(says, tuple(dict.fromkeys(reasons)), side_effects(question, [offer], None))


def about_to_start(question: Question, movements: Iterable[Movement]) -> Reason:
    """That the cluster starts it, where, and after what."""
    cluster, resource = question.facts.cluster, question.domain.resource
    targets = [move.target for move in movements if move.resource == resource and move.target]
    behind = failures_behind(question.facts, resource, targets[0]) if targets else ""
    where = f" on {targets[0]}{behind}" if targets else ""
    lost = [node.name for node in cluster.nodes if node.unclean]
    waits = lost and fencing.is_required(cluster, resource)
    after = f", after the fencing of {listed(lost, 4)}" if waits else ""
    return Reason(f"{ABOUT_TO_START}{where}{after}")


def _immovable(question: Question, node: Node, soft: Sequence[Reason]) -> list[Reason]:
    """Why a move does not bring it: the first of the reasons without which one would."""
    for reason in soft:
        if reason.change and (then := then_offered(question, node, [reason])):
            return [reason._replace(absolute=True, confirmed=True), then._replace(confirmed=True)]
    stays = Reason("a move there does not bring it")
    return [stays, unknown(question.facts, question.domain, node.name)]


def _would_come(question: Question, node: Node, soft: Sequence[Reason]) -> bool:
    """Whether the cluster itself would bring it there without these reasons."""
    weighed = [reason for reason in soft if reason.change]
    return bool(weighed) and comes(question, node, weighed)


def comes(question: Question, node: Node, without: Sequence[Reason]) -> bool:
    """Whether the scheduler would bring it there without these reasons."""
    verdict = question.inquiry.verdict(without, None) if question.inquiry else None
    return brings(question, node, verdict)


def brings(question: Question, node: Node, verdict: Verdict | None) -> bool:
    """Whether a part of the resource is then brought to the node."""
    moved = verdict.movements if verdict else ()
    parts = question.subject.parts
    return any(move.target == node.name and move.resource in parts for move in moved)


def makes_room(question: Question, node: Node, hard: Sequence[Reason]) -> Reason | None:
    """The move, if too little utilization is all that is against the node, and others yield to it.

    The scheduler places what is sent first, and may find another place for what runs there.
    """
    full = hard and all(reason.change == UNCOUNTED for reason in hard)
    if not full or not question.domain.nodes or not question.inquiry:
        return None
    offer, verdict = offered(question, node)
    stops = verdict and any(move.kind == "stop" for move in verdict.movements)
    return offer if brings(question, node, verdict) and not stops else None


def _left_behind(question: Question, node: Node, moved: Iterable[Movement]) -> list[str]:
    """What must run where it does, and is neither there nor would come along."""
    facts, going = question.facts, {move.resource for move in moved}
    return [
        bound.id
        for bound in bound_to(facts, question.subject)
        if (there := places(facts, bound.id)) and node.name not in there
        if going.isdisjoint(bound.parts)
    ]


def _score(question: Question, node: Node) -> str | None:
    return question.facts.scores.get(node.name)


def _leaving(question: Question, node: Node, moved: Iterable[Movement]) -> Iterator[Reason]:
    """The clones with all their instances elsewhere, of which one would come along for good."""
    facts = question.facts
    for move in moved:
        primitive = facts.cluster.primitives.get(move.resource.partition(":")[0])
        if primitive and primitive.clone and move.kind == "stop" and move.source:
            if primitive.id in question.subject.parts:
                continue
            clone = subject_of(facts.cluster, primitive.clone, called=True)
            for reason in no_more(facts, clone, node):
                what = f"{reason.what}; for a move it would stop on {move.source}, for good"
                yield reason._replace(what=what)


def _along(question: Question, node: Node, moved: Iterable[Movement]) -> Iterator[Reason]:
    """What has to come with it or make room, and keeps it from the node as long as it does not."""
    subject, cluster = question.subject, question.facts.cluster
    concerned = set(needed(question.facts, subject)) - subject.ids
    others = [move for move in moved if move.resource in concerned]
    evidence = "without that its score there is -INFINITY"
    if along := [name_of(cluster, move) for move in others if move.target == node.name]:
        yield Reason(f"{listed(along, 4)} would come along", evidence)
    if away := [name_of(cluster, move) for move in others if move.source == node.name]:
        yield Reason(f"{listed(away, 4)} would leave {node.name} for it", evidence)
    for colocation in question.facts.relations.colocations_of.of(*subject.ids):
        promoted = places(question.facts, colocation.other, "Promoted")
        follows = is_promoted(colocation.other_role) and colocation.score >= INFINITY
        if follows and promoted and node.name not in promoted:
            what = f"{colocation.other} would be promoted there, and demoted on "
            yield Reason(f"{what}{listed(sorted(promoted))}", f"{colocation.id}; {evidence}")


def refusals(
    question: Question, node: Node, hard: Iterable[Reason], shown: Iterable[Reason] = ()
) -> Iterator[Reason]:
    """What hxm moves nothing for, although the scheduler would: these are facts.

    Not what is `shown` as a reason.
    """
    cluster, inquiry = question.facts.cluster, question.inquiry
    verdict = inquiry.verdict((), node.name) if inquiry else None
    fenced = [move.source for move in verdict.movements if move.kind == "fence"] if verdict else []
    known, reasons = False, {reason.change for reason in shown}
    for reason in hard:
        if reason.change and reason.change.kind in _OURS:
            known = True
            if reason.change in reasons:
                continue
            yield reason._replace(change=None, confirmed=reason.change.subject in fenced)
        elif not reason.change:
            known = True
            yield reason
    for objection in () if known else guards.whole_cluster(cluster):
        yield Reason.of(objection)._replace(what=f"{_BEFORE}: {objection.what}")


def offered(
    question: Question, node: Node, without: Sequence[Reason] = ()
) -> tuple[Reason, Verdict | None]:
    """That nothing forbids the node, what brings a domU there, and what the scheduler then does.

    It is asked about the ways of `hxm migrate`, in that order.
    """
    inquiry, names = question.inquiry, ways(question.facts.cluster, question.subject.inside[0].id)
    offers = (_offer(question, node, how) for how in names)
    tries = (
        (offer, inquiry.verdict([*without, offer], None) if inquiry else None) for offer in offers
    )
    return taken(tries, lambda tried: brings(question, node, tried[1]))


def then_offered(question: Question, node: Node, without: Sequence[Reason]) -> Reason | None:
    """The move, if it brings it there once these reasons are gone."""
    offer, verdict = offered(question, node, without)
    moved = brings(question, node, verdict)
    return offer._replace(what="then a move brings it there") if moved else None


def _offer(question: Question, node: Node, how: How) -> Reason:
    """The move one way; there is a command for domUs alone."""
    mine = question.facts.cluster.domain_of(question.domain.resource)
    command = f"hxm migrate {typed(question.domain)} {node.name}" if mine else ""
    source = question.domain.nodes[0] if how == "strongly" else ""
    change = Change("send", question.subject.id, node.name, source)
    return Reason(f"nothing forbids {node.name}", do=command, change=change)


def free(question: Question, node: Node) -> list[Reason]:
    """The offer, and why it stays where it runs; no scheduler has been asked."""
    if not question.domain.nodes:
        return []
    return [*staying(question, question.domain.nodes[0], []), offered(question, node)[0]]


def staying(question: Question, here: str, barred: Sequence[Reason]) -> Iterator[Reason]:
    """Why it is there and not elsewhere, in as few reasons as tell it."""
    facts, domain, ids = question.facts, question.domain, question.subject.ids
    cluster, relations = facts.cluster, facts.relations
    mine = [
        constraint
        for constraint in cluster.constraints
        if constraint.resource in ids
        and not constraint.expired
        and cluster.node(constraint.node or "")  # else the scheduler disregards it
    ]
    for constraint in mine:
        sent = constraint.kind == "prefer"
        until = f" until {constraint.expires}" if constraint.expires else ""
        if (constraint.node == here) == sent and (sent or not barred):
            what = "a move sent it there" if sent else f"a ban keeps it off {constraint.node}"
        elif sent and not barred:
            back = once_back(cluster, constraint, ", and it")
            what = f"a move prefers {constraint.node}{back}"
        else:
            continue
        change = Change("drop", constraint.id)
        yield Reason(
            f"{what}{until}", constraint.id, f"hxm unmigrate {typed(domain)}", change=change
        )
    lets = dict(_allowed_for_now(question, here))
    yield from lets.values()
    yield from (reason for reason in preferred(question, here) if reason.change not in lets)
    for colocation in relations.colocations:
        with_it = here in places(facts, colocation.other, colocation.other_role)
        if colocation.resource in ids and colocation.score > 0 and with_it:
            yield Reason(
                f"{colocation.other} runs on {here}", f"{colocation.id}: {spoken(colocation.score)}"
            )
    yield from barred
    primitive = question.subject.inside[0]
    stickiness = primitive.meta.get("resource-stickiness") or cluster.properties.get(
        "default-resource-stickiness", "0"
    )
    if score_of(stickiness) > 0:
        given, rule = _set_of(primitive, "resource-stickiness")
        by_rule = f", by a rule ({rule})" if rule else ""
        what = f"it stays where it is: its stickiness is {stickiness}{by_rule}"
        yield Reason(what, given if rule else "")
    elif not mine and not barred:
        yield Reason("the cluster chose the node, and may choose another: it has no stickiness")


def _set_of(primitive: Primitive, option: str) -> tuple[str, str]:
    """The set that gives the option, and the rule by which it counts now; empty: it has none."""
    for own in primitive.own_sets.get(option, ()):
        return own
    _, given, rule = primitive.inherited_from.get(option, ("", "", ""))
    return ("", "") if option in primitive.own_meta else (given, rule)


def _allowed_for_now(question: Question, here: str) -> Iterator[tuple[Change, Reason]]:
    """What alone lets it run where it does, and whose time ends, by what takes that out."""
    cluster, relations = question.facts.cluster, question.facts.relations
    mine = relations.locations_of.of(*question.subject.ids)
    lasting = [applying(relations, location, here) for location in mine]
    if not by_opt_in(cluster) or any(score is not None and score >= 0 for score in lasting):
        return
    for location in mine:
        if location.score >= 0 and at_this_time(relations, location, here):
            until = f"until {location.ends}" if location.ends else f"at times ({location.dates})"
            what = f"{location.id} allows it on {here} only {until}"
            command = cluster.advice("allow", resource=question.subject.id, node=here)
            do = on_condition("it is to run there longer", command)
            longer = Change("allow", question.subject.id, here)
            yield Change("drop", location.element), Reason(what, OPT_IN, do, change=longer)
