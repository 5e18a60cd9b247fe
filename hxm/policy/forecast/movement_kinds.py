"""The kinds of movement: the words for each, and what it leads to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from hxm.plan import Movement, MovementKind

_Nodes = tuple[str, ...]


class _MovementRow(NamedTuple):
    phrase: str
    """What it does, as in "it would ...", between its source and its target."""
    verb: str
    """What several do whose nodes differ."""
    nodes_after: Callable[[Movement, _Nodes], _Nodes]
    """Where the resource runs then, by where it ran."""
    starts: bool
    """Whether it needs a node that can run the resource."""
    anew: bool
    """Whether it makes a new instance."""


def phrase(movement: Movement) -> str:
    """What it does, as in "it would ...": stop on host1."""
    words = _MOVEMENTS[movement.kind].phrase
    return words.format(source=movement.source, target=movement.target)


def verb(movement: Movement) -> str:
    """What several would do that are moved alike, whose nodes differ: move, live."""
    return _MOVEMENTS[movement.kind].verb


def nodes_after(movement: Movement, nodes: tuple[str, ...]) -> tuple[str, ...]:
    """Where a resource runs after the movement that ran on these nodes before."""
    return _MOVEMENTS[movement.kind].nodes_after(movement, nodes)


def starts(movement: Movement) -> bool:
    """Whether the resource is started by it, or received by another node."""
    return _MOVEMENTS[movement.kind].starts


def starts_anew(movement: Movement) -> bool:
    """Whether a new instance is started by it: not one that another node receives."""
    return _MOVEMENTS[movement.kind].anew


def _on_target(movement: Movement, _: _Nodes) -> _Nodes:
    return (movement.target,) if movement.target else ()


def _not_on_source(movement: Movement, nodes: _Nodes) -> _Nodes:
    return tuple(node for node in nodes if node != movement.source)


def _as_before(_: Movement, nodes: _Nodes) -> _Nodes:
    return nodes


_MOVEMENTS: Mapping[MovementKind, _MovementRow] = {
    "start": _MovementRow("start on {target}", "start", _on_target, starts=True, anew=True),
    "stop": _MovementRow("stop on {source}", "stop", _not_on_source, starts=False, anew=False),
    "restart": _MovementRow("restart on {source}", "restart", _on_target, starts=True, anew=True),
    "move": _MovementRow(
        "move {source} -> {target}, stopped and started, not live",
        "be stopped, and started elsewhere, not live,",
        _on_target,
        starts=True,
        anew=True,
    ),
    "live": _MovementRow(
        "move {source} -> {target}, live", "move live", _on_target, starts=True, anew=False
    ),
    "fence": _MovementRow("be fenced", "be fenced", _as_before, starts=False, anew=False),
}
"""Every kind of movement; a fenced node is the source of its own."""
