"""The cluster as a graph: what runs on what, what starts after what, who fences whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from hxm.model import Cluster, Resource
from hxm.policy.relations import Location, Relations, spoken

NODE, DOMAIN, CLONE, GROUP, FENCING, RESOURCE = (
    "node",
    "domU",
    "clone",
    "group",
    "fencing",
    "resource",
)
_PINGS = ("pingd", "ping")
"""Agents that keep a node's attribute of ping scores."""


class Vertex(NamedTuple):
    """A node, a domU, or another resource as a whole."""

    id: str
    """The kind and the name: node:host1, resource:nfs."""
    name: str
    kind: str
    state: str
    """In words: online, DC; Started; (nothing where there is nothing to say)."""
    places: tuple[str, ...] = ()
    """The nodes where it runs."""
    well: bool = True
    """Whether it is as one would have it."""


class Edge(NamedTuple):
    """What one has to do with another."""

    source: str
    target: str
    kind: str
    """after, with, apart, ping, in, fences, prefers, avoids."""
    label: str
    mandatory: bool = True


class Graph(NamedTuple):
    """All of it."""

    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...]


class Branch(NamedTuple):
    """A line of a tree, and what is below it."""

    label: str
    below: tuple[Branch, ...] = ()


def graph(cluster: Cluster, relations: Relations) -> Graph:
    """The nodes, the resources, and every tie between them that the configuration makes."""
    tops = _tops(cluster, relations)
    vertices = [
        *(
            Vertex(
                f"node:{node.name}",
                node.name,
                NODE,
                f"{node.condition}{', DC' * node.dc}",
                well=node.usable,
            )
            for node in cluster.nodes
        ),
        *(_vertex(cluster, relations, name, tops) for name in tops),
    ]
    known = {vertex.id for vertex in vertices}
    edges = dict.fromkeys(
        edge
        for edge in _edges(cluster, relations)
        if edge.source in known and edge.target in known and edge.source != edge.target
    )
    return Graph(tuple(vertices), tuple(edges))


def _tops(cluster: Cluster, relations: Relations) -> dict[str, str]:
    """Every resource that is drawn, with its kind: a clone as one, a group and its members."""
    tops: dict[str, str] = {}
    for primitive in cluster.primitives.values():
        if primitive.clone:
            tops[primitive.clone] = CLONE
            continue
        if primitive.parent in relations.members:
            tops[primitive.parent or ""] = GROUP
        fencing = primitive.agent.startswith("stonith:")
        domain = cluster.domain_of(primitive.id)
        tops[primitive.id] = FENCING if fencing else DOMAIN if domain else RESOURCE
    return tops


def _inside(relations: Relations, name: str) -> Iterator[str]:
    """The primitives that a group or a clone consists of, itself if it is one."""
    members = relations.members.get(name)
    if members is None:
        yield name
    for member in members or ():
        yield from _inside(relations, member)


def _vertex(cluster: Cluster, relations: Relations, name: str, tops: Mapping[str, str]) -> Vertex:
    inside = set(_inside(relations, name))
    instances = [
        instance for instance in cluster.resources if instance.id.partition(":")[0] in inside
    ]
    places = tuple(dict.fromkeys(node for instance in instances for node in instance.nodes))
    domain = cluster.domain_of(name)
    state, well = _state(instances, clone=tops[name] == CLONE)
    if tops[name] == DOMAIN and domain:
        state, well = domain.role or "", domain.role == "Started" or domain.told_to_stop
        state += "" if domain.managed or not domain.role else ", unmanaged"
    label = domain.name if domain else name
    return Vertex(f"resource:{name}", label, tops[name], state, places, well)


def _state(instances: Sequence[Resource], *, clone: bool) -> tuple[str, bool]:
    failed = any(instance.failed or instance.blocked for instance in instances)
    suffix = ", failed" if failed else ""
    running = [instance for instance in instances if instance.nodes]
    if clone:
        count = len({node for instance in running for node in instance.nodes})
        nodes = "node" if count == 1 else "nodes"
        return f"on {count} {nodes}{suffix}", not failed
    roles = {instance.role for instance in instances}
    return f"{'/'.join(sorted(roles))}{suffix}", not failed


