"""What was recorded of the past, and an event, which is one line of the history made from it.

Times are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Done(NamedTuple):
    """An action on a resource, as its node wrote it down; `at` is when it began."""

    at: float
    node: str
    resource: str
    task: str
    call: int
    rc: int
    seconds: float
    recurring: bool = False
    source: str = ""
    target: str = ""
    why: str = ""
    domu: bool = False
    transition: int = -1
    """The number of the transition that it belongs to, if one was written down."""


class Look(NamedTuple):
    """How the nodes were at some time: for each what is special about it, `online` or not."""

    at: float
    nodes: Mapping[str, tuple[str, ...]]
    dc: str = ""
    quorum: bool = True
    maintenance: bool = False
    version: tuple[int, ...] = ()
    """The CIB's epochs: the order of snapshots within one second."""


class Fenced(NamedTuple):
    """A recorded fencing."""

    at: float
    node: str
    action: str
    status: str
    by: str
    via: str = ""


class Ordered(NamedTuple):
    """A change that hxm was ordered to make; `ended` is None if it never ended."""

    at: float
    ended: float | None
    who: str
    host: str
    verb: str
    what: str
    why: str
    subjects: tuple[str, ...]
    status: int | None
    outcome: str
    number: int = 0
    """Its place in the journal of its host, whose times are whole seconds."""


class Pieces(NamedTuple):
    """All that is known."""

    done: frozenset[Done] = frozenset()
    looks: tuple[Look, ...] = ()
    fenced: frozenset[Fenced] = frozenset()
    ordered: frozenset[Ordered] = frozenset()

    def joined(self, other: Pieces) -> Pieces:
        """Both together, each thing once."""
        looks = {(look.at, look.version): look for look in self.looks + other.looks}
        return Pieces(
            self.done | other.done,
            tuple(looks[moment] for moment in sorted(looks)),
            self.fenced | other.fenced,
            self.ordered | other.ordered,
        )


class Event(NamedTuple):
    """One line of the history."""

    at: float
    subject: str
    what: str
    where: str = ""
    seconds: float | None = None
    by: str = ""
    note: str = ""
    failed: bool = False
    source: str = ""
    """One of _SOURCES."""
    about: tuple[str, ...] = ()
    """Further resources and nodes that it is about."""
    left: str = ""
    """The node where the domU ran until then."""
    came: str = ""
    """The node where it runs from the end of the event on."""

    @property
    def moves(self) -> bool:
        """Whether it changes where a domU is."""
        return bool(self.left or self.came)

    def concerns(self, name: str) -> bool:
        """Whether it is about this resource or node, or happened there."""
        return name == self.subject or name in self.about or name in self.where.split()
