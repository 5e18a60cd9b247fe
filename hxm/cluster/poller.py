"""Follows the cluster in the background: a look now and then, sooner while something moves."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from hxm import programs
from hxm.cluster.read import read_cluster
from hxm.config import Config
from hxm.errors import HxmError
from hxm.model import Cluster
from hxm.policy.forecast import settled

AT_REST, WHILE_MOVING = 5.0, 1.0
"""Seconds between two looks: each costs a crm_mon and a cibadmin."""
_JUST_MOVED = 5.0
"""Seconds for which a cluster that has come to rest is still looked at often."""
_SHARE_AT_REST, _SHARE_WHILE_MOVING = 1 / 10, 1 / 3
"""Of the time, at most, that is spent on looks: with 1,000 domUs each takes seconds of CPU."""


class Poller:
    """The last that was seen of the cluster, for whoever must never wait for it."""

    def __init__(
        self, config: Config, changed: Callable[[], None], interval: float = AT_REST
    ) -> None:
        self.cluster: Cluster | None = None
        self.fault = ""
        """Why the last look failed, if it did."""
        self.seen_at = 0.0
        """When `cluster` was seen, by the monotonic clock."""
        self.polled_at: deque[float] = deque(maxlen=120)
        """When the last looks began."""
        self._config, self._changed, self._interval = config, changed, interval
        self._quick_until = 0.0
        self._took = 0.0
        self._paused = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._poll_on, name="poller", daemon=True)

    def start(self) -> None:
        """Begin; ends with the program."""
        self._thread.start()

    def pause(self) -> None:
        """Look no more until `resume`: a command is at work and looks by itself."""
        self._paused = True

    def resume(self) -> None:
        """Look at once, and then as before."""
        self._paused = False
        self._quick_until = time.monotonic() + _JUST_MOVED
        self._wake.set()

    @property
    def age(self) -> float:
        """Seconds since the cluster was seen; infinite if it never was."""
        return time.monotonic() - self.seen_at if self.cluster else float("inf")

    @property
    def polls_per_minute(self) -> int:
        """How many looks there were in the last minute."""
        since = time.monotonic() - 60
        return sum(at > since for at in tuple(self.polled_at))

    @property
    def stale(self) -> bool:
        """Whether what is known is older than it should be."""
        return bool(self.fault) or self.age > 2 * max(self._interval, self._pace()) + self._took

    def _poll_on(self) -> None:
        while True:
            self._wake.clear()
            if not self._paused:
                self._poll()
            self._wake.wait(self._pace())

    def _poll(self) -> None:
        began = time.monotonic()
        self.polled_at.append(began)
        try:
            cluster = read_cluster(self._config)
        except HxmError as error:
            self.fault = error.message
        except Exception as error:  # noqa: BLE001 - whatever it is, it may pass
            self.fault = f"{type(error).__name__}: {error}".splitlines()[0]
        else:
            before = self.cluster
            self.cluster, self.fault, self.seen_at = cluster, "", time.monotonic()
            if not settled(cluster) or (before and _activity(before) != _activity(cluster)):
                self._quick_until = time.monotonic() + _JUST_MOVED
        finally:
            programs.abandon()
            self._took = time.monotonic() - began
        self._changed()

    def _pace(self) -> float:
        if time.monotonic() < self._quick_until:
            return max(min(WHILE_MOVING, self._interval), self._took / _SHARE_WHILE_MOVING)
        return max(self._interval, self._took / _SHARE_AT_REST)


def _activity(cluster: Cluster) -> object:
    """What tells that somebody is at work: roles and places, nodes, and hxm's lock."""
    return cluster.resources, cluster.nodes, bool(cluster.lock)
