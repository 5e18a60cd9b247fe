"""Commands of the cluster's own tools, which no order of hxm's judges: what must hold before."""

from __future__ import annotations

from hxm.model import Cluster
from hxm.policy import keeps_stopped

IF = "if "
_DISKS = "hxm check finds no shared disk"


def on_condition(condition: str, command: str) -> str:
    """What to type, and what must hold before that; `Reason.condition` and `command` are these."""
    return f"{IF}{condition}: {command}"


def may_start(cluster: Cluster, command: str, condition: str = "") -> str:
    """The same of a command after which domUs may start: beside others on one disk.

    Nothing is said of disks where every domU runs, or is told at itself to stop. A condition that
    the command begins with comes first.
    """
    before, behind, after = command.partition(": ")
    if behind and before.startswith(IF):
        condition, command = before.removeprefix(IF), after
    waiting = any(
        not domain.running and not keeps_stopped(cluster.primitives[domain.resource].own_meta)
        for domain in cluster.managed_domains
    )
    conditions = [*filter(None, [condition]), *([_DISKS] if waiting else [])]
    return on_condition(", and ".join(conditions), command) if conditions else command
