"""What drains of a node moved away, as this host's journal has it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from hxm.config import Config
from hxm.model import Cluster, ManagedDomain
from hxm.records.authors import MOST
from hxm.records.journal import Entry, journal_path, orders_backwards

_PLACES = ("migrate", "active", "balance", "start", "create", "enrol")
"""Orders that give a domU its place: what drained it before is over."""


def moved_away(cluster: Cluster, node: str, config: Config) -> list[ManagedDomain]:
    """The domUs that drains took from this node, before any other, and that run elsewhere now."""
    orders = islice(orders_backwards(journal_path(config, cluster.sandbox)), MOST)
    homes = homes_in(begun for begun, _ in orders)
    return [
        domain
        for domain in cluster.managed_domains
        if homes.get(domain.resource) == node and domain.nodes and node not in domain.nodes
    ]


def homes_in(orders: Iterable[Entry]) -> dict[str, str]:
    """By resource the node of the first drain since it was given its place; the newest come first.

    A drain that follows takes it from where the first one left it.
    """
    homes: dict[str, str] = {}
    placed: set[str] = set()
    for order in orders:
        subjects, verb, node = order.get("subjects"), order.get("verb"), _drained_by(order)
        names = [*map(str, subjects)] if isinstance(subjects, list) else []
        if node:
            homes |= {name: node for name in names if name not in placed}
        elif verb in _PLACES:
            placed.update(names)
    return homes


def _drained_by(order: Entry) -> str:
    """The node that an order drains, or nothing; older journals tell it in words only."""
    if "drains" not in order and order.get("verb") == "standby":
        begin, _, node = str(order.get("what")).partition("drain ")
        return "" if begin else node
    drains = order.get("drains")
    return drains if isinstance(drains, str) else ""
