"""Clones whose instances depend on each other across nodes."""

from __future__ import annotations

from collections.abc import Iterator

from hxm.model import Cluster
from hxm.policy import is_true, listed
from hxm.policy.indexed import primitives
from hxm.policy.relations import Relations
from hxm.policy.state.findings import Finding


def of_clones(cluster: Cluster, relations: Relations) -> Iterator[Finding]:
    """Those that restart on every node when a node comes or goes: without interleave.

    An instance then waits for all instances of the clone that it is ordered after.
    """
    before: dict[str, list[str]] = {}
    for order in relations.orders:
        if order.mandatory and _is_clone(cluster, order.first) and _is_clone(cluster, order.then):
            before.setdefault(order.then, []).append(order.first)
    for clone, firsts in before.items():
        inside = primitives(cluster).of(clone)
        if not any(is_true(part.meta.get("interleave", "")) for part in inside):
            what = f"{clone} restarts on all nodes, with the domUs on it, when an instance of "
            what += f"{listed(list(dict.fromkeys(firsts)))} starts or stops: it has no interleave"
            do = cluster.advice("instances", clone=clone, option="interleave", number="true")
            yield Finding(what, do, "no-interleave", clone)


def _is_clone(cluster: Cluster, name: str) -> bool:
    return any(part.clone == name for part in primitives(cluster).of(name))
