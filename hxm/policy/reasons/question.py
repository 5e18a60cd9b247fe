"""What is asked of a domU, the answer, and what concerns it wherever it would run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from hxm.model import Cluster, ManagedDomain, Node
from hxm.plan import Movement
from hxm.policy import guards, listed, typed, until_forgotten
from hxm.policy.forecast import name_of
from hxm.policy.forecast.movement_kinds import phrase
from hxm.policy.guards import location
from hxm.policy.reasons.everywhere import everywhere, left_alone, whole_cluster
from hxm.policy.reasons.facts import Change, Facts, Reason, Subject
from hxm.policy.reasons.related import using
from hxm.policy.reasons.room import UNCOUNTED
from hxm.policy.reasons.search import Inquiry, Verdict
from hxm.policy.relations import fail_count, spoken
from hxm.policy.state import fencing
from hxm.policy.state.adrift import adrift, look
from hxm.policy.state.lock import forsaken, held_by
from hxm.policy.state.node_remedy import end_of_maintenance, end_of_wait, stops_with
from hxm.policy.state.on_fail import ignored
from hxm.policy.state.quorum import waits_for_quorum
from hxm.policy.state.running_twice import on_two_nodes
from hxm.policy.unjudged import on_condition


class Answer(NamedTuple):
    """The state of things in one sentence, and what makes it so."""

    says: str
    reasons: tuple[Reason, ...]
    also: tuple[str, ...] = ()
    """What else would move if the reasons were gone, and it, if it runs, where it was asked for."""
    scores: Mapping[str, str] = MappingProxyType({})
    also_on: str | None = None
    """The node whose reasons those are, where nodes have different ones: any of them suffices."""
    elsewhere: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Of each other node the same, without its own reasons."""
    covered: tuple[Reason, ...] = ()
    """The reasons of which `also` and `elsewhere` tell."""


class Question(NamedTuple):
    """A domU, what is known, and the scheduler, where it can be asked."""

    facts: Facts
    domain: ManagedDomain
    subject: Subject
    inquiry: Inquiry | None = None
    unknown: Sequence[Reason] = ()
    """What else in the CIB may be the reason, which the model does not understand."""
    brief: bool = False
    """Whether only the reasons are wanted, and not what else would move without them."""


def as_facts(reasons: Iterable[Reason]) -> Iterator[Reason]:
    """The reasons as what is so, where nothing is asked that they would be the reason of."""
    return (reason._replace(change=None) for reason in reasons)


def hard_ones(reasons: Iterable[Reason]) -> list[Reason]:
    """Those that alone keep the domU from a node; states before what was written to stay."""
    hard = (reason for reason in reasons if reason.absolute)
    return sorted(hard, key=lambda reason: reason.lasting)


def no_reason(facts: Facts, node: str) -> Reason:
    """That nothing was found, and what the scheduler's score is."""
    score = facts.scores.get(node)
    evidence = f"the scheduler's score there is {score}" if score else ""
    return Reason("no reason was found", evidence, "")


def unknown(facts: Facts, domain: ManagedDomain, node: str) -> Reason:
    """That nothing was found, and what shows the scheduler's own words."""
    do = facts.cluster.advice("why", resource=domain.resource)
    return no_reason(facts, node)._replace(do=do)


def side_effects(
    question: Question, confirmed: Sequence[Reason], node: Node | None
) -> tuple[str, ...]:
    """What else would move with the reasons gone; unknown where nobody is told to end one so."""
    inquiry = question.inquiry
    if not inquiry or unforeseen(confirmed):
        return ()
    name = node.name if node else None
    before = inquiry.verdict((), None)
    after = inquiry.verdict(confirmed, name)
    return would_move(question, after, before.movements if before else ())


def imminent(question: Question, without: Sequence[Reason] = ()) -> list[Movement]:
    """What the cluster is about to do with it, or would without these reasons."""
    verdict = question.inquiry.verdict(without, None) if question.inquiry else None
    own = question.subject.parts
    return [move for move in verdict.movements if move.resource in own] if verdict else []


ACTS = "the cluster is about to act: it would"


def about_to(movements: Iterable[Movement]) -> list[Reason]:
    """What the cluster does by itself."""
    return [Reason(f"{ACTS} {phrase(move)}") for move in movements]


def unforeseen(reasons: Iterable[Reason]) -> bool:
    """Whether one of them ends otherwise than it was tried, and what follows is not known."""
    changes = [reason.change for reason in reasons if reason.change]
    return any(change == UNCOUNTED or change.kind == "once" for change in changes)


