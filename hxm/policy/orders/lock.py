"""The cluster's lock: whether its holder may still be at work, and what to say to the others."""

from __future__ import annotations

from collections.abc import Iterator

from hxm.model import Cluster, Lock
from hxm.plan import AlreadyDone, Decision, Goal, Objection, Phase, Plan
from hxm.policy.guards import FORCE
from hxm.policy.state.lock import forsaken, held_by, owner
from hxm.policy.steps import release_step

RENEW = 20.0
"""Seconds between two signs of life of a holder that waits."""


def _may_live(cluster: Cluster, lock: Lock) -> str:
    """Why the holder of a lock that is not forsaken may still be at work."""
    if lock.alive:
        return "its process is alive"
    if not lock.pid.isdigit():
        return "it names no process as hxm does, so nothing shows whether it is still meant"
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
