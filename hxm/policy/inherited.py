"""Meta options that count for a resource and stand above it: at its group or clone, or in a set.

The sets are those of templates and of rsc_defaults.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hxm.model import Cluster, Primitive
from hxm.policy import IN_PASSING, is_false, is_true, keeps_stopped
from hxm.policy.unjudged import may_start


def in_force(option: str, meta: Mapping[str, str]) -> bool:
    """Whether the option keeps a resource stopped, or makes the cluster leave it alone."""
    if option == "target-role":
        return keeps_stopped(meta)
    value = meta.get(option, "")
    return is_false(value) if option == "is-managed" else is_true(value)


def taken_back(cluster: Cluster, option: str, given: str, rule: str) -> str:
    """What takes the option out of this set, which may have a rule, and what to look at first."""
    command = cluster.advice("unset", option=option, set=given)
    return may_start(cluster, command, "it is not meant" if rule else "")


def holder(cluster: Cluster, primitive: Primitive, option: str) -> str:
    """The group or the clone that says so for the resource; may be empty."""
    place, *_ = primitive.inherited_from.get(option, ("",))
    stands = option in cluster.own_meta.get(place, {})
    return place if stands and in_force(option, primitive.inherited_meta) else ""


def end_above(cluster: Cluster, primitive: Primitive, option: str) -> str:
    """What ends the option where it stands above the resource; empty: it does not stand there."""
    if place := holder(cluster, primitive, option):
        return f"hxm {'start' if option == 'target-role' else 'default'} {place}"
    _, given, rule = primitive.inherited_from.get(option, ("", "", ""))
    stands = given and in_force(option, primitive.inherited_meta)
    return taken_back(cluster, option, given, rule) if stands else ""


def set_above(cluster: Cluster, primitives: Iterable[Primitive]) -> str:
    """What is set in passing above them, and the command that ends it, behind a sentence."""
    for option in IN_PASSING:
        for primitive in primitives:
            end = end_above(cluster, primitive, option)
            if end and in_force(option, primitive.meta):
                place, *_ = primitive.inherited_from[option]
                return f"; {option}={primitive.meta[option]} stands at {place}: {end}"
    return ""
