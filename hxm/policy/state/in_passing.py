"""Meta options that are set at a domU for a while, and the commands that end them."""

from __future__ import annotations

from collections.abc import Iterator

from hxm.model import Cluster, ManagedDomain
from hxm.plan import Objection
from hxm.policy import half_way, is_false, is_true, keeps_stopped, typed
from hxm.policy.guards import safe_end
from hxm.policy.guards.own_sets import own_place
from hxm.policy.state.node_remedy import stops_with
from hxm.policy.unjudged import on_condition


def set_at(cluster: Cluster, domain: ManagedDomain) -> Iterator[tuple[str, Objection]]:
    """Meta options at the domU itself, but for those that it needs against an inherited one."""
    primitive, word = cluster.primitives[domain.resource], typed(domain)
    own = primitive.own_meta
    for objection in half_way(cluster, [domain]):
        interim = "is-managed=false, and " if is_false(own.get("is-managed", "")) else ""
        what = f"{domain.name}: {interim}{objection.what}"
        yield "is-managed", Objection(what, f"hxm withdraw {word}")
        return
    if domain.running and keeps_stopped(own) and is_false(primitive.meta.get("is-managed", "")):
        what = (
            f"{domain.name}: target-role={own['target-role']} and unmanaged: managed it would stop"
        )
        do = safe_end(domain._replace(target_role="Stopped"), f"hxm manage {word}")
        yield "target-role", Objection(what, do)
        return
    for option, command in _ends(cluster, domain):
        what, do = f"{domain.name}: {option}={own[option]}", f"hxm {command} {word}"
        if own_set := own_place(cluster, primitive, option):
            what, do = f"{what}, in {own_set[0]}", own_set[1]
        if option == "maintenance":
            do = safe_end(domain, do) or do
        if domain.running and not domain.managed and (cause := stops_with(cluster, domain)):
            what += f", without which it would stop ({cause})"
            do = on_condition(f"{domain.name} may stop", do)
        yield option, Objection(what, do)


def _ends(cluster: Cluster, domain: ManagedDomain) -> Iterator[tuple[str, str]]:
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
