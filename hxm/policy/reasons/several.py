"""Of what runs on several nodes: a clone, or what should not."""

from __future__ import annotations

from collections.abc import Sequence

from hxm.policy import listed
from hxm.policy.reasons.facts import Reason, places
from hxm.policy.reasons.instances import limits
from hxm.policy.reasons.promotion import not_promoted
from hxm.policy.reasons.question import Answer, Question, about_to, as_facts, failures_of, imminent
from hxm.policy.state.running_twice import on_two_nodes


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
    domu = facts.cluster.domain_of(domain.resource)
    acts = [] if domu else about_to(imminent(question))
    return Answer(says, tuple(dict.fromkeys((*general, *failed, *own, *acts))))
