"""Asks the toolstacks where a domU may be active on two nodes: only they know."""

from __future__ import annotations

from hxm.cluster.read import with_other_nodes
from hxm.config import Config
from hxm.model import Cluster
from hxm.policy.state.running_twice import on_two_nodes


def asked_where_in_doubt(cluster: Cluster, config: Config) -> Cluster:
    """The cluster, with the domains of the other nodes if it supposes a domU on two of them."""
    doubled = any(on_two_nodes(cluster, cluster.managed_domains))
    return with_other_nodes(cluster, config) if doubled else cluster
