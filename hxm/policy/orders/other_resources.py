"""Start and default for what the domUs need: storage, groups, clones and other resources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hxm.model import Cluster, Domain, Primitive
from hxm.plan import AlreadyDone, Decision, Phase, Plan, Step
from hxm.policy import IN_PASSING, guards, keeps_stopped, listed
from hxm.policy.guards.above import stands_above
from hxm.policy.inherited import set_above
from hxm.policy.steps import clear_meta_above_step, clear_meta_step, meta_step


def start(cluster: Cluster, name: str) -> Decision:
    """Nothing tells the resource, or what is in it, to stop."""
    stopped = [
        resource for resource in _inside(cluster, name) if keeps_stopped(cluster.own_meta[resource])
    ]
    steps = tuple(_cleared(cluster, resource, "target-role") for resource in stopped)
    outside = [
        primitive
        for primitive in _primitives(cluster, name)
        if keeps_stopped(primitive.inherited_meta)
        and {primitive.parent, primitive.clone}.isdisjoint(stopped)
    ]
    if outside:
        steps = (*steps, meta_step(Domain(name, name), "target-role", "Started"))
    if not steps:
        return AlreadyDone(f"{name}: nothing tells it to stop; whether it runs: hxm why {name}")
    plan = _plan(cluster, "start", f"start {name}", name, steps)
    return plan._replace(
        objections=(*plan.objections, *stands_above(cluster, outside, "target-role")),
        undo=cluster.advice("keep-stopped", resource=name),
    )


def default(cluster: Cluster, name: str) -> Decision:
    """What was set in passing at the resource, or at what is in it, is removed.

    Each option from the outermost inwards, so that none takes effect that is to go as well; what
    keeps it stopped before what leaves it alone.
    """
    steps = tuple(
        _cleared(cluster, resource, option)
        for option in IN_PASSING
        for resource in _inside(cluster, name)
        if option in cluster.own_meta[resource]
    )
    if not steps:
        primitives = _primitives(cluster, name)
        return AlreadyDone(f"{name}: nothing was set in passing{set_above(cluster, primitives)}")
    return _plan(cluster, "default", listed([step.says for step in steps]), name, steps)


def _cleared(cluster: Cluster, resource: str, option: str) -> Step:
    if resource in cluster.primitives:
        return clear_meta_step(Domain(resource, resource), option)
    return clear_meta_above_step(resource, option)


def _plan(cluster: Cluster, verb: str, says: str, name: str, steps: tuple[Step, ...]) -> Plan:
    whole = guards.whole_cluster(cluster, [name])
    moving = guards.in_flight(cluster, cluster.managed_domains, guards.FORCE)
    return Plan(
        verb,
        says,
        tuple(primitive.id for primitive in _primitives(cluster, name)),
        (Phase(steps),),
        frozenset({"start"} if verb == "start" else ()),  # default asks before a domU starts
        (*whole, *moving),
        guards.warnings(cluster),
        done=f"done: {listed([step.says for step in steps])}",
    )


def _inside(cluster: Cluster, name: str) -> Iterator[str]:
    """The resource, and what is in it, groups in clones among it."""
    yield name
    within = [primitive for primitive in _primitives(cluster, name) if primitive.id != name]
    yield from dict.fromkeys(
        resource
        for p in within
        for resource in (p.parent, p.id)
        if resource and resource not in (name, p.clone)
    )


def _primitives(cluster: Cluster, name: str) -> list[Primitive]:
    return [p for p in cluster.primitives.values() if name in (p.id, p.parent, p.clone)]


def decided(cluster: Cluster, verb: str, words: Sequence[str]) -> Decision | None:
    """The decision if the only operand is the id of a resource that is not a domU."""
    decide = {"start": start, "default": default}.get(verb)
    if not decide or len(words) != 1:
        return None
    known = words[0] in cluster.own_meta and not cluster.domain_of(words[0])
    return decide(cluster, words[0]) if known else None
