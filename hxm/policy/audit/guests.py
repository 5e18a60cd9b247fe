"""DomUs that nothing keeps off guest nodes, to which the scheduler moves them as to hosts."""

from __future__ import annotations

from collections.abc import Iterator

from hxm.model import Cluster, ManagedDomain, Node
from hxm.policy import guards, listed, resource_name
from hxm.policy.reasons.everywhere import by_opt_in
from hxm.policy.relations import INFINITY, Relations, applying
from hxm.policy.state.findings import Finding


def of_guests(cluster: Cluster, relations: Relations) -> Iterator[Finding]:
    """Each guest node with the domUs that may come to it, and what keeps them off."""
    guests = [] if by_opt_in(cluster) else [node for node in cluster.nodes if node.container]
    for node in guests:
        exposed = [
            domain.resource
            for domain in cluster.managed_domains
            if domain.resource != node.container and node.name not in domain.nodes
            if not _kept_off(cluster, relations, domain, node)
        ]
        for objection in guards.no_host(node) if exposed else ():
            names = listed([resource_name(cluster, one) for one in exposed], 4)
            what = f"nothing keeps {names} off {node.name}: {objection.what}"
            do = guards.keep_off_guest(cluster, exposed, node.name)
            yield Finding(what, do, "guest-open", node.name)


def _kept_off(cluster: Cluster, relations: Relations, domain: ManagedDomain, node: Node) -> bool:
    own = cluster.ids_of(domain)
    mine = (location for location in relations.locations if location.resource in own)
    scores = (applying(relations, location, node.name) for location in mine)
    return any(score is not None and score <= -INFINITY for score in scores)
