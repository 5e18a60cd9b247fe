"""Guards about where a domU runs: nowhere although it should, nobody knows, on several nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hxm.errors import CannotAsk
from hxm.model import Cluster, Domain, ManagedDomain, Node
from hxm.plan import Objection
from hxm.policy import keeps_stopped, typed
from hxm.policy.guards import keep_off_guest, no_host


def kept_from_running(cluster: Cluster, domain: Domain) -> Iterator[Objection]:
    """It is not told to stop and still does not run: starting is not what is missing."""
    reason = cluster.down.get(domain.resource or "")
    what = reason.what if reason else "no reason was found"
    do = (reason.do if reason else "") or f"hxm why {typed(domain)}"
    yield Objection(f"{domain.name} should run, and does not: {what}", do)


def not_listed(cluster: Cluster, domains: Iterable[Domain]) -> Iterator[Objection]:
    """A domU of which the cluster says nothing: it may run on a node that is gone."""
    for domain in domains:
        if domain.resource in cluster.unlisted:
            group = cluster.primitives[domain.resource or ""].parent or ""
            in_group = set(cluster.own_meta.get(group, {})) & {"maintenance", "is-managed"}
            yield Objection(
                f"the cluster does not say where {domain.name} is: it is unmanaged, and may be on "
                "a node that is off",
                f"hxm default {group}" if in_group else f"hxm manage {typed(domain)}",
                CannotAsk.status,
            )


def in_guest(cluster: Cluster, domains: Iterable[Domain]) -> Iterator[Objection]:
    """A domU that the cluster has where no hypervisor is; kept off, it is moved to a host."""
    for domain in domains:
        for node in filter(None, map(cluster.node, domain.nodes)):
            for objection in no_host(node):
                what = f"{domain.name} is active on {node.name}: {objection.what}"
                yield Objection(what, keep_off_guest(cluster, [domain.resource or ""], node.name))


def cloned(cluster: Cluster, domains: Iterable[Domain]) -> Iterator[Objection]:
    """A domU in a clone: it would run on several nodes at once."""
    for domain in domains:
        primitive = cluster.primitives.get(domain.resource or "")
        if primitive and primitive.clone and cluster.domain_of(primitive.id):
            yield Objection(
                f"{domain.name} is in the clone {primitive.clone}, which runs it on several nodes "
                "at once",
                f"{_one_instance(cluster, primitive.clone)}; then take it out of the clone",
            )


def _one_instance(cluster: Cluster, clone: str) -> str:
    return cluster.advice("instances", clone=clone, option="clone-max", number="1")


def idle_domains(cluster: Cluster) -> list[ManagedDomain]:
    """The domUs that are not told to stop, and do not run."""
    domains = cluster.managed_domains
    return [domain for domain in domains if domain.role == "Stopped" and not domain.told_to_stop]


def empty_hosts(cluster: Cluster) -> list[Node]:
    """The hosts that may take domUs of the cluster's, and have none."""
    taken = {node for domain in cluster.managed_domains for node in domain.nodes}
    return [node for node in cluster.hosts if node.usable and node.name not in taken]


def left_alone(cluster: Cluster) -> Iterator[ManagedDomain]:
    """The domUs that run and the cluster leaves alone: told so itself, or all on their node."""
    asleep = {node.name for node in cluster.nodes if node.maintenance or cluster.maintenance}
    for domain in cluster.managed_domains:
        if domain.running and (not domain.managed or not asleep.isdisjoint(domain.nodes)):
            yield domain


def may_be_taken_along(cluster: Cluster) -> bool:
    """Whether such a domU may need something that is told to stop."""
    metas = [*cluster.own_meta.values(), *(p.meta for p in cluster.primitives.values())]
    return any(map(keeps_stopped, metas)) and any(left_alone(cluster))
