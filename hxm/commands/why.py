"""hxm why: why a domU runs where it does, or why not."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hxm.cluster import capacity
from hxm.cluster.claims import all_claims
from hxm.cluster.confirm_reasons import confirmed, confirmed_host
from hxm.cluster.lock_holder import with_holder_state
from hxm.cluster.read import read_cluster, with_other_nodes
from hxm.cluster.unfenced import cluster_copy
from hxm.config import Config, read_config
from hxm.errors import DONE
from hxm.host.log import log
from hxm.model import Cluster, Domain, Node
from hxm.orders.pipeline import named_domains
from hxm.output import TABLE, Form, Table, as_json, render
from hxm.output.progress import display
from hxm.pacemaker.relations import relations_in, that_count
from hxm.pacemaker.simulate import carries_out, simulator
from hxm.pacemaker.utilization import utilization_in
from hxm.pacemaker.what_if import Simulations
from hxm.plan import Forecast
from hxm.policy import is_promoted, listed, resource_ids
from hxm.policy.guards.start import clashes
from hxm.policy.names import find_node
from hxm.policy.reasons.facts import Facts, Reason, subject_of
from hxm.policy.reasons.hosts import HostAnswer, ask_host, by_reason
from hxm.policy.reasons.question import Answer
from hxm.policy.reasons.why import ask
from hxm.policy.state.running_twice import on_two_nodes

if TYPE_CHECKING:
    from hxm.arguments.options import OneDomain, OtherNode

_WIDE = 80


def run(domain: OneDomain, node: OtherNode = None, form: Form = TABLE) -> int:
    """Explain why a domU runs where it does, why it does not run, or why it is not on a node.

    Of a host alone: which of its domUs could not leave it, which of the others cannot come to it,
    and why.

    The scheduler confirms each reason: on a copy of the CIB it does what was asked for when the
    reason is gone. Reasons that only together make the difference are shown together, each with its
    evidence and the command that changes it. What a domU needs is followed to the cause. A
    constraint or an option that hxm does not know is shown by its id and its XML. On a terminal hxm
    asks the scheduler as often as it takes, elsewhere at most 5 times; `hxm -v` says how often. The
    scheduler's scores follow. The id of a group, a clone or any other resource is accepted as well.

    Example: `hxm why nfs`, or `hxm why nfs host2`, or `hxm why host2`.
    """
    config = read_config()
    cluster = with_holder_state(read_cluster(config, why=None), config)
    host = cluster.node(domain)
    if host and not node and not any(domain in (d.name, d.resource) for d in cluster.domains):
        return _of_host(_facts(cluster, config), host, form, config)
    subject = _subject(cluster, domain)
    if list(on_two_nodes(cluster, [subject])):  # the toolstacks know
        cluster = with_other_nodes(cluster, config)
        subject = _subject(cluster, domain)
    target = find_node(cluster, node) if node else None
    facts = _facts(cluster, config)
    answer, runs = _answered(facts, subject, target, config)
    placed = (reason.placed for reason in answer.reasons)
    answer = answer._replace(reasons=(*_refused(cluster, subject, config), *placed))
    if form.output == "json":
        render.show_json(
            {
                "domain": subject.name,
                "node": target.name if target else None,
                "nodes": subject.nodes,
                "says": answer.says,
                "reasons": as_json.reasons_json(answer.reasons),
                "also": answer.also,
                "also_on": answer.also_on,
                "also_elsewhere": dict(answer.elsewhere),
                "scores": dict(answer.scores),
                "simulations": runs,
            }
        )
    elif not form.usual:
        rows = [(_what(reason, runs), reason.evidence, reason.do) for reason in answer.reasons]
        render.show(Table(("Reason", "Evidence", "What to do"), rows), form)
    else:
        _show(answer, runs)
    return DONE


def _subject(cluster: Cluster, word: str) -> Domain:
    """The domU, or any other resource, as one that the cluster manages."""
    if word not in resource_ids(cluster) or cluster.domain_of(word):
        (named,) = named_domains(cluster, [word])
        return named
    inside = subject_of(cluster, word).inside
    states = [r for r in cluster.resources if r.id.partition(":")[0] in {p.id for p in inside}]
    whole = all(p.clone or any(r.nodes for r in states if r.id == p.id) for p in inside)
    if not whole:  # a group that has started in part does not run
        return Domain(word, word, role="Stopped", managed=True)
    nodes = tuple(dict.fromkeys(node for state in states for node in state.nodes))
    roles = [state.role for state in states if state.nodes]
    role = next(filter(is_promoted, roles), roles[0] if roles else "Stopped")
    return Domain(word, word, role=role, nodes=nodes, managed=True)


def _of_host(facts: Facts, host: Node, form: Form, config: Config) -> int:
    """Show what could not leave the host, and what cannot come to it."""
    if carries_out(simulator()):
        with cluster_copy(facts.cluster.sandbox, config) as copy:
            simulations = Simulations(facts.cluster, copy, _OF_HOST)
            answer = confirmed_host(facts, host, simulations)
        _log_runs(simulations)
    else:
        answer = ask_host(facts, host, None)
    groups = {"leaving": answer.leaving, "coming": answer.coming}
    if form.output == "json":
        shown = {
            key: {name: as_json.reasons_json(reasons) for name, reasons in of.items()}
            for key, of in groups.items()
        }
        general = as_json.reasons_json(answer.general)
        render.show_json({"node": host.name, "says": answer.says, "reasons": general, **shown})
    elif not form.usual:
        rows = [
            (name, key, reason.what, reason.do)
            for key, of in groups.items()
            for name, reasons in of.items()
            for reason in reasons
        ]
        render.show(Table(("DomU", "Where", "Reason", "What to do"), rows), form)
    else:
        _show_host(answer)
    return DONE


def _show_host(answer: HostAnswer) -> None:
    _tell(answer.says)
    for reason in answer.general:
        _tell(f"  {reason.what}", 4)
        if reason.do:
            render.out(f"      {reason.do}")
    if not answer.general and not answer.leaving and not answer.coming:
        _tell("  nothing keeps a domU on it or off it")
    for heading, of_domains in (
        ("cannot leave it", answer.leaving),
        ("cannot come to it", answer.coming),
    ):
        for reasons, names in by_reason(of_domains).items():
            _tell(f"  {heading}: {listed(names)}")
            for reason in reasons:
                sure = "" if reason.confirmed else "not confirmed: "
                _show_reason(f"{sure}{reason.what}", reason, 4)


_ORDINARY, _THOROUGH = 5, 60
"""How often the scheduler is asked: for a program, and for a person who sees the progress."""
_OF_HOST = 10
"""The same of a host: 5 times, and more only where domUs are about to leave it."""


def _answered(
    facts: Facts, domain: Domain, node: Node | None, config: Config
) -> tuple[Answer, int]:
    """The answer, and how many simulations it took; without a scheduler it is not confirmed."""
    if not domain.resource or not carries_out(simulator()):
        return ask(facts, domain, node), 0
    limit = _THOROUGH if sys.stderr.isatty() else _ORDINARY
    with (
        cluster_copy(facts.cluster.sandbox, config) as copy,
        display("asking the scheduler") as shown,
    ):
        simulations = Simulations(facts.cluster, copy, limit, shown.doing)
        answer = confirmed(facts, domain, node, simulations)
    _log_runs(simulations)
    return answer, simulations.runs


def _log_runs(simulations: Simulations) -> None:
    log(f"the scheduler was asked {simulations.runs} times, {simulations.limit} at most")


def _refused(cluster: Cluster, domain: Domain, config: Config) -> Iterator[Reason]:
    """Why hxm would not start the domU although it is told to, by the files and domUs of this host.

    The other nodes are not asked: an order to start it does that.
    """
    if domain.running or not domain.resource or not cluster.domain_of(domain.resource):
        return
    unknown = Forecast((), cluster, simulated=False)
    claims = list(all_claims(cluster, config, {}))
    for clash in clashes(cluster, unknown, {domain.resource}, claims, config.ignore.split()):
        yield Reason(f"hxm would not start it: {clash.what}", do=clash.do)


def _facts(cluster: Cluster, config: Config) -> Facts:
    cib = capacity.read_cib(config)
    needs = capacity.read_needs(cluster)
    hosts = capacity.read_hosts(cluster, config, needs, cib, ())
    relations = that_count(relations_in(cib), cluster, time.time())
    return Facts(cluster, relations, {}, hosts, needs, utilization_in(cib), {}, {})


def _show(answer: Answer, runs: int) -> None:
    _tell(answer.says)
    for reason in answer.reasons:
        _show_reason(_what(reason, runs), reason, 2)
    for node, also in ((answer.also_on, answer.also), *answer.elsewhere):
        of = f" for {node}" if node else ""
        if also:
            _tell(f"  with that{of} also: {listed(also, 4)}")
    if answer.scores:
        scores = [f"{node} {score}" for node, score in answer.scores.items()]
        render.out(f"  scores: {listed(scores, 4)}")
    if not runs and any(reason.absolute for reason in answer.reasons):
        render.note("not confirmed: no scheduler of this generation can be asked here")
    elif any(reason.supposed for reason in answer.reasons):
        render.note("not confirmed: the CIB says so, and the scheduler has not shown it")


def _show_reason(what: str, reason: Reason, margin: int) -> None:
    """Each step that leads to the cause on its line, and each that is to be taken.

    The evidence stands beside the last if there is room.
    """
    first, *others = what.split("; ")
    *above, last = [" " * margin + first, *(" " * (margin + 2) + step for step in others)]
    beside = f"{last} ({reason.evidence})" if reason.evidence else last
    fits = len(beside) <= _WIDE
    below = [" " * (margin + 4) + reason.evidence] if not fits and reason.evidence else []
    for line in (*above, beside if fits else last, *below):
        _tell(line, len(line) - len(line.lstrip()) + 2)
    step, *then = reason.do.split("; then ")
    for line in filter(None, (step, *(f"then {step}" for step in then))):
        render.out(" " * (margin + 4) + line)


def _what(reason: Reason, runs: int) -> str:
    """The reason, and whether it is only supposed where the scheduler was asked."""
    return f"not confirmed: {reason.what}" if runs and reason.supposed else reason.what


def _tell(line: str, indent: int = 6) -> None:
    for part in render.folded(line, indent, sys.stdout):
        render.out(part)
