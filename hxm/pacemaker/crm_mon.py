"""Reads what crm_mon says, in whichever form: XML here, text in `crm_mon_text`.

ElementTree and not lxml: it is loaded in half the time, and nothing is changed here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element

from hxm.errors import CannotAsk
from hxm.host import programs
from hxm.model import Failure, Node, Operation, Resource
from hxm.pacemaker import cannot_ask, is_help
from hxm.pacemaker.dialect import STATUS_FORMS, Argv
from hxm.pacemaker.environment import LONGEST
from hxm.pacemaker.status import Status, operation_in
from hxm.xml_reading import XmlError, parse_xml

_XML = re.compile(rb"^[ \t]*+<[?A-Za-z]", re.MULTILINE)
_CONTAINERS = ("group", "bundle", "replica")


def read_status(
    env: dict[str, str] | None = None,
    timeout: float = programs.TOOL_TIMEOUT,
    forms: Sequence[Argv] = STATUS_FORMS,
) -> Status:
    """Ask crm_mon in the newest form that it knows; of a CIB_file for as long as it takes.

    Raises CannotAsk if there is no answer, or none that makes sense.
    """
    if (env or os.environ).get("CIB_file"):
        timeout = LONGEST
    for argv in forms:
        result = programs.output(argv, env, timeout)
        root = _root_in(result.stdout)
        if not is_help(result) and not _is_whole_but_no_xml(root, result.stdout):
            break
    errors = _errors_in(root) if isinstance(root, Element) else ""
    if result.status != 0 or errors:
        raise cannot_ask(result, errors)
    return _status_of(root, result.stdout)


def parse_status(document: bytes) -> Status:
    """The model of what crm_mon printed. Raises CannotAsk for half an answer, or another's."""
    return _status_of(_root_in(document), document)


def _root_in(document: bytes) -> Element | XmlError | None:
    """The root of the XML that crm_mon printed, or what is wrong with it; None: it is text."""
    start = _XML.search(document)
    if not start:
        return None
    try:
        return parse_xml(document[start.start() : document.rfind(b">") + 1])
    except XmlError as error:
        return error


def _is_whole_but_no_xml(root: Element | XmlError | None, document: bytes) -> bool:
    """Whether the document is complete but not XML, because it quotes agents or people.

    1.1 escapes nothing of it, and no version leaves out the control characters, which XML has not.
    """
    return isinstance(root, XmlError) and document.rstrip().endswith(
        (b"</crm_mon>", b"</pacemaker-result>")
    )


def _status_of(root: Element | XmlError | None, document: bytes) -> Status:
    if isinstance(root, XmlError):
        raise CannotAsk(f"crm_mon printed no complete XML document ({root})")
    if root is not None:
        return _parse_xml(root)
    from hxm.pacemaker.crm_mon_text import parse_text

    return parse_text(document.decode("utf-8", "replace"))


def _parse_xml(root: Element) -> Status:
    if root.tag not in ("pacemaker-result", "crm_mon"):
        raise CannotAsk(f"crm_mon printed a <{root.tag}> document, which hxm does not know")
    summary, nodes = root.find("summary"), root.find("nodes")
    if summary is None or nodes is None:
        fault = _errors_in(root) or "crm_mon's document has no summary or no nodes"
        raise CannotAsk(f"the cluster cannot be asked: {fault}", "is Pacemaker running here?")
    dc = _child(summary, "current_dc")
    options = _child(summary, "cluster_options")
    members = [node for node in nodes.iterfind("node") if _true(node, "online")]
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
        fencing="false" not in (options.get("stonith-enabled"), options.get("fencing-enabled")),
        form=root.tag,
        tools=root.get("version") or root.get("api-version") or "",
        mixed=_true(dc, "mixed_version"),
        feature_sets=tuple(
            member.get("feature_set", "")
            for member in members
            if member.get("feature_set")
            and not (_true(member, "pending") or _true(member, "unclean"))
        ),
        transient={
            node.get("name", ""): {
                attribute.get("name", ""): attribute.get("value", "")
                for attribute in node.iterfind("attribute")
            }
            for node in root.iterfind("node_attributes/node")
        },
    )


def _errors_in(root: Element) -> str:
    """The error that crm_mon reports in its document."""
    errors = (error.text or "" for error in root.iterfind("status/errors/error"))
    return "; ".join(error.removeprefix("error: ").removeprefix("crm_mon: ") for error in errors)


def _child(parent: Element, tag: str) -> Element:
    child = parent.find(tag)
    return Element(tag) if child is None else child


def _number(element: Element, name: str) -> int:
    try:
        return int(element.get(name, "0"))
    except ValueError:
        value = element.get(name, "")[:20]
        raise CannotAsk(f"crm_mon's document says {name}={value!r}, which is no number") from None


def _name(element: Element, attribute: str) -> str:
    if name := element.get(attribute):
        return name
    raise CannotAsk(f"crm_mon's document has a <{element.tag}> without a {attribute}")


def _true(element: Element, name: str) -> bool:
    return element.get(name) == "true"


