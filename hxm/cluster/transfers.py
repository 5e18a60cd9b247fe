"""How far live migrations are: what has arrived of each domU's memory.

While a domU is received, its target's xl lists it as NAME--incoming, with the memory that has
arrived so far (seen with Xen 4.17). Its pages change meanwhile and are sent again, so that all of
it is there some time before the end.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from hxm.cluster.read import other_toolstack
from hxm.config import Config
from hxm.errors import CannotAsk
from hxm.model import Cluster, ManagedDomain
from hxm.plan import Forecast
from hxm.toolstack import Toolstack, read_local
from hxm.toolstack.remote import read_elsewhere
from hxm.toolstack.xl import LocalDomain

_INTERVAL = 2.0
"""Seconds between two questions to the targets: each may cost an ssh."""
_INCOMING = "--incoming"


class Transfer(NamedTuple):
    """A domU on its way: how many MiB have arrived, and of how many."""

    name: str
    target: str
    arrived: int
    of: int

    @property
    def share(self) -> str:
        """How much of it has arrived, in words."""
        if self.arrived >= self.of:
            return "memory copied; waiting for the cluster"
        return f"{self.arrived} of {self.of} MiB"


class Transfers:
    """Asks the targets of live migrations what has arrived, as long as they answer."""

    def __init__(
        self, config: Config, before: Cluster | None = None, predicted: Forecast | None = None
    ) -> None:
        """`before` has been read with this host's toolstack, and so knows sizes.

        Where there is no forecast to tell the targets, all nodes but the source may be it.
        """
        movements = predicted.movements if predicted else ()
        self._targets = {move.resource: move.target for move in movements if move.kind == "live"}
        self._foreseen = bool(predicted)
        self._before, self._config = before, config
        self._asked = 0.0
        self._silent: set[str] = set()
        self._last: list[Transfer] = []

    def read(self, seen: Cluster) -> list[Transfer]:
        """What is under way now; the last answers where it is too early to ask again."""
        moving = [domain for domain in seen.managed_domains if self._moves(domain)]
        if not moving or seen.sandbox:
            self._silent.clear()
            self._last = []
        elif time.monotonic() - self._asked >= _INTERVAL:
            targets = {node for domain in moving for node in self._may_receive(seen, domain)}
            rows = self._rows(self._before or seen, targets - self._silent)
            sizes = self._before or seen
            known = (sizes.domain_of(domain.resource) for domain in moving)
            self._last = list(arrived(filter(None, known), rows))
            self._asked = time.monotonic()
        names = {domain.name for domain in moving}
        return [transfer for transfer in self._last if transfer.name in names]

    def _moves(self, domain: ManagedDomain) -> bool:
        if self._foreseen:
            return domain.in_flight and domain.resource in self._targets
        return domain.role == "Migrating"

    def _may_receive(self, seen: Cluster, domain: ManagedDomain) -> Collection[str]:
        if target := self._targets.get(domain.resource):
            return {target}
        if len(domain.nodes) > 1:
            return {domain.nodes[-1]}
        return {node.name for node in seen.hosts if node.member} - {*domain.nodes}

    def _rows(
        self, cluster: Cluster, targets: Collection[str]
    ) -> dict[str, tuple[LocalDomain, ...]]:
        """The domains of the targets; who does not answer is not asked again in this migration."""
        program, timeout = other_toolstack(cluster, self._config), self._config.ssh_timeout
        here = cluster.local_node
        others = sorted(node for node in targets if node != here)
        answers = dict(read_elsewhere(program, others, timeout)) if others else {}
        if here and here in targets:
            try:
                answers[here] = read_local(Toolstack(program, ""), timeout)
            except CannotAsk as error:
                answers[here] = error.message
        self._silent |= {node for node, rows in answers.items() if isinstance(rows, str)}
        return {node: rows for node, rows in answers.items() if not isinstance(rows, str)}


def arrived(
    domains: Iterable[ManagedDomain], rows: Mapping[str, Iterable[LocalDomain]]
) -> Iterable[Transfer]:
    """What has arrived of each domU that a node lists as incoming, where its size is known."""
    sizes = {f"{domain.name}{_INCOMING}": (domain.name, domain.memory) for domain in domains}
    for node, listed in rows.items():
        for row in listed:
            name, memory = sizes.get(row.name, ("", None))
            if memory:
                yield Transfer(name, node, min(row.memory, memory), memory)
