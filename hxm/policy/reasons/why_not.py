"""What is against a domU on one node, the weightiest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from hxm.model import Cluster, ManagedDomain, Node
from hxm.policy import bars, is_false, listed, typed
from hxm.policy.memory import Host, Needs, Utilization
from hxm.policy.relations import (
    INFINITY,
    Colocation,
    Location,
    Relations,
    applying,
    fail_count,
    score_of,
    spoken,
    true_of,
)


class Reason(NamedTuple):
    """One reason, where it stands, and the command that changes it."""

    what: str
    evidence: str = ""
    do: str = ""
    absolute: bool = False
    """Whether it alone keeps the domU from the node."""


class Facts(NamedTuple):
    """All that there is to know."""

    cluster: Cluster
    relations: Relations
    scores: Mapping[str, str] = MappingProxyType({})
    """The scheduler's for the domU on each node, where it tells them."""
    hosts: tuple[Host, ...] = ()
    needs: Needs = MappingProxyType({})
    utilization: Utilization = Utilization({}, {})


def forbids(reasons: Iterable[Reason]) -> bool:
    """Whether one of them keeps the domU from the node."""
    return any(each.absolute for each in reasons)


def remove(cluster: Cluster, constraint: Colocation | Location) -> str:
    """The command that takes a permanent constraint out of the CIB."""
    kind = "rsc_location" if isinstance(constraint, Location) else "rsc_colocation"
    return cluster.advice("unbind", constraint=constraint.id, kind=kind)


def places(facts: Facts, name: str) -> frozenset[str]:
    """The nodes where a resource, or what a group or a clone consists of, is active."""
    inside = facts.relations.members.get(name)
    if inside:
        return frozenset[str]().union(*(places(facts, each) for each in inside))
    return frozenset(
        node
        for each in facts.cluster.resources
        if each.id.partition(":")[0] == name
        for node in each.nodes
    )


def against(facts: Facts, domain: ManagedDomain, node: Node) -> Iterator[Reason]:
    """What keeps the domU from the node, or makes the cluster put it elsewhere."""
    if not node.usable:
        do = "hxm nodes"
        if node.online and (node.standby or node.maintenance):
            do = f"hxm {'active' if node.standby else 'maintenance off'} {node.name}"
        yield Reason(f"the node is {node.predicament}", do=do, absolute=True)
    yield from _interim(facts, domain, node)
    yield from _failures(facts, domain, node)
    yield from _dependencies(facts, domain, node)
    yield from _locations(facts, domain, node)
    yield from _room(facts, domain, node)


def _interim(facts: Facts, domain: ManagedDomain, node: Node) -> Iterator[Reason]:
    do = f"hxm unmigrate {typed(domain)}"
    ids = facts.cluster.ids_of(domain)
    for each in facts.cluster.constraints:
        if each.resource not in ids:
            continue
        if each.kind == "ban" and each.node == node.name:
            yield Reason("a ban keeps it away", each.id, do, absolute=True)
        elif each.kind == "prefer" and each.node != node.name:
            target = facts.cluster.node(each.node or "")
            if target and target.usable:
                yield Reason(f"a move sent it to {each.node}", each.id, do)


def _failures(facts: Facts, domain: ManagedDomain, node: Node) -> Iterator[Reason]:
    cluster, resource = facts.cluster, domain.resource
    count = fail_count(facts.relations, resource, node.name)
    limit = score_of(cluster.primitives[resource].meta.get("migration-threshold", "INFINITY"))
    failed = [f for f in cluster.failures if (f.resource, f.node) == (resource, node.name)]
    if (count >= limit > 0) or any(bars(cluster, each) for each in failed):
        what = f"its {failed[0].operation} failed there" if failed else "it failed there too often"
        said = f"fail count {spoken(count)}, migration-threshold {spoken(limit)}"
        if failed:
            said = f"{failed[0].reason}, {failed[0].when}; {said}"
        yield Reason(what, said, f"hxm cleanup {typed(domain)} {node.name}", absolute=True)


