"""Makes one thing different on a copy of the CIB: a state ends, or a command has been typed."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from lxml import etree

from hxm.pacemaker.sandbox import child, failed_action, parse, still_runs
from hxm.policy.reasons.facts import Change

_ASKED = "hxm-asked"
_MEASURED = re.compile(r"(?!(fail-count|last-failure|#|shutdown|standby|maintenance|terminate))")
"""Attributes that agents such as ping set at every node; not what was done to one node."""
CONTAINERS = ("primitive", "group", "clone", "master", "bundle")


def make(path: str, changes: Sequence[Change]) -> None:
    """Change the CIB in the file."""
    tree = parse(path)
    make_in(tree, changes)
    tree.write(path)


def make_in(tree: etree._ElementTree, changes: Sequence[Change]) -> None:
    """Change the CIB."""
    for change in changes:
        _CHANGES[change.kind](tree, change)


def keep_to(tree: etree._ElementTree, resource: str, node: str) -> None:
    """Have the resource run on the node, or nowhere."""
    (constraints,) = tree.xpath("/cib/configuration/constraints")[:1]
    location = child(constraints, "rsc_location", _ASKED)
    location.set("rsc", resource)
    rule = child(location, "rule", f"{_ASKED}-rule")
    rule.set("score", "-INFINITY")
    attributes = {"attribute": "#uname", "operation": "ne", "value": node}
    child(rule, "expression", f"{_ASKED}-expression").attrib.update(attributes)


def _elements(tree: etree._ElementTree, name: str) -> Iterator[etree._Element]:
    """The resource, and all resources in it."""
    for element in tree.xpath("/cib/configuration/resources//*[@id=$id]", id=name):
        yield element
        yield from (inside for inside in element.iterdescendants() if inside.tag in CONTAINERS)


def _meta(tree: etree._ElementTree, name: str, option: str, value: str) -> None:
    """Set a meta option at the resource, and take it from what is in it."""
    for number, element in enumerate(_elements(tree, name)):
        pairs = element.xpath("meta_attributes/nvpair[@name=$name]", name=option)
        for pair in pairs:
            pair.set("value", value)
        if not number and not pairs:
            attributes = element.find("meta_attributes")
            holder = child(element, "meta_attributes", f"{name}-{_ASKED}")
            if attributes is not None and not attributes.get("id-ref"):
                element.remove(holder)
                holder = attributes
            child(holder, "nvpair", f"{name}-{_ASKED}-{option}").attrib.update(
                {"name": option, "value": value}
            )


def _start(tree: etree._ElementTree, change: Change) -> None:
    """Also promoted, as its agent would see to."""
    _meta(tree, change.subject, "target-role", "Started")
    promotable = "self::master or (self::clone and .//nvpair[@name='promotable'])"
    path = f"//resources//*[@id=$id]/ancestor-or-self::*[{promotable}]//primitive"
    for inside in tree.xpath(path, id=change.subject):
        for state in tree.xpath("/cib/status/node_state[@crmd='online']"):
            _set_attribute(state, f"master-{inside.get('id')}", "100")


def _manage(tree: etree._ElementTree, change: Change) -> None:
    _meta(tree, change.subject, "is-managed", "true")


def _wake(tree: etree._ElementTree, change: Change) -> None:
    if change.value == "node":
        _without(tree, change.subject, lambda name: name == "maintenance")
    else:
        _meta(tree, change.subject, "maintenance", "false")


def _allot(tree: etree._ElementTree, change: Change) -> None:
    _meta(tree, change.subject, change.source, change.value)


def _forget(tree: etree._ElementTree, change: Change) -> None:
    """As `crm_resource --cleanup`: of everything on a node, where no resource is named."""
    names = {element.get("id", "") for element in _elements(tree, change.subject)}
    for state in tree.xpath("/cib/status/node_state"):
        if change.value and state.get("uname") != change.value:
            continue
        for history in state.xpath(".//lrm_resource"):
            mine = history.get("id", "").partition(":")[0] in names or not change.subject
            failed = [operation for operation in history if mine and failed_action(operation)]
            if failed and not still_runs(history):
                history.getparent().remove(history)
            elif failed:  # a look would find it there
                for operation in failed:
                    history.remove(operation)
        for pair in state.xpath("./transient_attributes//nvpair"):
            counted = re.fullmatch(r"(?:fail-count|last-failure)-(.+?)(#.*)?", pair.get("name", ""))
            if counted and (counted[1].partition(":")[0] in names or not change.subject):
                pair.getparent().remove(pair)


def _once(tree: etree._ElementTree, change: Change) -> None:
    for element in _elements(tree, change.subject):
        path = "/cib/status/node_state//lrm_resource[@id=$id]"
        active = [one for one in tree.xpath(path, id=element.get("id")) if still_runs(one)]
        for history in active[1:]:
            history.getparent().remove(history)


def _unlock(tree: etree._ElementTree, change: Change) -> None:
    path = "/cib/status/node_state//lrm_resource[@id=$id]"
    for history in tree.xpath(path, id=change.subject):
        history.attrib.pop("shutdown-lock", None)


def _property(tree: etree._ElementTree, change: Change) -> None:
    pairs = tree.xpath("//crm_config//nvpair[@name=$name]", name=change.subject)
    for pair in pairs:
        pair.set("value", change.value)
    if not pairs:
        (options,) = tree.xpath("/cib/configuration/crm_config")[:1]
        holder = child(options, "cluster_property_set", _ASKED)
        pair = child(holder, "nvpair", f"{_ASKED}-{change.subject}")
        pair.attrib.update({"name": change.subject, "value": change.value})


def _quorum(tree: etree._ElementTree, _: Change) -> None:
    tree.getroot().set("have-quorum", "1")


def _ticket(tree: etree._ElementTree, change: Change) -> None:
    (status,) = tree.xpath("/cib/status")[:1]
    tickets = status.find("tickets")
    if tickets is None:
        tickets = etree.SubElement(status, "tickets")
    state = child(tickets, "ticket_state", change.subject)
    state.set(*(("standby", "false") if change.value == "activate" else ("granted", "true")))


def _drop(tree: etree._ElementTree, change: Change) -> None:
    for element in tree.xpath("//*[@id=$id]", id=change.subject):
        _take_out(element)


def _take_out(element: etree._Element) -> None:
    """Remove it; what others refer to in it stands from then on at the first of these."""
    tree, lent = element.getroottree(), list(element.iter())
    element.getparent().remove(element)
    given: set[etree._Element] = set()
    for part in lent:
        if given.intersection(part.iterancestors()):
            continue  # it went along
        for borrower in tree.xpath("//*[@id-ref=$id]", id=part.get("id", ""))[:1]:
            stand_in = copy.deepcopy(part)
            if name := borrower.get("name"):  # of an nvpair, which may give it another
                stand_in.set("name", name)
            borrower.getparent().replace(borrower, stand_in)
            given.add(part)


def _unset(tree: etree._ElementTree, change: Change) -> None:
    path = "//meta_attributes[@id=$id]//nvpair[@name=$name]"
    for pair in tree.xpath(path, id=change.subject, name=change.value):
        _take_out(pair)


def _without(tree: etree._ElementTree, node: str, gone: Callable[[str], bool]) -> None:
    """Take attributes from the node."""
    for where in ("configuration/nodes/node", "status/node_state"):
        for pair in tree.xpath(f"/cib/{where}[@uname=$node]//nvpair", node=node):
            if gone(pair.get("name", "")):
                pair.getparent().remove(pair)


def _drain(tree: etree._ElementTree, change: Change) -> None:
    for node in tree.xpath("/cib/configuration/nodes/node[@uname=$node]", node=change.subject):
        attributes = child(node, "instance_attributes", f"nodes-{node.get('id')}")
        pair = child(attributes, "nvpair", f"{_ASKED}-standby")
        pair.attrib.update({"name": "standby", "value": "on"})


def _active(tree: etree._ElementTree, change: Change) -> None:
    _without(tree, change.subject, lambda name: name == "standby")
    _measure(tree, change.subject)


def _up(tree: etree._ElementTree, change: Change) -> None:
    """The node is a member, as if it had just come, and its ping and the like as the others'."""
    (status,) = tree.xpath("/cib/status")[:1]
    numbers = tree.xpath("/cib/configuration/nodes/node[@uname=$node]/@id", node=change.subject)
    states = status.xpath("node_state[@uname=$node]", node=change.subject)
    known = numbers[0] if numbers else change.subject
    state = states[0] if states else child(status, "node_state", known)
    state.attrib.update(
        {"uname": change.subject, "in_ccm": "true", "crmd": "online", "join": "member"}
    )
    state.set("expected", "member")
    state.set("id", state.get("id", known))  # one that was never a member may have none
    _without(tree, change.subject, lambda name: name in ("shutdown", "terminate"))
    _measure(tree, change.subject)


