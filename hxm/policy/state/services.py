"""What is no domU, and should run: storage, groups, clones, other services."""

from __future__ import annotations

from collections.abc import Iterator

from hxm.model import Cluster
from hxm.plan import Objection
from hxm.policy import keeps_stopped, listed, outermost, stops_everything
from hxm.policy.state.quorum import without_quorum


def services_down(cluster: Cluster) -> Iterator[tuple[list[str], Objection]]:
    """What runs nowhere."""
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
    if names := [] if held else outermost(idle):
        verb = "should run, and does not" if len(names) == 1 else "should run, and do not"
        yield names, Objection(f"{listed(names)} {verb}", f"hxm why {names[0]}")