def _dependencies(facts: Facts, domain: ManagedDomain, node: Node) -> Iterator[Reason]:
    """Orders, colocations and the group: what must run before it, beside it, or not beside it."""
    ids, relations = facts.cluster.ids_of(domain), facts.relations
    for order in relations.orders:
        if order.then in ids and order.mandatory and not places(facts, order.first):
            yield _needs(facts, order.first, f"{order.first} must start before it", order.id)
    primitive = facts.cluster.primitives[domain.resource]
    members = relations.members.get(primitive.parent or "", ())
    if primitive.id in members and primitive.parent != primitive.clone:
        for before in members[: members.index(primitive.id)]:
            if not places(facts, before):
                what = f"{before} starts before it in the group {primitive.parent}"
                yield _needs(facts, before, what, str(primitive.parent))
    for each in relations.colocations:
        if each.resource not in ids:
            continue
        there = places(facts, each.other)
        if each.score >= INFINITY and not there:
            yield _needs(facts, each.other, f"it must run where {each.other} does", each.id)
        elif each.score >= INFINITY and node.name not in there:
            what = f"it must run where {each.other} does: on {listed(sorted(there))}"
            yield Reason(what, each.id, remove(facts.cluster, each), absolute=True)
        elif each.score < 0 and node.name in there:
            what = f"it is to keep away from {each.other}, which runs there"
            said = f"{each.id}: {spoken(each.score)}"
            do = remove(facts.cluster, each)
            yield Reason(what, said, do, absolute=each.score <= -INFINITY)


def _needs(facts: Facts, other: str, what: str, where: str) -> Reason:
    cluster = facts.cluster
    found = cluster.domain_of(other)
    do = f"hxm why {typed(found)}" if found else cluster.advice("why", resource=other)
    return Reason(f"{what}, and does not run", where, do, absolute=True)


def _locations(facts: Facts, domain: ManagedDomain, node: Node) -> Iterator[Reason]:
    cluster, relations = facts.cluster, facts.relations
    ids = cluster.ids_of(domain)
    interim = {each.id for each in cluster.constraints}
    mine = [each for each in relations.locations if each.resource in ids]
    for each in mine:
        score = applying(relations, each, node.name)
        if each.id not in interim and score is not None and score < 0:
            yield _located(facts, each, node, score)
    scores = [applying(relations, each, node.name) for each in mine]
    allowed = any(score is not None and score >= 0 for score in scores)
    if is_false(cluster.properties.get("symmetric-cluster", "true")) and not allowed:
        said = "symmetric-cluster=false: a domU runs only where a location allows it"
        yield Reason("nothing allows it there", said, absolute=True)


def _located(facts: Facts, location: Location, node: Node, score: int) -> Reason:
    """A constraint with a score below 0, in the words of the rule where it has one."""
    absolute = score <= -INFINITY
    known = facts.relations.attributes_of(node.name)
    true = list(true_of(facts.relations, location, node.name))
    about = sorted(location.uses)
    if not about:
        what = "a constraint keeps it away" if absolute else "a constraint is against the node"
        said = f"{location.id}: {spoken(score)}"
        return Reason(what, said, remove(facts.cluster, location), absolute)
    said = " or ".join(each.said for each in true)
    values = ", ".join(f"{a} is {known[a]}" if a in known else f"{a} is not set" for a in about)
    pings = any(name.startswith("ping") for name in about)
    what = "the node has lost its ping path" if pings else "a rule keeps it away"
    network = "the network of that host, or its ping resource"
    do = network if pings else remove(facts.cluster, location)
    evidence = f"{values} there; {location.id}: {spoken(score)} where {said}"
    return Reason(what, evidence, do, absolute)


def _room(facts: Facts, domain: ManagedDomain, node: Node) -> Iterator[Reason]:
    """What the scheduler counts, and what the host really has."""
    name, used = domain.resource, facts.utilization
    for key, said in used.resources.get(name, {}).items():
        if used.strategy == "default":
            break
        offered = score_of(used.nodes.get(node.name, {}).get(key, "0"))
        taken = sum(
            score_of(used.resources.get(each.id.partition(":")[0], {}).get(key, "0"))
            for each in facts.cluster.resources
            if node.name in each.nodes and each.id != name
        )
        if score_of(said) > offered - taken:
            what = f"the node has too little {key}: {said} wanted, {offered - taken} left"
            evidence = f"utilization, placement-strategy={used.strategy}"
            yield Reason(what, evidence, "hxm capacity", absolute=True)
    need = facts.needs.get(name)
    wanted = need.taken if need else None
    free = next((host.free for host in facts.hosts if host.name == node.name), None)
    if wanted is not None and free is not None and wanted > free:
        what = f"the node has too little memory: {wanted} MiB wanted, {free} free"
        yield Reason(what, do="hxm capacity")
