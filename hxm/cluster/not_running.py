"""Why domUs that should run do not, and why hosts take none: the first reason of each.

And what threatens those that run.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from xml.etree.ElementTree import Element

from hxm.cluster import beside
from hxm.cluster.confirm_reasons import about_to_go, confirmed, inquiry_about
from hxm.cluster.restless import restless, threatened
from hxm.errors import CannotAsk
from hxm.model import Cluster, Domain, ManagedDomain, Node
from hxm.pacemaker.cib import read_configuration
from hxm.pacemaker.migrations import with_peers
from hxm.pacemaker.relations import relations_in, that_count
from hxm.pacemaker.simulate import Said, carries_out, scratch, simulator
from hxm.pacemaker.utilization import utilization_in
from hxm.pacemaker.what_if import Simulations
from hxm.policy import outermost
from hxm.policy.reasons.everywhere import disallowed_everywhere
from hxm.policy.reasons.facts import NEVER, Change, Facts, Reason, subject_in
from hxm.policy.reasons.hosts import barring
from hxm.policy.reasons.offer import ABOUT_TO_START
from hxm.policy.reasons.taken_along import taken_along
from hxm.policy.reasons.threats import Threat, at_the_end, unsupported
from hxm.policy.reasons.tickets import all_frozen
from hxm.policy.reasons.weightiest import first_reason, weightiest
from hxm.policy.reasons.why import ask, likely
from hxm.policy.state.cluster_wide import inherited
from hxm.policy.state.fencing import helpless
from hxm.policy.state.services import idle_services

_END = (Change("property", "maintenance-mode", "false"),)
"""What ends the maintenance of the whole cluster."""
_AT_MOST = 5
"""How often the scheduler is asked, for all domUs and hosts together."""


def with_reasons(
    cluster: Cluster,
    cib: Element | None,
    down: Sequence[ManagedDomain],
    empty: Sequence[Node],
    env: Mapping[str, str] | None,
    timeout: float,
    *,
    ask: bool | None,
) -> Cluster:
    """The cluster with what keeps these domUs down, and every domU off these empty hosts.

    If the scheduler may be asked, also with what threatens the domUs that run.
    The whole CIB is asked for if it was not read yet: its status has the fail counts. What the
    scheduler has not confirmed says so.
    """
    facts = _facts(cluster, cib, env, timeout)
    if not facts:
        return cluster
    if along := tuple(taken_along(facts)):
        cluster = facts.cluster._replace(taken_along=along)
        facts = facts._replace(cluster=cluster, causes={}, memory={})  # whose words tell of that
    defaults = any(inherited(cluster))
    confirm = ask and bool(down or empty or cluster.maintenance or defaults or restless(cluster))
    try:
        with _simulations(cluster, timeout, confirm=confirm) as simulations:
            explained = _explained(facts, down, empty, simulations)
            if not ask:
                return explained
            explained = _threatened(explained, facts, simulations)
            return _with_services(explained, facts, simulations)
    except CannotAsk:
        explained = _explained(facts, down, empty, None)
        return _threatened(explained, facts, None) if ask else explained


def reason_against(
    cluster: Cluster, resource: str, node: str | None, timeout: float
) -> Reason | None:
    """What keeps a domU that is to be started down, or off a node, and is not its target-role."""
    domain, target = cluster.domain_of(resource), cluster.node(node or "")
    facts = _facts(cluster, None, None, timeout) if domain else None
    if not domain or not facts:
        return None
    own = subject_in(cluster, domain).ids
    ends = ("start", "send") if target else ("start",)
    with _simulations(cluster, timeout, confirm=True) as simulations:
        if not simulations:
            answer = ask(facts, domain, target)
        else:
            answer = confirmed(facts, domain, target, simulations)
        first = weightiest(reason for reason in answer.reasons if not _ordered(reason, own, ends))
        return first and beside.of_reasons(cluster, simulations, {resource: first})[resource]


def _ordered(reason: Reason, own: Collection[str], ends: Collection[str]) -> bool:
    """Whether the reason is what the order itself ends: that it is told to stop, or elsewhere."""
    change = reason.change
    return bool(change and change.kind in ends and change.subject in own)


def _facts(
    cluster: Cluster, cib: Element | None, env: Mapping[str, str] | None, timeout: float
) -> Facts | None:
    """All that the CIB says; None if the whole of it is not known and cannot be asked for."""
    if cib is None:
        try:
            cib = read_configuration(env, timeout, whole=True).cib
        except CannotAsk:
            return None
    if cib is None:
        return None
    relations = that_count(relations_in(cib), cluster, time.time())
    cluster = cluster._replace(history=with_peers(cluster.history, cib))
    return Facts(cluster, relations, utilization=utilization_in(cib), causes={}, memory={})


@contextmanager
def _simulations(
    cluster: Cluster, timeout: float, *, confirm: bool | None
) -> Iterator[Simulations | None]:
    """What asks the scheduler; None if it is not to be asked, or there is none."""
    if not confirm or not carries_out(simulator()):
        yield None
        return
    with scratch(cluster.sandbox, timeout, unfenced=lambda _: helpless(cluster)) as copy:
        yield Simulations(cluster, copy, _AT_MOST)


def _explained(
    facts: Facts,
    down: Iterable[ManagedDomain],
    empty: Iterable[Node],
    simulations: Simulations | None,
) -> Cluster:
    down, reasons = list(down), {}
    barred = {node.name: reason for node in empty if (reason := barring(facts, node))}
    several = simulations and len(barred) + len(down) > 1
    joint = _joint(facts, down, barred.values()) if several else []
    for domain in down:
        if reason := _first_reason(facts, domain, simulations, joint):
            reasons[domain.resource] = reason
    if simulations:
        barred = _confirmed(facts, barred, joint, simulations)
    else:
        barred = {node: reason.as_supposed for node, reason in barred.items()}
    cluster = facts.cluster
    return cluster._replace(
        down=beside.of_reasons(cluster, simulations, reasons),
        barred=beside.of_reasons(cluster, simulations, barred),
        effects=beside.of_defaults(cluster, simulations),
        disallowed=tuple(outermost(disallowed_everywhere(facts))),
        frozen=all_frozen(facts),
    )


def _with_services(cluster: Cluster, facts: Facts, simulations: Simulations | None) -> Cluster:
    """The cluster with what keeps services down, as far as the scheduler still confirms it."""
    reasons = dict(cluster.down)
    for name in idle_services(cluster) if simulations else ():
        service = Domain(name, name, role="Stopped", managed=True)
        reason = _first_reason(facts, service, simulations, ())
        if reason and (reason.confirmed or reason.what.startswith(ABOUT_TO_START)):
            reasons[name] = reason
        if simulations and simulations.runs >= simulations.limit:
            break
    return cluster._replace(down=reasons)


def _threatened(cluster: Cluster, facts: Facts, simulations: Simulations | None) -> Cluster:
    """The cluster with what threatens domUs that run.

    What the scheduler is about to do is only asked where it may be anything.
    """
    if not threatened(cluster):
        return cluster
    threats: list[Threat] = []
    if simulations and cluster.maintenance and simulations.ask(_END):
        threats += at_the_end(cluster, simulations.moved(_END))
    elif simulations and restless(cluster):
        threats += about_to_go(facts, simulations)
    besides = [name for _, names, _ in threats for name in names]
    return cluster._replace(threats=(*threats, *unsupported(facts, besides)))


def _joint(facts: Facts, down: Sequence[ManagedDomain], bars: Iterable[Reason]) -> list[Change]:
    """What would bring up all of them, and end what bars hosts: one simulation shows it."""
    causes = [*bars, *(reason for domain in down for reason in likely(facts, domain))]
    return [change for change in dict.fromkeys(reason.change for reason in causes) if change]


def _first_reason(
    facts: Facts, domain: ManagedDomain, simulations: Simulations | None, joint: Sequence[Change]
) -> Reason | None:
    """Of one domU; `joint` is what is against all of them, which is tried at once."""
    if not simulations:
        return first_reason(facts, domain)
    inquiry, unknown = inquiry_about(facts, subject_in(facts.cluster, domain), simulations)
    verdict = inquiry.ask(joint, None) if joint else None
    if verdict and verdict.reached:
        inquiry.joint = frozenset(joint)
    return first_reason(facts, domain, inquiry, unknown)


def _confirmed(
    facts: Facts, barred: Mapping[str, Reason], joint: Sequence[Change], simulations: Simulations
) -> dict[str, Reason]:
    """Of these hosts those that no domU may come to by its scores; without the reason, one may."""
    if not barred:
        return {}
    now = simulations.ask(())
    alone = [reason.change for reason in barred.values() if reason.change]
    without = simulations.ask(joint or alone)
    names = [domain.resource for domain in facts.cluster.managed_domains]

    def may(answer: Said | None, node: str) -> bool:
        scores = answer[1] if answer else {}
        return any(scores.get(name, {}).get(node, NEVER) != NEVER for name in names)

    return {
        node: reason if may(without, node) else reason.as_supposed
        for node, reason in barred.items()
        if not may(now, node)
    }
