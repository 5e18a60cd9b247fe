"""Orders that would change an option which stands in sets with rules, or in several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hxm.model import Cluster, Primitive
from hxm.plan import Objection, Plan
from hxm.policy import listed
from hxm.policy.guards import FORCE
from hxm.policy.inherited import in_force, taken_back


def in_own_sets(cluster: Cluster, plan: Plan) -> Iterator[Objection]:
    """Of several sets crm_resource changes none; in one with a rule, it changes what that says."""
    steps = (step for phase in plan.phases for step in phase.steps)
    changed = {
        (step.values["resource"], step.values["name"]): step
        for step in steps
        if step.kind in ("set-meta", "clear-meta")
    }
    for resource, option in changed:
        primitive = cluster.primitives.get(resource)
        if primitive and option in primitive.own_sets:
            yield _objection(cluster, primitive, option)


def _objection(cluster: Cluster, primitive: Primitive, option: str) -> Objection:
    sets = primitive.own_sets[option]
    value = f"{option}={primitive.own_meta[option]}" if option in primitive.own_meta else option
    what = f"{value} of {primitive.id} stands in {_said(sets)}"
    if sets[1:]:
        what += ": crm_resource changes none of several"
        if in_force(option, primitive.own_meta):
            return Objection(what, _end(cluster, option, sets))
        last, _ = sets[-1]
        unset = cluster.advice("unset", option=option, set=last)
        return Objection(what, f"leave it in one of them: {unset}")
    what += ": the order would change what that says"
    return Objection(what, _end(cluster, option, sets), lifted_by=FORCE)


_Sets = Sequence[tuple[str, str]]


def _said(sets: _Sets) -> str:
    (name, rule), *others = sets
    by_rule = f", by a rule ({rule})" if rule else ""
    also = f", and in {listed([other for other, _ in others], 4)}" if others else ""
    return f"its set {name}{by_rule}{also}"


def _end(cluster: Cluster, option: str, sets: _Sets) -> str:
    (name, rule), *others = sets
    return taken_back(cluster, option, name, rule or ("several" if others else ""))


def own_place(cluster: Cluster, primitive: Primitive, option: str) -> tuple[str, str, str] | None:
    """Where an option stands at the resource itself that its rule gives, or one of several sets.

    In words, what takes it out there, and the set.
    """
    sets = primitive.own_sets.get(option, ())
    if not sets or option not in primitive.own_meta:
        return None
    return _said(sets), _end(cluster, option, sets), sets[0][0]
