"""Small clusters, and decisions told in lines that a reviewer can read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hxm.model import Cluster, Constraint, Domain, Failure, Node, Operation, Primitive, Resource
from hxm.pacemaker.dialect import DIALECTS
from hxm.plan import AlreadyDone, Decision, Objection, Phase, Plan

DATA = Path(__file__).parents[1] / "data"


def node(name: str = "host1", **known) -> Node:
    return Node(name, **known)


def domain(name: str = "nfs", *nodes: str, **known) -> Domain:
    """A managed domU: running on `nodes`, stopped without any."""
    usual = {
        "resource": name,
        "xmfile": f"/etc/xen/vm/{name}.xm",
        "role": "Started" if nodes else "Stopped",
        "managed": True,
        "live": True,
    }
    return Domain(name, nodes=nodes, **usual | known)


def local(name: str, number: int = 7, **known) -> Domain:
    """A domU of this host that no cluster manages."""
    return Domain(name, nodes=("host1",), id=number, **known)


def primitive(name: str, inherited: dict[str, str] | None = None, **known) -> Primitive:
    """The configuration of a resource; `own` are its own meta options."""
    own, inherited = known.pop("own", {}), inherited or {}
    usual = {"agent": "ocf:heartbeat:Xen", "params": {}}
    return Primitive(
        name, meta=inherited | own, own_meta=own, inherited_meta=inherited, **usual | known
    )


def prefer(resource: str = "nfs", to: str = "host2", **known) -> Constraint:
    return Constraint(f"cli-prefer-{resource}", resource, "prefer", to, **known)


def ban(resource: str = "nfs", where: str = "host1", **known) -> Constraint:
    return Constraint(f"cli-ban-{resource}-on-{where}", resource, "ban", where, **known)


def under_way(task: str, resource: str = "nfs", where: str = "host1") -> Operation:
    return Operation(where, resource, task, -1, 193)


def failure(operation: str = "start", resource: str = "nfs", where: str = "host1") -> Failure:
    return Failure(resource, operation, where, "error", "2026-11-23 21:08:58Z")


_FIELDS = {
    Node: "nodes",
    Domain: "domains",
    Resource: "resources",
    Constraint: "constraints",
    Failure: "failures",
    Operation: "history",
}


def cluster(*parts, **known) -> Cluster:
    """A healthy cluster of the parts; what is not said is host1, host2, a DC, a quorum, watchdogs.

    Each managed domU has its primitive and its resource.
    """
    found: dict[str, tuple[Any, ...]] = {
        field: tuple(part for part in parts if isinstance(part, kind))
        for kind, field in _FIELDS.items()
    }
    managed = [each for each in found["domains"] if each.resource]
    primitives = {each.resource: primitive(each.resource) for each in managed}
    primitives |= {part.id: part for part in parts if isinstance(part, Primitive)}
    found["nodes"] = found["nodes"] or (node("host1"), node("host2"))
    found["resources"] += tuple(
        Resource(each.resource, "ocf:heartbeat:Xen", each.role or "Unknown", nodes=each.nodes)
        for each in managed
    )
    interim = {part.resource: part.id for part in found["constraints"]}
    found["domains"] = tuple(
        each._replace(interim=(interim[each.resource],)) if each.resource in interim else each
        for each in found["domains"]
    )
    usual = {"dc": "host1", "quorum": True, "dialect": "Pacemaker 2.1", "primitives": primitives}
    generation = known.get("dialect") or usual["dialect"]
    usual["hints"] = next((each.hints for each in DIALECTS if each.name == generation), {})
    known["properties"] = WATCHDOGS | known.get("properties", {})
    return Cluster(**found | usual | known)


WATCHDOGS = {"have-watchdog": "true", "stonith-watchdog-timeout": "10s"}
"""By which nodes fence themselves."""


# What a decision is, in lines


def told(decision: Decision) -> list[str]:
    """The decision's phases: steps, `-> goals`; a phase that only tidies up begins with `then`."""
    if isinstance(decision, AlreadyDone):
        return [f"nothing: {decision.message}"]
    assert isinstance(decision, Plan)
    return [line for phase in decision.phases for line in told_phase(phase)]


def told_phase(phase: Phase) -> list[str]:
    lead = "then, if nothing moves: " if phase.only_if_still else ""
    lines = [lead + " ".join((step.kind, *step.values.values())) for step in phase.steps]
    lines += [
        f"-> {goal.kind} {goal.subject}{f' on {goal.node}' if goal.node else ''}"
        for goal in phase.goals
    ]
    return lines


_QUOTED = (
    "should run, and does not",
    "has no DC",
    "has no quorum",
    "not yet fenced",
    "is under way",
    "being migrated",
    "at once",
    "would do nothing",
    "cannot take a domU",
    "last usable node",
    "does not run",
    "running domUs of the cluster would stop",
    "does not know it",
    "would be replaced",
    "would stay on",
    "would have no quorum",
    "is not in standby",
    "cannot be drained",
)


def reasons(objections: Decision | tuple[Objection, ...] | list[Objection]) -> list[str]:
    """Objections as `what, exit status[, what lifts it]`; of long sentences the part in _QUOTED."""
    if isinstance(objections, AlreadyDone):
        return []
    found = objections.objections if isinstance(objections, Plan) else objections
    return [
        ", ".join(filter(None, (_reason(each.what), str(each.status), each.lifted_by)))
        for each in found
    ]


def _reason(message: str) -> str:
    return next((part for part in _QUOTED if part in message), message)
