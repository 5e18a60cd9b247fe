"""Reads what crm_mon says: its XML in the forms of Pacemaker 2.0 to 3.0.

ElementTree and not lxml: it is loaded in half the time, and nothing is changed here.
"""

from __future__ import annotations

from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError, fromstring

from hxm import run
from hxm.errors import CannotAsk
from hxm.model import Failure, Node, Operation, Resource
from hxm.pacemaker import cannot_ask
from hxm.pacemaker.dialect import DIALECTS, Dialect, dialect_of

_USAGE = 64  # CRM_EX_USAGE: crm_mon does not know the option


class Status(NamedTuple):
    """One crm_mon document."""

    nodes: tuple[Node, ...]
    resources: tuple[Resource, ...]
    failures: tuple[Failure, ...]
    history: tuple[Operation, ...]
    pending_fencing: tuple[str, ...]
    dc: str | None
    version: str
    quorum: bool
    maintenance: bool
    fencing: bool


def read_status(env: dict[str, str] | None = None, timeout: float = run.TOOL_TIMEOUT) -> Status:
    """Ask crm_mon once. Raises CannotAsk if there is no answer, or none that makes sense."""
    for argv in dict.fromkeys(dialect.status for dialect in DIALECTS):
        result = run.output(argv, env, timeout)
        if result.status != _USAGE:
            break
    if result.status != 0:
        raise cannot_ask(result, _errors_in(result.stdout))
    return parse_status(result.stdout)


def parse_status(document: bytes) -> Status:
    """The model of one crm_mon document. Raises CannotAsk for half a document, or another's."""
    start = document.find(b"<")
    try:
        root = fromstring(document[max(start, 0) :])
    except (ParseError, ValueError, LookupError) as error:
        raise CannotAsk(f"crm_mon printed no complete XML document ({error})") from None
    if root.tag not in ("pacemaker-result", "crm_mon"):
        raise CannotAsk(f"crm_mon printed a <{root.tag}> document, which hxm does not know")
    summary, nodes = root.find("summary"), root.find("nodes")
    if summary is None or nodes is None:
        said = _errors_in(document) or "crm_mon's document has no summary or no nodes"
        raise CannotAsk(f"the cluster cannot be asked: {said}", "is Pacemaker running here?")
    dc = _child(summary, "current_dc")
    options = _child(summary, "cluster_options")
    return Status(
        nodes=tuple(_node(element) for element in nodes.iterfind("node")),
        resources=tuple(_resources(root)),
        failures=tuple(_failure(element) for element in root.iterfind("failures/failure")),
        history=tuple(_history(root)),
        pending_fencing=tuple(
            element.get("target", "?")
            for element in root.iterfind("fence_history/fence_event")
            if element.get("status") == "pending"
        ),
        dc=dc.get("name") if _true(dc, "present") else None,
        version=dc.get("version", ""),
        quorum=_true(dc, "with_quorum"),
        maintenance=_true(options, "maintenance-mode"),
        fencing=options.get("stonith-enabled", options.get("fencing-enabled", "true")) != "false",
    )


def dialect_in(status: Status) -> Dialect:
    """The dialect that the cluster's DC speaks."""
    return dialect_of(status.version)


def _errors_in(document: bytes) -> str:
    """What crm_mon says in its document of its own failure."""
    try:
        root = fromstring(document)
    except (ParseError, ValueError, LookupError):
        return ""
    errors = (error.text or "" for error in root.iterfind("status/errors/error"))
    return "; ".join(error.removeprefix("error: ").removeprefix("crm_mon: ") for error in errors)


def _child(parent: Element, tag: str) -> Element:
    found = parent.find(tag)
    return Element(tag) if found is None else found


def _number(element: Element, name: str) -> int:
    try:
        return int(element.get(name, "0"))
    except ValueError:
        said = element.get(name, "")[:20]
        raise CannotAsk(f"crm_mon's document says {name}={said!r}, which is no number") from None


def _true(element: Element, name: str) -> bool:
    return element.get(name) == "true"


def _node(element: Element) -> Node:
    return Node(
        name=element.get("name", ""),
        id=element.get("id", ""),
        online=_true(element, "online"),
        standby=_true(element, "standby"),
        standby_onfail=_true(element, "standby_onfail"),
        maintenance=_true(element, "maintenance"),
        pending=_true(element, "pending"),
        unclean=_true(element, "unclean"),
        dc=_true(element, "is_dc"),
    )


def _resources(root: Element) -> list[Resource]:
    found: list[Resource] = []

    def collect(parent: Element, clone: str | None) -> None:
        for element in parent:
            if element.tag == "resource":
                found.append(_resource(element, clone))
            elif element.tag == "clone":
                collect(element, element.get("id"))
            elif element.tag in ("group", "bundle", "replica"):
                collect(element, clone)

    if (resources := root.find("resources")) is not None:
        collect(resources, None)
    return found


def _resource(element: Element, clone: str | None) -> Resource:
    return Resource(
        id=element.get("id", ""),
        agent=element.get("resource_agent", "").replace("::", ":"),
        role=element.get("role", "Unknown"),
        target_role=element.get("target_role"),
        managed=_true(element, "managed"),
        failed=_true(element, "failed"),
        blocked=_true(element, "blocked"),
        orphaned=_true(element, "orphaned") or _true(element, "removed"),
        nodes=tuple(node.get("name", "") for node in element.iterfind("node")),
        clone=clone,
    )


def _failure(element: Element) -> Failure:
    key = element.get("op_key", "") or element.get("id", "")
    resource, operation, _ = [*key.rsplit("_", 2), "", ""][:3]
    if operation in ("to", "from"):  # nfs_migrate_to_0
        resource, operation = resource.removesuffix("_migrate"), f"migrate_{operation}"
    reason = element.get("exitreason", "") or element.get("exitstatus", "")
    return Failure(
        resource, operation, element.get("node", ""), reason, element.get("last-rc-change", "")
    )


def _history(root: Element) -> list[Operation]:
    return [
        Operation(
            node=node.get("name", ""),
            resource=resource.get("id", ""),
            task=operation.get("task", ""),
            call=_number(operation, "call"),
            rc=_number(operation, "rc"),
        )
        for node in root.iterfind("node_history/node")
        for resource in node.iterfind("resource_history")
        for operation in resource.iterfind("operation_history")
    ]
