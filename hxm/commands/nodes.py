"""hxm nodes: the nodes of the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm import as_json, render
from hxm.config import read_config
from hxm.errors import DONE
from hxm.observe import read_cluster

if TYPE_CHECKING:
    from hxm.options import Output


def run(output: Output = "table") -> int:
    """Show the nodes, their condition, and the domUs that run on each."""
    cluster = read_cluster(read_config())
    if output == "json":
        render.show_json({"nodes": [as_json.node_json(node) for node in cluster.nodes]})
    else:
        render.show_table(render.nodes_table(cluster))
    return DONE
