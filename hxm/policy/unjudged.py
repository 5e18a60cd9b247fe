"""Commands of the cluster's own tools, which no order of hxm's judges: what must hold before."""

from __future__ import annotations

from hxm.model import Cluster
from hxm.policy import keeps_stopped

IF = "if "
_TOOLS = ("crm_attribute ", "crm_ticket ", "crm_resource ", "cibadmin ")
_ASK = (" --why", " --query", " -Q")
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


def asks_nobody(do: str) -> bool:
    """Whether it is a command of the cluster's own tools that changes something at once."""
    steps = do.replace("; then ", ": ").replace("; or ", ": ").split(": ")
    mine = (step.partition(" ") for step in steps if step.startswith(_TOOLS))
    return any(not f" {options}".startswith(_ASK) for _, _, options in mine)


def before_that(condition: str, do: str) -> str:
    """What to type, with one more condition; empty: none."""
    if not condition:
        return do
    before, behind, after = do.partition(": ")
    if not behind or not before.startswith(IF):
        return on_condition(condition, do)
    known = before.removeprefix(IF)
    first, disks, _ = known.partition(_DISKS)
    both = f"{first}{condition}, and {_DISKS}" if disks else f"{known}, and {condition}"
    return on_condition(both, after)
