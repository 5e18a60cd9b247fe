"""The cluster's lock: whether its holder may still be at work, and what to say to the others."""

from __future__ import annotations

from collections.abc import Iterator

from hxm.model import Cluster, Lock
from hxm.plan import AlreadyDone, Decision, Goal, Objection, Phase, Plan
from hxm.policy import duration
from hxm.policy.guards import FORCE, migrating_names
from hxm.policy.state.lock import held_by, owner
from hxm.policy.steps import release_step

RENEW = 20.0
"""Seconds between two signs of life of a holder that waits."""
LEASE = 60.0
"""Seconds without renewal after which a holder that cannot be asked is taken for dead."""


def forsaken(cluster: Cluster, lock: Lock) -> str:
    """Why the holder will not come back, or nothing if it may still be at work."""
    node = cluster.node(lock.node)
    if lock.alive is False:
        return "its process has ended"
    if node and not node.reachable and lock.pid.isdigit():
        return f"{lock.node} is {node.predicament}"
    # nobody renews it during a migration
    if (lock.idle or 0.0) > LEASE and not lock.alive and not migrating_names(cluster):
        return f"no sign of life for {duration(lock.idle or 0.0)}"
    return ""


def _may_live(cluster: Cluster, lock: Lock) -> str:
    """Why the holder of a lock that is not forsaken may still be at work."""
    if lock.alive:
        return "its process is alive"
    if not lock.pid.isdigit():
        return "it names no process, so nothing shows whether it is still meant"
    if not cluster.node(lock.node):
        return f"{lock.node} is no node of this cluster, so nothing shows whether it is alive"
    return f"{lock.node} does not say whether its process is alive"


def held(cluster: Cluster) -> Iterator[Objection]:
    """Somebody else changes the cluster at this moment."""
    lock = cluster.lock
    if lock and not forsaken(cluster, lock):
        yield Objection(
            f"{held_by(lock)}: one change at a time",
            "wait for its end: hxm status; if it hangs: hxm unlock --force",
        )


def unlock(cluster: Cluster) -> Decision:
    """Remove a lock that a killed hxm left behind; one in use only by force."""
    lock = cluster.lock
    if not lock:
        return AlreadyDone("nobody holds the cluster's lock")
    over = forsaken(cluster, lock)
    in_use = [] if over else [f"{held_by(lock)}: {_may_live(cluster, lock)}"]
    return Plan(
        "unlock",
        f"remove the lock of {owner(lock)}",
        (),
        (Phase((release_step(lock.holder),), (Goal("unlocked", lock.holder),)),),
        objections=tuple(
            Objection(message, "look there first; --force removes the lock anyway", lifted_by=FORCE)
            for message in in_use
        ),
        done=f"removed the lock: {held_by(lock)}{': ' * bool(over)}{over}",
    )
