"""The cluster as a graph: its ties, its tree, and names that must not break a picture."""

from __future__ import annotations

import re

import pytest
from factories import cluster, domain, node, primitive

from hxm.model import Resource
from hxm.output import diagrams
from hxm.policy.graph import Graph, Vertex, graph, tree
from hxm.policy.relations import Colocation, Expression, Location, Order, Relations

PINGS = primitive("pingd-child", agent="ocf:heartbeat:pingd", parent="pingd", clone="pingd")
DISKS = primitive("evms-child", agent="ocf:heartbeat:EvmsSCC", parent="evms", clone="evms")
ILO = primitive("ilo", agent="stonith:external/riloe")
SEEN = cluster(
    node("host1", dc=True),
    node("host2", standby=True),
    domain("nfs", "host1"),
    domain("sles"),
    PINGS,
    DISKS,
    ILO,
    Resource("evms-child", "ocf:heartbeat:EvmsSCC", "Started", nodes=("host1",), clone="evms"),
    Resource("ilo", "stonith:external/riloe", "Started", nodes=("host1",)),
)
RELATIONS = Relations(
    orders=(Order("o", "evms", "nfs"), Order("p", "evms-child", "sles", mandatory=False)),
    colocations=(Colocation("c", "sles", "nfs", -1000000),),
    locations=(
        Location("l", "nfs", -1000000, None, (Expression("pingd", "lte", "0"),)),
        Location("m", "nfs", 100, "host1"),
    ),
    members={"evms": ("evms-child",), "pingd": ("pingd-child",)},
    fences={"ilo": ("host2", "host9")},
)


def ties(found: Graph) -> set[str]:
    names = {each.id: each.name for each in found.vertices}
    return {f"{names[e.source]} {e.label} {names[e.target]}" for e in found.edges}


def test_every_tie_is_drawn_once_and_clones_as_one():
    found = graph(SEEN, RELATIONS)
    assert ties(found) == {
        "nfs after evms",
        "sles after (optional) evms",
        "sles apart from (-INFINITY) nfs",
        "nfs needs the ping path pingd",
        "nfs prefers (100) host1",
        "ilo fences host2",
    }
    kinds = {each.name: (each.kind, each.state, each.well) for each in found.vertices}
    assert kinds == {
        "host1": ("node", "online, DC", True),
        "host2": ("node", "standby", False),
        "nfs": ("domU", "Started", True),
        "sles": ("domU", "Stopped", False),
        "evms": ("clone", "on 1 node", True),
        "pingd": ("clone", "on 0 nodes", True),
        "ilo": ("fencing", "Started", True),
    }


def flat(branches, depth=0):
    for each in branches:
        yield "  " * depth + each.label
        yield from flat(each.below, depth + 1)


def test_the_tree_has_each_host_with_its_domus_and_what_they_need():
    assert list(flat(tree(graph(SEEN, RELATIONS)))) == [
        "host1 (online, DC)",
        "  nfs (Started)",
        "    after: evms",
        "    needs the ping path: pingd",
        "    prefers (100): host1",
        "  clones: evms",
        "  fencing devices that run here: ilo",
        "  fenced by: whichever device says it can",
        "host2 (standby)",
        "  fenced by: ilo",
        "running nowhere",
        "  sles (Stopped)",
        "    after (optional): evms",
        "    apart from (-INFINITY): nfs",
        "      after: evms",
        "      needs the ping path: pingd",
        "      prefers (100): host1",
        "  clone pingd (on 0 nodes)",
    ]


def test_equal_needs_are_drawn_once():
    drawn = graph(SEEN, RELATIONS)
    nfs = next(each for each in drawn.vertices if each.name == "nfs")
    more = [nfs._replace(id=f"resource:{name}", name=name) for name in ("vm3", "vm4")]
    away = nfs._replace(id="resource:vm5", name="vm5", places=("host2",))
    edges = [
        edge._replace(source=vertex.id)
        for vertex in (*more, away)
        for edge in drawn.edges
        if edge.source == nfs.id
    ]
    vertices = (*drawn.vertices, *more, away)
    lines = list(flat(tree(drawn._replace(vertices=vertices, edges=(*drawn.edges, *edges)))))
    assert "  nfs, vm3, vm4 (Started)" in lines
    assert lines[lines.index("  vm5 (Started)") + 1] == "    needs the same as nfs"


def test_a_circle_ends():
    circle = Relations(orders=(Order("a", "nfs", "sles"), Order("b", "sles", "nfs")))
    assert "after: nfs" in "\n".join(flat(tree(graph(SEEN, circle))))


WILD = (
    "line\nend",
    'a"b',
    "a\\b",
    "a;b|c",
    "<b>x</b>",
    "a:b",
    "end",
    "subgraph",
    "a]b",
    "ä #1 `x`",
    "-->",
)


def wild(state: str = "Started") -> Graph:
    vertices = tuple(Vertex(f"resource:{name}", name, "domU", state) for name in WILD)
    return Graph(vertices, ())


def test_no_name_ever_breaks_mermaid():
    """Between the quotes only letters, digits, harmless marks and numbered characters stand."""
    for line in diagrams.mermaid(wild()).splitlines()[1:]:
        assert re.fullmatch(r'  v\d+\["(?:[\w .,/()-]|#\d+;)+<br/>Started"\]', line), line


@pytest.mark.parametrize("state", ["Started", ""])
def test_no_name_ever_breaks_dot(state):
    """Quoted strings hold no unescaped quote; what is not quoted is a plain word."""
    lines = [each for each in diagrams.dot(wild(state)).splitlines() if "label=" in each]
    assert len(lines) == len(WILD)
    for line in lines:
        assert re.fullmatch(
            r'\tv\d+ \[label=("(?:[^"\\]|\\.)*"|\w+) fillcolor="#\w+" shape=box\]', line
        )
