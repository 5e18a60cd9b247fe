"""Confirms reasons with the real scheduler, on copies of the CIB."""

from __future__ import annotations

from collections.abc import Sequence

from hxm.model import Domain, Node
from hxm.pacemaker.what_if import Simulations, WhatIf
from hxm.plan import Movement
from hxm.policy.forecast import movements
from hxm.policy.reasons.dependencies import needed
from hxm.policy.reasons.facts import Change, Facts, Reason, Subject, subject_in
from hxm.policy.reasons.hosts import HostAnswer, Scores, ask_host
from hxm.policy.reasons.question import Answer
from hxm.policy.reasons.search import Inquiry
from hxm.policy.reasons.why import ask
from hxm.policy.relations import applying


def confirmed_host(facts: Facts, node: Node, simulations: Simulations) -> HostAnswer:
    """What could not leave the host, and what cannot come to it, by the scheduler.

    Raises CannotAsk if the scheduler gives no answer.
    """

    def asked(changes: Sequence[Change]) -> tuple[Sequence[Movement], Scores]:
        actions, scores = simulations.ask(changes) or ((), {})
        return movements(actions, facts.cluster), scores

    return ask_host(facts, node, asked)


def inquiry_about(
    facts: Facts, subject: Subject, simulations: Simulations, node: str | None = None
) -> tuple[Inquiry, list[Reason]]:
    """Questions about one resource, and what else in the CIB may be the reason."""
    what_if, idle = WhatIf(simulations, subject), _idle(facts, node)
    unknown = what_if.unknown(needed(facts, subject), node)
    unknown.sort(key=lambda reason: reason.change in idle)
    return Inquiry(what_if.ask), unknown


def _idle(facts: Facts, node: str | None) -> set[Change]:
    """The locations that say nothing of the node, or of any, as far as they are understood."""
    relations, nodes = facts.relations, [known.name for known in facts.cluster.nodes]
    speaking = {
        location.id
        for location in relations.locations
        if location.dated
        or not all(expression.judged for expression in location.expressions)
        or any(applying(relations, location, name) for name in ([node] if node else nodes))
    }
    ids = {location.id for location in relations.locations} - speaking
    return {Change("drop", name) for name in ids}


def confirmed(facts: Facts, domain: Domain, node: Node | None, simulations: Simulations) -> Answer:
    """The answer with its reasons confirmed. Raises CannotAsk if the scheduler gives no answer."""
    subject = subject_in(facts.cluster, domain)
    inquiry, unknown = inquiry_about(facts, subject, simulations, node.name if node else None)
    now = inquiry.verdict((), None)
    known = facts._replace(scores=now.scores if now else {})
    return ask(known, domain, node, inquiry, unknown)
