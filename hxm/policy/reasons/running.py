"""Why a domU that runs is where it is, and what is about to become of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hxm.model import Cluster, ManagedDomain
from hxm.plan import Movement
from hxm.policy import GONE, last_failed, listed
from hxm.policy.forecast import name_of
from hxm.policy.forecast.movement_kinds import phrase
from hxm.policy.guards.location import in_guest
from hxm.policy.reasons.ahead import against_it
from hxm.policy.reasons.attraction import attracted, first_that_holds
from hxm.policy.reasons.beside import judged_alone
from hxm.policy.reasons.dependencies import against
from hxm.policy.reasons.facts import NEVER, Change, Reason, each_once, forbids, preference
from hxm.policy.reasons.lacking import lacking
from hxm.policy.reasons.offer import makes_room, staying
from hxm.policy.reasons.question import (
    Answer,
    Question,
    about_to,
    as_facts,
    failures_of,
    hard_ones,
    imminent,
    in_brief,
    troubles,
    unforeseen,
    would_move,
)
from hxm.policy.reasons.restarts import restarted
from hxm.policy.reasons.room import UNCOUNTED
from hxm.policy.reasons.several import on_several
from hxm.policy.relations import spoken
from hxm.policy.state.adrift import unknown_place
from hxm.policy.state.on_fail import unwatched
from hxm.policy.unjudged import asks_nobody


def running(question: Question) -> Answer:
    """Why it is there, and what is against it staying, or against the other nodes."""
    facts, domain = question.facts, question.domain
    general = list(as_facts(troubles(question)))
    says = _says(facts.cluster, domain)
    if len(domain.nodes) > 1:
        answer = on_several(question, general)
        return answer._replace(says=unknown_place(facts.cluster, domain) or answer.says)
    here = domain.nodes[0]
    movements = [] if domain.in_flight else imminent(question)
    leaves = any(move.source == here != move.target for move in movements)
    misplaced = _misplaced(question, here, leaves=leaves)
    stops = not all(move.target for move in movements) and not forbids(general)
    at_end = list(_at_its_end(question))  # first, while the scheduler may be asked
    barred = [] if misplaced and not stops else _barred(question, here)
    drawn = _drawn(question, here) if leaves and not (misplaced or forbids(general)) else ()
    strange = [Reason.of(objection) for objection in in_guest(facts.cluster, [domain])]
    restarts = any(move.kind == "restart" for move in movements)
    cause = list(restarted(question, here)) if restarts else []
    reasons = [*as_facts(strange), *general, *at_end, *misplaced, *drawn, *cause]
    lost = [] if cause else lacking(facts, domain)
    reasons += [reason for reason in lost if reason.do not in {known.do for known in reasons}]
    ended = {reason.do for reason in misplaced}  # what ends it here ends it there
    reasons += [reason for reason in barred if stops and reason.do not in ended]
    ends = {one.command for one in general}
    explained = (barred or misplaced) and not restarts
    failures = [] if explained else as_facts(failures_of(facts, domain))
    reasons += [failure for failure in failures if failure.command not in ends]
    node = facts.cluster.node(here)
    if node and node.away and not stops:
        reasons += [one._replace(what=f"then it has no place: {one.what}") for one in barred]
    elif not (leaves or forbids(general) or misplaced):
        reasons += _stays(question, here, barred)
    untold = [one for one in reasons if one not in barred or not asks_nobody(one.do)]
    first, also = _at_once(question, [*troubles(question), *untold])
    reasons += about_to(movements)
    return Answer(says, tuple(dict.fromkeys(reasons)), also, covered=(*first, *barred))


def _stays(question: Question, here: str, barred: Sequence[Reason]) -> Iterator[Reason]:
    """Why it stays: what keeps it from the node that is preferred most comes first."""
    yield from (better := _preferred_more(question, here))
    known = {reason.do for reason in better}
    yield from staying(question, here, [one for one in barred if one.do not in known])


def _preferred_more(question: Question, here: str) -> list[Reason]:
    """Why it is not on the node that is preferred most, where that is another."""
    facts, hosts = question.facts, question.facts.cluster.hosts
    scores = {host.name: preference(facts, question.subject, host.name) for host in hosts}
    best = max(hosts, key=lambda host: scores[host.name])
    sent = any(constraint.node == best.name for constraint in facts.cluster.constraints)
    if sent or scores[best.name] <= max(scores.get(here, 0), 0):
        return []
    return [
        reason._replace(
            what=f"{best.name} is preferred ({spoken(scores[best.name])}): {reason.what}",
            change=None,
        )
        for reason in hard_ones(against(facts, question.subject, best))[:1]
    ]


def _says(cluster: Cluster, domain: ManagedDomain) -> str:
    """Where it runs, as far as that is known."""
    where, last = listed(domain.nodes), last_failed(cluster, domain)
    if in_doubt := unknown_place(cluster, domain):
        return in_doubt
    if unwatched(cluster, domain):
        return f"{domain.name} is taken to run on {where}, where it failed"
    if last == GONE:
        leaves = ", and on-fail=block leaves it" if domain.blocked else ""
        return f"{domain.name} does not run: its monitor on {where} found it gone{leaves}"
    if last == "probe":
        return f"whether {domain.name} runs on {where} is not known: its probe failed"
    role = "runs" if domain.role in ("Started", None) else f"is {domain.role}"
    return f"{domain.name} {'failed to start' if last == 'start' else role} on {where}"


def leaving(question: Question, move: Movement) -> Iterable[Reason]:
    """Why the cluster is about to stop it, to move it or to restart it where it runs.

    All that forbids it to stay; or else the one thing without which it would.
    """
    here, facts = question.domain.nodes[0], question.facts
    if move.kind == "restart":
        failures = failures_of(facts, question.domain)
        if own := [one for one in failures if one.change and one.change.value == here]:
            return as_facts(own[:1])
        if cause := list(restarted(question, here)):
            return cause
    node = facts.cluster.node(here)
    general = hard_ones(troubles(question))
    own = [] if not node else hard_ones(against_it(question, node))
    hard = each_once([*general, *own])
    tiers = (general, hard[:1], hard) if hard[1:] else (general, hard)
    for reasons in dict.fromkeys(map(tuple, tiers)):
        if reasons and _would_stay(question, move, reasons):
            stops = move.kind == "stop" and reasons[0] not in general
            first = _nowhere_else(question, reasons[0]) if stops else reasons[0]
            return as_facts([first, *reasons[1:]])
    return () if hard else _drawn(question, here)


def _nowhere_else(question: Question, reason: Reason) -> Reason:
    """The reason why it may not stay; and that no other node may run it, if for other reasons."""
    others = [n for n in question.facts.cluster.hosts if n.name not in question.domain.nodes]
    alike = (any(r.what == reason.what for r in against_it(question, other)) for other in others)
    if all(alike):
        return reason
    return reason._replace(what=f"{reason.what}; no other node may run it")


def _would_stay(question: Question, move: Movement, reasons: Sequence[Reason]) -> bool:
    """Whether it would without these reasons; what cannot be tried forbids it by the model."""
    here, inquiry = question.domain.nodes[0], question.inquiry
    if not any(reason.change for reason in reasons):
        return True
    if not inquiry or not inquiry.verdict(reasons, None):
        return question.facts.scores.get(here) == NEVER
    moves = imminent(question, reasons)
    if move.kind == "stop":
        return all(one.target for one in moves)
    return all(one.target == here for one in moves) and not (moves and move.kind == "restart")


def _at_its_end(question: Question) -> Iterator[Reason]:
    """What the end of what leaves it alone would do to it; the scheduler says nothing before."""
    ends = [reason for reason in troubles(question) if _leaves_alone(reason)]
    for move in imminent(question, ends) if ends else ():
        yield Reason(f"nothing happens to it before that ends; then it would {phrase(move)}")


def _leaves_alone(reason: Reason) -> bool:
    maintenance = Change("property", "maintenance-mode", "false")
    change = reason.change
    if change and change.kind == "unset":
        return change.value in ("is-managed", "maintenance")
    return change is not None and (change.kind in ("wake", "manage") or change == maintenance)


def _takes_out(reason: Reason) -> bool:
    """Whether its command, and not only what was tried, takes a constraint out."""
    drops = reason.change and reason.change.kind == "drop"
    return bool(drops and (reason.do.startswith("hxm ") or asks_nobody(reason.do)))


def _at_once(
    question: Question, reasons: Sequence[Reason]
) -> tuple[tuple[Reason, ...], tuple[str, ...]]:
    """Whose commands, and what moves then: of what leaves it alone, or of the first constraint.

    A domU that is to be moved for another reason is not told again.
    """
    inquiry, cluster = question.inquiry, question.facts.cluster
    alone = [reason for reason in reasons if _leaves_alone(reason)]
    ends = alone or [reason for reason in reasons if _takes_out(reason)][:1]
    if not ends or not inquiry or unforeseen(ends):
        return (), ()
    now, then = inquiry.verdict((), None), inquiry.verdict(ends, None)
    before = now.movements if now else ()
    own = [move for move in imminent(question, ends) if move not in before]
    first = () if alone else [f"{name_of(cluster, move)} would {phrase(move)}" for move in own]
    if not now or not then:
        return (), ()
    return tuple(ends), (*first, *would_move(question, then, before))


def _drawn(question: Question, here: str) -> Sequence[Reason]:
    """What makes it leave a node that may run it."""
    return _drawn_away(question, here) or attracted(question, here)


def _drawn_away(question: Question, here: str) -> Sequence[Reason]:
    """What is against the node where it runs, and forbids nothing: the likeliest that is enough."""
    node = question.facts.cluster.node(here)
    weighed = against_it(question, node) if node else ()
    return first_that_holds(question, here, [reason for reason in weighed if reason.change])


def _misplaced(question: Question, here: str, *, leaves: bool) -> list[Reason]:
    """Why the node where it runs may not run it; nothing if the scheduler leaves it there.

    Of a host in standby, and of what must run with it, its score tells nothing.
    """
    facts, inquiry = question.facts, question.inquiry
    if facts.scores.get(here, NEVER) != NEVER and not leaves:
        return []
    general = hard_ones(troubles(question))
    if general and inquiry and inquiry.reaches(general, here):
        return []
    known = {reason.change for reason in general if reason.change}
    node = facts.cluster.node(here)
    weighed = against_it(question, node) if node else []
    hard = [reason for reason in hard_ones(weighed) if reason.change not in known]
    if inquiry and not inquiry.reaches((), here):
        confirmed = inquiry.confirmed([[*general, *hard], weighed, question.unknown], here)
        brief = in_brief(question, confirmed) if confirmed else hard
        hard = [reason for reason in brief if reason.change not in known]
    else:  # it is left alone there, whatever is changed
        hard = list(as_facts(hard))
    return [reason._replace(what=f"it may not run on {here}: {reason.what}") for reason in hard]


def _barred(question: Question, here: str) -> list[Reason]:
    """Why no other node may run it; nothing if one may.

    A score that allows it outweighs all but utilization, of which it tells nothing.
    """
    facts, inquiry = question.facts, question.inquiry
    others = [node for node in facts.cluster.hosts if node.name != here]
    by_node = {node.name: hard_ones(against_it(question, node)) for node in others}
    usable = [node.name for node in others if node.usable]  # of others the score says nothing
    full = [
        name
        for name, reasons in by_node.items()
        if UNCOUNTED in [reason.change for reason in reasons]
    ]
    free = [name for name in usable if name not in full and facts.scores.get(name, NEVER) != NEVER]
    if free or not all(by_node.values()):
        return []
    nodes: dict[Reason, list[str]] = {}
    first: dict[tuple[str, str, str], Reason] = {}
    sure: dict[Reason, Sequence[Reason]] = {}
    for name, reasons in by_node.items():
        node, alike = facts.cluster.node(name), reasons[0]._replace(change=None)
        alike = first.setdefault(reasons[0].alike, alike)
        if node and (offer := makes_room(question, node, reasons)):
            what = f"{reasons[0].what}, until a move there makes room"
            alike = offer._replace(what=what, confirmed=True)
            sure[alike] = [alike]
        elif alike not in sure:
            sure[alike] = (inquiry.confirmed([reasons], name) if inquiry else None) or reasons[:1]
        nodes.setdefault(alike, []).append(name)
    return [
        judged_alone(question, reason, names[0])._replace(
            what=f"{listed(names)} may not run it: {reason.what}"
        )
        for alike, names in nodes.items()
        for reason in sure[alike]
    ]
