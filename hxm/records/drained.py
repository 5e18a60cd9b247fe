"""What the last drain of a node moved away, as this host's journal has it."""

from __future__ import annotations

from hxm.config import Config
from hxm.model import Cluster, ManagedDomain
from hxm.records.journal import journal_path, read_orders


def moved_away(cluster: Cluster, node: str, config: Config) -> list[ManagedDomain]:
    """The domUs that ran on the node before its last drain, and run elsewhere now."""
    subjects: list[str] = []
    for begun, _ in read_orders(journal_path(config, cluster.sandbox)):
        if begun.get("verb") == "standby" and begun.get("what") == f"drain {node}":
            subjects = [str(subject) for subject in begun.get("subjects") or ()]
    return [
        domain
        for domain in cluster.managed_domains
        if domain.resource in subjects and domain.nodes and node not in domain.nodes
    ]
