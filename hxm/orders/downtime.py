"""Measures the downtime of domUs from snapshots of the cluster."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import NamedTuple

from hxm.model import Cluster
from hxm.plan import Goal
from hxm.policy.forecast.goal_kinds import reached
from hxm.policy.guards import migrating


class Downtime(NamedTuple):
    """How long a domU did not run, in seconds, as exact as the polling interval."""

    name: str
    resource: str
    seconds: float
    noticed: float | None = None
    """Seconds until the cluster noticed a failure that it was not told of."""


class DowntimeMeter:
    """Computes downtimes from the snapshots and failures that it is given, as they happen."""

    def __init__(self, before: Cluster, resources: Iterable[str]) -> None:
        self.before = before
        self._seconds = dict.fromkeys(resources, 0.0)
        self._down_since: dict[str, float] = {}
        self._failed: set[str] = set()
        self._noticed: dict[str, float] = {}

    def record_failure(self, resource: str, node: str) -> None:
        """The domU, or every domU on the node, is down from now on, whatever the cluster shows."""
        for subject in self._seconds:
            domain = self.before.domain_of(subject)
            if subject == resource or (not resource and domain and node in domain.nodes):
                self._down_since[subject] = time.monotonic()
                self._failed.add(subject)

    def record_snapshot(self, seen: Cluster) -> None:
        """Take in one snapshot of the cluster."""
        now = time.monotonic()
        for resource in self._seconds:
            if resource in self._failed and not reached(seen, Goal("running", resource)):
                self._noticed.setdefault(resource, now - self._down_since[resource])
            if not self._is_up(seen, resource):
                self._down_since.setdefault(resource, now)
            elif resource in self._down_since:
                self._seconds[resource] += now - self._down_since.pop(resource)
                self._failed.discard(resource)

    def _is_up(self, seen: Cluster, resource: str) -> bool:
        if resource in self._failed:
            return reached(seen, Goal("anew", resource), self.before)
        domain = seen.domain_of(resource)
        return domain is not None and (domain.role == "Started" or migrating(seen, domain))

    def per_domain(self) -> tuple[Downtime, ...]:
        """The downtime of each domU; of one that is still down, until now."""
        now = time.monotonic()
        return tuple(
            Downtime(
                domain.name,
                resource,
                round(seconds + now - self._down_since.get(resource, now), 1),
                round(self._noticed[resource], 1) if resource in self._noticed else None,
            )
            for resource, seconds in self._seconds.items()
            if (domain := self.before.domain_of(resource))
        )
