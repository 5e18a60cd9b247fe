"""Measures how long each domU was away, by what is seen of it in the cluster."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import NamedTuple

from hxm.model import Cluster
from hxm.plan import Goal
from hxm.policy.goal_kinds import reached
from hxm.policy.guards import migrating


class Away(NamedTuple):
    """How long a domU did not serve, in seconds, as exact as the looks are frequent."""

    name: str
    resource: str
    seconds: float
    noticed: float | None = None
    """After how long the cluster knew, where it was not told."""


class Witness:
    """Is told of every look, and of every blow."""

    def __init__(self, before: Cluster, resources: Iterable[str]) -> None:
        self.before = before
        self._seconds = dict.fromkeys(resources, 0.0)
        self._since: dict[str, float] = {}
        self._struck: set[str] = set()
        self._noticed: dict[str, float] = {}

    def strike(self, resource: str, node: str) -> None:
        """From now on the domU, or every domU on the node, is gone, whatever the cluster thinks."""
        for subject in self._seconds:
            domain = self.before.domain_of(subject)
            if subject == resource or (not resource and domain and node in domain.nodes):
                self._since[subject] = time.monotonic()
                self._struck.add(subject)

    def look(self, seen: Cluster) -> None:
        """What one look at the cluster tells."""
        now = time.monotonic()
        for resource in self._seconds:
            if resource in self._struck and not reached(seen, Goal("running", resource)):
                self._noticed.setdefault(resource, now - self._since[resource])
            if not self._serves(seen, resource):
                self._since.setdefault(resource, now)
            elif resource in self._since:
                self._seconds[resource] += now - self._since.pop(resource)
                self._struck.discard(resource)

    def _serves(self, seen: Cluster, resource: str) -> bool:
        if resource in self._struck:
            return reached(seen, Goal("anew", resource), self.before)
        domain = seen.domain_of(resource)
        return domain is not None and (domain.role == "Started" or migrating(seen, domain))

    def found(self) -> tuple[Away, ...]:
        """Each domU, those that are still away up to now."""
        now = time.monotonic()
        return tuple(
            Away(
                domain.name,
                resource,
                round(
                    seconds + (now - self._since[resource] if resource in self._since else 0.0), 1
                ),
                round(self._noticed[resource], 1) if resource in self._noticed else None,
            )
            for resource, seconds in self._seconds.items()
            if (domain := self.before.domain_of(resource))
        )