def would_move(
    question: Question, verdict: Verdict | None, known: Collection[Movement] = ()
) -> tuple[str, ...]:
    """What else the scheduler moves in its answer, but for what is known."""
    if question.brief:
        return ()
    cluster = question.facts.cluster
    before, moves = frozenset(known), verdict.movements if verdict else ()
    starting = {move.resource.partition(":")[0] for move in moves if move.kind == "start"}
    return tuple(
        f"{name_of(cluster, move)} would {phrase(move)}"
        for move in moves
        if move not in before
        and move.resource not in question.subject.ids
        and (guards.concerns(cluster, move) or _gives_way(cluster, move, starting))
    )


def _gives_way(cluster: Cluster, move: Movement, starting: Collection[str]) -> bool:
    """Whether an instance of a clone leaves its node for another: it does not come and go."""
    name = move.resource.partition(":")[0]
    primitive = cluster.primitives.get(name)
    cloned = primitive is not None and primitive.clone is not None
    return cloned and move.kind == "stop" and name in starting


def in_brief(question: Question, confirmed: Sequence[Reason]) -> tuple[Reason, ...]:
    """The reasons; of elements that were not told apart only that the cause is among them."""
    if all(reason.confirmed for reason in confirmed):
        return tuple(confirmed)
    changes = {reason.change for reason in question.unknown}
    raw = [reason for reason in confirmed if reason.change in changes]
    if len(raw) < 2 or all(reason.confirmed for reason in raw):
        return tuple(confirmed)
    names = listed([reason.change.subject for reason in raw if reason.change], 3)
    what = "no reason was found; without some of these elements it would be otherwise"
    do = f"on a terminal, which has hxm ask further: hxm why {question.subject.word}"
    among = Reason(what, names, do, absolute=True)
    return (*(reason for reason in confirmed if reason not in raw), among)


def troubles(question: Question) -> Iterator[Reason]:
    """What concerns it wherever it would run."""
    cluster, domain = question.facts.cluster, question.domain
    in_clone = list(location.cloned(cluster, [domain]))
    yield from map(Reason.of, in_clone) if in_clone else _twice(question)
    yield from map(Reason.of, guards.stray(cluster, [domain]))
    unfenced = list(_unfenced(cluster, domain))
    lost = [*unfenced, *_never_fenced(cluster, domain)]
    named = "; ".join(reason.what for reason in unfenced)
    whole = [reason for reason in whole_cluster(cluster) if reason.what not in named]
    fences = cluster.quorum and not fencing.withheld(cluster)
    yield from (*lost, *whole) if fences else (*whole, *lost)
    if cluster.pending_fencing:
        yield Reason(f"fencing of {listed(cluster.pending_fencing)} is under way", do="hxm status")
    if domain.in_flight and (broken := adrift(cluster, domain)):
        end = f"its migration to {broken.target} has not ended"
        yield Reason(f"{end}; where it runs, only the hosts can tell", do=look(domain))
    elif domain.in_flight:
        yield Reason(f"an action on it is under way ({domain.role})", do="hxm status")
    for name in domain.nodes:
        node = cluster.node(name)
        if node and node.maintenance:
            do, change = end_of_maintenance(cluster, node), Change("wake", name, "node")
            yield Reason(f"the node {name} is in maintenance", "", do, True, change)
    for failure in () if domain.nodes else cluster.failures:
        if failure.resource == domain.resource and (hidden := ignored(cluster, failure)):
            what = f"its stop failed on {failure.node}; {hidden.what}"
            yield Reason(what, f"{failure.reason}, {failure.when}", hidden.do, True)
    yield from _troubles_everywhere(question)
    if cluster.lock and not cluster.sandbox and not forsaken(cluster, cluster.lock):
        yield Reason(f"the cluster is being changed: {held_by(cluster.lock)}")


def _twice(question: Question) -> Iterator[Reason]:
    """That it is active on two nodes, and who may use what is no domU there."""
    cluster, domain = question.facts.cluster, question.domain
    for twice in on_two_nodes(cluster, [domain]):
        domu = cluster.domain_of(domain.resource)
        users = [] if domu else using(question.facts, question.subject)
        uses = f"; {listed(users, 4)} may use it" if users else ""
        yield Reason.of(twice)._replace(what=f"{twice.what}{uses}")


_WITHOUT_QUORUM = ", and without quorum it is not fenced"


