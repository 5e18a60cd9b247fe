"""hxm status: the whole cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.cluster.lock_holder import HolderState
from hxm.cluster.read import read_cluster
from hxm.commands.list import note_unsettled
from hxm.config import read_config
from hxm.errors import DONE
from hxm.output import TABLE, Form, as_json, render, tables
from hxm.policy.state.findings import findings
from hxm.records.authors import origins

if TYPE_CHECKING:
    from hxm.config import Config
    from hxm.model import Cluster
    from hxm.policy.state.findings import Finding


def look(
    config: Config, holder: HolderState, *, local: bool = True
) -> tuple[Cluster, list[Finding]]:
    """The cluster and what needs attention; raises CannotAsk if it gives no answer."""
    cluster = holder.added_to(read_cluster(config, local=local, why=True))
    return cluster, list(findings(cluster, origins(cluster, config)))


def run(form: Form = TABLE) -> int:
    """Show the cluster, its nodes, all resources and what needs attention.

    Each finding comes with the command that changes it. What the cluster is about to do with domUs
    that run is asked of the scheduler only while something is under way, in maintenance, or where
    another tool has changed a sandbox. `-o json` prints the whole model; hxm(8)
    describes its keys. `-o html` prints a self-contained page for a browser; served by `hxm serve`,
    it reloads every 5 s. In formats with a single table (`-o csv`, `--columns`) there is a row for
    each node, resource and finding, with the columns Kind, Name, State, Where and Special.
    `hxm list -l DOMAIN` shows one domU.

    Example: `hxm status -o json`.
    """
    config = read_config()
    cluster, attention = look(config, HolderState(config))
    if form.output == "json":
        render.show_json(as_json.status_json(cluster, attention))
    elif form == Form("html"):
        _show_page(cluster, attention, config)
    elif form.output not in ("table", "plain") or form.columns or form.sort:
        render.show(tables.everything_table(cluster, attention), form)
    else:
        _show(cluster, attention, form)
        note_unsettled(cluster)
    return DONE


def _show_page(cluster: Cluster, attention: list[Finding], config: Config) -> None:
    from hxm.web.page import page
    from hxm.web.picture import paint
    from hxm.web.snapshot import Snapshot

    drawn = paint(cluster, config)
    render.document(page(Snapshot(cluster, attention, drawn.at, picture=drawn), served=False))


def _show(cluster: Cluster, attention: list[Finding], form: Form) -> None:
    for line in tables.summary(cluster):
        render.out(line)
    for title, table in (
        ("Nodes", tables.nodes_table(cluster)),
        ("Resources", tables.resources_table(cluster, briefly=render.narrow())),
    ):
        render.out("")
        render.out(title)
        render.show(table, form)
    tables.show_findings("Needs attention", attention)
    if not attention:
        render.out("")
        render.out("Nothing needs attention.")
    render.out("")
    render.out("Not looked at: files, disks, the guard, other hosts: hxm check --everywhere")
