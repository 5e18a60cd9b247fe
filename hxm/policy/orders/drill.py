"""Drills: what is broken on purpose, what must come of it, and how it is made whole again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import NamedTuple

from hxm.errors import NotFound
from hxm.model import UPDATE, Cluster, ManagedDomain, Node, Primitive
from hxm.plan import Goal, Objection, Phase, Plan, Step
from hxm.policy import called, goals, guards, listed, resources
from hxm.policy.forecast.goal_kinds import missing
from hxm.policy.guards.quorum import quorum_after
from hxm.policy.orders import placement
from hxm.policy.orders.lifecycle import means_itself
from hxm.policy.orders.update import steady
from hxm.policy.state.running_twice import on_two_nodes
from hxm.policy.steps import (
    cleanup_step,
    clear_standby_step,
    cut_step,
    fence_step,
    join_step,
    kill_step,
    standby_step,
    start_stack_step,
    stop_stack_step,
)

DRILLS = {
    "kill": ("DOMAIN", "destroy a domU behind the cluster's back, and see it come back"),
    "standby": ("NODE", "drain a node and take it back"),
    "dc": ("", "drain the DC, restart the cluster there, and see another node lead"),
    "ping": ("NODE", "cut a node off from what it pings, and see its domUs leave"),
    "fence": ("NODE", "have a node fenced, and see its domUs start elsewhere"),
}
"""Each with what it is done to, and what it does."""
EXPIRY = 600
"""Seconds after which a cut ping path is restored, even if hxm was killed."""


class Monitor(NamedTuple):
    """A monitor that the cluster runs: how often, and what a failure of it leads to."""

    interval: str
    on_fail: str = "restart"


def kill(cluster: Cluster, domain: ManagedDomain, monitors: Sequence[Monitor]) -> Plan:
    """Its monitor must find it gone, and the cluster start it once, somewhere."""
    resource = domain.resource
    node = domain.nodes[0] if domain.nodes else ""
    plug = kill_step(domain, node)
    forget = cleanup_step(resource, f"the failure of {domain.name}")
    interval = monitors[0].interval if monitors else ""
    return _drill(
        cluster,
        f"drill: kill {domain.name} on {node}",
        [domain],
        (
            Phase((plug,), (Goal("anew", resource),), notices=True),
            Phase((forget,), (Goal("forgotten", resource), Goal("running", resource))),
        ),
        f"{domain.name} dies without a shutdown, and is away until its monitor, which runs every "
        f"{interval}, misses it and it has booted",
        objections=(
            *guards.stopped([domain]),
            *guards.ignored(cluster, [domain]),
            *on_two_nodes(cluster, [domain]),
            *_unwatched(domain, node, monitors),
        ),
        done=f"pass: {domain.name} came back, once, and nothing is left of it",
        undo=cluster.advice("look", resource=resource),
    )


def standby(cluster: Cluster, node: Node) -> Plan:
    """Everything must leave the node, and the node be usable again."""
    here = _on(cluster, node)
    drain = placement.standby(cluster, node)
    return _drill(
        cluster,
        f"drill: drain {node.name} and take it back",
        here,
        (*_drain(node), _undrain(node)),
        f"{called(here)} will leave {node.name}, live where that is allowed, and stay where they "
        "went",
        objections=drain.objections if isinstance(drain, Plan) else (),
        done=f"pass: {node.name} was empty, and is active again",
        undo=f"hxm active {node.name}",
    )._replace(drains=node.name)


def dc(cluster: Cluster) -> Plan:
    """Another node must take over when the cluster's stack is stopped on the DC, in good order."""
    node = cluster.node(cluster.dc or "")
    if node is None:
        raise NotFound("there is no DC", "wait for the election: hxm status")
    name, here = node.name, _on(cluster, node)
    start = start_stack_step(name)
    drain = placement.standby(cluster, node)
    return _drill(
        cluster,
        f"drill: let another node than {name} be the DC",
        here,
        (
            *_drain(node),
            Phase((stop_stack_step(name),), (Goal("led", name),), notices=True),
            Phase((start,), (Goal("back", name),), notices=True),
            _undrain(node),
        ),
        f"{called(here)} will leave {name}, live where that is allowed, and stay where they went; "
        f"then the cluster's stack is stopped and started there",
        objections=(
            *_from_elsewhere(cluster, name),
            *(drain.objections if isinstance(drain, Plan) else ()),
        ),
        done=f"pass: another node led the cluster while {name} was away",
        undo=f"{cluster.advice('stack')}, on {name}, and hxm active {name}",
        rollback=(start, clear_standby_step(name)),
    )._replace(drains=name)


def ping(cluster: Cluster, node: Node) -> Plan:
    """Every domU must leave the node for one that still has its ping path."""
    name, here = node.name, _on(cluster, node)
    pinger = next(
        (primitive for primitive in cluster.primitives.values() if _pings(primitive)), None
    )
    addresses = pinger.params["host_list"].split() if pinger else []
    attribute = pinger.params.get("name", "pingd") if pinger else ""
    cut = tuple(cut_step(name, address, attribute, EXPIRY) for address in addresses)
    join = tuple(join_step(name, address) for address in addresses)
    connected = Goal("connected", attribute, name)
    return _drill(
        cluster,
        f"drill: cut {name} off from what it pings",
        here,
        (
            Phase(
                cut,
                tuple(Goal("elsewhere", domain.resource, name) for domain in here),
                notices=True,
            ),
            Phase(join, (connected,), notices=True),
        ),
        f"{name} cannot reach {listed(addresses)} for a while, at most {EXPIRY} s; {called(here)} "
        "will leave it, and stay where they went",
        objections=tuple(_no_ping(cluster, pinger, here, connected)),
        done=f"pass: {called(here)} left {name} for a node with a ping path, which it has again",
        undo=f"{'; '.join(f'ip route del unreachable {ip}' for ip in addresses)}, on {name}",
        rollback=join,
    )


