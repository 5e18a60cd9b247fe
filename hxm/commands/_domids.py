"""Whether a domU is the same instance as before: the toolstack gives every new one a new domid."""

from __future__ import annotations

from collections.abc import Mapping

from hxm.config import read_config
from hxm.decide import listed
from hxm.decide.names import at_home
from hxm.errors import CannotAsk
from hxm.model import Cluster, Domain
from hxm.observe import everywhere, read_cluster


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
        """What speaks against its being the same instance as noted; nothing if it ran nowhere."""
        if not self.before:
            return ""
        config = read_config()
        try:
            now = _found(everywhere(read_cluster(config), config), self.name)
        except CannotAsk as error:
            return f"whether {self.name} runs as before cannot be told: {error.message}"
        if now == self.before:
            return ""
        return f"{self.name} does not run as before: it ran {_said(self.before)}, now {_said(now)}"


def _found(cluster: Cluster, name: str) -> dict[str, int]:
    return {
        node: each.id
        for each in cluster.domains
        if at_home(each.name) == name and each.id is not None
        for node in each.places[:1]
    }


def _said(found: Mapping[str, int]) -> str:
    return listed([f"on {node} (domid {domid})" for node, domid in found.items()]) or "nowhere"
