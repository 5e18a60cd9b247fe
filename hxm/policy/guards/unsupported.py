"""Objections to a start without what it rests on: its storage, and what would fence its host."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from hxm.model import Cluster
from hxm.plan import Forecast, Objection
from hxm.policy import listed, outermost
from hxm.policy.guards import YES
from hxm.policy.reasons.facts import Facts, places
from hxm.policy.relations import Relations
from hxm.policy.state.fencing import unfenceable

Starts = dict[str, list[str]]


def starts_by_node(cluster: Cluster, forecast: Forecast, starting: Collection[str]) -> Starts:
    """Of each node the resources of the domUs that start there, and did not run before."""
    by_node: Starts = {}
    for movement in forecast.with_later:
        domain = cluster.domain_of(movement.resource)
        if movement.resource in starting and movement.target and domain and not domain.running:
            by_node.setdefault(movement.target, []).append(movement.resource)
    return by_node


def may_lack_something(after: Cluster, starts: Starts) -> bool:
    """Whether anything but domUs and fencing devices does not run where a domU starts."""
    return any(
        not _runs(after, primitive.id, node, everywhere=bool(primitive.clone))
        for node in starts
        for primitive in after.primitives.values()
        if not after.domain_of(primitive.id) and not primitive.agent.startswith("stonith:")
    )


def _runs(after: Cluster, name: str, node: str, *, everywhere: bool) -> bool:
    nodes = places(Facts(after, Relations()), name)
    return node in nodes if everywhere else bool(nodes)


def without_fencing(after: Cluster, starts: Starts) -> Iterator[Objection]:
    """A start on a host that its devices may not fence: if it is lost the domU starts nowhere."""
    for host, objection in unfenceable(after):
        if host in starts:
            yield _asked(after, starts[host], host, objection.what, objection.do)


def without_storage(after: Cluster, starts: Starts, relations: Relations) -> Iterator[Objection]:
    """A start before which something else is to start, which does not run there.

    The scheduler does not wait for what only an optional order says, as those of storage often do.
    """
    for node, resources in starts.items():
        by_lack: dict[tuple[str, ...], list[str]] = {}
        for resource in resources:
            if lacks := tuple(_lacks(after, resource, node, relations)):
                by_lack.setdefault(lacks, []).append(resource)
        for lacks, alike in by_lack.items():
            what = f"{listed(lacks, 4)} {'does' if len(lacks) == 1 else 'do'} not run there"
            yield _asked(after, alike, node, what, f"hxm why {lacks[0]}")


def _lacks(after: Cluster, resource: str, node: str, relations: Relations) -> Iterator[str]:
    domain = after.domain_of(resource)
    ids = after.ids_of(domain) if domain else frozenset()
    firsts = dict.fromkeys(
        order.first
        for order in relations.orders
        if order.then in ids
        and order.then_action == "start"
        and not order.one_suffices
        and order.first_action in ("start", "promote")
    )
    for first in firsts:
        inside = [
            primitive
            for primitive in after.primitives.values()
            if first in (primitive.id, primitive.parent, primitive.clone)
            and not after.domain_of(primitive.id)
        ]
        if not all(_runs(after, p.id, node, everywhere=bool(p.clone)) for p in inside):
            yield from outermost(inside)[:1]


def _asked(after: Cluster, resources: list[str], node: str, what: str, do: str) -> Objection:
    names = [domain.name for name in resources if (domain := after.domain_of(name))]
    return Objection(
        f"{listed(names, 4)} would start on {node}: {what}", f"{do}; --yes goes on", lifted_by=YES
    )
