"""Meta options that are set at a domU for a while, and the commands that end them."""

from __future__ import annotations

from collections.abc import Iterator

from hxm.model import Cluster, ManagedDomain
from hxm.policy import is_false, is_true, keeps_stopped


def ends(cluster: Cluster, domain: ManagedDomain) -> Iterator[tuple[str, str]]:
    """The options that are to be removed or set otherwise, and the command that does so.

    Not what changes nothing: crmsh leaves a target-role=Started behind by each start.
    """
    own = cluster.primitives[domain.resource].own_meta
    if keeps_stopped(own):
        yield "target-role", "check" if _runs_under_another(cluster, domain) else "start"
    if is_false(own.get("is-managed", "")):
        yield "is-managed", "manage"
    if is_true(own.get("maintenance", "")):
        yield "maintenance", "maintenance off"


def _runs_under_another(cluster: Cluster, domain: ManagedDomain) -> bool:
    """Whether a resource that runs may be the same domU: then a start is no remedy."""
    return any(
        other.running and other.resource != domain.resource
        for other in cluster.managed_domains
        if other.name == domain.name or (other.xmfile and other.xmfile == domain.xmfile)
    )
