"""hxm nodes: the nodes of the cluster."""

from __future__ import annotations

from hxm.cluster.read import read_cluster
from hxm.config import read_config
from hxm.errors import DONE
from hxm.output import TABLE, Form, as_json, render, tables


def run(form: Form = TABLE) -> int:
    """List the nodes, their state, and the domUs that run on each."""
    cluster = read_cluster(read_config(), why=True)
    if form.output == "json":
        nodes = as_json.keyed_rows(cluster.nodes, as_json.NODE)
        for row in nodes:
            advice = cluster.barred.get(row["name"])
            row["barred"] = advice.what if advice else None
        render.show_json({"nodes": nodes})
    else:
        render.show(tables.nodes_table(cluster), form)
    return DONE
