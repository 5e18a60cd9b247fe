"""Resources that no configuration has any more, and the nodes still know."""

from __future__ import annotations

from collections.abc import Iterator

from hxm.model import Advice, Cluster, Domain, Resource
from hxm.plan import Objection
from hxm.policy import is_false, listed


def orphans(cluster: Cluster) -> Iterator[Advice]:
    """Those that run, one by one, and the others together.

    A spare instance of a clone is called an orphan too, and is none.
    """
    running, others = [], set()
    for state in cluster.resources:
        if state.orphaned and (name := state.id.partition(":")[0]) not in cluster.primitives:
            if state.nodes:
                running.append(state)
            else:
                others.add(name)
    yield from (_running(cluster, state) for state in running)
    if lost := sorted(others - {state.id for state in running}):
        what = f"{listed(lost)}: no longer in the configuration, still known to the nodes"
        yield Objection(what, cluster.advice("forget", resource=lost[0]))


def orphaned(cluster: Cluster, domain: Domain) -> Advice | None:
    """What there is to say of a domU that runs, where it is one."""
    for state in cluster.resources:
        if not domain.resource and state.orphaned and state.id == domain.name and state.nodes:
            return _running(cluster, state)
    return None


def _running(cluster: Cluster, state: Resource) -> Advice:
    """That it runs, and who looks after it; a domU, once forgotten, runs on all the same."""
    options = ("stop-orphan-resources", "stop-removed-resources")
    stays = any(is_false(cluster.properties.get(option, "")) for option in options)
    what = f"{state.id} runs on {listed(state.nodes)}, and no configuration has it: "
    if not stays:
        return Objection(f"{what}the cluster is about to stop it", "to keep it: hxm restore")
    what += "nothing starts, watches or moves it; a cleanup or refresh makes the cluster forget it"
    node = state.nodes[0]
    if state.agent.rpartition(":")[2] not in ("Xen", "VirtualDomain"):
        return Objection(what, f"put it back, or stop it on {node}")
    program = cluster.toolstack or "xl"
    do = f"put it under the cluster: hxm enrol; or end it on {node}: {program} shutdown {state.id}"
    return Objection(what, f"{do}, then: {cluster.advice('look', resource=state.id)}")
