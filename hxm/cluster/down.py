"""Why domUs that should run do not, and hosts take none, by the model: no scheduler is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element

from hxm.config import Config
from hxm.errors import CannotAsk
from hxm.model import Cluster, ManagedDomain
from hxm.pacemaker.cib import read_configuration
from hxm.pacemaker.relations import relations_in
from hxm.pacemaker.utilization import utilization_in
from hxm.policy.reasons.facts import Facts
from hxm.policy.reasons.why import barring, first_reason


def with_reasons(
    cluster: Cluster,
    cib: Element | None,
    down: Iterable[ManagedDomain],
    env: Mapping[str, str] | None,
    timeout: float,
) -> Cluster:
    """The cluster with the first reason for each of these domUs.

    The whole CIB is asked for if it was not read yet: its status has the fail counts.
    """
    if cib is None:
        try:
            cib = read_configuration(env, timeout, whole=True).cib
        except CannotAsk:
            cib = None
    if cib is None:
        return cluster
    facts = Facts(cluster, relations_in(cib), utilization=utilization_in(cib))
    reasons = {}
    for domain in down:
        if reason := first_reason(facts, domain):
            reasons[domain.resource] = reason
    return cluster._replace(down=reasons)


def with_barred_hosts(cluster: Cluster, config: Config) -> Cluster:
    """The cluster with the hosts that are as they should be, and that no domU may come to."""
    hosts = [node for node in cluster.hosts if node.usable]
    if len(cluster.hosts) < 2 or not cluster.managed_domains:
        return cluster
    try:
        cib = read_configuration(timeout=config.ask_timeout, whole=True).cib
    except CannotAsk:
        return cluster
    if cib is None:
        return cluster
    facts = Facts(cluster, relations_in(cib), utilization=utilization_in(cib))
    barred = {}
    for node in hosts:
        if reason := barring(facts, node):
            barred[node.name] = reason
    return cluster._replace(barred=barred)