def _unfenced(cluster: Cluster, domain: ManagedDomain) -> Iterator[Reason]:
    """Where it ran, lost or in trouble, and whether anything can fence that.

    A start waits for every fencing, also of nodes that it never ran on (order_start_vs_fencing in
    Pacemaker's scheduler); of those only what nothing can fence is told, the rest is soon over.
    """
    cannot, lost = fencing.helpless(cluster), adrift(cluster, domain)
    for node in cluster.nodes:
        ran = node.name in domain.nodes or (lost is not None and lost.lost == node.name)
        if not node.unclean or not (ran or _waits(cluster, domain, node, cannot)):
            continue
        what = f"{node.name} is {guards.unfenced(cluster, node)} and not yet fenced"
        what += f": before that {'it starts nowhere else' if ran else 'nothing starts'}"
        what += f"; its fencing kills {domain.name}" if ran and node.online else ""
        what += f"; {cannot[node.name].what}" if node.name in cannot else ""
        what += f"; {why}" if (why := fencing.withheld(cluster)) else ""
        what += _WITHOUT_QUORUM if waits_for_quorum(cluster, node) else ""
        yield Reason(what, "", end_of_wait(cluster, node), True, Change("up", node.name))


def _waits(cluster: Cluster, domain: ManagedDomain, node: Node, cannot: Collection[str]) -> bool:
    """Whether it is to start, and a node that it did not run on would have to be fenced before."""
    placed = [cluster.node(name) for name in domain.nodes]
    starts = all(there and there.unclean for there in placed) and not domain.told_to_stop
    return node.name in cannot and starts and fencing.is_required(cluster, domain.resource)


def _never_fenced(cluster: Cluster, domain: ManagedDomain) -> Iterator[Reason]:
    """That the domU may start beside itself, where no lost host is fenced."""
    away = [node.name for node in cluster.hosts if node.away]
    goes = any(node.usable for node in cluster.hosts) and not domain.told_to_stop
    if away and goes and set(domain.nodes) <= set(away) and not cluster.fencing:
        what = f"fencing is disabled: if {domain.name} still runs on {listed(away, 4)}, it would "
        yield Reason(f"{what}run twice", do=fencing.remedy(cluster))


def _troubles_everywhere(question: Question) -> Iterator[Reason]:
    """What `everywhere` says, in words that tell how to end it safely."""
    cluster, domain = question.facts.cluster, question.domain
    away = guards.looked_away(cluster, domain)
    twice = list(on_two_nodes(cluster, [domain]))  # whose remedy says when that is to end
    alone = set(left_alone(question.facts, question.subject)) if away or twice else set()
    order = guards.safe_end(domain, away.end) if away else ""
    for reason in everywhere(question.facts, question.subject):
        if reason in alone and twice:
            continue
        if reason in alone:
            cause = reason.what.removeprefix(f"{question.subject.it} ")
            what = f"the cluster leaves it alone: {domain.name} {cause}"
            do = guards.safe_end(domain, reason.do) or reason.do
            by = "" if cluster.maintenance or not domain.running else stops_with(cluster, domain)
            if by:
                if reason.change and reason.change.kind == "manage":
                    what += f"; managed again it would stop ({by})"
                do = on_condition(f"{domain.name} may stop", do)
            yield reason._replace(what=what, do=do)
        elif order and reason.change and reason.change.kind in ("start", "unset"):
            yield reason._replace(do="" if alone else order)
        else:
            yield reason


def failures_of(facts: Facts, domain: ManagedDomain) -> Iterator[Reason]:
    """What it has failed at and may yet do."""
    for failure in facts.cluster.failures:
        if failure.resource.partition(":")[0] == domain.resource:
            count = fail_count(facts.relations, failure.resource, failure.node)
            evidence = f"{failure.reason}, {failure.when}"
            evidence += f"; fail count {spoken(count)}" if count else ""
            evidence += until_forgotten(facts.cluster.primitives.get(domain.resource))
            what = f"its {failure.operation} failed on {failure.node}"
            do = f"hxm cleanup {typed(domain)} {failure.node}"
            node = facts.cluster.node(failure.node)
            if (node and node.unclean) or adrift(facts.cluster, domain):
                do = ""  # the fencing ends it, or comes before
            if hidden := ignored(facts.cluster, failure):
                what, do = f"{what}; {hidden.what}", f"{hidden.do}; then {do}"
            change = Change("forget", failure.resource, failure.node)
            yield Reason(what, evidence, do, change=change)
