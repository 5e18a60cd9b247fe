"""The hosts of the status page: each with its memory as a bar, and with the domUs that it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from hxm.model import Cluster, Domain, Node
from hxm.output.tables import flags, node_state
from hxm.policy.memory import Host, Needs, free_now
from hxm.web.snapshot import Picture

_GIB = 1024


class Part(NamedTuple):
    """A part of a bar: what kind of memory, where it begins and how wide it is, in per cent."""

    kind: str
    title: str
    start: float
    width: float


class DomU(NamedTuple):
    """A domU on a host: its size in words, where it goes to or comes from, what is unusual."""

    name: str
    size: str
    direction: str
    flags: str


class HostCard(NamedTuple):
    """A host as the page shows it."""

    name: str
    state: str
    dc: bool
    parts: tuple[Part, ...]
    memory: str
    """How much of it is used, in words, or why that is not known."""
    domus: tuple[DomU, ...]
    others: str


def host_cards(
    cluster: Cluster, picture: Picture, arrived: Mapping[str, str] = MappingProxyType({})
) -> list[HostCard]:
    """A card for each node, guest nodes included; all bars have one scale.

    `arrived` tells by name how far the domUs are that move live.
    """
    known = {host.name: host for host in picture.hosts}
    amounts = {
        node.name: list(_amounts(cluster, known[node.name], picture.needs))
        for node in cluster.hosts
        if node.online and node.name in known
    }
    most = max((sum(size for _, _, size in parts) for parts in amounts.values()), default=0)
    return [
        HostCard(
            node.name,
            node_state(cluster, node),
            node.dc,
            tuple(_parts(amounts.get(node.name, ()), most)),
            _memory(node, known.get(node.name), amounts.get(node.name, ())),
            tuple(
                _domu(cluster, domain, node, picture.needs, arrived.get(domain.name, ""))
                for domain in _on(cluster, node)
            ),
            " ".join(_others(cluster, node)),
        )
        for node in cluster.nodes
    ]


def nowhere(cluster: Cluster) -> list[DomU]:
    """The domUs that run on no host."""
    return [
        DomU(domain.name, "", "", flags(cluster, domain))
        for domain in cluster.guests
        if not domain.places
    ]


def _on(cluster: Cluster, node: Node) -> Iterator[Domain]:
    return (domain for domain in cluster.guests if node.name in domain.places)


def _others(cluster: Cluster, node: Node) -> Iterator[str]:
    """What else the cluster runs there."""
    managed = {domain.resource for domain in cluster.managed_domains}
    for resource in cluster.resources:
        if node.name in resource.nodes and resource.id not in managed:
            yield resource.clone or resource.id


def _domu(cluster: Cluster, domain: Domain, node: Node, needs: Needs, arrived: str) -> DomU:
    taken = _taken(domain, needs)
    direction = ""
    if domain.role == "Migrating" and len(domain.nodes) > 1:
        source, target = domain.nodes[0], domain.nodes[-1]
        direction = f"\N{RIGHTWARDS ARROW} {target}" if node.name == source else f"from {source}"
    elif domain.in_flight:
        direction = (domain.role or "").lower()
    direction = ", ".join(filter(None, (direction, arrived)))
    return DomU(domain.name, _size(taken) if taken else "", direction, flags(cluster, domain))


def _taken(domain: Domain, needs: Needs) -> int | None:
    need = needs.get(domain.resource or "")
    return need.taken if need else domain.memory


def _amounts(cluster: Cluster, host: Host, needs: Needs) -> Iterator[tuple[str, str, int]]:
    """MiB of memory by use: dom0, each domU, anything else, free; what moves live is on both."""
    free = free_now(host, needs, cluster)
    if free is None:
        return
    domus = [
        ("moving" if domain.in_flight else "domu", domain.name, _taken(domain, needs) or 0)
        for domain in cluster.guests
        if host.name in domain.nodes
    ]
    yield "dom0", "dom0", host.dom0 or 0
    yield from domus
    if host.total is not None:
        used = (host.dom0 or 0) + sum(size for _, _, size in domus)
        yield "other", "Xen and others", max(host.total - free - used, 0)
    yield "free", "free", free


def _parts(amounts: list[tuple[str, str, int]] | tuple[()], most: int) -> Iterator[Part]:
    start = 0
    for kind, name, size in amounts:
        if size:
            title = f"{name} {_size(size)}"
            yield Part(kind, title, round(100 * start / most, 2), round(100 * size / most, 2))
        start += size


def _memory(node: Node, host: Host | None, amounts: list[tuple[str, str, int]] | tuple[()]) -> str:
    if not amounts:
        why = f": {host.why}" if host and host.why else ""
        return f"memory not known{why}" if node.online else ""
    free = amounts[-1][2]
    total = sum(size for _, _, size in amounts)
    return f"{_size(free)} free of {_size(total)}{'' if host and host.total else ' for domUs'}"


def _size(mib: int) -> str:
    return f"{mib} MiB" if mib < 10 * _GIB else f"{mib / _GIB:.1f} GiB"
