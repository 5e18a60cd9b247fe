"""hxm unlock: remove the lock that a killed hxm left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.cluster.lock_holder import with_holder_state
from hxm.orders import pipeline
from hxm.policy.orders import lock

if TYPE_CHECKING:
    from hxm.arguments.options import Order


def run(order: Order) -> int:
    """Remove the lock on the cluster that a killed hxm left behind.

    Only one hxm changes a cluster at a time. If the holder's process has ended, its node is lost,
    or it shows no sign of life for a minute, the lock blocks nobody: the next change takes it over,
    and this command only tidies up. A lock that may be in use is removed only with --force, and so
    is one that somebody wrote by hand and that names no process.
    """
    return pipeline.carry_out(
        order,
        lambda cluster: lock.unlock(with_holder_state(cluster, order.config)),
        locks=False,
    )
