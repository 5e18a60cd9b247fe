"""Meta options that are set at a domU for a while, and the commands that end them."""

from __future__ import annotations

from collections.abc import Iterator

from hxm.model import Cluster, ManagedDomain
from hxm.policy import is_false, is_true, keeps_stopped


def ends(cluster: Cluster, domain: ManagedDomain) -> Iterator[tuple[str, str]]:
    """The options that are to be removed or set otherwise, and the command that does so."""
    primitive = cluster.primitives[domain.resource]
    own, inherited = primitive.own_meta, primitive.inherited_meta
    if own.get("target-role"):
        if keeps_stopped(own):
            yield "target-role", "check" if _runs_under_another(cluster, domain) else "start"
        elif not keeps_stopped(inherited):
            yield "target-role", "default"
    if managed := own.get("is-managed"):
        if is_false(managed):
            yield "is-managed", "manage"
        elif not is_false(inherited.get("is-managed", "")):
            yield "is-managed", "default"
    if asleep := own.get("maintenance"):
        if is_true(asleep):
            yield "maintenance", "maintenance off"
        elif not is_true(inherited.get("maintenance", "")):
            yield "maintenance", "default"


def _runs_under_another(cluster: Cluster, domain: ManagedDomain) -> bool:
    """Whether a resource that runs may be the same domU: then a start is no remedy."""
    return any(
        other.running and other.resource != domain.resource
        for other in cluster.managed_domains
        if other.name == domain.name or (other.xmfile and other.xmfile == domain.xmfile)
    )
