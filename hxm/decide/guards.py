"""Every reason to refuse or to ask, each a function with its cases in the tests.

A guard looks at the cluster, or at what the scheduler would do, and yields objections.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hxm.decide import Objection, Translate, is_true, listed
from hxm.decide.forecast import name_of, phrase
from hxm.errors import CannotAsk, NoQuorum
from hxm.model import Cluster, Domain, Forecast, Movement, Node

FORCE, YES = "--force", "--yes"


def whole_cluster(cluster: Cluster) -> Iterator[Objection]:
    """What stands against any change: no DC, no quorum, nodes lost and not yet fenced."""
    if not cluster.dc:
        yield Objection(
            "the cluster has no DC: nobody would carry this out",
            "wait for the election, or look at `hxm status`",
            CannotAsk.status,
        )
    if not cluster.quorum:
        yield Objection(
            "this partition has no quorum: the cluster stops domUs and starts none",
            "bring the other nodes back; --force writes the order down all the same",
            NoQuorum.status,
            FORCE,
        )
    lost = [node.name for node in cluster.nodes if node.unclean]
    if cluster.dc and lost:
        yield Objection(
            f"{listed(lost)} is lost and not yet fenced: what ran there may still run",
            "wait for the fencing, or confirm by hand that it is off: stonith_admin --confirm NODE",
            lifted_by=FORCE,
        )
    if cluster.pending_fencing:
        yield Objection(
            f"fencing of {listed(cluster.pending_fencing)} is under way",
            "wait for its end: hxm status",
            lifted_by=FORCE,
        )


def warnings(cluster: Cluster) -> tuple[str, ...]:
    """What is said on every change and stops none."""
    if cluster.fencing:
        return ()
    return ("fencing is disabled: a lost node's domUs may come to run twice",)


def in_flight(
    cluster: Cluster, domains: Iterable[Domain], lifted_by: str = ""
) -> Iterator[Objection]:
    """A migration that is under way: a change now can end with the domU on two nodes.

    (pacemaker list, May 2013: a constraint removed before migrate_to had ended.)
    """
    for domain in domains:
        if migrating(cluster, domain):
            yield Objection(
                f"{domain.name} is being migrated at this moment",
                "wait for its end: hxm status",
                lifted_by=lifted_by,
            )
        elif not cluster.idle:
            yield Objection(
                f"whether {domain.name} is being migrated cannot be told: the DC is at work, and "
                f"{cluster.dialect} does not write down what",
                f"wait for its end: crmadmin -S {cluster.dc} says S_IDLE",
                lifted_by=FORCE,
            )


def migrating(cluster: Cluster, domain: Domain) -> bool:
    """Whether a migration of the domain is in flight, by its role or by a pending action."""
    return (
        domain.role == "Migrating"
        or (domain.role == "Stopping" and len(domain.nodes) > 1)
        or any(
            operation.pending and operation.task.startswith("migrate")
            for operation in cluster.history
            if operation.resource == domain.resource
        )
    )


def on_two_nodes(domains: Iterable[Domain]) -> Iterator[Objection]:
    """A domU that is active twice, outside a migration: its disk is being destroyed."""
    for domain in domains:
        if len(domain.nodes) > 1 and not domain.in_flight:
            yield Objection(
                f"{domain.name} is active on {listed(domain.nodes)} at once",
                f"stop one instance at once, on its host: hxm unmanage {domain.name}, then "
                f"xl destroy {domain.name}",
                lifted_by=FORCE,
            )


def ignored(cluster: Cluster, domains: Iterable[Domain]) -> Iterator[Objection]:
    """Orders that the cluster would take down and not carry out."""
    for domain in domains:
        if away := looked_away(cluster, domain):
            yield Objection(
                f"the cluster would do nothing: {away.reason}",
                f"{away.end} first; --force writes the order down for later",
                lifted_by=FORCE,
            )


class LookedAway(NamedTuple):
    """Why the cluster leaves a domU alone, and the command that ends it."""

    reason: str
    end: str
    flag: str = "maintenance"


def looked_away(cluster: Cluster, domain: Domain) -> LookedAway | None:
    """Whether, and why, the cluster has been told to leave this domU alone."""
    if cluster.maintenance:
        return LookedAway("the whole cluster is in maintenance", "hxm maintenance off")
    for name in domain.nodes:
        node = cluster.node(name)
        if node and node.maintenance:
            return LookedAway(f"the node {name} is in maintenance", f"hxm maintenance off {name}")
    if not domain.resource or not domain.role or domain.managed:
        return None
    if domain.blocked:
        return LookedAway(
            f"{domain.name} is blocked by a failure", f"hxm cleanup {domain.name}", "blocked"
        )
    if is_true(cluster.primitives[domain.resource].meta.get("maintenance", "")):
        return LookedAway(f"{domain.name} is in maintenance", f"hxm maintenance off {domain.name}")
    return LookedAway(f"{domain.name} is unmanaged", f"hxm manage {domain.name}", "unmanaged")


def target(node: Node) -> Iterator[Objection]:
    """A node that the scheduler would not place anything on."""
    if not node.usable:
        hint = f"hxm active {node.name}" if node.standby and node.online else "hxm nodes"
        yield Objection(f"{node.name} cannot take a domU: it is {node.predicament}", hint)


def last_usable(cluster: Cluster, leaving: Node) -> Iterator[Objection]:
    """Nothing that runs would have a place."""
    if not any(node.usable for node in cluster.nodes if node.name != leaving.name):
        yield Objection(
            f"{leaving.name} is the last usable node: everything would stop",
            "bring another node back first: hxm nodes",
            lifted_by=FORCE,
        )


def foreseen(cluster: Cluster, plan: Translate, forecast: Forecast) -> Iterator[Objection]:
    """What the scheduler would do beyond the order: stops, restarts, domUs without a place."""
    if not forecast.simulated:
        yield Objection(
            "not simulated: neither crm_simulate nor ptest is here to tell what else would move",
            "--yes does it all the same",
            lifted_by=YES,
        )
        return
    if plan.drains:
        yield from _without_a_place(cluster, plan.drains, forecast)
    for movement in dict.fromkeys(forecast.movements):
        if not _concerns(cluster, movement):
            continue
        wanted = plan.expects if movement.resource in plan.subjects else {"live", "start"}
        if movement.kind not in wanted:
            yield Objection(
                f"{name_of(cluster, movement)} would {phrase(movement)}"
                f"{_why_not_live(cluster, movement)}",
                "--yes does it all the same",
                lifted_by=YES,
            )


def _concerns(cluster: Cluster, movement: Movement) -> bool:
    """Clones and fencing devices come and go with their node; the rest is somebody's service."""
    if movement.kind == "fence":
        return True
    primitive = cluster.primitives.get(movement.resource)
    return bool(primitive and not primitive.clone and not primitive.agent.startswith("stonith:"))


def _without_a_place(cluster: Cluster, node: str, forecast: Forecast) -> Iterator[Objection]:
    for domain in cluster.managed_domains:
        after = forecast.after.domain_of(domain.resource or "")
        if node in domain.nodes and after and not after.running:
            yield Objection(
                f"{domain.name} would have no place and stop",
                "a constraint, a fail count or the ping rule forbids every other node: hxm status",
                lifted_by=FORCE,
            )


def _why_not_live(cluster: Cluster, movement: Movement) -> str:
    domain = cluster.domain_of(movement.resource)
    if movement.kind == "move" and domain and not domain.live:
        return " (allow-migrate is not set)"
    return ""
