"""hxm list: the domUs of the whole cluster."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hxm.cluster.lock_holder import with_holder_state
from hxm.cluster.read import read_cluster, with_other_nodes
from hxm.config import read_config
from hxm.errors import DONE, UsageError
from hxm.output import TABLE, Form, as_json, render, tables
from hxm.pacemaker.sandbox_past import is_settled
from hxm.policy import listed, typed
from hxm.policy.names import find_node
from hxm.policy.state.cluster_wide import settings
from hxm.policy.state.discrepancies import disagreements, on_its_way
from hxm.policy.state.findings import failed_domus, leftovers
from hxm.policy.state.lock import order_that_runs
from hxm.records.authors import origins

if TYPE_CHECKING:
    from hxm.arguments.options import Domains, Everywhere, Long, OnNode, Verbose
    from hxm.config import Config
    from hxm.model import Cluster, Domain
    from hxm.policy.state.findings import Finding


def run(
    domains: Domains = None,
    long: Long = False,
    everywhere: Everywhere = False,
    verbose: Verbose = False,
    node: OnNode = None,
    form: Form = TABLE,
) -> int:
    """List the domUs of the whole cluster, in xl's format.

    The node, the role and flags follow xl's columns. Below the table, hxm lists leftovers in the
    cluster, with the commands that remove them (on stderr if the table goes to a pipe, so that
    scripts see only domUs). ID, State and Time are known only for domUs on this host; Mem and VCPUs
    of the others come from their configuration files. With --everywhere, or ask_nodes = true in
    /etc/hxm.toml, hxm asks the other nodes as well, in parallel, for at most ssh_timeout seconds;
    the domains of a node that does not answer are reported as unknown. In a name, * stands for any
    letters, and ? for one. A managed domU that moves has one row, also while xl calls it
    NAME--incoming or NAME--migratedaway.

    Example: `hxm list`, `hxm list 'vm1*' --node host1`, or `hxm list nfs --long`.
    """
    if long and form not in (TABLE, Form("plain"), Form("json")):
        raise UsageError("--long prints no table", "hxm list --long alone, or with -o json")
    config = read_config()
    cluster = _look(config, everywhere=everywhere)
    if any(disagreements(cluster, domain) for domain in cluster.domains):
        cluster = _look(config, everywhere=everywhere)  # a move may have begun between two answers
    shown = _chosen(cluster, domains or [], node)
    left = [*failed_domus(cluster), *leftovers(cluster, origins(cluster, config))]
    if node:
        left = concerning(cluster, left, {find_node(cluster, node).name, *(d.name for d in shown)})
    if form.output == "json":
        render.show_json(as_json.list_json(cluster, shown, left))
    else:
        _show(cluster, shown, form, long=long, verbose=verbose)
        say = render.out if form.usual and (sys.stdout.isatty() or long) else render.beside
        tables.show_findings("Left behind, and what removes it", left, say)
        for silent, why in cluster.unreachable.items():
            render.note(f"the domains of {silent} are unknown: {why}")
    if everywhere and (unasked := _not_asked(cluster, shown)):
        render.note(f"only what the cluster supposes: no toolstack was asked on {listed(unasked)}")
    for note in _notes(cluster, shown):
        render.note(note)
    note_unsettled(cluster)
    return DONE


def _not_asked(cluster: Cluster, shown: list[Domain]) -> list[str]:
    """The nodes of these domUs whose toolstack was not asked, for another reason than silence."""
    nodes = dict.fromkeys(node for domain in shown for node in domain.places)
    return [node for node in nodes if node not in (*cluster.heard, *cluster.unreachable)]


def _show(cluster: Cluster, shown: list[Domain], form: Form, *, long: bool, verbose: bool) -> None:
    if long:
        for domain in shown:
            tables.show_long(cluster, domain)
    elif sys.stdout.isatty() or not form.usual:
        render.show(tables.domains_table(cluster, shown, uuids=verbose), form)
    else:
        for line in tables.domains_lines(cluster, shown, uuids=verbose):
            render.out(line)


def concerning(cluster: Cluster, left: list[Finding], there: set[str]) -> list[Finding]:
    """What concerns these nodes and domUs, or no node and no domU: what the domUs may stand on."""
    names = {node.name for node in cluster.nodes} | {domain.name for domain in cluster.domains}
    return [one for one in left if there & (about := {*one.subject.split()}) or not names & about]


def _notes(cluster: Cluster, shown: list[Domain]) -> Iterator[str]:
    """What is under way, what is wrong, and what shows more of it."""
    if order := order_that_runs(cluster):
        yield order
    for trouble in _troubles(cluster):
        yield f"{trouble}: hxm status"
    down = [d for d in shown if tables.role(cluster, d) == "Stopped" and not d.told_to_stop]
    if down:
        verb = "does" if len(down) == 1 else "do"
        names = listed([domain.name for domain in down], 4)
        yield f"{names} should run, and {verb} not: hxm why {typed(down[0])}"
    for gone in cluster.nodes:
        if not gone.online and not gone.unclean:
            yield f"{gone.name} is {gone.condition}: hxm status"
    if cluster.toolstack_fault:
        yield f"this host's own domUs are not known: {cluster.toolstack_fault}"


def note_unsettled(cluster: Cluster) -> None:
    """A cluster in a file reacts to nothing but hxm, which a learner takes for a fault."""
    if cluster.sandbox and not is_settled(cluster.sandbox):
        render.note("another tool has changed the sandbox: hxm sandbox settle")


def _troubles(cluster: Cluster) -> Iterator[str]:
    """What is wrong with the cluster itself."""
    if not cluster.dc:
        yield "there is no DC"
    if not cluster.quorum:
        yield "there is no quorum"
    yield from (objection.what for _, objection in settings(cluster))
    yield from (f"{node.name} is {node.condition}" for node in cluster.nodes if node.unclean)


def _look(config: Config, *, everywhere: bool) -> Cluster:
    cluster = with_holder_state(read_cluster(config), config)
    return with_other_nodes(cluster, config) if everywhere or config.ask_nodes else cluster


def _chosen(cluster: Cluster, words: list[str], node: str | None) -> list[Domain]:
    if words:
        from hxm.orders.pipeline import named_domains

        domains = named_domains(cluster, words)
    else:
        rows = (domain for domain in cluster.domains if not on_its_way(cluster, domain))
        domains = sorted(rows, key=lambda domain: domain.id != 0)  # as xl: dom0 first
    if not node:
        return domains
    name = find_node(cluster, node).name
    there = [domain for domain in domains if name in domain.places]
    for domain in domains if words else ():
        if domain not in there:
            where = f"but on {listed(domain.places)}" if domain.places else "nor anywhere else"
            render.note(f"{domain.name} does not run on {name}, {where}")
    return there
