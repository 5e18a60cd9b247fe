"""Why a domU runs where it does, or does not run: reasons in plain words, the weightiest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from hxm.model import Domain, ManagedDomain, Node, is_managed
from hxm.policy import guards, listed, typed
from hxm.policy.guards import location
from hxm.policy.reasons.ahead import against_it
from hxm.policy.reasons.beside import judged, of_each_node
from hxm.policy.reasons.facts import (
    NEVER,
    Change,
    Facts,
    Reason,
    forbids,
    nameless,
    places,
    preference,
    subject_in,
    subject_of,
    weight,
)
from hxm.policy.reasons.offer import (
    about_to_start,
    allowed,
    brings,
    comes,
    free,
    makes_room,
    offered,
    refusals,
    then_offered,
)
from hxm.policy.reasons.one_of import instead
from hxm.policy.reasons.question import (
    Answer,
    Question,
    about_to,
    failures_of,
    hard_ones,
    imminent,
    in_brief,
    no_reason,
    side_effects,
    troubles,
    unforeseen,
    unknown,
    would_move,
)
from hxm.policy.reasons.related import needed
from hxm.policy.reasons.running import leaving, running
from hxm.policy.reasons.search import Inquiry, Verdict
from hxm.policy.reasons.strangers import of_stranger
from hxm.policy.state.on_fail import ignored


def ask(
    facts: Facts,
    domain: Domain,
    node: Node | None = None,
    inquiry: Inquiry | None = None,
    unknown: Sequence[Reason] = (),
    *,
    brief: bool = False,
) -> Answer:
    """Why it runs where it does or does not run; with a node, why it is not there.

    In `brief` without what else would move.
    """
    if not is_managed(domain):
        return of_stranger(facts.cluster, domain)
    subject = subject_in(facts.cluster, domain)
    question = Question(facts, domain, subject, inquiry, unknown, brief)
    if node and node.name not in domain.nodes:
        answer = _elsewhere(question, node)
    else:
        answer = running(question) if domain.nodes else _down(question)
    return judged(question, answer, node)._replace(scores=facts.scores)


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
        now = about_to_start(question, verdict.movements if verdict else ())
        whole += _taken_to_run(question)
        soft = [reason for reason in general if not reason.absolute]
        return Answer(says, (*whole, now, *soft), would_move(question, verdict))
    confirmed = inquiry.confirmed([whole], None)
    if confirmed:
        shown = [*_as_typed(question, confirmed), *_notes(confirmed, general)]
        also = side_effects(question, confirmed, None)
        return Answer(says, tuple(shown), also, covered=tuple(confirmed))
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
            by_node[other.name] = here
            if other is not node:
                scores = together.scores if together else {}
                may = scores.get(other.name, NEVER) != NEVER
                by_node[other.name] = _of_another(inquiry, whole, other, reasons, may=may)
    by_node, elsewhere = of_each_node(question, everywhere_, by_node, [node.name])
    shown = _as_typed(question, [*everywhere_, *_together(facts, by_node)])
    if shown[1:] and _starts(question, shown[-1]):
        says += f": {shown[-1].what}, and would have no place if it were not"
    shown += [*instead(inquiry, confirmed, tiers[0], None), *_notes(confirmed, general)]
    also = side_effects(question, confirmed, None)
    differ = len({tuple(reason.change for reason in reasons) for reasons in by_node.values()}) > 1
    also_on = node.name if differ else None
    foreseen = () if unforeseen(confirmed) else confirmed
    covered = tuple(reason for other, _ in elsewhere for reason in by_node[other])
    covered += (*foreseen, *everywhere_)
    elsewhere = elsewhere if differ else ()
    return Answer(says, tuple(dict.fromkeys(shown)), also, {}, also_on, elsewhere, covered)


def _taken_to_run(question: Question) -> Iterator[Reason]:
    """What it needs, has failed, and counts as if it had not: it would start without that."""
    cluster, subject = question.facts.cluster, question.subject
    below = [subject_of(cluster, name) for name in needed(question.facts, subject)]
    parts = {part.id for one in below for part in one.inside} - subject.parts
    for failure in cluster.failures:
        if failure.resource in parts and (hidden := ignored(cluster, failure)):
            what = f"{failure.operation} of {failure.resource} failed on {failure.node}"
            do = f"{hidden.do}; then hxm cleanup {failure.resource} {failure.node}"
            evidence = f"{failure.reason}, {failure.when}"
            yield Reason(f"{what}; {hidden.what}", evidence, do, absolute=True)


def _as_typed(question: Question, reasons: Iterable[Reason]) -> list[Reason]:
    """In the order in which the commands work: hxm starts nothing that would have no place.

    States come before what was written to stay, and that before what only leads on. Of what is told
    to stop the deepest comes first, and the resource itself last of all.
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


