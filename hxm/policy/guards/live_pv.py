"""Live migration of PV domUs, which some hypervisors cannot do."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from hxm.model import Cluster
from hxm.plan import Forecast, Movement, Objection
from hxm.policy import listed
from hxm.policy.guards import YES
from hxm.policy.state.findings import Finding

_WHY = "it is a PV domU, and the hypervisor there has no shadow paging (xl info, virt_caps)"


def never_live(name: str, nodes: Sequence[str]) -> str:
    """That the domU cannot be migrated live from these nodes, and why."""
    return f"{name} cannot be migrated live from {listed(nodes)}: {_WHY}"


def sources(cluster: Cluster, forecast: Forecast) -> list[str]:
    """The nodes that a PV domU is to leave live, whose hypervisors are worth asking."""
    return list(dict.fromkeys(move.source for move in _moves(cluster, forecast) if move.source))


def with_restarts(cluster: Cluster, forecast: Forecast, unable: Collection[str]) -> Forecast:
    """The forecast, with each move that cannot be live as what it will be: a stop and a start.

    Their source is one of the nodes that are unable. The scheduler does not know it, and the agent
    tries a live migration first.
    """
    return forecast._replace(
        phases=tuple(
            tuple(
                movement._replace(kind="move")
                if _is_live_pv(cluster, movement) and movement.source in unable
                else movement
                for movement in phase
            )
            for phase in forecast.phases
        )
    )


def objections(
    cluster: Cluster, forecast: Forecast, unable: Collection[str]
) -> Iterator[Objection]:
    """The moves that cannot be live, because their source is one of the nodes that are unable."""
    for movement in _moves(cluster, forecast):
        domain = cluster.domain_of(movement.resource)
        if domain and movement.source in unable:
            yield Objection(
                f"{domain.name} would be stopped on {movement.source} and "
                f"started on {movement.target or 'another node'}, not moved live: {_WHY}",
                "use --yes to do it anyway",
                lifted_by=YES,
            )


def of_hypervisors(cluster: Cluster, unable: Sequence[str]) -> Iterator[Finding]:
    """The PV domUs that are to be moved live, and cannot be from the nodes that are unable."""
    for domain in cluster.managed_domains:
        if domain.pv and domain.live and unable:
            do = 'make it PVH (type = "pvh": xl.cfg(5)), or use a Xen with shadow paging'
            yield Finding(never_live(domain.name, unable), do, "pv-not-live", domain.name)


def _moves(cluster: Cluster, forecast: Forecast) -> list[Movement]:
    """Those of PV domUs that the scheduler would make live."""
    return [move for move in dict.fromkeys(forecast.movements) if _is_live_pv(cluster, move)]


def _is_live_pv(cluster: Cluster, movement: Movement) -> bool:
    domain = cluster.domain_of(movement.resource)
    return bool(movement.kind == "live" and movement.source and domain and domain.pv)
