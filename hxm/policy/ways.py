"""The ways in which hxm moves a resource, and which of them it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Literal, TypeVar

from hxm.model import Cluster
from hxm.policy.relations import INFINITY, score_of

How = Literal["gently", "strongly"]
"""Gently it prefers the node; strongly it is banned from where it is, too."""


def ways(cluster: Cluster, resource: str) -> tuple[How, ...]:
    """The ways to move it, in the order in which they are tried.

    With a stickiness of INFINITY a preference alone moves nothing (crm_resource(8), --force).
    """
    default = cluster.properties.get("default-resource-stickiness", "0")
    stickiness = cluster.primitives[resource].meta.get("resource-stickiness", default)
    return ("strongly",) if score_of(stickiness) >= INFINITY else ("gently", "strongly")


_Tried = TypeVar("_Tried")


def taken(tries: Iterator[_Tried], arrives: Callable[[_Tried], bool]) -> _Tried:
    """The first of several that arrives; the first of all if none does, and shows what fails."""
    first = next(tries)
    return next(filter(arrives, chain((first,), tries)), first)