def _turn(question: Question, reason: Reason) -> tuple[bool, ...]:
    """By which the reasons are put in order; before the quorum is back no lost node is fenced."""
    before_quorum = reason.change != Change("quorum")
    return _starts(question, reason), reason.unfollowed, reason.lasting, before_quorum


def _starts(question: Question, reason: Reason) -> bool:
    """Whether it is that the resource itself is told to stop."""
    change = reason.change
    return bool(change and change.kind == "start" and change.subject in question.subject.ids)


def _likeliest_first(question: Question) -> dict[Node, list[Reason]]:
    """What is against each node, those first that are the nearest to running it."""
    key = "likeliest", question.subject.id, bool(question.inquiry)
    return question.facts.once(key, lambda: _by_weight(question))


def _by_weight(question: Question) -> dict[Node, list[Reason]]:
    facts = question.facts
    able = facts.cluster.nodes
    if facts.cluster.domain_of(question.subject.id):
        able = tuple(node for node in able if not list(guards.no_host(node)))
    nodes = {node: against_it(question, node) for node in able}

    def distance(node: Node) -> tuple[bool, tuple[object, ...], int]:
        changes = [reason.change for reason in nodes[node]]
        unmeant = Change("allow", question.subject.id, node.name) in changes
        return (
            unmeant,
            weight(node, nodes[node]),
            -preference(question.facts, question.subject, node.name),
        )

    return {node: nodes[node] for node in sorted(nodes, key=distance)}


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
    inquiry: Inquiry, whole: Sequence[Reason], node: Node, reasons: Sequence[Reason], *, may: bool
) -> Sequence[Reason]:
    """What is against a further node; only supposed where the scheduler may not be asked again.

    Unless it `may` run there without all that is against any node.
    """
    hard = hard_ones(reasons)
    confirmed = inquiry.confirmed([[*whole, *hard], reasons], node.name) if reasons else None
    nearest = {reason.change or reason.what: reason for reason in reversed(hard)}
    by_score = [r._replace(confirmed=True) for r in reversed(nearest.values()) if may]
    everywhere_ = [reason.change for reason in whole]
    shown = confirmed or by_score or sorted(hard, key=lambda reason: not reason.lasting)[:1]
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
    if coming := _comes_there(question, node):
        return Answer(says, tuple(coming))
    general = list(troubles(question))
    there = against_it(question, node)
    if not inquiry:
        reasons = [*general, *sorted(there, key=lambda reason: not reason.absolute)]
        offers = [] if forbids(reasons) else free(question, node)
        return Answer(says, tuple(dict.fromkeys(reasons + offers)))
    hard = [*hard_ones(general), *hard_ones(there)]
    if inquiry.reaches((), node.name):
        return allowed(question, node, [*general, *there])
    if makes_room(question, node, hard):
        soft = [*general, *(reason._replace(absolute=False) for reason in there)]
        return allowed(question, node, soft, makes_room=True)
    soft = [reason for reason in (*general, *there) if not reason.absolute]
    movable = soft and domain.nodes and not hard and facts.cluster.domain_of(domain.resource)
    if movable and brings(question, node, offered(question, node)[1]):
        return allowed(question, node, soft)  # its score there is below 0, and a move outweighs it
    plain = all(reason.change for reason in hard)  # else it is a fact that nothing can be tried for
    tiers = [hard, [*soft, *failures_of(facts, domain)], question.unknown if plain else ()]
    confirmed = inquiry.confirmed(tiers, node.name)
    if confirmed:
        refused = refusals(question, node, hard, confirmed)
        shown = _as_typed(question, [*refused, *in_brief(question, confirmed)])
        notes = [reason for reason in general if not reason.absolute and reason not in confirmed]
        goes = (
            None
            if not domu or domain.nodes or unforeseen(confirmed)
            else _goes(question, confirmed)
        )
        if goes and goes != node.name:
            then = f"it would start on {goes}, and only then come to {node.name}"
            notes.insert(0, Reason(then, do=f"hxm migrate {typed(domain)} {node.name}"))
        move, also = _then(question, node, confirmed)
        notes[:0] = instead(inquiry, confirmed, hard, node.name)
        covered = () if unforeseen(confirmed) else (*confirmed, *move)
        return Answer(says, (*shown, *move, *notes), also, covered=covered)
    rest = [unknown(facts, domain, node.name)] if plain and not hard else []
    return Answer(says, tuple(dict.fromkeys([*hard, *rest])))


