"""What is against a domU where it runs once the cluster has done what it is about to do."""

from __future__ import annotations

from collections.abc import Collection

from hxm.model import Cluster, Node, Resource
from hxm.policy import is_promoted
from hxm.policy.forecast import after_all
from hxm.policy.indexed import primitive_of
from hxm.policy.reasons.attraction import gives_way
from hxm.policy.reasons.dependencies import against
from hxm.policy.reasons.facts import Facts, Reason, forbids
from hxm.policy.reasons.question import Question
from hxm.policy.reasons.room import UNCOUNTED


def against_it(question: Question, node: Node) -> list[Reason]:
    """What will be against the node when all others are where they are about to be, or else is.

    What it needs may run there still, and what it keeps away from not yet. What does not run is
    told of what keeps it down as things are.
    """
    facts, coming = question.facts, ahead(question)
    as_now = list(against(facts, question.subject, node))
    if not question.domain.nodes and forbids(as_now):
        return as_now
    if coming.now and forbids(reasons := list(against(coming, question.subject, node))):
        above = list(gives_way(question, node.name))
        return [
            reason._replace(what=above[0].what, evidence=reason.what)
            if above and reason.change == UNCOUNTED
            else reason
            for reason in reasons
        ]
    return as_now


def ahead(question: Question) -> Facts:
    """The facts with all others where they are about to be; the same where none is to move."""
    facts, parts = question.facts, question.subject.parts
    verdict = question.inquiry.verdict((), None) if question.inquiry else None
    if not verdict:
        return facts
    others = tuple(move for move in verdict.movements if move.resource not in parts)
    demoted = frozenset(one for one in verdict.demoted if one[0] not in parts)
    if not others and not demoted:
        return facts

    def make() -> Facts:
        after = _demoted(after_all(facts.cluster, [others]), demoted)
        return facts._replace(cluster=after, now=facts.cluster, causes={}, memory={})

    return facts.once(("ahead", others, demoted), make)._replace(scores=facts.scores)


def _demoted(cluster: Cluster, demoted: Collection[tuple[str, str]]) -> Cluster:
    """The cluster with these instances no longer promoted."""
    resources = tuple(
        state._replace(role="Unpromoted")
        if is_promoted(state.role) and _ends(state, demoted)
        else state
        for state in cluster.resources
    )
    return cluster._replace(resources=resources)


def _ends(state: Resource, demoted: Collection[tuple[str, str]]) -> bool:
    return any((primitive_of(state.id), node) in demoted for node in state.nodes)
