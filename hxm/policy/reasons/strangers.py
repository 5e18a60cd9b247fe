"""What there is to say of a domU that the cluster does not manage."""

from __future__ import annotations

from hxm.model import Cluster, Domain
from hxm.policy import listed
from hxm.policy.reasons.facts import Reason
from hxm.policy.reasons.question import Answer
from hxm.policy.state.orphans import orphaned


def of_stranger(cluster: Cluster, domain: Domain) -> Answer:
    """That only its toolstack has it, or that the cluster remembers it and has no configuration."""
    if orphan := orphaned(cluster, domain):
        says, _, effect = orphan.what.partition(": ")
        return Answer(says, (Reason(effect, do=orphan.do),))
    where = f"on {listed(domain.nodes)}" if domain.nodes else "on this host"
    says = f"{domain.name} {f'runs {where}' if domain.has_instance else 'does not run'}, "
    says += "and the cluster does not manage it"
    return Answer(says, (Reason("nobody but its toolstack starts, stops or watches it"),))
