"""Where what the cluster believes differs from what the hypervisors say, in a word each."""

from __future__ import annotations

from collections.abc import Iterator

from hxm.model import Cluster, Domain
from hxm.policy.guards import migrating
from hxm.policy.names import at_home, travelling

LETTERS = {"p": "paused", "c": "crashed", "s": "shut-down", "d": "dying"}
"""xl list's letters for a domU that does not live, which the agent takes for running."""


def disagreements(cluster: Cluster, domain: Domain) -> list[str]:
    """What `hxm list` flags of a domU that toolstacks and cluster do not see alike.

    Nothing is said while the domU is on its way, nor of a node whose toolstack was not heard.
    """
    if not domain.resource:
        return list(_of_stranger(cluster, domain))
    return [] if under_way(cluster, domain) else list(_of_managed(cluster, domain))


def under_way(cluster: Cluster, domain: Domain) -> bool:
    """Whether the domU may be on its way, so that two looks need not agree."""
    return domain.in_flight or not cluster.idle or migrating(cluster, domain)


def _of_managed(cluster: Cluster, domain: Domain) -> Iterator[str]:
    if domain.stray:
        yield f"also-on-{domain.stray}" if domain.nodes else f"on-{domain.stray}"
    for node in domain.nodes:
        if node in cluster.heard and node not in domain.seen:
            yield f"not-on-{node}"
    if domain.nodes and set(domain.seen) <= set(domain.nodes):
        yield from (word for letter, word in LETTERS.items() if letter in (domain.state or ""))
    if domain.runs_as and domain.uuid and domain.runs_as != domain.uuid:
        yield "other-uuid"


def _of_stranger(cluster: Cluster, domain: Domain) -> Iterator[str]:
    """What runs under no resource's name, but may be a managed domU."""
    for managed in cluster.managed_domains:
        if travelling(domain) and at_home(domain.name) == managed.name:
            known = "left-over"
        elif domain.name in (managed.resource, *managed.also) or (
            domain.runs_as and domain.runs_as == managed.uuid
        ):
            known = f"may-be-{managed.name}"
        else:
            continue
        if not under_way(cluster, managed):
            yield known


def on_its_way(cluster: Cluster, domain: Domain) -> bool:
    """Whether this is what a toolstack shows of a managed domU that the cluster moves now."""
    managed = (known.name for known in cluster.managed_domains)
    moves = travelling(domain) and not domain.resource and at_home(domain.name) in managed
    return moves and not disagreements(cluster, domain)
