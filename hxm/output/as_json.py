"""What `-o json` prints of the cluster: the contract of the man page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hxm.model import Cluster, Constraint, Domain, Node, Resource
from hxm.policy.discrepancies import disagreements
from hxm.policy.findings import Finding


def domain_json(domain: Domain) -> dict[str, Any]:
    """A domain's stable keys."""
    keys = [
        "name",
        "resource",
        "xmfile",
        "role",
        "target_role",
        "managed",
        "nodes",
        "interim",
        "id",
        "memory",
        "vcpus",
        "state",
        "time",
        "seen",
    ]
    return {key: getattr(domain, key) for key in keys}


def node_json(node: Node) -> dict[str, Any]:
    """A node's stable keys."""
    keys = ["name", "online", "standby", "maintenance", "unclean", "pending", "dc"]
    keys += ["kind", "health", "leaving"]
    return {key: getattr(node, key) for key in keys}


def resource_json(resource: Resource) -> dict[str, Any]:
    """A resource's stable keys."""
    keys = ["id", "agent", "role", "target_role", "managed", "failed", "blocked", "nodes"]
    return {key: getattr(resource, key) for key in keys}


def constraint_json(constraint: Constraint) -> dict[str, Any]:
    """An interim constraint's stable keys."""
    return constraint._asdict()


def list_json(
    cluster: Cluster, domains: Iterable[Domain], left: Iterable[Finding]
) -> dict[str, Any]:
    """`hxm list -o json`."""
    return {
        **_members_json(cluster, domains),
        "unknown": dict(cluster.unreachable),
        "left": [finding._asdict() for finding in left],
    }


def _members_json(cluster: Cluster, domains: Iterable[Domain]) -> dict[str, Any]:
    return {
        "nodes": [node_json(node) for node in cluster.nodes],
        "domains": [
            {**domain_json(domain), "differs": disagreements(cluster, domain)} for domain in domains
        ],
    }


def status_json(cluster: Cluster, findings: Iterable[Finding]) -> dict[str, Any]:
    """`hxm status -o json`: the whole model."""
    return {
        "cluster": {
            "name": cluster.name,
            "dc": cluster.dc,
            "quorum": cluster.quorum,
            "maintenance": cluster.maintenance,
            "fencing": cluster.fencing,
            "dialect": cluster.dialect,
            "dialect_why": cluster.dialect_why,
            "mixed": cluster.mixed,
            "sandbox": cluster.sandbox,
            "toolstack": cluster.toolstack,
            "toolstack_why": cluster.toolstack_why,
        },
        **_members_json(cluster, cluster.domains),
        "resources": [resource_json(resource) for resource in cluster.resources],
        "failures": [failure._asdict() for failure in cluster.failures],
        "constraints": [constraint_json(constraint) for constraint in cluster.constraints],
        "findings": [finding._asdict() for finding in findings],
    }
