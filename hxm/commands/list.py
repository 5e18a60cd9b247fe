"""hxm list: the domUs of the whole cluster."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hxm.cluster.read import everywhere as ask_everywhere
from hxm.cluster.read import read_cluster
from hxm.config import read_config
from hxm.errors import DONE, UsageError
from hxm.output import TABLE, Form, as_json, render, tables
from hxm.policy.discrepancies import disagreements
from hxm.policy.findings import failed_domus, leftovers
from hxm.records.authors import origins

if TYPE_CHECKING:
    from hxm.arguments.options import Domains, Everywhere, Long
    from hxm.config import Config
    from hxm.model import Cluster, Domain


def run(
    domains: Domains = None,
    long: Long = False,
    everywhere: Everywhere = False,
    form: Form = TABLE,
) -> int:
    """List the domUs of the whole cluster, in xl's columns.

    Behind xl's columns stand the node, the role and what is special about the domU; under the
    table whatever a command left in the cluster, with the command that removes it (on stderr if
    the table goes into a pipe, so that scripts see domUs alone). ID, State and
    Time are known for the domUs on this host only; Mem and VCPUs of the others are what their
    configuration files say. With --everywhere, or ask_nodes = true in /etc/hxm.toml, the other
    nodes are asked as well, all at once, for at most ssh_timeout seconds; the domains of one that
    does not answer are said to be unknown.

    Example: `hxm list`, or `hxm list nfs --long`.
    """
    if long and form not in (TABLE, Form("plain"), Form("json")):
        raise UsageError("--long is no table", "hxm list --long alone, or with -o json")
    config = read_config()
    cluster = _look(config, everywhere=everywhere)
    if any(disagreements(cluster, each) for each in cluster.domains):
        cluster = _look(config, everywhere=everywhere)  # a move may have begun between two answers
    shown = _chosen(cluster, domains or [])
    left = [*failed_domus(cluster), *leftovers(cluster, origins(cluster))]
    if form.output == "json":
        render.show_json(as_json.list_json(cluster, shown, left))
    elif long:
        for domain in shown:
            tables.show_long(cluster, domain)
    elif sys.stdout.isatty() or not form.usual:
        render.show(tables.domains_table(cluster, shown), form)
    else:
        for line in tables.domains_lines(cluster, shown):
            render.out(line)
    if form.output != "json":
        say = render.out if form.usual and (sys.stdout.isatty() or long) else render.beside
        tables.show_findings("Left behind, and what removes it", left, say)
        for node, why in cluster.unreachable.items():
            render.note(f"the domains of {node} are unknown: {why}")
    for trouble in _troubles(cluster):
        render.note(f"{trouble}: hxm status")
    for gone in cluster.nodes:
        if not gone.online and not gone.unclean:
            render.note(f"{gone.name} is {gone.condition}: hxm status")
    if cluster.toolstack_fault:
        render.note(f"this host's own domUs are not known: {cluster.toolstack_fault}")
    return DONE


def _troubles(cluster: Cluster) -> Iterator[str]:
    """What is wrong with the cluster itself."""
    if not cluster.dc:
        yield "there is no DC"
    if not cluster.quorum:
        yield "there is no quorum"
    yield from (f"{node.name} is {node.condition}" for node in cluster.nodes if node.unclean)


def _look(config: Config, *, everywhere: bool) -> Cluster:
    cluster = read_cluster(config)
    return ask_everywhere(cluster, config) if everywhere or config.ask_nodes else cluster


def _chosen(cluster: Cluster, words: list[str]) -> list[Domain]:
    if not words:
        return sorted(cluster.domains, key=lambda each: each.id != 0)  # as xl: dom0 first
    from hxm.orders.pipeline import meant

    return meant(cluster, words)
