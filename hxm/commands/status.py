"""hxm status: the whole cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm import as_json, render
from hxm.commands._reading import origins
from hxm.config import read_config
from hxm.decide.attention import findings
from hxm.errors import DONE
from hxm.observe import read_cluster

if TYPE_CHECKING:
    from hxm.options import Output


def run(output: Output = "table") -> int:
    """Show the cluster, its nodes, all resources and what needs attention.

    Each thing that needs attention comes with the command that changes it. `-o json` is the whole
    model; its keys are described in hxm(8).

    Example: `hxm status -o json`.
    """
    cluster = read_cluster(read_config())
    found = list(findings(cluster, origins(cluster)))
    if output == "json":
        render.show_json(as_json.status_json(cluster, found))
        return DONE
    render.out(render.summary(cluster))
    for title, table in (
        ("Nodes", render.nodes_table(cluster)),
        ("Resources", render.resources_table(cluster)),
    ):
        render.out(f"\n{title}")
        render.show_table(table)
    render.show_findings("Needs attention", found)
    if not found:
        render.out("\nNothing needs attention.")
    return DONE
