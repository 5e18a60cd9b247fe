"""What a command of the cluster's own tools does beside what it is for: they ask nobody."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from hxm.model import Cluster
from hxm.plan import Movement
from hxm.policy import guards, listed
from hxm.policy.forecast import name_of
from hxm.policy.forecast.movement_kinds import phrase


def effects(
    cluster: Cluster,
    movements: Iterable[Movement],
    known: Collection[Movement] = (),
    meant: Collection[str] = (),
) -> str:
    """What else may happen, as a condition: `low may stop on host1`; empty: nothing.

    Not the movements that are `known`, nor the starts that are `meant`.
    """
    alike: dict[str, list[str]] = {}
    for move in movements:
        started = move.kind == "start" and move.resource in meant
        if move not in known and not started and guards.concerns(cluster, move):
            alike.setdefault(phrase(move), []).append(name_of(cluster, move))
    return " and ".join(f"{listed(names, 8)} may {does}" for does, names in alike.items())
