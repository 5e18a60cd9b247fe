"""Completes crm_mon's text from the CIB, so that every guard has the facts that it needs.

Pending actions, target roles, the quorum and the fencing of Heartbeat, transient standby: what
even the CIB leaves open is taken as what makes a guard object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from xml.etree.ElementTree import Element

from hxm.errors import CannotAsk
from hxm.model import Failure, Node, Operation, Primitive, Resource
from hxm.pacemaker.cib import Configuration
from hxm.pacemaker.status import TEXT, UNNAMED, Status
from hxm.policy import is_false, is_true

_UNDER_WAY = {
    "start": "Starting",
    "stop": "Stopping",
    "migrate_to": "Migrating",
    "migrate_from": "Migrating",
    "promote": "Promoting",
    "demote": "Demoting",
}
_REMOTE = "ocf:pacemaker:remote"
"""What makes a node of that name, which is listed whether it is up or not."""
_PENDING = "-1"  # op-status of an action without a result


def complete(status: Status, configuration: Configuration) -> Status:
    """The status with what the CIB adds, to text the whole CIB.

    Raises CannotAsk if the two are of two clusters: a resource or a node that only the CIB knows
    may still be running.
    """
    cib = configuration.cib
    states: dict[str, Element] = {}
    if status.form == TEXT:
        if cib is None:
            raise CannotAsk("crm_mon prints only text, and the CIB was not read as a whole")
        states = {state.get("uname", ""): state for state in cib.iterfind("status/node_state")}
    order = {name: number for number, name in enumerate(configuration.node_attributes)}
    nodes = [
        _node(node, states.get(node.name), configuration)
        for node in sorted(status.nodes, key=lambda node: order.get(node.name, len(order)))
    ]
    # what a node had in hand when it left has ended with it; of a lost one nobody knows
    history = status.history or tuple(
        operation
        for node in nodes
        if (node.online or node.unclean) and node.name in states
        for operation in _history(node.name, states[node.name])
    )
    # crm_mon -n may list an instance of a clone with its node and with the clone
    resources = _each_once(_resources(status, configuration, history))
    # of a clone that may have no instance anywhere nothing is listed
    wanted = [
        primitive.id for primitive in configuration.primitives.values() if not primitive.clone
    ]
    _all_listed("resource", wanted, {resource.id.split(":")[0] for resource in resources})
    listed = {node.name for node in status.nodes}
    guests = _guests(configuration) - listed if status.form == TEXT else set()
    if status.unlisted > len(guests):
        raise CannotAsk(f"crm_mon lists {len(listed)} nodes and keeps back {status.unlisted}")
    remote = [
        primitive.id
        for primitive in configuration.primitives.values()
        if primitive.agent == _REMOTE
    ]
    _all_listed("node", (*configuration.node_attributes, *remote), listed | guests)
    quorum = status.quorum
    if configuration.heartbeat and cib is not None:  # the text does not speak of it
        quorum = bool(status.dc) and is_true(cib.get("have_quorum", ""))
    return status._replace(
        nodes=tuple(nodes),
        resources=resources,
        failures=tuple(_named(failure, states.get(failure.node)) for failure in status.failures),
        history=history,
        quorum=quorum,
        maintenance=status.maintenance or configuration.maintenance,
        fencing=configuration.fencing,
        transient=configuration.transient if status.form == TEXT else status.transient,
    )


def _guests(configuration: Configuration) -> set[str]:
    """The nodes that exist only while a resource runs, and that the text lists only then."""
    names = {
        primitive.meta.get("remote-node", "") for primitive in configuration.primitives.values()
    }
    bundles = () if configuration.cib is None else configuration.cib.iter("bundle")
    for bundle in bundles:
        if bundle.find("primitive") is None:
            continue  # nothing is run in it
        for engine in bundle.iterfind("*[@image]"):
            replicas = (engine.get(name) for name in ("replicas", "promoted-max", "masters"))
            number = next((replica for replica in replicas if replica and replica.isdecimal()), "1")
            names |= {
                f"{bundle.get('id')}-{replica_number}" for replica_number in range(int(number[:3]))
            }
    return names - {""}


def _named(failure: Failure, state: Element | None) -> Failure:
    """The failure with the task that its entry in the CIB names."""
    if failure.operation == UNNAMED and state is not None:
        wanted = f"{failure.resource}_last_failure_0"
        for operation in state.iter("lrm_rsc_op"):
            if operation.get("id") == wanted:
                return failure._replace(operation=operation.get("operation", UNNAMED))
    return failure


def _each_once(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    distinct: dict[object, Resource] = {}
    for number, resource in enumerate(resources):
        distinct.setdefault(resource if resource.nodes else number, resource)
    return tuple(distinct.values())


def _all_listed(kind: str, wanted: Iterable[str], listed: set[str]) -> None:
    for name in wanted:
        if name not in listed:
            raise CannotAsk(f"crm_mon does not list the {kind} {name}, which is in the CIB")


def _either(element: Element, name: str) -> str:
    """An attribute, as it is spelt since 0.7 or as Heartbeat spelt it."""
    return element.get(name) or element.get(name.replace("-", "_")) or ""


def _history(name: str, state: Element) -> Iterator[Operation]:
    for resource in state.iterfind("lrm/lrm_resources/lrm_resource"):
        for operation in resource.iterfind("lrm_rsc_op"):
            pending = _either(operation, "op-status") == _PENDING
            yield Operation(
                node=name,
                resource=resource.get("id", "").split(":")[0],
                task=operation.get("operation", ""),
                call=-1 if pending else _number(operation, "call-id"),
                rc=_number(operation, "rc-code"),
            )


def _number(element: Element, name: str) -> int:
    value = _either(element, name)
    try:
        return int(value or "0")
    except ValueError:
        raise CannotAsk(f"the CIB says {name}={value[:20]!r}, which is no number") from None


def _node(node: Node, state: Element | None, configuration: Configuration) -> Node:
    """Heartbeat's crm_mon shows neither a standby until reboot nor that a node is to be fenced."""
    if not configuration.heartbeat or state is None:
        return node
    here = state.get("crmd") == "online" and state.get("in_ccm") == "true"
    lost = configuration.fencing and state.get("expected") == "member" and not here
    joining = state.get("join") == "pending" and not lost
    standby = is_true(configuration.transient.get(node.name, {}).get("standby", ""))
    return node._replace(
        standby=node.standby or standby,
        unclean=node.unclean or lost,
        pending=node.pending or joining,
    )