def _comes_there(question: Question, node: Node) -> list[Reason]:
    """That the cluster is about to move it there from where it runs, and why."""
    domain = question.domain
    if len(domain.nodes) != 1 or domain.in_flight:
        return []
    here = domain.nodes[0]
    moves = [move for move in imminent(question) if (move.source, move.target) == (here, node.name)]
    causes = [
        reason._replace(what=f"it may not run on {here}: {reason.what}")
        if reason.absolute
        else reason
        for move in moves
        for reason in leaving(question, move)
    ]
    return [*causes, *about_to(moves)]


def _then(
    question: Question, node: Node, confirmed: Sequence[Reason]
) -> tuple[list[Reason], tuple[str, ...]]:
    """The move, where the cluster does not bring it by itself without these reasons.

    And what else would then move.
    """
    if not question.domain.nodes or comes(question, node, confirmed):
        return [], side_effects(question, confirmed, None)
    if unforeseen(confirmed) or not (then := then_offered(question, node, confirmed)):
        return [], side_effects(question, confirmed, node)
    return [then._replace(change=None)], side_effects(question, [*confirmed, then], None)


def _goes(question: Question, confirmed: Sequence[Reason]) -> str | None:
    """Where it would start without these reasons, where nothing else keeps it to a node."""
    return next((move.target for move in imminent(question, confirmed) if move.target), None)


_MANY = 8
"""Of more nodes than these nobody reads all that is against each."""


def _only_lasting(by_node: Mapping[str, Sequence[Reason]]) -> dict[str, Sequence[Reason]]:
    """Of the nodes with what was written to stay that alone, where others lack only what passes."""
    lasting = {
        name: [reason for reason in hard_ones(reasons) if reason.lasting]
        for name, reasons in by_node.items()
    }
    if all(lasting.values()):
        return dict(by_node)
    return {name: lasting[name] or reasons for name, reasons in by_node.items()}


def _together(facts: Facts, by_node: Mapping[str, Sequence[Reason]]) -> Iterator[Reason]:
    """All that is against each node, nodes with the same together."""
    names = list(by_node)
    by_node = _only_lasting(by_node) if len(names) > _MANY else by_node
    nodes: dict[tuple[str, str, str], list[str]] = {}
    by_words: dict[tuple[str, str, str], Reason] = {}
    for name, reasons in by_node.items():
        for reason in hard_ones(reasons) or list(reasons)[:1] or [no_reason(facts, name)]:
            key = reason.alike
            nodes.setdefault(key, []).append(name)
            by_words.setdefault(key, reason)
    for key, where in nodes.items():
        reason = by_words[key]
        of_one = key[-1] != reason.do != nameless(reason.do, where[0])
        every = not of_one and where == names and len(names) > 1
        yield reason.of_nodes(where, every=every)
