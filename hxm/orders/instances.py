"""Whether a domU is the same instance as before: the toolstack gives every new one a new domid."""

from __future__ import annotations

from collections.abc import Mapping

from hxm.cluster.read import read_cluster, with_other_nodes
from hxm.config import Config
from hxm.errors import CannotAsk, Failed
from hxm.model import Cluster, Domain
from hxm.plan import Instance
from hxm.policy import listed
from hxm.policy.names import at_home


def instance_of(asked: Cluster, domain: Domain) -> Instance:
    """Where the domU runs and under which domid, in a cluster whose nodes were all asked."""
    return Instance(domain.name, _domids(asked, domain.name))


def changed(before: Instance, config: Config) -> str:
    """Why the domU is not the same instance any more; "" if it is, or if it ran nowhere before.

    Raises CannotAsk if a node where it ran does not answer.
    """
    if not before.domids:
        return ""
    try:
        asked = with_other_nodes(read_cluster(config), config)
    except CannotAsk as error:
        raise _unknown(before, error.message) from None
    domids = _domids(asked, before.name)
    silent = [node for node in before.domids if node not in asked.heard]
    if domids != {node: domid for node, domid in before.domids.items() if node not in silent}:
        there = _places(domids)
        if not domids and asked.unreachable:
            there += " that can be asked"
        return f"{before.name} does not run as before: it ran {_places(before.domids)}, now {there}"
    if silent:
        why = asked.unreachable.get(silent[0]) or asked.toolstack_fault or "it was not asked"
        raise _unknown(before, f"{silent[0]}: {why}")
    return ""


def uncertain(before: Instance | None, config: Config) -> str:
    """Why it is unknown whether the domU is the same instance, or "". Raises Failed if not."""
    try:
        fault = changed(before, config) if before else ""
    except CannotAsk as error:
        return error.message
    if fault:
        raise Failed(fault, "to see what runs: hxm list --everywhere")
    return ""


def _unknown(instance: Instance, why: str) -> CannotAsk:
    return CannotAsk(f"cannot tell whether {instance.name} runs as before: {why}")


def _domids(cluster: Cluster, name: str) -> dict[str, int]:
    return {
        node: domain.id
        for domain in cluster.domains
        if at_home(domain.name) == name and domain.id is not None
        for node in domain.places[:1]
    }


def _places(domids: Mapping[str, int]) -> str:
    places = [f"on {node} (domid {domid})" for node, domid in domids.items()]
    return listed(places) if places else "nowhere"
