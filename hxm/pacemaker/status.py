"""What one crm_mon document tells, in whichever form it was read.

Not in the package's __init__: that is loaded before crm_mon is started, and must stay light.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hxm.model import Failure, Node, Operation, Resource

TEXT = "text"
UNNAMED = "an action"
"""What failed, where crm_mon does not say."""


class Status(NamedTuple):
    """One crm_mon document."""

    nodes: tuple[Node, ...]
    resources: tuple[Resource, ...]
    failures: tuple[Failure, ...]
    history: tuple[Operation, ...]
    pending_fencing: tuple[str, ...]
    dc: str | None
    version: str
    quorum: bool
    maintenance: bool
    fencing: bool
    form: str = ""
    """What the document says it is: the XML's root element, or TEXT."""
    tools: str = ""
    """What crm_mon says of itself: its version, or that of its XML."""
    mixed: bool = False
    """Whether crm_mon speaks of a partition of mixed versions."""
    unlisted: int = 0
    """How many nodes crm_mon's text speaks of and does not list, as it does with idle guests."""
    feature_sets: tuple[str, ...] = ()
    """Those of the members that are up (2.1.4 and newer tell them)."""
    transient: Mapping[str, Mapping[str, str]] = {}
    """What is set at each member until it leaves; permanent attributes may be among it."""

    @property
    def partial(self) -> bool:
        """Whether the CIB must tell the rest: text, and XML of before 2.0, leave much out."""
        return self.form == TEXT or (self.form == "crm_mon" and self.tools.startswith("1."))


def kept_off_by_health(nodes: Iterable[Node], properties: Mapping[str, str]) -> tuple[Node, ...]:
    """The nodes, and of their health only what node-health-strategy keeps all resources off for."""
    strategy = properties.get("node-health-strategy", "none")
    bad = {"migrate-on-red": ("red",), "only-green": ("red", "yellow")}.get(strategy, ())
    if strategy in ("progressive", "custom"):
        from hxm.policy.relations import INFINITY  # both are rarely needed
        from hxm.policy.state.node_health import health_score

        colours = ("red", "yellow")
        bad = tuple(word for word in colours if health_score(properties, [word]) <= -INFINITY)
    return tuple(
        node._replace(health="") if node.health and node.health not in bad else node
        for node in nodes
    )


def operation_in(key: str) -> tuple[str, str]:
    """The resource and the task in nfs_monitor_10000 or nfs_migrate_to_0; nfs_monitor_0 is a probe.

    nfs_last_failure_0, which is what some versions print instead, names no task.
    """
    if key.endswith("_last_failure_0"):
        return key.removesuffix("_last_failure_0"), UNNAMED
    resource, operation, interval = [*key.rsplit("_", 2), "", ""][:3]
    if (operation, interval) == ("monitor", "0"):
        return resource, "probe"
    if operation in ("to", "from"):
        return resource.removesuffix("_migrate"), f"migrate_{operation}"
    return resource, operation
