"""What keeps domUs off a host, and what keeps them on it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from hxm.model import ManagedDomain, Node
from hxm.plan import Movement
from hxm.policy import guards, listed, typed
from hxm.policy.reasons.dependencies import against
from hxm.policy.reasons.everywhere import everywhere, whole_cluster
from hxm.policy.reasons.facts import NEVER, Change, Facts, Reason, each_once, nameless, subject_in
from hxm.policy.reasons.obstacles import kept_empty, on_node, unwell
from hxm.policy.reasons.question import Question, hard_ones, troubles
from hxm.policy.relations import INFINITY
from hxm.policy.unjudged import asks_nobody

Scores = Mapping[str, Mapping[str, str]]
AskHost = Callable[[Sequence[Change]], tuple[Sequence[Movement], Scores]]
"""Has the scheduler answer with these changes: what moves, and each resource's scores."""


class HostAnswer(NamedTuple):
    """What a host runs, what could not leave it and what cannot come to it, and why."""

    says: str
    general: tuple[Reason, ...]
    """What holds for the whole cluster, or for all that could come to the host."""
    leaving: Mapping[str, tuple[Reason, ...]]
    """Of each domU that would have no place if the host were in standby."""
    coming: Mapping[str, tuple[Reason, ...]]
    """Of each domU that runs elsewhere, or nowhere, and may not come."""


def barring(facts: Facts, node: Node) -> Reason | None:
    """What keeps every domU off a host, but for what it needs; None: one runs there, or may.

    None as well where a constraint of the administrator's says that one may not, and where there is
    one alone, and what keeps that off is its own.
    """
    cluster, reason, changes = facts.cluster, None, set()
    written = {
        Change("drop", location.element)
        for location in facts.relations.locations
        if not location.uses
    }
    for domain in cluster.managed_domains:
        if node.name in domain.nodes:
            return None
        written.add(Change("allow", domain.resource, node.name))
        hard = hard_ones(on_node(facts, subject_in(cluster, domain), node))
        if not hard or (hard[0].lasting and hard[0].change in written):
            return None
        reason = reason or hard[0]
        changes.add(hard[0].change)
    own = reason and reason.change and reason.change.kind in ("forget", "drop")
    if reason and _own_rules(reason, changes):
        return reason._replace(do=f"hxm why {node.name}")
    return None if own and len(cluster.managed_domains) == 1 else reason


def _own_rules(reason: Reason, changes: Collection[Change | None]) -> bool:
    """Whether each domU has a constraint of its own, and the command takes out one of them."""
    dropped = reason.change is not None and reason.change.kind == "drop"
    return dropped and len(changes) > 1 and asks_nobody(reason.do)


def ask_host(facts: Facts, node: Node, ask: AskHost | None) -> HostAnswer:
    """What could not leave the host, and what cannot come to it; the scheduler is asked 4 times.

    What holds for the whole cluster counts as over, else nothing could leave or come.
    """
    cluster = facts.cluster
    here = [domain for domain in cluster.managed_domains if node.name in domain.nodes]
    there = [domain for domain in cluster.managed_domains if node.name not in domain.nodes]
    runs = f"runs {listed([domain.name for domain in here])}" if here else "runs no domU"
    condition = "" if node.usable else f", and is {node.predicament}"
    if no_host := tuple(map(Reason.of, guards.no_host(node))):
        there = []
    general = (*whole_cluster(cluster), *no_host)
    over = [reason.change for reason in general if reason.change]

    def after_it(changes: Sequence[Change]) -> tuple[Sequence[Movement], Scores]:
        return ask([*over, *changes]) if ask else ((), {})

    asked = after_it if ask else None
    coming = _coming(facts, node, there, asked)
    leaving = _leaving(facts, node, here, asked)
    alone = () if coming else tuple(kept_empty(facts, node))
    shown = general + alone + tuple(unwell(facts, node))
    return HostAnswer(f"{node.name} {runs}{condition}", shown, leaving, coming)


def _leaving(
    facts: Facts, node: Node, here: Sequence[ManagedDomain], ask: AskHost | None
) -> dict[str, tuple[Reason, ...]]:
    others = [other for other in facts.cluster.hosts if other.name != node.name]
    moved = ask([Change("drain", node.name)])[0] if ask and here else ()
    leave = {move.resource for move in moved if move.source == node.name and move.target}
    stuck = {}
    for domain in here:
        by_node = {other.name: _against(facts, domain, other) for other in others}
        if own := _wherever(facts, domain):
            stuck[domain.name] = tuple(reason._replace(confirmed=bool(ask)) for reason in own)
        elif (domain.resource not in leave) if ask else (by_node and all(by_node.values())):
            for other in others if ask else ():
                by_node[other.name] = by_node[other.name] or _weighing(facts, domain, other)
            stuck[domain.name] = tuple(_each_host(by_node, confirmed=bool(ask)))
    return stuck