def _edges(cluster: Cluster, relations: Relations) -> Iterator[Edge]:
    outer = {
        inside: primitive.clone
        for primitive in cluster.primitives.values()
        if primitive.clone
        for inside in (primitive.id, primitive.parent or primitive.id)
    }

    def end(name: str) -> str:
        return f"resource:{outer.get(name, name)}"

    for order in relations.orders:
        label = "not at once" if order.serial else "after (optional)"
        label = "after" if order.mandatory else label
        yield Edge(end(order.then), end(order.first), "after", label, order.mandatory)
    for colocation in relations.colocations:
        kind = "with" if colocation.score > 0 else "apart"
        label = f"{'with' if colocation.score > 0 else 'apart from'} ({spoken(colocation.score)})"
        yield Edge(end(colocation.resource), end(colocation.other), kind, label)
    for location in relations.locations:
        yield from _of_location(cluster, location, end)
    for name, members in relations.members.items():
        yield from (Edge(end(member), end(name), "in", "in the group") for member in members)
    for device, nodes in relations.fences.items():
        for node in nodes:
            yield Edge(end(device), f"node:{node}", "fences", "fences")


def _of_location(cluster: Cluster, location: Location, end: Callable[[str], str]) -> Iterator[Edge]:
    for ping in cluster.primitives.values():
        pings = ping.agent.rpartition(":")[2] in _PINGS
        if pings and ping.params.get("name", "pingd") in location.uses:
            yield Edge(end(location.resource), end(ping.id), "ping", "needs the ping path")
    if location.node is not None:
        kind = "prefers" if location.score > 0 else "avoids"
        label = f"{kind} ({spoken(location.score)})"
        yield Edge(end(location.resource), f"node:{location.node}", kind, label, False)


# As a tree


def tree(graph: Graph) -> list[Branch]:
    """The nodes with what runs on each, and under each domU what it depends on; then the rest."""
    by_id = {vertex.id: vertex for vertex in graph.vertices}
    branches = []
    drawn: dict[tuple[Branch, ...], str] = {}
    for node in (vertex for vertex in graph.vertices if vertex.kind == NODE):
        here = [vertex for vertex in graph.vertices if node.name in vertex.places]
        running = [vertex for vertex in here if vertex.kind in (DOMAIN, RESOURCE)]
        below = _equal_once(graph, by_id, running, drawn)
        others = [vertex for vertex in here if vertex.kind in (CLONE, FENCING)]
        for kind, title in ((CLONE, "clones"), (FENCING, "fencing devices that run here")):
            names = [vertex.name for vertex in others if vertex.kind == kind]
            below += [Branch(f"{title}: {', '.join(names)}")] if names else []
        fencing = [
            by_id[edge.source].name
            for edge in graph.edges
            if (edge.kind, edge.target) == ("fences", node.id)
        ]
        below.append(Branch(f"fenced by: {', '.join(fencing) or 'whichever device says it can'}"))
        branches.append(Branch(f"{node.name} ({node.state})", tuple(below)))
    idle = [
        vertex
        for vertex in graph.vertices
        if not vertex.places and vertex.kind in (DOMAIN, RESOURCE, CLONE, FENCING)
    ]
    if idle:
        nowhere = _equal_once(graph, by_id, idle, drawn)
        branches.append(Branch("running nowhere", tuple(nowhere)))
    return branches


def _equal_once(
    graph: Graph,
    by_id: Mapping[str, Vertex],
    vertices: Sequence[Vertex],
    drawn: dict[tuple[Branch, ...], str],
) -> list[Branch]:
    """The resources, those that have the same state and needs in one line.

    Needs of several lines are drawn once, and later named after whom they were drawn under.
    """
    alike: dict[tuple[str, str, tuple[Branch, ...]], list[str]] = {}
    for vertex in vertices:
        kind = "" if vertex.kind == DOMAIN else f"{vertex.kind} "
        needs = _needs(graph, by_id, vertex.id, ())
        alike.setdefault((kind, vertex.state, needs), []).append(vertex.name)
    branches = []
    for (kind, state, needs), names in alike.items():
        below = needs
        if len(needs) > 1 and needs in drawn:
            below = (Branch(f"needs the same as {drawn[needs]}"),)
        drawn.setdefault(needs, names[0])
        branches.append(Branch(f"{kind}{', '.join(names)} ({state})", below))
    return branches


def _needs(
    graph: Graph, by_id: Mapping[str, Vertex], start: str, above: Sequence[str]
) -> tuple[Branch, ...]:
    """What a resource depends on, and so on; a circle is entered once."""
    seen = (*above, start)
    return tuple(
        Branch(
            f"{edge.label}: {by_id[edge.target].name}",
            () if edge.target in seen else _needs(graph, by_id, edge.target, seen),
        )
        for edge in graph.edges
        if edge.source == start and edge.kind != "fences"
    )
