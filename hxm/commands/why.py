"""hxm why: why a domU runs where it does, or why not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from hxm.cluster import capacity
from hxm.cluster.read import read_cluster, with_other_nodes
from hxm.config import Config, read_config
from hxm.errors import DONE, CannotAsk
from hxm.model import Cluster, Domain
from hxm.orders.pipeline import named_domains
from hxm.output import TABLE, Form, Table, render
from hxm.pacemaker.relations import relations_in
from hxm.pacemaker.simulate import scratch
from hxm.pacemaker.utilization import utilization_in
from hxm.policy import listed
from hxm.policy.doubles import on_two_nodes
from hxm.policy.names import find_node
from hxm.policy.reasons import why as reasons
from hxm.policy.reasons.why_not import Facts

if TYPE_CHECKING:
    from hxm.arguments.options import OneDomain, OtherNode

_WIDE = 80


def run(domain: OneDomain, node: OtherNode = None, form: Form = TABLE) -> int:
    """Explain why a domU runs where it does, why it does not run, or why it is not on a node.

    Each reason comes with its evidence and with the command that changes it, the most important
    first. Reasons are the state of the cluster and of its nodes, target-role, maintenance, moves
    and bans, other constraints and their rules (such as the ping rule), fail counts, resources
    that must run before or with the domU, utilization and memory. The scheduler's scores follow.

    Example: `hxm why nfs`, or `hxm why nfs host2`.
    """
    config = read_config()
    cluster = read_cluster(config)
    (subject,) = named_domains(cluster, [domain])
    if list(on_two_nodes(cluster, [subject])):  # the toolstacks know
        cluster = with_other_nodes(cluster, config)
        (subject,) = named_domains(cluster, [domain])
    target = find_node(cluster, node) if node else None
    facts = _facts(cluster, subject, config)
    answer = reasons.why_not(facts, subject, target) if target else reasons.why(facts, subject)
    if form.output == "json":
        render.show_json(
            {
                "domain": subject.name,
                "node": target.name if target else None,
                "nodes": subject.nodes,
                "says": answer.says,
                "reasons": [reason._asdict() for reason in answer.reasons],
                "scores": dict(facts.scores),
            }
        )
    elif not form.usual:
        rows = [(reason.what, reason.evidence, reason.do) for reason in answer.reasons]
        render.show(Table(("Reason", "Evidence", "What to do"), rows), form)
    else:
        _show(answer, facts)
    return DONE


def _facts(cluster: Cluster, domain: Domain, config: Config) -> Facts:
    cib = capacity.read_cib(config)
    needs = capacity.read_needs(cluster)
    scores: dict[str, str] = {}
    if domain.resource:
        try:
            with scratch(cluster.sandbox) as copy:
                scores = copy.scores(domain.resource)
        except CannotAsk:
            scores = {}
    return Facts(
        cluster,
        relations_in(cib),
        scores,
        capacity.read_hosts(cluster, config, needs, cib, ()),
        needs,
        utilization_in(cib),
    )


def _show(answer: reasons.Answer, facts: Facts) -> None:
    _tell(answer.says)
    for reason in answer.reasons:
        beside = f"  {reason.what}{f' ({reason.evidence})' if reason.evidence else ''}"
        if len(beside) > _WIDE:
            _tell(f"  {reason.what}")
            beside = f"      {reason.evidence}"
        _tell(beside)
        if reason.do:
            render.out(f"      {reason.do}")
    if facts.scores:
        scores = [f"{node} {score}" for node, score in facts.scores.items()]
        render.out(f"  scores: {listed(scores, 4)}")


def _tell(line: str) -> None:
    for part in render.folded(line, 6, sys.stdout):
        render.out(part)
