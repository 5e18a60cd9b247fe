"""The toolstack's commands: judged for managed domUs before they are passed on."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from hxm.catalog.command import HOST, READS, REFUSED, RUNTIME, Command
from hxm.cluster.read import identify, read_cluster
from hxm.config import Config
from hxm.errors import DONE
from hxm.host import programs
from hxm.model import Cluster
from hxm.orders import passthrough
from hxm.output import render
from hxm.policy.orders.passthrough import MAKES, managed, operands
from hxm.toolstack import detect, is_xm

_LOCAL_ONLY = "--local-only"
_VERDICTS = {
    READS: "changes nothing and is passed on at once",
    HOST: "concerns the host and is passed on at once",
    RUNTIME: "is passed on, with a warning if the cluster manages the domU",
    REFUSED: "is refused if the cluster manages the domU, otherwise passed on",
}


def explain(row: Command, config: Config) -> int:
    """Show how hxm treats a toolstack's command and why, then the toolstack's own help, if any."""
    render.out(f"hxm {row.name}: {_VERDICTS[row.policy]}.")
    if row.why:
        render.out(f"  Why: {row.why}.")
    if remedy := row.remedy():
        render.out(f"  {'Instead' if row.policy == REFUSED else 'Also'}: {remedy}")
    if toolstack := detect(config.toolstack):
        render.out("")
        sys.stdout.flush()
        programs.become((toolstack.program, row.name, "--help"))
    return DONE


def run_raw(row: Command, before: tuple[str, ...], words: tuple[str, ...], config: Config) -> int:
    """Pass the command to the toolstack, unless it concerns a managed domU and may not.

    Raises Refused with the reason and the right command; CannotAsk if nobody can tell.
    """
    local_only = _LOCAL_ONLY in words
    passed = tuple(word for word in words if word != _LOCAL_ONLY)
    warnings: list[str] = []
    if operands(passed):
        from hxm.guard.admission import admit

        seen = identify(read_cluster(config), passed)
        cluster = _at_its_node(seen, row, passed)
        xm = is_xm(cluster.toolstack or "")
        warnings = admit(row, passed, cluster, config, xm=xm, local_only=local_only)
        if cluster.local_node != seen.local_node:
            warnings = [f"on {cluster.local_node}:", *warnings]
    program = passthrough.toolstack_for(row.name, config)
    for warning in warnings:
        render.note(warning)
    programs.become((program, *before, row.name, *passed))


def _at_its_node(cluster: Cluster, row: Command, words: Sequence[str]) -> Cluster:
    """The cluster as its node sees it where the domU runs: ssh leads to that one as well."""
    there = programs.elsewhere()
    nodes = {node for domain in managed(cluster, row, words) for node in domain.places}
    if not there or row.name in MAKES or len(nodes) != 1 or cluster.local_node in nodes:
        return cluster
    (node,) = nodes
    programs.run_on(there.beside(node))
    return cluster._replace(local_node=node)
