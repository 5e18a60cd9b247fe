"""Whether the holder of the cluster's lock still works: its node knows."""

from __future__ import annotations

import time

from hxm.config import Config
from hxm.errors import HxmError
from hxm.host import programs
from hxm.model import Cluster, Lock
from hxm.pacemaker.lock import lives

_ASK_AGAIN, _ASK_THE_SILENT_AGAIN = 10.0, 60.0
"""Seconds until a node is asked again: each time it is logged in to, and one that hangs delays."""


def with_holder_state(cluster: Cluster, config: Config) -> Cluster:
    """The cluster with the state of the lock's holder; asks the holder's node if necessary."""
    return HolderState(config).added_to(cluster)


class HolderState:
    """The same for whoever looks again and again: the node is not asked at each look."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._holder = ""
        self._alive: bool | None = None
        self._until = 0.0

    def added_to(self, cluster: Cluster) -> Cluster:
        """The cluster with the state of the lock's holder, at most a minute old."""
        lock = cluster.lock
        if not lock or cluster.sandbox:
            return cluster
        if lock.holder != self._holder or time.monotonic() >= self._until:
            self._holder, self._alive = lock.holder, is_alive(cluster, lock, self._config)
            pause = _ASK_THE_SILENT_AGAIN if self._alive is None else _ASK_AGAIN
            self._until = time.monotonic() + pause
        return cluster._replace(lock=lock._replace(alive=self._alive))


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