def _measure(tree: etree._ElementTree, node: str) -> None:
    """Give the node what agents set at the others, and will set at it when they start there."""
    theirs = "/cib/status/node_state[@crmd='online']/transient_attributes//nvpair"
    measured = {pair.get("name"): pair.get("value") for pair in tree.xpath(theirs)}
    for state in tree.xpath("/cib/status/node_state[@uname=$node]", node=node):
        own = {pair.get("name") for pair in state.iterfind("transient_attributes//nvpair")}
        for name in filter(_MEASURED.match, measured.keys() - own):
            _set_attribute(state, name, measured[name])


def _heal(tree: etree._ElementTree, change: Change) -> None:
    _without(tree, change.subject, lambda name: name.startswith("#health"))


def _connect(tree: etree._ElementTree, change: Change) -> None:
    name = change.subject
    _without(tree, change.value, lambda attribute: attribute == name)
    for state in tree.xpath("/cib/status/node_state[@uname=$node]", node=change.value):
        _set_attribute(state, name, "1000000")


def _set_attribute(state: etree._Element, name: str, value: str) -> None:
    """Set an attribute of the node until it leaves."""
    number = state.get("id")
    attributes = child(state, "transient_attributes", number)
    pairs = child(attributes, "instance_attributes", f"status-{number}")
    pair = child(pairs, "nvpair", f"status-{number}-{name}")
    pair.attrib.update({"name": name, "value": value})


