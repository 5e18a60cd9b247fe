"""hxm nodes: the nodes of the cluster."""

from __future__ import annotations

from hxm.cluster.lock_holder import with_holder_state
from hxm.cluster.read import read_cluster
from hxm.config import read_config
from hxm.errors import DONE
from hxm.output import TABLE, Form, as_json, render, tables
from hxm.policy.state.findings import of_nodes
from hxm.records.authors import origins


def run(form: Form = TABLE) -> int:
    """List the nodes, their state, and the domUs that run on each.

    Below stands what ends a state that is no lasting one, and who set it, when and why.
    """
    config = read_config()
    cluster = with_holder_state(read_cluster(config, why=True), config)
    special = list(of_nodes(cluster, origins(cluster, config)))
    if form.output == "json":
        nodes = as_json.keyed_rows(cluster.nodes, as_json.NODE)
        for row in nodes:
            advice = cluster.barred.get(row["name"])
            row["barred"] = advice.what if advice else None
            row["why"] = [finding.what for finding in special if finding.subject == row["name"]]
        render.show_json({"nodes": nodes})
    else:
        render.show(tables.nodes_table(cluster), form)
        tables.show_findings("Needs attention", special, render.beside)
    return DONE
