"""Default, manage, unmanage, maintenance and cleanup: what was set in passing and stayed."""

from __future__ import annotations

from collections.abc import Sequence

from hxm.decide import (
    Decision,
    Nothing,
    Translate,
    clear_meta_step,
    guards,
    is_false,
    is_true,
    listed,
    meta_step,
    own_meta,
)
from hxm.model import Cluster, Domain, Goal, Node, Phase, Step

IN_PASSING = ("target-role", "is-managed", "maintenance")
"""The meta options that tools set at a resource in passing."""


def default(cluster: Cluster, domains: Sequence[Domain]) -> Decision:
    """Remove what was set in passing, so that the cluster's defaults hold again."""
    steps = tuple(
        clear_meta_step(domain, name)
        for domain in domains
        for name in IN_PASSING
        if name in own_meta(cluster, domain)
    )
    if not steps:
        names = listed([domain.name for domain in domains])
        return Nothing(f"{names}: nothing was set in passing")
    return Translate(
        "default",
        listed([step.says for step in steps]),
        tuple(domain.resource or "" for domain in domains),
        (Phase(steps),),
        frozenset(),
        (*guards.whole_cluster(cluster), *guards.in_flight(cluster, domains, guards.FORCE)),
        guards.warnings(cluster),
        done=f"removed: {listed([step.says.removeprefix('remove ') for step in steps])}",
    )


def manage(cluster: Cluster, domains: Sequence[Domain]) -> Decision:
    """Hand the domUs back to the cluster, which then sees to it that they are as they should."""
    steps: list[Step] = []
    for domain in domains:
        primitive = cluster.primitives[domain.resource or ""]
        inherited = primitive.inherited_meta
        if is_false(inherited.get("is-managed", "")):
            if not is_true(primitive.own_meta.get("is-managed", "")):
                steps.append(meta_step(domain, "is-managed", "true"))
        elif "is-managed" in primitive.own_meta:
            steps.append(clear_meta_step(domain, "is-managed"))
        if is_true(primitive.own_meta.get("maintenance", "")):
            steps.append(clear_meta_step(domain, "maintenance"))
    names = listed([domain.name for domain in domains])
    if not steps:
        unwatched = [away for each in domains if (away := guards.looked_away(cluster, each))]
        if unwatched:
            reason, end, _ = unwatched[0]
            return Nothing(f"{names}: managed, but {reason}; end that with: {end}")
        return Nothing(f"{names}: managed already")
    in_maintenance = cluster.maintenance or any(
        node.maintenance for node in cluster.nodes for each in domains if node.name in each.nodes
    )
    return Translate(
        "manage",
        f"manage {names}",
        tuple(domain.resource or "" for domain in domains),
        (Phase(tuple(steps), () if in_maintenance else _goals("managed", domains)),),
        frozenset(),
        tuple(guards.whole_cluster(cluster)),
        guards.warnings(cluster),
        done=f"the cluster manages {names} again",
    )


def unmanage(cluster: Cluster, domains: Sequence[Domain]) -> Decision:
    """Tell the cluster to leave the domUs alone, running or not; it keeps looking."""
    wanting = [
        domain
        for domain in domains
        if not is_false(own_meta(cluster, domain).get("is-managed", ""))
    ]
    names = listed([domain.name for domain in domains])
    if not wanting:
        return Nothing(f"{names}: unmanaged already")
    return Translate(
        "unmanage",
        f"unmanage {names}",
        tuple(domain.resource or "" for domain in wanting),
        (
            Phase(
                tuple(meta_step(domain, "is-managed", "false") for domain in wanting),
                _goals("unmanaged", wanting),
            ),
        ),
        frozenset(),
        (*guards.whole_cluster(cluster), *guards.in_flight(cluster, wanting, guards.FORCE)),
        guards.warnings(cluster),
        done=f"the cluster leaves {names} alone until: hxm manage {' '.join(_names(wanting))}",
    )


def maintenance(cluster: Cluster, on: bool, subject: Node | Domain | None) -> Decision:
    """Maintenance of the whole cluster, of a node, or of one domU."""
    if isinstance(subject, Domain):
        what, already = subject.name, is_true(own_meta(cluster, subject).get("maintenance", ""))
        step = (
            meta_step(subject, "maintenance", "true")
            if on
            else clear_meta_step(subject, "maintenance")
        )
    elif subject:
        what = subject.name
        already = is_true(cluster.node_attributes.get(what, {}).get("maintenance", ""))
        kind = "node-maintenance" if on else "clear-node-maintenance"
        step = Step(kind, f"maintenance of {what} {'on' if on else 'off'}", {"node": what})
    else:
        what, already = "the cluster", cluster.maintenance
        kind = "maintenance" if on else "clear-maintenance"
        step = Step(kind, f"maintenance {'on' if on else 'off'}", {})
    if already == on:
        return Nothing(f"{what} is {'in maintenance already' if on else 'not in maintenance'}")
    back = "hxm maintenance off" + (f" {what}" if subject else "")
    return Translate(
        "maintenance",
        f"maintenance {'on' if on else 'off'} for {what}",
        (),
        (Phase((step,)),),
        frozenset(),
        tuple(guards.whole_cluster(cluster)),
        guards.warnings(cluster),
        done=f"{what} is in maintenance until: {back}" if on else f"{what} is out of maintenance",
    )


def cleanup(cluster: Cluster, domain: Domain | None, node: Node | None) -> Decision:
    """Forget the failures of a domU, or of everything, on a node, or on all."""
    failed = {
        failure.resource
        for failure in cluster.failures
        if (domain is None or failure.resource == domain.resource)
        and (node is None or failure.node == node.name)
    }
    concerned = [domain.resource or ""] if domain else sorted(failed)
    if not concerned:
        return Nothing("the cluster remembers no failure" + (f" on {node.name}" if node else ""))
    steps = tuple(
        Step(
            "cleanup-on" if node else "cleanup",
            f"forget the failures of {resource}" + (f" on {node.name}" if node else ""),
            {"resource": resource} | ({"node": node.name} if node else {}),
        )
        for resource in concerned
    )
    return Translate(
        "cleanup",
        listed([step.says for step in steps]),
        tuple(concerned),
        (Phase(steps),),
        frozenset({"start", "live"}),
        tuple(guards.whole_cluster(cluster)),
        guards.warnings(cluster),
        done=f"the failures of {listed(concerned)} are forgotten",
    )


def _goals(kind: str, domains: Sequence[Domain]) -> tuple[Goal, ...]:
    return tuple(Goal(kind, domain.resource or "") for domain in domains)


def _names(domains: Sequence[Domain]) -> list[str]:
    return [domain.name for domain in domains]
