"""Default, manage, unmanage, maintenance and cleanup: temporary settings that remain."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from hxm.model import Cluster, Domain, ManagedDomain, Node, Primitive
from hxm.plan import AlreadyDone, Decision, Goal, Phase, Plan, Step
from hxm.policy import (
    IN_PASSING,
    all_typed,
    called,
    goals,
    guards,
    half_way,
    is_false,
    is_true,
    listed,
    own_meta,
    resources,
    typed,
)
from hxm.policy.guards.above import stands_above
from hxm.policy.inherited import set_above
from hxm.policy.state.fencing import MAINTENANCE
from hxm.policy.state.findings import failed_domus
from hxm.policy.state.running_twice import may_run_twice, on_two_nodes
from hxm.policy.steps import (
    cleanup_step,
    clear_meta_step,
    maintenance_step,
    meta_step,
    node_maintenance_step,
)


def default(cluster: Cluster, domains: Sequence[ManagedDomain]) -> Decision:
    """Remove temporary settings, so that the defaults apply again."""
    steps = tuple(
        clear_meta_step(domain, name)
        for domain in domains
        for name in IN_PASSING
        if name in own_meta(cluster, domain)
    )
    if not steps:
        above = set_above(cluster, _primitives(cluster, domains))
        return AlreadyDone(f"{called(domains)}: no temporary settings to remove{above}")
    return Plan(
        "default",
        listed([step.says for step in steps]),
        resources(domains),
        (Phase(steps),),
        frozenset(),
        (
            *guards.whole_cluster(cluster),
            *half_way(cluster, domains),
            *guards.in_flight(cluster, domains, guards.FORCE),
        ),
        guards.warnings(cluster),
        done=f"removed: {listed([step.says.removeprefix('remove ') for step in steps])}",
    )


def manage(cluster: Cluster, domains: Sequence[ManagedDomain]) -> Decision:
    """Hand the domUs back to the cluster, which then brings them into their target state."""
    steps: list[Step] = []
    for domain in domains:
        primitive = cluster.primitives[domain.resource]
        inherited = primitive.inherited_meta
        if is_false(inherited.get("is-managed", "")):
            if not is_true(primitive.own_meta.get("is-managed", "")):
                steps.append(meta_step(domain, "is-managed", "true"))
        elif "is-managed" in primitive.own_meta:
            steps.append(clear_meta_step(domain, "is-managed"))
        if is_true(primitive.own_meta.get("maintenance", "")):
            steps.append(clear_meta_step(domain, "maintenance"))
    twice = list(on_two_nodes(cluster, domains))
    if not steps and not twice:
        unwatched = [away for domain in domains if (away := guards.looked_away(cluster, domain))]
        if unwatched:
            reason, end, _ = unwatched[0]
            return AlreadyDone(f"{called(domains)}: managed, but {reason}; end that with: {end}")
        return AlreadyDone(f"{called(domains)}: managed already")
    in_maintenance = cluster.maintenance or any(
        node.maintenance for domain in domains for node in _its_nodes(cluster, domain)
    )
    return Plan(
        "manage",
        f"manage {called(domains)}",
        resources(domains),
        (Phase(tuple(steps), () if in_maintenance else goals("managed", domains)),),
        frozenset(),
        (
            *guards.whole_cluster(cluster),
            *half_way(cluster, domains),
            *guards.in_flight(cluster, domains, guards.FORCE),
            *guards.stray(cluster, domains),
            *(twice if steps else [objection._replace(lifted_by="") for objection in twice]),
            *stands_above(cluster, _primitives(cluster, domains), "is-managed"),
        ),
        (*guards.warnings(cluster), *_remembered(cluster, domains)),
        done=f"the cluster manages {called(domains)} again",
        undo=f"hxm unmanage {all_typed(domains)}",
    )


def _primitives(cluster: Cluster, domains: Iterable[ManagedDomain]) -> list[Primitive]:
    return [cluster.primitives[domain.resource] for domain in domains]


def _remembered(cluster: Cluster, domains: Sequence[ManagedDomain]) -> Iterator[str]:
    """The failures that stay when the cluster looks again, and what ends each."""
    own = resources(domains)
    failures = tuple(failure for failure in cluster.failures if failure.resource in own)
    for finding in failed_domus(cluster._replace(failures=failures)):
        yield f"{finding.what}: {finding.do}"


def unmanage(cluster: Cluster, domains: Sequence[ManagedDomain]) -> Decision:
    """Tell the cluster to leave the domUs alone, running or not; it keeps looking."""
    wanting = [
        domain
        for domain in domains
        if not is_false(own_meta(cluster, domain).get("is-managed", ""))
    ]
    if not wanting:
        return AlreadyDone(f"{called(domains)}: unmanaged already")
    steps = tuple(meta_step(domain, "is-managed", "false") for domain in wanting)
    return Plan(
        "unmanage",
        f"unmanage {called(domains)}",
        resources(wanting),
        (Phase(steps, goals("unmanaged", wanting)),),
        frozenset(),
        (*guards.whole_cluster(cluster), *guards.in_flight(cluster, wanting, guards.FORCE)),
        guards.warnings(cluster),
        done=f"the cluster leaves {called(domains)} alone until: hxm manage {all_typed(wanting)}",
        undo=f"hxm manage {all_typed(wanting)}",
    )


def maintenance(cluster: Cluster, on: bool, subject: Node | ManagedDomain | None) -> Decision:
    """Maintenance of the whole cluster, of a node, or of one domU."""
    what = subject.name if subject else "the cluster"
    step = _switch(cluster, on, subject)
    if not step and on:
        return AlreadyDone(f"{what} is in maintenance already")
    if not step:
        asleep = [node.name for node in cluster.nodes if node.maintenance and not subject]
        also = f", unlike {listed(asleep)}: hxm maintenance off {asleep[0]}" if asleep else ""
        return AlreadyDone(f"{what} is not in maintenance{also}")
    ending = [subject] if isinstance(subject, Domain) and not on else []
    back = "hxm maintenance off"
    if subject:
        back += f" {typed(subject) if isinstance(subject, Domain) else subject.name}"
    return Plan(
        "maintenance",
        f"maintenance {'on' if on else 'off'} for {what}",
        (),
        (Phase((step,), _asleep(cluster, on, subject)),),
        frozenset(),
        (
            *guards.whole_cluster(cluster, () if on or subject else (MAINTENANCE,)),
            *guards.in_flight(cluster, cluster.managed_domains, guards.FORCE),
            *stands_above(cluster, _primitives(cluster, ending), "maintenance"),
        ),
        guards.warnings(cluster),
        done=f"{what} is in maintenance until: {back}" if on else f"{what} is out of maintenance",
        undo=back if on else back.replace("off", "on", 1),
    )


def _switch(cluster: Cluster, on: bool, subject: Node | ManagedDomain | None) -> Step | None:
    """The step to this state, or None if it is so already."""
    if isinstance(subject, Domain):
        primitive = cluster.primitives[subject.resource]
        if is_true(primitive.meta.get("maintenance", "")) == on:
            return None
        if is_true(primitive.inherited_meta.get("maintenance", "")) == on:
            return clear_meta_step(subject, "maintenance")
        return meta_step(subject, "maintenance", "true" if on else "false")
    already = subject.maintenance if subject else cluster.maintenance
    if subject and not already:
        already = is_true(cluster.node_attributes.get(subject.name, {}).get("maintenance", ""))
    if already == on:
        return None
    return node_maintenance_step(subject.name, on=on) if subject else maintenance_step(on=on)


def _asleep(cluster: Cluster, on: bool, subject: Node | ManagedDomain | None) -> tuple[Goal, ...]:
    """What is to be seen of it; nothing where a larger maintenance, or a lost node, hides it."""
    if isinstance(subject, Domain):
        hidden = not on and (
            cluster.maintenance or is_false(own_meta(cluster, subject).get("is-managed", ""))
        )
        hidden = hidden or any(node.maintenance for node in _its_nodes(cluster, subject))
        return () if hidden else goals("unmanaged" if on else "managed", [subject])
    if subject and not subject.online:
        return ()
    return (Goal("maintenance" if on else "watched", subject.name if subject else ""),)


def _its_nodes(cluster: Cluster, domain: ManagedDomain) -> list[Node]:
    return [node for node in cluster.nodes if node.name in domain.nodes]


def _around(cluster: Cluster, resource: str) -> set[str | None]:
    """The ids by which a resource that failed may be meant: its own, its group's, its clone's."""
    primitive = cluster.primitives.get(resource.partition(":")[0])
    return {resource, *((primitive.id, primitive.parent, primitive.clone) if primitive else ())}


def cleanup(cluster: Cluster, subjects: Collection[str] | None, node: Node | None) -> Decision:
    """Forget the failures of these resources, or of everything, on a node, or on all."""
    failed = {
        failure.resource
        for failure in cluster.failures
        if (subjects is None or _around(cluster, failure.resource) & set(subjects))
        and (node is None or failure.node == node.name)
    }
    where = f" on {node.name}" if node else ""
    concerned = sorted(failed or subjects or ())
    if not concerned:
        return AlreadyDone(f"the cluster remembers no failure{where}")
    domains = [domain for domain in cluster.managed_domains if domain.resource in concerned]
    what = "failures" if failed else "fail counts"  # which crm_mon tells only beside a failure
    steps = tuple(
        cleanup_step(resource, f"the {what} of {resource}", node.name if node else None)
        for resource in concerned
    )
    forgotten = tuple(
        Goal("forgotten", resource, node.name if node else None) for resource in concerned
    )
    doubtful = list(may_run_twice(cluster, domains)) if failed else []
    return Plan(
        "cleanup",
        listed([step.says for step in steps]),
        tuple(concerned),
        (Phase(steps, forgotten),),
        frozenset({"start", "live"}),
        (
            *guards.whole_cluster(cluster, concerned),
            *guards.in_flight(cluster, cluster.managed_domains),
            *(doubtful if failed else on_two_nodes(cluster, domains)),
        ),
        guards.warnings(cluster),
        done=f"the failures of {listed(concerned)} are forgotten"
        if failed
        else f"{listed(concerned)}: no failure is remembered; a fail count, if any, is cleared",
        unforeseeable="the cluster looks first where it runs" if doubtful else "",
    )
