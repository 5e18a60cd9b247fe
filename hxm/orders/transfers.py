"""How far the live migrations of an order are: what has arrived of each domU's memory.

While a domU is received, its target's xl lists it as NAME--incoming, with the memory that has
arrived so far (seen with Xen 4.17). Its pages change meanwhile and are sent again, so that all of
it is there some time before the end.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hxm.config import Config
from hxm.errors import CannotAsk
from hxm.model import IN_FLIGHT, Cluster
from hxm.plan import Forecast, Movement
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


class Transfers:
    """Asks the targets of the live migrations that a forecast has, as long as they answer."""

    def __init__(self, before: Cluster, predicted: Forecast, config: Config) -> None:
        """`before` has been read with this host's toolstack, and so knows sizes."""
        self._before = before
        self._moves = [move for move in predicted.movements if move.kind == "live" and move.target]
        self._config = config
        self._asked = 0.0
        self._silent: set[str] = set()

    def read(self, seen: Cluster) -> list[Transfer]:
        """What is under way now; nothing if it is too early to ask again."""
        moves = [move for move in self._moves if _under_way(seen, move)]
        targets = {move.target or "" for move in moves} - self._silent
        if seen.sandbox or not targets or time.monotonic() - self._asked < _INTERVAL:
            return []
        rows = self._rows(sorted(targets))
        self._asked = time.monotonic()
        return arrived(self._before, moves, rows)

    def _rows(self, targets: Sequence[str]) -> dict[str, tuple[LocalDomain, ...]]:
        """The domains of the targets; who does not answer is not asked again."""
        program, timeout = self._before.toolstack or "xl", self._config.ssh_timeout
        here = self._before.local_node
        others = [node for node in targets if node != here]
        answers = dict(read_elsewhere(program, others, timeout)) if others else {}
        if here and here in targets:
            try:
                answers[here] = read_local(Toolstack(program, ""), timeout)
            except CannotAsk as error:
                answers[here] = error.message
        self._silent |= {node for node, rows in answers.items() if isinstance(rows, str)}
        return {node: rows for node, rows in answers.items() if not isinstance(rows, str)}


def _under_way(seen: Cluster, move: Movement) -> bool:
    domain = seen.domain_of(move.resource)
    return bool(domain and domain.role in IN_FLIGHT)


def arrived(
    before: Cluster, moves: Sequence[Movement], rows: Mapping[str, Sequence[LocalDomain]]
) -> list[Transfer]:
    """What has arrived of each domU that a target lists as incoming, where its size is known."""
    transfers = []
    for move in moves:
        domain = before.domain_of(move.resource)
        for row in rows.get(move.target or "", ()):
            if domain and domain.memory and row.name == f"{domain.name}{_INCOMING}":
                here = min(row.memory, domain.memory)
                transfers.append(Transfer(domain.name, move.target or "", here, domain.memory))
    return transfers