def _node(element: Element) -> Node:
    container = element.get("id_as_resource", element.get("container_id", ""))
    return Node(
        name=_name(element, "name"),
        id=element.get("id", ""),
        online=_true(element, "online"),
        standby=_true(element, "standby") and not _true(element, "standby_onfail"),
        standby_onfail=_true(element, "standby_onfail"),
        maintenance=_true(element, "maintenance"),
        pending=_true(element, "pending"),
        unclean=_true(element, "unclean"),
        dc=_true(element, "is_dc"),
        kind=_kind(element, container),
        container=container,
        health=element.get("health", "green").replace("green", ""),
        leaving=_true(element, "shutdown") and _true(element, "online"),
    )


def _kind(element: Element, container: str) -> str:
    if container:
        return "guest"
    return "remote" if element.get("type") == "remote" else "member"


def _resources(root: Element) -> list[Resource]:
    resources_in_order: list[Resource] = []

    def collect(parent: Element, clone: str | None) -> None:
        for element in parent:
            if element.tag == "resource":
                resources_in_order.append(_resource(element, clone))
            elif element.tag == "clone":
                collect(element, element.get("id"))
            elif element.tag in _CONTAINERS:
                collect(element, clone)
            elif element.find(".//resource") is not None:
                raise CannotAsk(f"crm_mon lists resources in a <{element.tag}>, unknown to hxm")

    if (resources := root.find("resources")) is not None:
        collect(resources, None)
    return resources_in_order


def _resource(element: Element, clone: str | None) -> Resource:
    return Resource(
        id=_name(element, "id"),
        agent=element.get("resource_agent", "").replace("::", ":"),
        role=element.get("role", "Unknown"),
        target_role=element.get("target_role"),
        managed=_true(element, "managed"),
        failed=_true(element, "failed"),
        blocked=_true(element, "blocked"),
        ignored=_true(element, "failure_ignored"),
        orphaned=_true(element, "orphaned") or _true(element, "removed"),
        nodes=tuple(_name(node, "name") for node in element.iterfind("node")),
        clone=clone,
    )


_SAYS_NOTHING = ("", "error", "error occurred", "unknown error", "not running")
"""Return codes of an agent, in Pacemaker's words, beside which its own reason says it all."""


def _unescaped(text: str) -> str:
    """What an agent said, which crm_mon 2.1.5 escapes twice."""
    for name, character in (("lt", "<"), ("gt", ">"), ("quot", '"'), ("apos", "'"), ("amp", "&")):
        text = text.replace(f"&{name};", character)
    return text


def _failure(element: Element) -> Failure:
    resource, operation = operation_in(element.get("op_key", "") or element.get("id", ""))
    reason, code = _unescaped(element.get("exitreason", "")), element.get("exitstatus", "")
    if reason and code.lower() not in _SAYS_NOTHING:  # "not installed" says what it may not
        reason = f"{code[:1].lower()}{code[1:]}: {reason}"
    if reason in ("User-injected result", "Simulated action result"):  # crm_simulate's
        reason = "made to fail in the sandbox"
    reason = reason or code
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


_LEAVING = ("migrate_to", "stop")
_NOT_YET_OR_ARRIVED = (("monitor", 7), ("migrate_from", 0))  # 7: PCMK_OCF_NOT_RUNNING


def as_migrations(
    resources: Sequence[Resource], history: Sequence[Operation]
) -> tuple[Resource, ...]:
    """The resources, with each that migrates in the role Migrating, its source before its target.

    A live migration ends with a stop on the source, which counts as a part of it. Of such a
    resource crm_mon says Stopping, and before that Migrating, on both nodes in any order (live
    lab, 2.1.5); between its actions it says Started on both.
    """
    last = {(e.resource, e.node): e for e in sorted(history, key=lambda entry: entry.call)}
    leaving = {(e.resource, e.node) for e in history if e.pending and e.task in _LEAVING}
    came = {(e.resource, e.node) for e in history if e.task == "migrate_from"}
    coming = {(e.resource, e.node) for e in history if e.pending and e.task == "migrate_from"}

    def moved(resource: Resource) -> Resource:
        if resource.role not in ("Stopping", "Migrating", "Started") or len(resource.nodes) != 2:
            return resource
        for source, target in (resource.nodes, resource.nodes[::-1]):
            here, there = (resource.id, source), (resource.id, target)
            under_way = (here in leaving and there in came) or there in coming
            between = _between(last.get(here), last.get(there))
            if between if resource.role == "Started" else under_way:
                return resource._replace(role="Migrating", nodes=(source, target))
        return resource

    return tuple(map(moved, resources))


def _between(left: Operation | None, there: Operation | None) -> bool:
    """Whether the first half of a migration was the last on its source, and the second may come.

    Then the domU runs on one of the nodes only: its source has sent it, and has not been looked at
    since. What runs, or failed to arrive, on the target is no migration that goes on.
    """
    if left is None or (left.task, left.rc) != ("migrate_to", 0):
        return False
    return there is None or there.task == "stop" or (there.task, there.rc) in _NOT_YET_OR_ARRIVED
