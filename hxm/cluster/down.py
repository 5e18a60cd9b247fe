"""Why domUs that should run do not, and hosts take none, by the model: no scheduler is asked."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element

from hxm.errors import CannotAsk
from hxm.model import Cluster, ManagedDomain, Node
from hxm.pacemaker.cib import read_configuration
from hxm.pacemaker.relations import relations_in, remembered
from hxm.pacemaker.utilization import utilization_in
from hxm.policy.reasons.facts import Facts
from hxm.policy.reasons.hosts import barring
from hxm.policy.reasons.why import first_reason


def with_reasons(
    cluster: Cluster,
    cib: Element | None,
    down: Iterable[ManagedDomain],
    empty: Iterable[Node],
    env: Mapping[str, str] | None,
    timeout: float,
) -> Cluster:
    """The cluster with what keeps these domUs down, and every domU off these empty hosts.

    The whole CIB is asked for if it was not read yet: its status has the fail counts.
    """
    if cib is None:
        try:
            cib = read_configuration(env, timeout, whole=True).cib
        except CannotAsk:
            cib = None
    if cib is None:
        return cluster
    relations = remembered(relations_in(cib), cluster.primitives.values(), time.time())
    facts = Facts(cluster, relations, utilization=utilization_in(cib))
    reasons = {}
    for domain in down:
        if reason := first_reason(facts, domain):
            reasons[domain.resource] = reason
    barred = {}
    for node in empty:
        if reason := barring(facts, node):
            barred[node.name] = reason
    return cluster._replace(down=reasons, barred=barred)
