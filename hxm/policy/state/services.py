"""What is no domU, and should run: storage, groups, clones, services; the hosts that they leave."""

from __future__ import annotations

from collections.abc import Iterator

from hxm.model import Cluster, Node, Primitive
from hxm.plan import Objection
from hxm.policy import keeps_stopped, listed, outermost, stops_everything
from hxm.policy.relations import spoken
from hxm.policy.state.node_health import against_it
from hxm.policy.state.node_remedy import better_health
from hxm.policy.state.quorum import without_quorum


def services_down(cluster: Cluster) -> Iterator[tuple[list[str], Objection]]:
    """What runs nowhere, each with its reason, or together where none is known."""
    names = idle_services(cluster)
    for name in names:
        if reason := cluster.down.get(name):
            yield (
                [name],
                Objection(
                    f"{name} should run, and does not: {reason.what}",
                    reason.do or f"hxm why {name}",
                ),
            )
    if rest := [name for name in names if name not in cluster.down]:
        verb = "should run, and do not" if rest[1:] else "should run, and does not"
        yield rest, Objection(f"{listed(rest)} {verb}", f"hxm why {rest[0]}")


def idle_services(cluster: Cluster) -> list[str]:
    """What is no domU, should run, and runs nowhere; a group or a clone by its name."""
    active = {r.id.partition(":")[0] for r in cluster.resources if r.nodes or r.role != "Stopped"}
    known = {resource.id.partition(":")[0] for resource in cluster.resources} - active
    idle = [
        primitive
        for name, primitive in cluster.primitives.items()
        if name in known and not cluster.domain_of(name) and not keeps_stopped(primitive.meta)
        if not primitive.agent.startswith("stonith:")  # of these and of remote nodes
        and not cluster.node(name)  # the host is named
        and {name, primitive.parent, primitive.clone}.isdisjoint(cluster.disallowed)
    ]
    held = stops_everything(cluster) or (not cluster.quorum and without_quorum(cluster))
    return [] if held else outermost(idle)


def services_twice(cluster: Cluster) -> Iterator[tuple[str, Objection]]:
    """What is blocked, because it is active on several nodes: what needs it waits."""
    for state in cluster.resources:
        primitive = cluster.primitives.get(state.id)
        alone = primitive and not primitive.clone and not cluster.domain_of(state.id)
        if alone and state.blocked and len(state.nodes) > 1:
            what = f"{state.id} is active on {listed(state.nodes)} at once, and blocked"
            yield state.id, Objection(what, f"hxm why {state.id}")


def unwell(cluster: Cluster) -> Iterator[tuple[Node, Objection]]:
    """Hosts with a bad health: by a score among others, or which a clone left, and no domU."""
    for node in cluster.hosts:
        if node.away:
            continue
        own = {**cluster.node_attributes.get(node.name, {}), **cluster.transient.get(node.name, {})}
        counted, what = against_it(cluster.properties, own), ""
        if counted and node.usable:
            what = f"the health of {node.name} counts {spoken(counted[0])} ({counted[1]}): "
            what += "the cluster prefers other nodes"
        if counted or node.health:
            here = [domain.name for domain in cluster.managed_domains if node.name in domain.nodes]
            gone = outermost(list(_gone_from(cluster, node))) if here else []
            stay = f"{listed(here, 4)} {'stay' if here[1:] else 'stays'} there"
            left = f"{listed(gone)} left {node.name} for its health, and {stay}"
            what = "; ".join(filter(None, (what, left if gone else "")))
        if what:
            yield node, Objection(what, better_health(cluster, node))


def _gone_from(cluster: Cluster, node: Node) -> Iterator[Primitive]:
    """What runs on other nodes by a clone, and could run here, too."""
    for primitive in cluster.primitives.values():
        states = [r for r in cluster.resources if r.id.partition(":")[0] == primitive.id]
        places = {name for state in states for name in state.nodes}
        most = primitive.meta.get("clone-max", "")
        full = most.isdigit() and len(places) >= int(most)
        if primitive.clone and places and node.name not in places and not full:
            yield primitive
