"""hxm graph: the cluster as a tree, or as a picture."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hxm.cluster import capacity
from hxm.cluster.read import read_cluster
from hxm.config import read_config
from hxm.errors import DONE, Failed
from hxm.output import as_json, render
from hxm.pacemaker.relations import relations_in
from hxm.policy.graph import Branch, Graph, graph, tree

if TYPE_CHECKING:
    from hxm.arguments.options import Drawn


def run(output: Drawn = "text") -> int:
    """Draw the nodes, what runs on them, and what depends on what.

    The text form is a tree: under each node what runs there, and under each domU what it starts
    after, runs with, and needs. `dot` is Graphviz's language, `svg` the picture that Graphviz makes
    of it (apt install graphviz), `mermaid` a flowchart for Markdown and wikis.

    Example: `hxm graph`, or `hxm graph -o svg > cluster.svg`.
    """
    config = read_config()
    cluster = read_cluster(config)
    drawn = graph(cluster, relations_in(capacity.read_cib(config)))
    if output == "text":
        _show_tree(tree(drawn))
    elif output == "json":
        render.show_json(
            {
                "vertices": as_json.keyed_rows(drawn.vertices, as_json.VERTEX),
                "edges": as_json.keyed_rows(drawn.edges, as_json.EDGE),
            }
        )
    else:
        render.document(_document(drawn, output))
    return DONE


def _document(drawn: Graph, output: str) -> str:
    from hxm.output import diagrams

    if output == "mermaid":
        return diagrams.mermaid(drawn)
    text = diagrams.dot(drawn)
    return text if output == "dot" else _laid_out(text)


def _laid_out(text: str) -> str:
    """The picture as SVG. Raises Failed without Graphviz's program dot, or if it fails."""
    import tempfile

    from hxm.host import programs

    if not programs.find("dot"):
        raise Failed("Graphviz, which draws the picture, is not installed", "apt install graphviz")
    with tempfile.NamedTemporaryFile("w", suffix=".dot", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        result = programs.output(("dot", "-Tsvg", file.name))
    if result.status != 0:
        raise Failed(f"dot failed: {result.complaint(0)}", "to see its input: hxm graph -o dot")
    return result.stdout.decode("utf-8").rstrip("\n")


def _show_tree(branches: Sequence[Branch]) -> None:
    if not sys.stdout.isatty():
        wide = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        for branch in branches:
            render.out(branch.label)
            for line in _lines(branch.below, _UNICODE if wide else _ASCII):
                render.out(line)
        return
    from rich.tree import Tree

    from hxm.output.terminal import Line, console

    def grow(parent: Tree, below: Sequence[Branch]) -> None:
        for branch in below:
            grow(parent.add(Line(branch.label)), branch.below)

    drawing = console()
    for branch in branches:
        root = Tree(Line(branch.label, "bold"))
        grow(root, branch.below)
        drawing.print(root)


_UNICODE = ("├── ", "└── ", "│   ", "    ")
_ASCII = ("|-- ", "`-- ", "|   ", "    ")


def _lines(branches: Sequence[Branch], marks: tuple[str, str, str, str]) -> Iterator[str]:
    middle, last, line, blank = marks
    for number, branch in enumerate(branches):
        end = number == len(branches) - 1
        yield f"{last if end else middle}{branch.label}"
        for below in _lines(branch.below, marks):
            yield f"{blank if end else line}{below}"
