"""What `-o json` prints: the contract of the man page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from hxm.model import Cluster, Domain
from hxm.plan import Objection
from hxm.policy.state.discrepancies import disagreements
from hxm.policy.state.findings import Finding
from hxm.policy.state.lock import order_that_runs

if TYPE_CHECKING:
    from hxm.policy.reasons.facts import Reason

NODE = (
    *("name", "online", "standby", "maintenance", "unclean", "pending", "dc"),
    *("kind", "health", "leaving"),
)
DOMAIN = (
    *("name", "resource", "xmfile", "role", "target_role", "managed", "nodes", "interim"),
    *("id", "memory", "vcpus", "state", "time", "seen"),
)
RESOURCE = ("id", "agent", "role", "target_role", "managed", "failed", "blocked", "nodes")
CONSTRAINT = ("id", "resource", "kind", "node", "expires", "expired")
FAILURE = ("resource", "operation", "node", "reason", "when")
FINDING = ("what", "do", "code", "subject")
REASON = ("what", "evidence", "do", "absolute", "confirmed")
MOVEMENT = ("resource", "kind", "source", "target")
CHANGE = ("name", "resource", "before", "after", "how")
DOWNTIME = ("name", "resource", "seconds", "noticed")
STAGE = ("host", "stage", "what", "state")
HOST = ("name", "free", "total", "dom0", "source", "why")
MORE_DOMUS = ("memory", "taken", "now", "always", "without")
SHIFT = ("host", "used", "then", "free", "left")
VERTEX = ("id", "name", "kind", "state", "places", "well")
EDGE = ("source", "target", "kind", "label", "mandatory")
EVENT = (*("at", "subject", "what", "where", "seconds", "by", "note", "failed", "source", "about"),)


def keyed(value: object, keys: Sequence[str]) -> dict[str, Any]:
    """These attributes of a value."""
    return {key: getattr(value, key) for key in keys}


def keyed_rows(values: Iterable[object], keys: Sequence[str]) -> list[dict[str, Any]]:
    """These attributes of each of the values."""
    return [keyed(value, keys) for value in values]


def reasons_json(reasons: Iterable[Reason]) -> list[dict[str, Any]]:
    """The reasons; what `do` says once more in parts: the command, and what must hold before it."""
    return [
        {**keyed(reason, REASON), "if": reason.condition, "command": reason.command}
        for reason in reasons
    ]


def objection_json(objection: Objection) -> dict[str, Any]:
    """An objection to a plan."""
    error = {"message": objection.what, "hint": objection.do}
    return error | keyed(objection, ("status", "lifted_by"))


def list_json(
    cluster: Cluster, domains: Iterable[Domain], left: Iterable[Finding]
) -> dict[str, Any]:
    """`hxm list -o json`."""
    return {
        **_members_json(cluster, domains),
        "unknown": dict(cluster.unreachable),
        "order": order_that_runs(cluster) or None,
        "left": keyed_rows(left, FINDING),
    }


def _members_json(cluster: Cluster, domains: Iterable[Domain]) -> dict[str, Any]:
    return {
        "nodes": keyed_rows(cluster.nodes, NODE),
        "domains": [
            {**keyed(domain, DOMAIN), "differs": disagreements(cluster, domain)}
            for domain in domains
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
            "order": order_that_runs(cluster) or None,
        },
        **_members_json(cluster, cluster.domains),
        "resources": keyed_rows(cluster.resources, RESOURCE),
        "failures": keyed_rows(cluster.failures, FAILURE),
        "constraints": keyed_rows(cluster.constraints, CONSTRAINT),
        "findings": keyed_rows(findings, FINDING),
    }
