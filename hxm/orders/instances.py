"""Whether a domU is the same instance as before: the toolstack gives every new one a new domid."""

from __future__ import annotations

from collections.abc import Mapping

from hxm.cluster.read import everywhere, read_cluster
from hxm.config import read_config
from hxm.errors import CannotAsk
from hxm.model import Cluster, Domain
from hxm.policy import listed
from hxm.policy.names import at_home


class Domids:
    """The domids of a domU on all nodes, noted once and compared later."""

    def __init__(self) -> None:
        self.name = ""
        self.before: Mapping[str, int] = {}

    def note(self, cluster: Cluster, domain: Domain) -> Cluster:
        """Note where the domU runs and under which domid; returns the cluster with all nodes'."""
        asked = everywhere(cluster, read_config())
        self.name = domain.name
        self.before = _found(asked, domain.name)
        return asked

    def changed(self) -> str:
        """What speaks against its being the same instance as noted; nothing if it ran nowhere.

        Raises CannotAsk if a node where it ran does not say.
        """
        if not self.before:
            return ""
        config = read_config()
        try:
            asked = everywhere(read_cluster(config), config)
        except CannotAsk as error:
            raise self._untold(error.message) from None
        now = _found(asked, self.name)
        silent = [node for node in self.before if node not in asked.heard]
        if now != {node: self.before[node] for node in self.before if node not in silent}:
            there = _said(now) + " that can be asked" * (not now and bool(asked.unreachable))
            return f"{self.name} does not run as before: it ran {_said(self.before)}, now {there}"
        if silent:
            why = asked.unreachable.get(silent[0]) or asked.toolstack_fault or "it was not asked"
            raise self._untold(f"{silent[0]}: {why}")
        return ""

    def _untold(self, why: str) -> CannotAsk:
        return CannotAsk(f"whether {self.name} runs as before cannot be told: {why}")


def _found(cluster: Cluster, name: str) -> dict[str, int]:
    return {
        node: each.id
        for each in cluster.domains
        if at_home(each.name) == name and each.id is not None
        for node in each.places[:1]
    }


def _said(found: Mapping[str, int]) -> str:
    places = [f"on {node} (domid {domid})" for node, domid in found.items()]
    return listed(places) if places else "nowhere"
