"""Whether the holder of the cluster's lock still works: its node knows."""

from __future__ import annotations

from hxm.config import Config
from hxm.errors import HxmError
from hxm.host import programs
from hxm.model import Cluster, Lock
from hxm.pacemaker.lock import lives


def with_holder_state(cluster: Cluster, config: Config) -> Cluster:
    """The cluster with the state of the lock's holder; asks the holder's node if necessary."""
    lock = cluster.lock
    if not lock or cluster.sandbox:
        return cluster
    return cluster._replace(lock=lock._replace(alive=is_alive(cluster, lock, config)))


def is_alive(cluster: Cluster, lock: Lock, config: Config) -> bool | None:
    """Whether the holder's process exists; None if its node cannot be asked."""
    node = cluster.node(lock.node)
    if lock.alive is not None or not lock.pid.isdigit() or not node or not node.online:
        return lock.alive
    if node.unclean:
        return None
    from hxm.toolstack.remote import answered_as, ssh_argv  # an order of elsewhere runs seldom

    path = f"/proc/{lock.pid}/stat"
    words = ("cat", "/proc/sys/kernel/hostname", path)
    try:
        result = programs.output(
            ssh_argv(lock.node, words, config.ssh_timeout), None, config.ssh_timeout
        )
    except HxmError:
        return None
    host, _, stat = result.stdout.partition(b"\n")
    if not answered_as(lock.node, host.decode("utf-8", "replace")):
        return None
    if result.status == 0:
        return lives(lock, programs.start_time_in(stat))
    return False if result.status == 1 and path in result.stderr else None