def fence(cluster: Cluster, node: Node) -> Plan:
    """What ran there must start elsewhere, after the fencing and not before; then it comes back."""
    name, here = node.name, _on(cluster, node)
    loses = f"{called(here)} on it will die without a shutdown" if here else "no domU runs there"
    return _drill(
        cluster,
        f"drill: fence {name}",
        here,
        (
            Phase((fence_step(name),), goals("anew", here) or (Goal("lost", name),), notices=True),
            Phase((), (Goal("back", name),), notices=True),
        ),
        f"{name} loses its power: {loses}, and be away until the cluster has started them elsewhere"
        if here
        else f"{name} loses its power; {loses}",
        objections=(
            *_from_elsewhere(cluster, name),
            *guards.cannot_drain(cluster, node),
            *guards.last_usable(cluster, node),
            *quorum_after(cluster, node),
            *guards.ignored(cluster, here),
        ),
        done=f"pass: {name} was fenced, and is back",
        undo=f"switch {name} on, then hxm status",
        confirm_twice=True,
    )


def _drill(
    cluster: Cluster,
    about: str,
    domains: Sequence[ManagedDomain],
    phases: tuple[Phase, ...],
    disturbs: str,
    *,
    objections: Sequence[Objection],
    done: str,
    undo: str,
    rollback: tuple[Step, ...] = (),
    confirm_twice: bool = False,
) -> Plan:
    question = Objection(disturbs, "use --yes to do it anyway", lifted_by=guards.YES)
    all_objections = (*_fit_for_it(cluster), *steady(cluster, ""), *objections)
    return Plan(
        "drill",
        about,
        resources(domains),
        phases,
        frozenset({"live", "move", "start", "restart"}),
        (*dict.fromkeys(all_objections), question),
        guards.warnings(cluster),
        rollback=rollback,
        done=done,
        undo=undo,
        is_drill=True,
        confirm_twice=confirm_twice,
    )


def _drain(node: Node) -> tuple[Phase, ...]:
    return (Phase((standby_step(node.name),), (Goal("empty", node.name),)),)


def _undrain(node: Node) -> Phase:
    return Phase((clear_standby_step(node.name),), (Goal("usable", node.name),))


def _on(cluster: Cluster, node: Node) -> list[ManagedDomain]:
    return [domain for domain in cluster.managed_domains if node.name in domain.nodes]


def _pings(primitive: Primitive) -> bool:
    kind = primitive.agent.rpartition(":")[2]
    return kind in ("ping", "pingd") and bool(primitive.params.get("host_list", "").split())


# What stands against a drill


def _fit_for_it(cluster: Cluster) -> Iterator[Objection]:
    if cluster.sandbox:
        yield Objection(
            "a drill needs a cluster that runs", "in a sandbox: hxm sandbox fail, lose-network"
        )
    if UPDATE in cluster.properties:
        yield Objection("a rolling update is under way", "end it first: hxm update status")
    yield from guards.in_flight(cluster, cluster.managed_domains)


_ON_FAIL = {
    "ignore": "lets it stay away",
    "block": "leaves it alone until somebody cleans up",
    "stop": "does not start it again",
    "standby": "drains its node as well",
    "fence": "fences its node",
}
"""What the cluster does when a monitor fails, and does not merely restart the domU."""


def _unwatched(
    domain: ManagedDomain, node: str, monitors: Sequence[Monitor]
) -> Iterator[Objection]:
    if domain.running and not monitors:
        yield Objection(
            f"nothing watches {domain.name}: nobody would notice",
            "give it a monitor operation: hxm check",
        )
    for on_fail in dict.fromkeys(monitor.on_fail for monitor in monitors):
        if on_fail in _ON_FAIL:
            hint = (
                f"hxm drill fence {node}"
                if on_fail == "fence"
                else "on-fail=restart is the default"
            )
            yield Objection(
                f"with on-fail={on_fail} of its monitor the cluster {_ON_FAIL[on_fail]}", hint
            )
    if not means_itself(domain.name):
        yield Objection(f"the toolstack takes {domain.name!r} for something else than a name")


def _from_elsewhere(cluster: Cluster, name: str) -> Iterator[Objection]:
    if cluster.local_node == name:
        yield Objection(
            f"this is {name} itself: nobody would be left to watch", "type it on another node"
        )


def _no_ping(
    cluster: Cluster, pinger: Primitive | None, here: Sequence[ManagedDomain], connected: Goal
) -> Iterator[Objection]:
    if pinger is None:
        yield Objection(
            "no resource of the agent ping or pingd has a host_list",
            "without one nothing leaves a node that is cut off from its clients",
        )
        return
    names = [word for word in pinger.params["host_list"].split() if not _is_address(word)]
    if names:
        yield Objection(
            f"the host_list of {pinger.id} names {listed(names)}: a route takes no name",
            "write the addresses instead",
        )
    if not here:
        yield Objection(f"no domU runs on {connected.node}: nothing would be seen", "hxm nodes")
    elif fault := missing(cluster, connected):
        yield Objection(f"{fault}: nothing would change", f"look at {pinger.id}: hxm status")


def _is_address(word: str) -> bool:
    try:
        return bool(ip_address(word)) and "%" not in word
    except ValueError:
        return False
