"""Why a domU runs where it does, or does not run: reasons in plain words, the weightiest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from hxm.model import Domain, ManagedDomain, Node, is_managed
from hxm.plan import Movement
from hxm.policy import guards, listed, start_failed, typed
from hxm.policy.forecast.movement_kinds import phrase
from hxm.policy.guards import location
from hxm.policy.reasons.dependencies import against, weight
from hxm.policy.reasons.facts import NEVER, Change, Facts, Reason, forbids, places, subject_in
from hxm.policy.reasons.offer import allowed, comes, free, makes_room, offered, refusals, staying
from hxm.policy.reasons.promotion import not_promoted
from hxm.policy.reasons.question import (
    Answer,
    Question,
    as_facts,
    failures_of,
    hard_ones,
    in_brief,
    no_reason,
    side_effects,
    troubles,
    unforeseen,
    unknown,
    would_move,
)
from hxm.policy.reasons.room import UNCOUNTED
from hxm.policy.reasons.search import Inquiry, Verdict
from hxm.policy.state import fencing
from hxm.policy.state.running_twice import on_two_nodes


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
    general = list(as_facts(troubles(question)))
    role = "runs" if domain.role in ("Started", None) else f"is {domain.role}"
    role = "failed to start" if start_failed(facts.cluster, domain) else role
    says = f"{domain.name} {role} on {listed(domain.nodes)}"
    lost = facts.cluster.node(domain.nodes[0])
    if lost and lost.unclean and not lost.online:
        says = f"{domain.name} was on {lost.name}, which is {lost.condition}: whether it still runs"
        says += " there is not known"
    if len(domain.nodes) > 1:
        says = f"{domain.name} is {domain.role or 'active'} on {listed(domain.nodes)}"
        inside = [domain._replace(resource=part.id) for part in question.subject.inside]
        if list(on_two_nodes(facts.cluster, [domain])):
            inside = []  # whose remedy names the failure, and says when that is to be forgotten
        failed = [reason for part in inside for reason in as_facts(failures_of(facts, part))]
        return Answer(says, (*general, *failed, *as_facts(not_promoted(facts, question.subject))))
    here = domain.nodes[0]
    imminent = [] if domain.in_flight else _imminent(question)
    leaves = any(move.source == here != move.target for move in imminent)
    misplaced = _misplaced(question, here, leaves=leaves)
    stops = not all(move.target for move in imminent) and not forbids(general)
    barred = [] if misplaced and not stops else _barred(question, here)
    drawn = _drawn_away(question, here) if leaves and not (misplaced or forbids(general)) else ()
    reasons = [*general, *misplaced, *drawn, *(barred if stops else ())]
    ends = {one.do for one in general}
    failures = [] if barred or misplaced else as_facts(failures_of(facts, domain))
    reasons += [failure for failure in failures if failure.do not in ends]
    if not leaves and not forbids(general) and not misplaced:
        reasons += staying(question, here, barred)
    acts = "the cluster is about to act: it would"
    reasons += [Reason(f"{acts} {phrase(other_reason)}") for other_reason in imminent]
    return Answer(says, tuple(dict.fromkeys(reasons)))


def _imminent(question: Question) -> list[Movement]:
    """What the cluster is about to do with it, although nothing is changed."""
    verdict = question.inquiry.verdict((), None) if question.inquiry else None
    return _own(question, verdict) if verdict else []


def _own(question: Question, verdict: Verdict) -> list[Movement]:
    """The movements of the resource itself, and of what is in it."""
    return [move for move in verdict.movements if move.resource in question.subject.parts]


def _drawn_away(question: Question, here: str) -> Sequence[Reason]:
    """What is against the node where it runs, and forbids nothing: the likeliest that is enough."""
    node, inquiry = question.facts.cluster.node(here), question.inquiry
    if not node or not inquiry:
        return ()
    weighed = [one for one in against(question.facts, question.subject, node) if one.change]
    for reasons in (*([reason] for reason in weighed), weighed):
        verdict = inquiry.verdict(reasons, None)
        if verdict and not any(move.source == here for move in _own(question, verdict)):
            return [reason._replace(confirmed=True) for reason in reasons]
    return ()


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
    against_it = against(facts, question.subject, node) if node else ()
    hard = [reason for reason in hard_ones(against_it) if reason.change not in known]
    if inquiry and not inquiry.reaches((), here):
        confirmed = inquiry.confirmed([[*general, *hard], question.unknown], here)
        brief = in_brief(question, confirmed) if confirmed else hard
        hard = [reason for reason in brief if reason.change not in known]
    else:  # it is left alone there, whatever is changed
        hard = list(as_facts(hard))
    return [reason._replace(what=f"it may not run on {here}: {reason.what}") for reason in hard]


def _down(question: Question) -> Answer:
    """Why it runs nowhere: what holds everywhere, and what is against each node."""
    facts, domain, inquiry = question.facts, question.domain, question.inquiry
    if domain.resource in facts.cluster.unlisted:
        (objection,) = location.not_listed(facts.cluster, [domain])
        return Answer(f"it is not known where {domain.name} runs", (Reason.of(objection),))
    parts = [part.id for part in question.subject.inside if places(facts, part.id)]
    says = f"{domain.name} {f'runs only in part: {listed(parts)}' if parts else 'does not run'}"
    general = list(troubles(question))
    whole = hard_ones(general)
    nodes = _likeliest_first(question)
    if not inquiry:
        first = {node.name: (hard_ones(reasons) or reasons)[:1] for node, reasons in nodes.items()}
        shown = [] if whole else list(_together(facts, first))
        return Answer(says, (*general, *shown))
    if inquiry.reaches((), None):
        verdict = inquiry.verdict((), None)
        now = _about_to_start(question, verdict.movements if verdict else ())
        soft = [reason for reason in general if not reason.absolute]
        return Answer(says, (*whole, now, *soft), would_move(question, verdict))
    confirmed = inquiry.confirmed([whole], None)
    if confirmed:
        shown = [*_as_typed(question, confirmed), *_notes(confirmed, general)]
        return Answer(says, tuple(shown), side_effects(question, confirmed, None))
    together = _all_together(inquiry, whole, nodes)
    node = next(iter(nodes))
    soft = [reason for reason in general if not reason.absolute]
    tiers = [[*whole, *hard_ones(nodes[node])], [*soft, *nodes[node], *failures_of(facts, domain)]]
    confirmed = inquiry.confirmed([*tiers, question.unknown], None)
    if not confirmed:  # what holds everywhere is a reason also where nothing is against the node
        with_any = {
            node.name: reasons for node, reasons in nodes.items() if hard_ones(reasons) or not whole
        }
        return Answer(says, (*general, *_together(facts, with_any)))
    here_only = [reason.change for reason in nodes[node]]
    brief = in_brief(question, confirmed)
    everywhere_ = [reason for reason in brief if reason.change not in here_only]
    by_node: dict[str, Sequence[Reason]] = {}
    if here := [reason for reason in brief if reason not in everywhere_]:
        for other, reasons in nodes.items():
            scores = together.scores if together else {}
            may = scores.get(other.name, NEVER) != NEVER
            of_another = _of_another(inquiry, whole, reasons, may=may)
            by_node[other.name] = here if other is node else of_another
    shown = _as_typed(question, [*everywhere_, *_together(facts, by_node)])
    if shown[1:] and _starts(question, shown[-1]):
        says += f": {shown[-1].what}, and would have no place if it were not"
    shown += _notes(confirmed, general)
    also = side_effects(question, confirmed, None)
    differ = len({tuple(reason.change for reason in reasons) for reasons in by_node.values()}) > 1
    also_on = node.name if differ else None
    return Answer(says, tuple(dict.fromkeys(shown)), also, also_on=also_on)


def _about_to_start(question: Question, movements: Iterable[Movement]) -> Reason:
    """That the cluster starts it, where, and after what."""
    cluster, resource = question.facts.cluster, question.domain.resource
    targets = [move.target for move in movements if move.resource == resource and move.target]
    where = f" on {targets[0]}" if targets else ""
    lost = [node.name for node in cluster.nodes if node.unclean]
    waits = lost and fencing.is_required(cluster, resource)
    after = f", after the fencing of {listed(lost, 4)}" if waits else ""
    return Reason(f"the cluster is about to start it{where}{after}")


def _as_typed(question: Question, reasons: Iterable[Reason]) -> list[Reason]:
    """In the order in which the commands work: hxm starts nothing that would have no place.

    States come before what was written to stay. Of what is told to stop the deepest comes first,
    and the resource itself last of all.
    """
    shown = list(reasons)
    at = [
        number
        for number, reason in enumerate(shown)
        if reason.change and reason.change.kind == "start"
    ]
    for number, start in zip(at, [shown[number] for number in reversed(at)], strict=True):
        shown[number] = start
    return sorted(shown, key=lambda reason: _turn(question, reason))


def _turn(question: Question, reason: Reason) -> tuple[bool, bool, bool]:
    """By which the reasons are put in order; before the quorum is back no lost node is fenced."""
    return _starts(question, reason), reason.lasting, reason.change != Change("quorum")


def _starts(question: Question, reason: Reason) -> bool:
    """Whether it is that the resource itself is told to stop."""
    change = reason.change
    return bool(change and change.kind == "start" and change.subject in question.subject.ids)


def _likeliest_first(question: Question) -> dict[Node, list[Reason]]:
    """What is against each node, those first that are the nearest to running it."""
    facts = question.facts
    able = facts.cluster.nodes
    if facts.cluster.domain_of(question.subject.id):
        able = tuple(node for node in able if not list(guards.no_host(node)))
    nodes = {node: list(against(facts, question.subject, node)) for node in able}
    return {node: nodes[node] for node in sorted(nodes, key=lambda node: weight(node, nodes[node]))}


def likely(facts: Facts, domain: ManagedDomain) -> list[Reason]:
    """What has to go, by the model, for a domU to run on the likeliest node."""
    question = Question(facts, domain, subject_in(facts.cluster, domain))
    first = next(iter(_likeliest_first(question).values()), [])
    return hard_ones([*troubles(question), *first])


_FEW = 3
"""The causes that an ordinary number of simulations tells apart."""


def _all_together(
    inquiry: Inquiry, whole: Sequence[Reason], nodes: Mapping[Node, Sequence[Reason]]
) -> Verdict | None:
    """What the scheduler would do without all causes of all nodes; None: they are few, or stay."""
    causes = {
        reason.change: reason
        for reasons in (whole, *nodes.values())
        for reason in hard_ones(reasons)
    }
    verdict = inquiry.verdict([*causes.values()], None) if len(causes) > _FEW else None
    return verdict if verdict and verdict.reached else None


def _of_another(
    inquiry: Inquiry, whole: Sequence[Reason], reasons: Sequence[Reason], *, may: bool
) -> Sequence[Reason]:
    """What is against a further node; only supposed where the scheduler may not be asked again.

    Unless it `may` run there without all that is against any node.
    """
    hard = hard_ones(reasons)
    confirmed = inquiry.confirmed([[*whole, *hard], reasons], None) if reasons else None
    nearest = {reason.change or reason.what: reason for reason in reversed(hard)}
    by_score = [r._replace(confirmed=True) for r in reversed(nearest.values()) if may]
    everywhere_ = [reason.change for reason in whole]
    shown = confirmed or by_score or hard[:1]
    return [reason for reason in shown if reason.change not in everywhere_]


def _notes(confirmed: Sequence[Reason], general: Sequence[Reason]) -> Iterator[Reason]:
    """What else is to be known, and is no cause."""
    changes = [reason.change for reason in confirmed]
    for reason in general:
        if not reason.absolute and (not reason.change or reason.change not in changes):
            yield reason


def _elsewhere(question: Question, node: Node) -> Answer:
    """Why it is not on that node: what holds everywhere, then what holds there."""
    facts, domain, inquiry = question.facts, question.domain, question.inquiry
    elsewhere = f", but on {listed(domain.nodes)}" if domain.nodes else ""
    says = f"{domain.name} does not run on {node.name}{elsewhere}"
    domu = facts.cluster.domain_of(domain.resource)
    if domu and (no_host := [Reason.of(objection) for objection in guards.no_host(node)]):
        return Answer(says, tuple(no_host))
    general = list(troubles(question))
    there = list(against(facts, question.subject, node))
    if not inquiry:
        reasons = [*general, *sorted(there, key=lambda reason: not reason.absolute)]
        offers = [] if forbids(reasons) else free(question, node)
        return Answer(says, tuple(dict.fromkeys(reasons + offers)))
    hard = [*hard_ones(general), *hard_ones(there)]
    if inquiry.reaches((), node.name):
        return allowed(question, node, [*general, *there])
    if makes_room(question, node, hard):
        soft = [*general, *(reason._replace(absolute=False) for reason in there)]
        return allowed(question, node, soft, gently=True)
    soft = [reason for reason in (*general, *there) if not reason.absolute]
    movable = soft and domain.nodes and not hard and facts.cluster.domain_of(domain.resource)
    if movable and comes(question, node, [offered(question, node)]):
        return allowed(question, node, soft)  # its score there is below 0, and a move outweighs it
    plain = all(reason.change for reason in hard)  # else it is a fact that nothing can be tried for
    tiers = [hard, [*soft, *failures_of(facts, domain)], question.unknown if plain else ()]
    confirmed = inquiry.confirmed(tiers, node.name)
    if confirmed:
        refused = refusals(question, node, hard, confirmed)
        shown = _as_typed(question, [*refused, *in_brief(question, confirmed)])
        notes = [reason for reason in general if not reason.absolute and reason not in confirmed]
        goes = None if domain.nodes or unforeseen(confirmed) else _goes(question, confirmed)
        if goes and goes != node.name:
            then = f"it would start on {goes}, and only then come to {node.name}"
            notes.insert(0, Reason(then, do=f"hxm migrate {typed(domain)} {node.name}"))
        also = side_effects(question, confirmed, node if domain.nodes else None)
        if domain.nodes and not unforeseen(confirmed):
            notes = [*_then(question, node, confirmed), *notes]
        return Answer(says, (*shown, *notes), also)
    rest = [unknown(facts, domain, node.name)] if plain and not hard else []
    return Answer(says, tuple(dict.fromkeys([*hard, *rest])))


def _then(question: Question, node: Node, confirmed: Sequence[Reason]) -> Iterator[Reason]:
    """The move, where the cluster does not bring it by itself without these reasons."""
    offer = offered(question, node)._replace(what="then a move brings it there")
    if not comes(question, node, confirmed) and comes(question, node, [*confirmed, offer]):
        yield offer._replace(change=None)


def _goes(question: Question, confirmed: Sequence[Reason]) -> str | None:
    """Where it would start without these reasons, where nothing else keeps it to a node."""
    verdict = question.inquiry.verdict(confirmed, None) if question.inquiry else None
    own = question.subject.parts
    moved = verdict.movements if verdict else ()
    return next((move.target for move in moved if move.resource in own and move.target), None)


def _together(facts: Facts, by_node: Mapping[str, Sequence[Reason]]) -> Iterator[Reason]:
    """All that is against each node, nodes with the same together."""
    names = list(by_node)
    nodes: dict[tuple[str, ...], list[str]] = {}
    by_words: dict[tuple[str, ...], Reason] = {}
    for name, reasons in by_node.items():
        for reason in hard_ones(reasons) or list(reasons)[:1] or [no_reason(facts, name)]:
            key = reason.what, reason.evidence, reason.do
            nodes.setdefault(key, []).append(name)
            by_words.setdefault(key, reason)
    for words, where in nodes.items():
        yield by_words[words].of_nodes(where, every=where == names and len(names) > 1)


def _barred(question: Question, here: str) -> list[Reason]:
    """Why no other node may run it; nothing if one may.

    A score that allows it outweighs all but utilization, of which it tells nothing.
    """
    facts, inquiry = question.facts, question.inquiry
    others = [node for node in facts.cluster.hosts if node.name != here]
    by_node = {node.name: hard_ones(against(facts, question.subject, node)) for node in others}
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
    sure: dict[Reason, Sequence[Reason]] = {}
    for name, reasons in by_node.items():
        alike, node = reasons[0]._replace(change=None), facts.cluster.node(name)
        if node and makes_room(question, node, reasons):
            what = f"{reasons[0].what}, until a move there makes room"
            alike = offered(question, node)._replace(what=what, confirmed=True)
            sure[alike] = [alike]
        elif alike not in sure:
            sure[alike] = (inquiry.confirmed([reasons], name) if inquiry else None) or reasons[:1]
        nodes.setdefault(alike, []).append(name)
    return [
        reason._replace(what=f"{listed(names)} may not run it: {reason.what}")
        for alike, names in nodes.items()
        for reason in sure[alike]
    ]