def _resources(
    status: Status, configuration: Configuration, history: tuple[Operation, ...]
) -> Iterator[Resource]:
    under_way = {
        operation.resource: _UNDER_WAY[operation.task]
        for operation in history
        if operation.pending and operation.task in _UNDER_WAY
    }
    for resource in _each_instance(status.resources, configuration.primitives):
        primitive = configuration.primitives.get(resource.id.split(":")[0])
        if primitive is None:
            yield resource  # an orphan, which the text says, or a part of a bundle
            continue
        # up to 1.1.17 neither the text nor a role says what is under way
        role = under_way.get(primitive.id, resource.role) if not primitive.clone else resource.role
        blocked = resource.blocked or (
            resource.failed
            and not resource.managed
            and not _told_to_leave(primitive, status, configuration)
        )
        yield resource._replace(
            agent=resource.agent or primitive.agent,
            role=role,
            target_role=resource.target_role or primitive.meta.get("target-role"),
            blocked=blocked,
            clone=resource.clone or primitive.clone,
        )


def _each_instance(
    resources: tuple[Resource, ...], primitives: Mapping[str, Primitive]
) -> Iterator[Resource]:
    """A clone's instances one by one, also where the text names the clone or the group in it."""
    for resource in resources:
        known = primitives.get(resource.id.split(":")[0])
        names, places = [resource.id], [resource.nodes]
        if known is None and resource.clone:
            inside = [name for name, one in primitives.items() if one.clone == resource.clone]
            names = inside or names
        elif known and known.clone and len(resource.nodes) > 1:  # crm_mon -n
            places = [(node,) for node in resource.nodes]
        for name in names:
            for nodes in places:
                yield resource._replace(id=name, nodes=nodes)


def _told_to_leave(primitive: Primitive, status: Status, configuration: Configuration) -> bool:
    """Whether a user made it unmanaged; a failure can do that too."""
    return (
        status.maintenance
        or configuration.maintenance
        or is_false(primitive.meta.get("is-managed", ""))
        or is_true(primitive.meta.get("maintenance", ""))
    )
