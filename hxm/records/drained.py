"""What the last drain of a node moved away, as this host's journal has it."""

from __future__ import annotations

from itertools import islice

from hxm.config import Config
from hxm.model import Cluster, ManagedDomain
from hxm.records.authors import MOST
from hxm.records.journal import journal_path, orders_backwards


def moved_away(cluster: Cluster, node: str, config: Config) -> list[ManagedDomain]:
    """The domUs that ran on the node before its last drain, and run elsewhere now."""
    orders = islice(orders_backwards(journal_path(config, cluster.sandbox)), MOST)
    drained = ("standby", f"drain {node}")
    subjects = next(
        (
            begun.get("subjects")
            for begun, _ in orders
            if (begun.get("verb"), begun.get("what")) == drained
        ),
        None,
    )
    return [
        domain
        for domain in cluster.managed_domains
        if domain.resource in [*(subjects or ())] and domain.nodes and node not in domain.nodes
    ]
