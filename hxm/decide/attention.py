"""What an operator should know: leftovers with the command that removes them, and troubles."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from hxm.decide import is_true, listed
from hxm.decide.guards import on_two_nodes
from hxm.model import Cluster, Constraint, Lock


class Finding(NamedTuple):
    """One thing to know, and the command or the way to change it."""

    what: str
    do: str


def leftovers(
    cluster: Cluster,
    origins: Mapping[str, str] | None = None,
    only: Collection[str] | None = None,
) -> Iterator[Finding]:
    """Everything interim that stands in the CIB, or what concerns the resources in `only`.

    `origins` tells who left a constraint, and when.
    """
    if cluster.lock and only is None:
        yield Finding(f"hxm-lock: {lock_held_by(cluster.lock)}", "hxm unlock")
    for constraint in cluster.constraints:
        held = [
            domain
            for domain in cluster.managed_domains
            if constraint.resource in cluster.ids_of(domain)
        ]
        if only is not None and not {domain.resource for domain in held} & set(only):
            continue
        origin = (origins or {}).get(constraint.id, "")
        yield Finding(
            f"{constraint.id}: {meaning(cluster, constraint)}{origin and f' ({origin})'}",
            f"hxm unmigrate {held[0].name}" if held else "hxm unmigrate",
        )
    for domain in cluster.managed_domains:
        if only is not None and domain.resource not in only:
            continue
        own = cluster.primitives[domain.resource or ""].own_meta
        role = own.get("target-role")
        if role and role != "Started":
            yield Finding(f"{domain.name}: target-role={role}", f"hxm start {domain.name}")
        elif role:
            yield Finding(f"{domain.name}: target-role={role}", f"hxm default {domain.name}")
        if own.get("is-managed"):
            yield Finding(
                f"{domain.name}: is-managed={own['is-managed']}", f"hxm manage {domain.name}"
            )
        if own.get("maintenance"):
            yield Finding(
                f"{domain.name}: maintenance={own['maintenance']}",
                f"hxm maintenance off {domain.name}",
            )


def lock_held_by(lock: Lock) -> str:
    """Who holds the cluster's lock, for what, and since when."""
    gone = ", and was killed" if lock.alive is False else ""
    return (
        f"{lock.who} on {lock.node} (process {lock.pid}) is at {lock.what!r} "
        f"since {lock.age:.0f} s{gone}"
    )


def meaning(cluster: Cluster, constraint: Constraint) -> str:
    """What an interim constraint makes the cluster do, in words."""
    name = _domain_name(cluster, constraint.resource)
    verb = "must run on" if constraint.kind == "prefer" else "must not run on"
    until = f" until {constraint.expires}" if constraint.expires else ""
    return f"{name} {verb} {constraint.node or '?'}{until}"


def findings(cluster: Cluster, origins: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """All that needs attention, the worst first."""
    for objection in on_two_nodes(cluster.managed_domains):
        yield Finding(objection.message, objection.hint)
    if not cluster.dc:
        yield Finding("there is no DC: the cluster acts on nothing", "wait, or start the nodes")
    if not cluster.quorum:
        yield Finding("this partition has no quorum", "bring the other nodes back")
    yield from _nodes(cluster)
    for domain in cluster.managed_domains:
        if domain.blocked:
            yield Finding(f"{domain.name} is blocked by a failure", f"hxm cleanup {domain.name}")
        elif domain.role == "Stopped" and not domain.told_to_stop:
            yield Finding(
                f"{domain.name} should run and does not", f"hxm cleanup {domain.name}, or see above"
            )
    for failure in cluster.failures:
        yield Finding(
            f"{failure.operation} of {failure.resource} failed on {failure.node}: {failure.reason}",
            f"hxm cleanup {_domain_name(cluster, failure.resource)}",
        )
    if lost := sorted({each.id for each in cluster.resources if each.orphaned}):
        yield Finding(
            f"{listed(lost)}: no longer in the configuration, still known to the nodes",
            f"crm_resource --cleanup --resource={lost[0]}",
        )
    if cluster.maintenance:
        yield Finding(
            "the whole cluster is in maintenance: nothing is started, stopped or watched",
            "hxm maintenance off",
        )
    if cluster.toolstack_fault:
        yield Finding(
            f"this host's own domUs are not known: {cluster.toolstack_fault}",
            f"try it by hand: {cluster.toolstack} list",
        )
    if not cluster.fencing:
        yield Finding(
            "fencing is disabled: a lost node's domUs may come to run twice",
            "set stonith-enabled=true and a fencing resource for each node",
        )
    yield from leftovers(cluster, origins)


def _nodes(cluster: Cluster) -> Iterator[Finding]:
    for node in cluster.nodes:
        if node.unclean:
            yield Finding(
                f"{node.name} is {node.condition}: it waits to be fenced",
                f"if it is off for certain: stonith_admin --confirm {node.name}",
            )
        elif node.standby and node.online and not node.pending:
            yield Finding(f"{node.name} is in standby", f"hxm active {node.name}")
        elif node.maintenance:
            yield Finding(f"{node.name} is in maintenance", f"hxm maintenance off {node.name}")
        elif not node.usable:
            yield Finding(f"{node.name} is {node.predicament}", f"start Pacemaker on {node.name}")
        if not node.online or node.pending:
            # what was ordered of a node that was then lost still stands when it comes back
            for name, end in (("standby", "active"), ("maintenance", "maintenance off")):
                if is_true(cluster.node_attributes.get(node.name, {}).get(name, "")):
                    what = f"{node.name} will be in {name} when it is back"
                    yield Finding(what, f"hxm {end} {node.name}")


def _domain_name(cluster: Cluster, resource: str) -> str:
    domain = cluster.domain_of(resource)
    return domain.name if domain else resource
