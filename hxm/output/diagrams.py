"""A graph as text for Graphviz and for Mermaid, with every name quoted as each wants it."""

from __future__ import annotations

from collections.abc import Iterator

from hxm.policy.graph import CLONE, DOMAIN, FENCING, GROUP, NODE, Graph, Vertex
from hxm.printable import printable

_SHAPES = {NODE: "box3d", DOMAIN: "box", CLONE: "ellipse", GROUP: "folder", FENCING: "octagon"}
_COLOURS = {NODE: "#dde7f0", DOMAIN: "#dff0d8", CLONE: "#f3f0e2", FENCING: "#f6e0dd"}
_STYLES = {"fences": "bold", "ping": "dotted", "with": "bold", "in": "dotted"}
_LINES = {"fences": "#b03020", "ping": "#2a6f9f", "apart": "#b03020", "avoids": "#b03020"}


def dot(graph: Graph) -> str:
    """The graph in Graphviz's language: a box for each node with what runs there alone."""
    from graphviz import Digraph, nohtml

    ids = _numbered(graph)
    drawn = Digraph("cluster", graph_attr={"rankdir": "LR", "fontname": "sans-serif"})
    drawn.attr("node", fontname="sans-serif", fontsize="11", style="filled")
    drawn.attr("edge", fontname="sans-serif", fontsize="9", color="#606060")

    def put(where: Digraph, vertex: Vertex) -> None:
        where.node(
            ids[vertex.id],
            nohtml("\\n".join(_literal(text) for text in (vertex.name, vertex.state) if text)),
            shape=_SHAPES.get(vertex.kind, "box"),
            fillcolor=_COLOURS.get(vertex.kind, "white") if vertex.well else "#f7d774",
        )

    for number, (node, inside) in enumerate(_hosts(graph)):
        with drawn.subgraph(name=f"cluster_{number}") as box:
            box.attr(color="#9fb2c4", style="rounded", label="")
            for vertex in (node, *inside):
                put(box, vertex)
    for vertex in _outside(graph):
        put(drawn, vertex)
    for edge in graph.edges:
        drawn.edge(
            ids[edge.source],
            ids[edge.target],
            label=nohtml(_literal(edge.label)),
            style=_STYLES.get(edge.kind, "solid") if edge.mandatory else "dashed",
            color=_LINES.get(edge.kind, "#606060"),
            constraint="false" if edge.kind in ("prefers", "avoids") else "true",
        )
    text: str = drawn.source
    return text.rstrip("\n")


def _literal(text: str) -> str:
    """The text for dot, which would interpret its own escapes and those of HTML."""
    from graphviz import escape

    return str(escape(printable(text).replace("&", "&amp;")))


def mermaid(graph: Graph) -> str:
    """The graph as a Mermaid flowchart, for Markdown and wikis."""
    return "\n".join(_mermaid(graph))


def _mermaid(graph: Graph) -> Iterator[str]:
    ids = _numbered(graph)
    yield "flowchart LR"
    for number, (node, inside) in enumerate(_hosts(graph)):
        yield f'  subgraph host{number}["{_quoted(node.name)}"]'
        for vertex in (node, *inside):
            yield f"    {_box(ids, vertex)}"
        yield "  end"
    for vertex in _outside(graph):
        yield f"  {_box(ids, vertex)}"
    for edge in graph.edges:
        arrow = "-->" if edge.mandatory else "-.->"
        yield f'  {ids[edge.source]} {arrow}|"{_quoted(edge.label)}"| {ids[edge.target]}'


def _box(ids: dict[str, str], vertex: Vertex) -> str:
    opening, closing = {CLONE: ("([", "])"), FENCING: ("{{", "}}"), NODE: ("[[", "]]")}.get(
        vertex.kind, ("[", "]")
    )
    lines = "<br/>".join(_quoted(text) for text in (vertex.name, vertex.state) if text)
    return f'{ids[vertex.id]}{opening}"{lines}"{closing}'


def _quoted(text: str) -> str:
    """Letters, digits and what no syntax of Mermaid's begins with; the rest by number."""
    return "".join(
        letter if letter.isalnum() or letter in " _.,/()-" else f"#{ord(letter)};"
        for letter in text
    )


def _numbered(graph: Graph) -> dict[str, str]:
    """Names that mean nothing to either language, whatever the vertices are called."""
    return {vertex.id: f"v{number}" for number, vertex in enumerate(graph.vertices)}


def _hosts(graph: Graph) -> Iterator[tuple[Vertex, list[Vertex]]]:
    """Each node with what runs there and nowhere else."""
    for node in graph.vertices:
        if node.kind == NODE:
            yield node, [vertex for vertex in graph.vertices if _home(vertex) == node.name]


def _outside(graph: Graph) -> list[Vertex]:
    homes = {vertex.name for vertex in graph.vertices if vertex.kind == NODE}
    return [
        vertex for vertex in graph.vertices if vertex.kind != NODE and _home(vertex) not in homes
    ]


def _home(vertex: Vertex) -> str | None:
    single = len(vertex.places) == 1 and vertex.kind != CLONE
    return vertex.places[0] if single else None
