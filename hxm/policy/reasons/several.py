"""Of what runs on several nodes: a clone, or what should not."""

from __future__ import annotations

from collections.abc import Sequence

from hxm.model import Cluster, ManagedDomain
from hxm.plan import Movement
from hxm.policy import listed
from hxm.policy.forecast.movement_kinds import phrase
from hxm.policy.reasons.facts import Reason, places
from hxm.policy.reasons.instances import limits
from hxm.policy.reasons.promotion import not_promoted
from hxm.policy.reasons.question import (
    ACTS,
    Answer,
    Question,
    about_to,
    as_facts,
    failures_of,
    imminent,
)
from hxm.policy.state.running_twice import on_two_nodes


def on_both(cluster: Cluster, domain: ManagedDomain, move: Movement) -> str:
    """What the cluster is about to do with a domU that is active on several nodes."""
    option = cluster.primitives[domain.resource].meta.get("multiple-active", "")
    if move.kind == "stop" and option == "stop_unexpected":
        return phrase(move)
    starts = f", and start on {move.target}" if move.target else ""
    return f"stop on {listed(domain.nodes)}{starts}"


def on_several(question: Question, general: Sequence[Reason]) -> Answer:
    """Where it is promoted and where it only runs, what has failed, and why it is not on more."""
    facts, domain, subject = question.facts, question.domain, question.subject
    promoted = places(facts, subject.id, "Promoted")
    those = [name for name in domain.nodes if name in promoted] or domain.nodes
    others = [name for name in domain.nodes if name not in those]
    also = f", and runs on {listed(others)}" if others else ""
    says = f"{domain.name} is {domain.role or 'active'} on {listed(those)}{also}"
    inside = [domain._replace(resource=part.id) for part in subject.inside]
    if list(on_two_nodes(facts.cluster, [domain])):
        inside = []  # whose remedy names the failure, and says when that is to be forgotten
    failed = [reason for part in inside for reason in as_facts(failures_of(facts, part))]
    own = as_facts((*not_promoted(facts, subject), *limits(facts, subject)))
    acts = about_to(imminent(question))
    if domu := facts.cluster.domain_of(domain.resource):
        moves = [] if domain.in_flight else imminent(question)
        acts = [Reason(f"{ACTS} {on_both(facts.cluster, domu, move)}") for move in moves]
    return Answer(says, tuple(dict.fromkeys((*general, *failed, *own, *acts))))
