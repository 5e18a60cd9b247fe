"""What keeps the cluster from starting domUs for a while."""

from __future__ import annotations

from collections.abc import Iterator

from hxm.model import Cluster, ManagedDomain
from hxm.policy import is_false, is_true, stops_everything
from hxm.policy.reasons.facts import Change


def ends_of_holds(cluster: Cluster) -> Iterator[Change]:
    """What would end each hold: maintenance, standby, stop-all-resources, unmanaged, no quorum.

    Nothing where every domU runs or is told to stop: then no start waits.
    """
    stopped = [
        domain
        for domain in cluster.managed_domains
        if not domain.running and not domain.told_to_stop
    ]
    if not stopped:
        return
    if cluster.maintenance:
        yield Change("property", "maintenance-mode", "false")
    if stops_everything(cluster):
        yield Change("property", "stop-all-resources", "false")
    if not cluster.quorum:
        yield Change("quorum")
    yield from (Change("wake", node.name, "node") for node in cluster.nodes if node.maintenance)
    yield from (Change("active", node.name) for node in cluster.nodes if node.standby)
    for domain in stopped:
        yield from _of_domain(cluster, domain)


def _of_domain(cluster: Cluster, domain: ManagedDomain) -> Iterator[Change]:
    meta = cluster.primitives[domain.resource].meta
    if is_true(meta.get("maintenance", "")):
        yield Change("wake", domain.resource)
    if is_false(meta.get("is-managed", "")):
        yield Change("manage", domain.resource)
