"""Where a domU is, in words."""

from __future__ import annotations

from hxm.model import Cluster, Domain, Node
from hxm.policy import listed
from hxm.policy.guards import migrating


def whereabouts(cluster: Cluster, domain: Domain) -> str:
    """Where a domU is, behind its name: `runs on host1`, or from where to where it migrates.

    Until the target lists it, only the constraint of a move tells where that is.
    """
    if not migrating(cluster, domain) or not domain.nodes:
        return f"runs on {listed(domain.places)}"
    return f"is {on_its_way(cluster, domain)}"


def on_its_way(cluster: Cluster, domain: Domain) -> str:
    """From where to where a domU migrates that runs somewhere: `migrating from host1 to host2`."""
    source, *targets = domain.nodes
    targets += [
        constraint.node
        for constraint in cluster.constraints
        if constraint.kind == "prefer" and constraint.resource in cluster.ids_of(domain)
        if constraint.node and constraint.node != source
    ]
    return f"migrating from {source}{f' to {targets[0]}' if targets else ''}"


def in_doubt(cluster: Cluster, node: Node) -> str:
    """What is not known of the domUs of a node that nobody hears, for the end of a sentence."""
    there = [domain.name for domain in cluster.managed_domains if node.name in domain.nodes]
    if not there or node.online:
        return ""
    return f"; whether {listed(there, 4)} still {'run' if there[1:] else 'runs'} there is not known"
