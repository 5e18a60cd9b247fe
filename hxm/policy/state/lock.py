"""The cluster's lock in words; one that was written by hand may lack all but its holder."""

from __future__ import annotations

from collections.abc import Collection

from hxm.model import Cluster, Lock
from hxm.policy import duration
from hxm.policy.guards import migrating_names

LEASE = 60.0
"""Seconds without renewal after which a holder that cannot be asked is taken for dead."""
UNUSUAL = 3600.0
"""Seconds after which an order that runs is worth a look: it may hang."""
LONGEST = 80
"""Characters of an order that a lock has room for."""


def owner(lock: Lock) -> str:
    """Whose it is, for a sentence."""
    if _unreadable(lock):
        return f"'{lock.holder}'"
    who = lock.who or "somebody"
    return f"{who} on {lock.node}" if lock.node else who


def _unreadable(lock: Lock) -> bool:
    """Whether what stands where hxm writes a process is no number: then its parts mean nothing."""
    return bool(lock.pid) and not lock.pid.isdigit()


def held_by(lock: Lock) -> str:
    """Who holds the cluster's lock, for what, and since when."""
    process = f" (process {lock.pid})" if lock.pid.isdigit() else ""
    doing = f"is at '{lock.what}'" if lock.what else "holds the cluster's lock"
    since = ", since when is not told" if lock.age is None else f" for {duration(lock.age)}"
    gone = ", and has ended" if lock.alive is False else ""
    return f"{owner(lock)}{process} {doing}{since}{gone}"


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


def order_that_runs(cluster: Cluster) -> str:
    """That a program carries out an order at this moment, and which; or nothing."""
    order = order_at_work(cluster)
    return f"an order runs: {order}" if order else ""


def order_at_work(cluster: Cluster) -> str:
    """The order that a program carries out at this moment, whose, and for how long; or nothing.

    What somebody wrote by hand is no order.
    """
    lock = cluster.lock
    if not lock or not lock.pid.isdigit() or forsaken(cluster, lock):
        return ""
    since = "" if lock.age is None else f", for {duration(lock.age)}"
    return f"{lock.what or 'which is not told'}, by {owner(lock)}{since}"


def is_at_work(cluster: Cluster, lock: Lock) -> bool:
    """Whether an order runs, and not for so long that it may hang."""
    return bool(order_at_work(cluster)) and (lock.age or 0.0) < UNUSUAL


def way_out(cluster: Cluster, lock: Lock) -> str:
    """What ends a lock that is no more, or that may hang."""
    if forsaken(cluster, lock):
        return "hxm unlock"
    if order_at_work(cluster):
        return "if it hangs, end it there: hxm unlock"
    return "if nobody means it any more: hxm unlock --force"


def may_be_part_of_it(cluster: Cluster, names: Collection[str]) -> bool:
    """Whether what is set at one of these may be the running order's, to be removed by itself.

    Of an order that the lock does not tell in full, whatever is set may be.
    """
    if not names or not cluster.lock or not order_at_work(cluster):
        return False
    what = cluster.lock.what
    if not what or len(what) >= LONGEST or "..." in what or "?" in what:
        return True
    return not {word.strip(",;") for word in what.split()}.isdisjoint(names)
