"""Migrate, unmigrate, standby and active: where things run, and the constraints this takes."""

from __future__ import annotations

from collections.abc import Sequence

from hxm.decide import Decision, Nothing, Objection, Translate, guards, listed
from hxm.decide.forecast import reached
from hxm.model import Cluster, Constraint, Domain, Goal, Node, Phase, Step


def migrate(cluster: Cluster, domain: Domain, node: Node, *, keep: bool = False) -> Decision:
    """Prefer the node, see the domU arrive live, and take the preference away again.

    With a stickiness of INFINITY a preference alone moves nothing (crm_resource(8), --force): the
    second way bans the domU from where it is until it has arrived.
    """
    goals = (Goal("running", domain.resource or "", node.name),)
    if reached(cluster, goals[0]):
        left = f"; {listed(domain.interim)} is still there: hxm unmigrate {domain.name}"
        return Nothing(f"{domain.name} runs on {node.name} already{left if domain.interim else ''}")
    resource = domain.resource or ""
    stopped = [
        Objection(f"{domain.name} does not run", f"hxm start {domain.name}")
        for _ in range(not domain.running)
    ]
    values = {"resource": resource, "node": node.name}
    clear = _clear(domain)
    tidy = () if keep else (Phase((clear,), (), only_if_still=True),)
    gentle = Translate(
        "migrate",
        f"migrate {domain.name} to {node.name}",
        (resource,),
        (Phase((Step("move", f"prefer {node.name} for {domain.name}", values),), goals), *tidy),
        frozenset({"live"}),
        (
            *guards.whole_cluster(cluster),
            *stopped,
            *guards.ignored(cluster, [domain]),
            *guards.in_flight(cluster, [domain]),
            *guards.on_two_nodes([domain]),
            *guards.target(node),
        ),
        guards.warnings(cluster),
        rollback=(clear,),
    )
    ban = Step("move-and-ban", f"prefer {node.name} for {domain.name} and ban where it is", values)
    return gentle._replace(otherwise=gentle._replace(phases=(Phase((ban,), goals), *tidy)))


def unmigrate(cluster: Cluster, domains: Sequence[Domain] | None) -> Decision:
    """Remove every interim constraint of these domUs, or of everything.

    Never while a migration is in flight: the domU could end up on two nodes.
    """
    wanted = (
        None if domains is None else {name for each in domains for name in cluster.ids_of(each)}
    )
    found = [each for each in cluster.constraints if wanted is None or each.resource in wanted]
    if not found:
        return Nothing("no move or ban left anything behind")
    concerned = [
        domain
        for domain in cluster.managed_domains
        if cluster.ids_of(domain) & {constraint.resource for constraint in found}
    ]
    return Translate(
        "unmigrate",
        f"remove {listed([constraint.id for constraint in found])}",
        tuple(domain.resource or "" for domain in concerned),
        (Phase(_sweep(cluster, found)),),
        frozenset(),
        (
            *guards.whole_cluster(cluster),
            *guards.in_flight(cluster, concerned),
        ),
        guards.warnings(cluster),
        done=f"removed {listed([constraint.id for constraint in found])}",
    )


def standby(cluster: Cluster, node: Node) -> Decision:
    """Drain the node: the cluster moves away what can move, and stops the rest."""
    if node.standby and not _occupied(cluster, node):
        return Nothing(f"{node.name} is in standby already and nothing runs on it")
    lost = [
        Objection(f"{node.name} cannot be drained: it is {node.predicament}", "hxm nodes")
        for _ in range(node.unclean or not node.online or node.pending)
    ]
    steps = () if node.standby else (Step("standby", f"standby {node.name}", {"node": node.name}),)
    here = [domain for domain in cluster.managed_domains if node.name in domain.nodes]
    return Translate(
        "standby",
        f"drain {node.name}",
        tuple(domain.resource or "" for domain in here),
        (Phase(steps, (Goal("empty", node.name),)),),
        frozenset({"live"}),
        (
            *guards.whole_cluster(cluster),
            *lost,
            *guards.ignored(cluster, here),
            *guards.on_two_nodes(here),
            *guards.last_usable(cluster, node),
        ),
        guards.warnings(cluster),
        drains=node.name,
        done=f"{node.name} is in standby and nothing runs on it: safe to power off",
    )


def active(cluster: Cluster, node: Node) -> Decision:
    """Take the standby away, permanent or until reboot, whichever there is."""
    if node.usable:
        return Nothing(f"{node.name} is active already")
    permanent = "standby" in cluster.node_attributes.get(node.name, {})
    if not node.standby and not permanent:
        return Nothing(f"{node.name} is not in standby: it is {node.predicament}")
    kind = "clear-standby" if permanent else "clear-standby-until-reboot"
    goals = (Goal("usable", node.name),) if node.online and not node.maintenance else ()
    return Translate(
        "active",
        f"take {node.name} out of standby",
        (),
        (Phase((Step(kind, f"remove standby of {node.name}", {"node": node.name}),), goals),),
        objections=tuple(guards.whole_cluster(cluster)),
        warnings=guards.warnings(cluster),
        done=f"{node.name} is active again",
    )


def _occupied(cluster: Cluster, node: Node) -> bool:
    return any(node.name in resource.nodes for resource in cluster.resources)


def _clear(domain: Domain) -> Step:
    return Step(
        "clear",
        f"clear the interim constraints of {domain.name}",
        {"resource": domain.resource or ""},
    )


def _sweep(cluster: Cluster, found: Sequence[Constraint]) -> tuple[Step, ...]:
    """The tool clears all of a resource's at once, but not those of 1.1.9 or of lost resources."""
    steps: dict[str, Step] = {}
    known = {
        name
        for primitive in cluster.primitives.values()
        for name in (primitive.id, primitive.parent, primitive.clone)
    }
    for each in found:
        if each.resource in known and not each.id.startswith("cli-standby-"):
            values = {"resource": each.resource}
            steps[each.resource] = Step(
                "clear", f"clear what moves left of {each.resource}", values
            )
        else:
            steps[each.id] = Step("delete-constraint", f"delete {each.id}", {"constraint": each.id})
    return tuple(steps.values())
