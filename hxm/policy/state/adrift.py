"""DomUs whose migration lost one of its ends: whether they have arrived is not known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hxm.model import Cluster, Domain, Node, Operation
from hxm.policy import listed, typed
from hxm.policy.indexed import migrations


class Adrift(NamedTuple):
    """A migration that did not come to its end, and the node that was lost meanwhile."""

    source: str
    target: str
    lost: str
    condition: str


def adrift(cluster: Cluster, domain: Domain) -> Adrift | None:
    """The migration of a domU whose target or source is away, if it has not ended.

    One that has failed counts until its other end is fenced, or the domU was stopped since.
    """
    for operation in migrations(cluster).of(domain.resource or ""):
        ends = (operation.node, operation.peer)
        source, target = ends if operation.task == "migrate_to" else ends[::-1]
        for node in map(cluster.node, (target, source)):
            if node and _matters(cluster, operation, node):
                return Adrift(source, target, node.name, node.condition)
    return None


def _matters(cluster: Cluster, migration: Operation, node: Node) -> bool:
    """Whether the node is lost to the migration, and what has become of this is not seen since."""
    if migration.pending:
        return node.away
    later = (
        operation.task in ("start", "stop") and operation.call > migration.call
        for operation in cluster.history
        if (operation.node, operation.resource) == (migration.node, migration.resource)
    )
    return node.away and node.unclean and not any(later)


def unknown_place(cluster: Cluster, domain: Domain) -> str:
    """The sentence that it is not known where a domU is; empty: it is known."""
    if lost := adrift(cluster, domain):
        source, target = (
            f"{name}, which is {lost.condition}" if name == lost.lost else name
            for name in (lost.source, lost.target)
        )
        unknown = "whether it has arrived there is not known"
        if lost.lost == lost.source:
            source, unknown = f"{source},", "on which of them it runs is not known"
        return f"{domain.name} was migrating from {source} to {target}: {unknown}"
    node = cluster.node(domain.nodes[0]) if domain.nodes else None
    if node and node.unclean and not node.online:
        says = f"{domain.name} was on {node.name}, which is {node.condition}: whether it still runs"
        return f"{says} there is not known"
    return ""


def look(domain: Domain) -> str:
    """What shows where a domU runs."""
    return f"hxm list {typed(domain)} --everywhere"


def being_migrated(cluster: Cluster, domain: Domain) -> tuple[str, str]:
    """That a migration is in flight, and what ends that, for a refusal."""
    lost = adrift(cluster, domain)
    if not lost:
        return f"{domain.name} is being migrated at this moment", "wait for its end: hxm status"
    node = cluster.node(lost.lost)
    end = f"the fencing of {lost.lost}" if node and node.unclean else "the end of its migration"
    return unknown_place(cluster, domain), f"wait for {end}: hxm status; then {look(domain)}"


def arriving(cluster: Cluster, node: Node) -> Iterator[str]:
    """What is not known of the domUs that were migrating to a node that is away."""
    moving = {operation.resource for operation in cluster.history if operation.peer}
    names = [
        domain.name
        for domain in map(cluster.domain_of, moving)
        if domain and (lost := adrift(cluster, domain)) and lost.target == lost.lost == node.name
    ]
    if names:
        verb = "were" if names[1:] else "was"
        known = f"whether {'they have' if names[1:] else 'it has'} arrived is not known"
        yield f"{listed(names, 4)} {verb} migrating to {node.name}: {known}"
