"""Confirms reasons with the real scheduler, on copies of the CIB."""

from __future__ import annotations

from collections.abc import Sequence

from hxm.model import Domain, Node
from hxm.pacemaker.what_if import Simulations, WhatIf
from hxm.plan import Movement
from hxm.policy.forecast import movements
from hxm.policy.reasons.elements import likeliest_first
from hxm.policy.reasons.facts import Change, Facts, Reason, Subject, subject_in
from hxm.policy.reasons.hosts import HostAnswer, Scores, ask_host
from hxm.policy.reasons.question import Answer, Question
from hxm.policy.reasons.related import needed
from hxm.policy.reasons.search import Inquiry, Sought
from hxm.policy.reasons.threats import Threat, departing, departures, doubled
from hxm.policy.reasons.why import ask


def confirmed_host(facts: Facts, node: Node, simulations: Simulations) -> HostAnswer:
    """What could not leave the host, and what cannot come to it, by the scheduler.

    Raises CannotAsk if the scheduler gives no answer.
    """

    def asked(changes: Sequence[Change]) -> tuple[Sequence[Movement], Scores]:
        answer = simulations.ask(changes)
        return (movements(answer.actions, facts.cluster), answer.scores) if answer else ((), {})

    answer = ask_host(facts, node, asked)
    going = [*about_to_go(facts, simulations, node)]
    names = {name for _, some, _ in going for name in some}
    stuck = {name: reasons for name, reasons in answer.leaving.items() if name not in names}
    leave = tuple(reason for *_, reason in going)
    return answer._replace(general=(*answer.general, *leave), leaving=stuck)


def about_to_go(facts: Facts, simulations: Simulations, node: Node | None = None) -> list[Threat]:
    """What the cluster is about to do to domUs that run, on this node or on any, and why."""
    if not (now := simulations.ask(())):
        return []
    questions = []
    for domain in departing(facts.cluster, simulations.moved(())):
        if not node or node.name in domain.nodes:
            subject = subject_in(facts.cluster, domain)
            inquiry, unknown = inquiry_about(facts, subject, simulations)
            known = facts._replace(scores=now.scores.get(domain.resource, {}))
            questions.append(Question(known, domain, subject, inquiry, unknown))
    twice = doubled(facts.cluster, simulations.moved(()))
    return [*departures(questions), *(twice if not node else ())]


def inquiry_about(
    facts: Facts, subject: Subject, simulations: Simulations, node: str | None = None
) -> tuple[Inquiry, Sequence[Reason]]:
    """Questions about one resource, and what else in the CIB may be the reason."""
    what_if = WhatIf(simulations, subject)

    def unknown() -> Sequence[Reason]:
        elements = what_if.unknown(needed(facts, subject), node)
        return likeliest_first(facts, subject, elements, node)

    return Inquiry(what_if.ask), Sought(unknown)


def confirmed(facts: Facts, domain: Domain, node: Node | None, simulations: Simulations) -> Answer:
    """The answer with its reasons confirmed. Raises CannotAsk if the scheduler gives no answer."""
    subject = subject_in(facts.cluster, domain)
    inquiry, unknown = inquiry_about(facts, subject, simulations, node.name if node else None)
    now = inquiry.verdict((), None)
    known = facts._replace(scores=now.scores if now else {})
    return ask(known, domain, node, inquiry, unknown)