def _location(tree: etree._ElementTree, name: str, resource: str, node: str, score: str) -> None:
    (constraints,) = tree.xpath("/cib/configuration/constraints")[:1]
    location = child(constraints, "rsc_location", name)
    location[:] = []  # the rule of a lifetime that is over
    location.attrib.update({"rsc": resource, "node": node, "score": score})


def _send(tree: etree._ElementTree, change: Change) -> None:
    """As `crm_resource --move` leaves it, or `--force` with it where there is a source."""
    name = change.subject
    _location(tree, f"cli-prefer-{name}", name, change.value, "INFINITY")
    if change.source:
        _location(tree, f"cli-ban-{name}-on-{change.source}", name, change.source, "-INFINITY")


def _allow(tree: etree._ElementTree, change: Change) -> None:
    _location(tree, f"{change.subject}-on-{change.value}", change.subject, change.value, "0")


_CHANGES: Mapping[str, Callable[[etree._ElementTree, Change], None]] = {
    "start": _start,
    "manage": _manage,
    "wake": _wake,
    "forget": _forget,
    "allot": _allot,
    "once": _once,
    "unlock": _unlock,
    "property": _property,
    "quorum": _quorum,
    "ticket": _ticket,
    "drop": _drop,
    "unset": _unset,
    "active": _active,
    "drain": _drain,
    "up": _up,
    "heal": _heal,
    "connect": _connect,
    "send": _send,
    "allow": _allow,
}
