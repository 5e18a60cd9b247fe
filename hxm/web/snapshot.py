"""What is known of the cluster, kept fresh by one poller in the background."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import NamedTuple

from hxm.errors import HxmError
from hxm.model import Cluster
from hxm.policy.memory import Host, Needs
from hxm.policy.past.events import Event
from hxm.policy.past.stays import Row
from hxm.policy.state.findings import Finding

PICTURE = 30.0
"""Seconds for which the answers about the hosts' memory and the past are reused."""
REST, LONG_REST = 5.0, 30.0
"""Seconds between two looks at the cluster, at least and at most: twelve a minute or fewer."""
SLOW = 10.0
"""Seconds after which the last snapshot is stale, if the next one is not finished."""

Look = tuple[Cluster, Sequence[Finding]]


class Picture(NamedTuple):
    """What costs more to know than a look: the hosts' memory, and what happened."""

    at: float = 0.0
    """When it was asked, in seconds since 1970."""
    since: float = 0.0
    """From when on the `rows` tell the past."""
    hosts: Sequence[Host] = ()
    needs: Needs = MappingProxyType({})
    rows: Mapping[str, Row] = MappingProxyType({})
    """Which node each resource ran on, and when."""
    events: Sequence[Event] = ()


class Snapshot(NamedTuple):
    """What the last good look at the cluster saw, and why it may no longer be so."""

    cluster: Cluster | None = None
    """Nothing if there was no good look yet."""
    findings: Sequence[Finding] = ()
    at: float = 0.0
    """When it was seen, in seconds since 1970."""
    age: float = 0.0
    """Seconds since then, by the monotonic clock."""
    took: float = 0.0
    """Seconds that the look took."""
    fault: str = ""
    """Why the cluster cannot be asked now; empty if what was seen can be relied on."""
    picture: Picture = Picture()
    arrived: Mapping[str, str] = MappingProxyType({})
    """How much of each domU that moves live has arrived, by name, where that is known."""
    looks: int = 0
    failed: int = 0
    """How many looks there were, and how many of them saw nothing."""


class SnapshotPoller:
    """Looks at the cluster again and again, in one thread of its own: `known` never waits.

    However many ask, there is one look at a time. When looks take long, the thread rests four times
    as long between them, up to LONG_REST. A single long look, because the tools hung for a while,
    does not count.
    """

    def __init__(
        self,
        look: Callable[[], Look],
        say: Callable[[str], None],
        paint: Callable[[Cluster], Picture] = lambda _: Picture(),
        arrivals: Callable[[Cluster], Mapping[str, str]] = lambda _: {},
    ) -> None:
        """`arrivals` tells by name how far the domUs are that move."""
        self._look, self._say, self._paint, self._arrivals = look, say, paint, arrivals
        self._painted: dict[str, tuple[str, ...]] = {}
        self._rested = self._old = 0.0
        self._last = Snapshot()  # its age is the time of the look, by the clock of time.monotonic
        self._begun: float | None = None
        self._first = threading.Event()

    def start(self, patience: float = 2.0) -> None:
        """Begin, and wait at most `patience` seconds for the first answer."""
        threading.Thread(target=self._poll, name="poller", daemon=True).start()
        self._first.wait(patience)

    def _poll(self) -> None:
        before = 0.0
        while True:
            took = self.ask()
            self.paint()
            time.sleep(min(max(REST, 4 * min(took, before)), LONG_REST))
            before = took

    def known(self) -> Snapshot:
        """What is known at this moment, without waiting for anything."""
        last, begun, now = self._last, self._begun, time.monotonic()
        fault = last.fault
        if not last.cluster:
            fault = fault or "it has not answered yet"
        elif not fault and begun and now - begun > min(max(SLOW, 3 * last.took), LONG_REST):
            fault = "the cluster's tools have not answered yet, as if they hung"
        return last._replace(fault=fault, age=now - last.age if last.cluster else 0.0)

    def ask(self) -> float:
        """Look once, whatever comes of it; returns the seconds that it took."""
        last, at = self._last, time.time()
        begun = self._begun = time.monotonic()
        try:
            cluster, findings = self._look()
            arrived = self._arrivals(cluster)
        except Exception as error:  # noqa: BLE001 - the poller must outlive whatever it is
            fault = error.message if isinstance(error, HxmError) else _own(error)
            self._last = last._replace(fault=fault, looks=last.looks + 1, failed=last.failed + 1)
        else:
            took = time.monotonic() - begun
            self._last = Snapshot(
                cluster,
                findings,
                at,
                begun,
                took,
                picture=last.picture,
                arrived=arrived,
                looks=last.looks + 1,
                failed=last.failed,
            )
        self._begun = None
        self._first.set()
        if self._last.fault != last.fault:
            with suppress(OSError):  # a full disk, or nobody who reads
                self._say(self._last.fault or "the cluster answers again")
        return time.monotonic() - begun

    def paint(self) -> None:
        """Ask for the rest, if it is old or a domU has moved; what cannot be known stays as it was.

        Where that takes long, nine tenths of the time are left to others.
        """
        cluster, begun = self._last.cluster, time.monotonic()
        if not cluster or self._last.fault:
            return
        places = {domain.name: domain.places for domain in cluster.domains}
        if begun < (self._old if places == self._painted else self._rested):
            return
        with suppress(Exception):  # the poller must outlive whatever it is
            self._last = self._last._replace(picture=self._paint(cluster))
        now = time.monotonic()
        self._painted, self._rested = places, now + 9 * (now - begun)
        self._old = max(now + PICTURE, self._rested)


def _own(error: Exception) -> str:
    """What no look should end with, and must not end the poller either."""
    return f"this is a fault in hxm: {type(error).__name__}: {error}".splitlines()[0]
