"""Live migration of PV domUs, which some hypervisors cannot do."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from hxm.model import Cluster
from hxm.plan import Forecast, Objection
from hxm.policy import listed
from hxm.policy.guards import YES
from hxm.policy.state.findings import Finding

_WHY = "it is a PV domU, and the hypervisor there has no shadow paging (xl info, virt_caps)"


def never_live(name: str, nodes: Sequence[str]) -> str:
    """That the domU cannot be migrated live from these nodes, and why."""
    return f"{name} cannot be migrated live from {listed(nodes)}: {_WHY}"


def sources(cluster: Cluster, forecast: Forecast) -> list[str]:
    """The nodes that a PV domU is to leave live, whose hypervisors are worth asking."""
    return list(dict.fromkeys(node for _, node, _ in _moves(cluster, forecast)))


def objections(
    cluster: Cluster, forecast: Forecast, unable: Collection[str]
) -> Iterator[Objection]:
    """The moves that cannot be live, because their source is one of the nodes that are unable."""
    for name, source, target in _moves(cluster, forecast):
        if source in unable:
            yield Objection(
                f"{name} would be stopped on {source} and started on {target}, not moved live: "
                f"{_WHY}",
                "use --yes to do it anyway",
                lifted_by=YES,
            )


def of_hypervisors(cluster: Cluster, unable: Sequence[str]) -> Iterator[Finding]:
    """The PV domUs that are to be moved live, and cannot be from the nodes that are unable."""
    for domain in cluster.managed_domains:
        if domain.pv and domain.live and unable:
            do = 'make it PVH (type = "pvh": xl.cfg(5)), or use a Xen with shadow paging'
            yield Finding(never_live(domain.name, unable), do, "pv-not-live", domain.name)


def _moves(cluster: Cluster, forecast: Forecast) -> Iterator[tuple[str, str, str]]:
    """Name, source and target of the PV domUs that would be moved live."""
    for movement in dict.fromkeys(forecast.movements):
        domain = cluster.domain_of(movement.resource)
        if movement.kind == "live" and domain and domain.pv and movement.source:
            yield domain.name, movement.source, movement.target or "another node"
