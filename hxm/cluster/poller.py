"""Polls the cluster in the background: every few seconds, more often while something moves."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from hxm.cluster.lock_holder import HolderState
from hxm.cluster.read import read_cluster
from hxm.cluster.transfers import Transfer, Transfers
from hxm.config import Config
from hxm.errors import HxmError
from hxm.host import programs
from hxm.model import Cluster
from hxm.policy.forecast import settled

AT_REST, WHILE_MOVING = 5.0, 1.0
"""Seconds between two polls: each costs a crm_mon and a cibadmin."""
_JUST_MOVED = 5.0
"""Seconds of frequent polls after the cluster has come to rest."""
_LONGEST_PAUSE = 15.0
"""Seconds: an order's lock needs a sign of life more often than once a minute."""
_LONGEST_PAUSE_AT_REST = 30.0
"""Seconds: whoever watches is to learn of a fault soon, however long one poll took."""
_SHARE_AT_REST, _SHARE_WHILE_MOVING = 1 / 10, 1 / 3
"""The largest share of time spent on polls: with 1,000 domUs each takes seconds of CPU."""


class Pace:
    """How long to wait between looks at what moves: the longer, the more a look costs."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._began = time.monotonic()

    def begin(self) -> None:
        """A look begins, and with it whatever is asked because of it."""
        self._began = time.monotonic()

    def wait(self) -> None:
        """Wait until the next look is due: at least the interval, in seconds."""
        took = time.monotonic() - self._began
        time.sleep(max(self._interval, min(took / _SHARE_WHILE_MOVING, _LONGEST_PAUSE)))


class Poller:
    """The latest snapshot of the cluster, available without waiting."""

    def __init__(
        self,
        config: Config,
        changed: Callable[[], None],
        interval: float = AT_REST,
        *,
        transfers: bool = False,
    ) -> None:
        self.cluster: Cluster | None = None
        self.fault = ""
        """Why the last poll failed, if it did."""
        self.seen_at = 0.0
        """When `cluster` was read, by the monotonic clock."""
        self.polled_at: deque[float] = deque(maxlen=120)
        """When the last polls began."""
        self.transfers: list[Transfer] = []
        """How far the live migrations are, where that is asked for."""
        self._config, self._changed, self._interval = config, changed, interval
        self._transfers = Transfers(config) if transfers else None
        self._holder = HolderState(config)
        self._quick_until = 0.0
        self._took = 0.0
        self._paused = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._poll_on, name="poller", daemon=True)

    def start(self) -> None:
        """Start polling; it ends with the program."""
        self._thread.start()

    def pause(self) -> None:
        """Stop polling until `resume`: a command is running and polls itself."""
        self._paused = True

    def resume(self) -> None:
        """Poll at once, then as before."""
        self._paused = False
        self._quick_until = time.monotonic() + _JUST_MOVED
        self._wake.set()

    @property
    def age(self) -> float:
        """Seconds since the last snapshot; infinite if there is none."""
        return time.monotonic() - self.seen_at if self.cluster else float("inf")

    @property
    def polls_per_minute(self) -> int:
        """The number of polls in the last minute."""
        since = time.monotonic() - 60
        return sum(at > since for at in tuple(self.polled_at))

    @property
    def stale(self) -> bool:
        """Whether the snapshot is older than it should be."""
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
            cluster = self._holder.added_to(read_cluster(self._config))
            if self._transfers:
                self.transfers = self._transfers.read(cluster)
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
            wanted = min(self._took / _SHARE_WHILE_MOVING, _LONGEST_PAUSE)
            return max(min(WHILE_MOVING, self._interval), wanted)
        return max(self._interval, min(self._took / _SHARE_AT_REST, _LONGEST_PAUSE_AT_REST))


def _activity(cluster: Cluster) -> object:
    """What changes while something moves or somebody works: roles, nodes, hxm's lock."""
    return cluster.resources, cluster.nodes, bool(cluster.lock)
