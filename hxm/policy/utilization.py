"""Utilization attributes: what nodes offer and resources ask for, and what of it is left."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from hxm.model import Cluster
from hxm.policy.relations import score_of


class Utilization(NamedTuple):
    """The utilization attributes of the nodes and of the resources, and what they are used for."""

    nodes: Mapping[str, Mapping[str, str]]
    resources: Mapping[str, Mapping[str, str]]
    strategy: str = "default"

    @property
    def heeded(self) -> tuple[str, ...]:
        """The attributes that decide where resources run."""
        if self.strategy == "default":
            return ()
        of_all = (*self.nodes.values(), *self.resources.values())
        return tuple(sorted({name for attributes in of_all for name in attributes}))

    def asked(self, resources: Iterable[str]) -> dict[str, int]:
        """What the resources take together, by the name of the attribute."""
        amounts: dict[str, int] = {}
        for name in resources:
            for key, amount in self.resources.get(name, {}).items():
                amounts[key] = amounts.get(key, 0) + score_of(amount)
        return amounts

    def offered(self, node: str, key: str) -> int:
        """What a node has in all of an attribute."""
        return score_of(self.nodes.get(node, {}).get(key, "0"))

    def largest(self, key: str, nodes: Iterable[str]) -> int:
        """The most that one of the nodes has in all."""
        return max((self.offered(node, key) for node in nodes), default=0)

    def left(self, node: str, key: str, there: Iterable[str]) -> int:
        """What a node has left of an attribute beside these resources."""
        return self.offered(node, key) - self.asked(there).get(key, 0)


UNHEEDED = Utilization({}, {})


def active_on(cluster: Cluster, node: str) -> frozenset[str]:
    """The resources that are active on a node."""
    return frozenset(r.id.partition(":")[0] for r in cluster.resources if node in r.nodes)


def shortage(used: Utilization, resource: str, there: Mapping[str, Collection[str]]) -> str:
    """What none of the nodes has left of what a resource asks for: behind its name; or nothing."""
    for key, amount in used.asked([resource]).items() if used.heeded else ():
        left = [used.left(node, key, {*ids} - {resource}) for node, ids in there.items()]
        if left and amount > (largest := used.largest(key, there)) > 0:
            return f"asks for {key} {amount}, and no host is that large: {largest} at most"
        if left and amount > max(left):
            return f"asks for {key} {amount}, and no host has more than {max(left)} left"
    return ""
