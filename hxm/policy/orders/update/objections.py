"""The objections to a step of a rolling update, in addition to those to every change."""

from __future__ import annotations

from collections.abc import Iterator

from hxm.model import Cluster, Node
from hxm.plan import Objection
from hxm.policy import guards
from hxm.policy.orders.update.progress import BACK, DRAIN, Progress

GO_ON, ABORT = "hxm update next", "hxm update abort"


def somebody_elses(node: Node, progress: Progress) -> Iterator[Objection]:
    """A standby that the update did not order: there is a reason for it."""
    if node.standby and progress.stage in (DRAIN, BACK):
        yield Objection(
            f"{node.name} is in standby, and not by the update",
            f"if it is well: hxm active {node.name}; if not: {ABORT}; --force takes the standby "
            "for the update's own and ends it after the reboot",
            lifted_by=guards.FORCE,
        )


def unheard(cluster: Cluster, node: Node) -> Iterator[Objection]:
    """A host that may run more than the cluster's domUs, because it could not be asked."""
    if not cluster.sandbox and node.name not in cluster.heard:
        why = cluster.unreachable.get(node.name) or cluster.toolstack_fault or "it was not asked"
        yield Objection(
            f"whether {node.name} runs domUs that the cluster does not manage is unknown: {why}",
            f"look on {node.name}: xl list; --yes says that it runs none",
            lifted_by=guards.YES,
        )


def unfit_canary(cluster: Cluster, progress: Progress) -> Iterator[Objection]:
    """A canary that could not be moved."""
    if domain := cluster.domain_of(progress.canary):
        yield from guards.stopped([domain])
        yield from guards.ignored(cluster, [domain])


def not_back(node: Node) -> Iterator[Objection]:
    """A host that is still away, or just coming."""
    if not node.member:
        yield Objection(
            f"{node.name} is {node.predicament}: it has not come back yet",
            f"when it is back: {GO_ON}; to give up: {ABORT}",
        )


def not_rebooted(progress: Progress, node: Node, boot: str) -> Iterator[Objection]:
    """A host whose boot is the one from before its drain, or not known to be another."""
    name = node.name
    if not node.online:
        return
    if not boot or not progress.boot:
        yield Objection(
            f"whether {name} was rebooted cannot be told: it could not be asked through ssh",
            "--yes says that it was",
            lifted_by=guards.YES,
        )
    elif boot == progress.boot:
        yield Objection(
            f"{name} has not been rebooted since it was drained",
            f"patch and reboot it, then: {GO_ON}; --force takes it back as it is",
            lifted_by=guards.FORCE,
        )