def _wherever(facts: Facts, domain: ManagedDomain) -> list[Reason]:
    """What keeps one domU from being started or moved on any host."""
    general = set(whole_cluster(facts.cluster))
    question = Question(facts, domain, subject_in(facts.cluster, domain))
    return [reason for reason in hard_ones(troubles(question)) if reason not in general]


def _each_host(by_node: Mapping[str, list[Reason]], *, confirmed: bool) -> Iterator[Reason]:
    """The first reason of each host, hosts with the same together."""
    if not by_node:
        yield Reason("there is no other host", absolute=True)
    alike: dict[Reason, list[str]] = {}
    for name, reasons in by_node.items():
        first = reasons[0] if reasons else Reason("no reason was found")
        alike.setdefault(first._replace(change=None), []).append(name)
    for reason, names in alike.items():
        yield reason._replace(
            what=f"not on {listed(names)}: {reason.what}", confirmed=confirmed and reason.absolute
        )


def _against(facts: Facts, domain: ManagedDomain, node: Node) -> list[Reason]:
    subject = subject_in(facts.cluster, domain)
    against_it = list(against(facts, subject, node))
    hard = hard_ones([*everywhere(facts, subject), *against_it])
    return hard or list(_at_times(facts, against_it))


def _weighing(facts: Facts, domain: ManagedDomain, node: Node) -> list[Reason]:
    """What weighs against it: a score below 0 keeps it off, where the scheduler has no other."""
    reasons = against(facts, subject_in(facts.cluster, domain), node)
    weighs = [reason for reason in reasons if reason.change and reason.change.kind in _SCORED]
    return [reason._replace(absolute=True) for reason in weighs]


_SCORED = ("drop", "heal")
"""What ends a constraint's score, or that of a health."""


def _at_times(facts: Facts, reasons: Iterable[Reason]) -> Iterator[Reason]:
    """Those that keep it off at times, or while another stays; only the scheduler knows when."""
    relations = facts.relations
    rules = [
        (location.element, location.score) for location in relations.locations if location.dated
    ]
    apart = [(colocation.id, colocation.score) for colocation in relations.colocations]
    drops = {Change("drop", name) for name, score in (*rules, *apart) if score <= -INFINITY}
    return (reason for reason in reasons if reason.change in drops)


def _coming(
    facts: Facts, node: Node, there: Sequence[ManagedDomain], ask: AskHost | None
) -> dict[str, tuple[Reason, ...]]:
    """By the scheduler's answer, and whether it would be another without the reasons.

    Its scores tell nothing of what leaves a domU alone, of orders, nor of a host in standby.
    """
    supposed, at_times = {}, {}
    moved, scores = ask([]) if ask and there else ((), {})
    for domain in there:
        own = _wherever(facts, domain)
        against_it = list(against(facts, subject_in(facts.cluster, domain), node))
        reasons = hard_ones(against_it)
        score = scores.get(domain.resource, {}).get(node.name, NEVER if ask else "")
        waits = not domain.nodes and not _starts(moved, domain)
        if own or score == NEVER or not node.usable or (reasons and (waits or not ask)):
            supposed[domain] = each_once([*own, *reasons])
            at_times[domain] = list(_at_times(facts, against_it))
    free = _without(supposed, node, ask)
    barred = {domain: supposed[domain] + at_times[domain] for domain in supposed.keys() - free}
    free |= _without({**supposed, **barred}, node, ask) if any(at_times.values()) else set()
    coming = {}
    for domain, reasons in supposed.items():
        nothing = Reason("no reason was found", do=f"hxm why {typed(domain)} {node.name}")
        shown = barred.get(domain, reasons) or [nothing]
        coming[domain.name] = tuple(one._replace(confirmed=domain in free) for one in shown)
    return coming


def _without(
    supposed: Mapping[ManagedDomain, Sequence[Reason]], node: Node, ask: AskHost | None
) -> set[ManagedDomain]:
    """The domUs that may run there with all of the reasons gone; a stopped one starts somewhere."""
    reasons = each_once(reason for reasons in supposed.values() for reason in reasons)
    changes = [reason.change for reason in reasons if reason.change]
    moved, scores = ask(changes) if ask and changes else ((), {})
    return {
        domain
        for domain in supposed
        if scores.get(domain.resource, {}).get(node.name, NEVER) != NEVER
        and (domain.nodes or _starts(moved, domain))
    }


def _starts(moved: Iterable[Movement], domain: ManagedDomain) -> bool:
    return any(move.resource == domain.resource and move.target for move in moved)


def by_reason(
    of_domains: Mapping[str, tuple[Reason, ...]],
) -> dict[tuple[Reason, ...], list[str]]:
    """The names of the domUs that have the same reasons, together; the first's stand for all."""
    together: dict[tuple[Reason, ...], list[str]] = {}
    first: dict[tuple[object, ...], tuple[Reason, ...]] = {}
    for name, reasons in of_domains.items():
        known = (one._replace(evidence=nameless(one.evidence, name)) for one in reasons)
        alike = tuple((reason.alike, reason.confirmed) for reason in known)
        together.setdefault(first.setdefault(alike, reasons), []).append(name)
    return together
