"""Writes what steps would do to a CIB of Pacemaker 2.0 or newer into a copy of it.

For forecasts only: what is done to a cluster, or to a sandbox, is done by the tools themselves,
and `tests/tools/test_cib_edit.py` holds the two against each other. crm_resource 2.1.5 takes 8 s to
write one constraint where there are 300 domUs, and each tool reads and writes the whole CIB.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lxml import etree

from hxm.pacemaker.sandbox import child, parse
from hxm.plan import Step, StepKind

Values = Mapping[str, str]
_Edit = Callable[[Any, Values], None]
"""Of an lxml tree and the values of the step."""


class _Unknown(Exception):
    """What the tools would make of it is not known here."""


def edit(path: str, steps: Sequence[Step]) -> bool:
    """Change the CIB in the file as the tools would; False, with nothing changed, if unsure."""
    if not all(step.kind in _EDITS for step in steps):
        return False
    tree = parse(path)
    try:
        for step in steps:
            _EDITS[step.kind](tree, step.values)
    except _Unknown:
        return False
    tree.write(path)
    return True


# Name-value pairs


def _pairs(parent: etree._Element, tag: str, name: str) -> list[etree._Element]:
    sets = parent.findall(tag)
    if any(holder.get("id-ref") or holder.find("rule") is not None for holder in sets):
        raise _Unknown
    pairs: list[etree._Element] = parent.xpath(f"{tag}/nvpair[@name=$name]", name=name)
    if len(pairs) > 1 or any(pair.get("id-ref") for pair in pairs):
        raise _Unknown
    return pairs


def _set(parent: etree._Element, tag: str, set_id: str, name: str, value: str) -> None:
    pairs = _pairs(parent, tag, name)
    if not pairs:
        holders = parent.findall(tag)
        if holders and all(holder.get("id") != set_id for holder in holders):
            raise _Unknown
        pair = child(child(parent, tag, set_id), "nvpair", f"{set_id}-{name}")
        pair.set("name", name)
        pairs = [pair]
    pairs[0].set("value", value)


def _unset(parent: etree._Element, tag: str, name: str, *, drop_empty: bool) -> None:
    for pair in _pairs(parent, tag, name):
        pair.getparent().remove(pair)
    if drop_empty:
        for holder in parent.findall(tag):
            if not len(holder):
                parent.remove(holder)


def _one(tree: etree._ElementTree, xpath: str, **variables: str) -> etree._Element:
    elements = tree.xpath(xpath, **variables)
    if len(elements) != 1:
        raise _Unknown
    element: etree._Element = elements[0]
    return element


# The steps


def _primitive(tree: etree._ElementTree, values: Values) -> etree._Element:
    """Of a clone's child, or what has a template, the tools may write elsewhere."""
    resource = _one(tree, "/cib/configuration/resources//*[@id=$id]", id=values["resource"])
    ancestors = {ancestor.tag for ancestor in resource.iterancestors()}
    alone = ancestors <= {"resources", "configuration", "cib", "group"}
    if resource.tag != "primitive" or resource.get("template") or not alone:
        raise _Unknown
    return resource


def _set_meta(tree: etree._ElementTree, values: Values) -> None:
    set_id = f"{values['resource']}-meta_attributes"
    primitive = _primitive(tree, values)
    _set(primitive, "meta_attributes", set_id, values["name"], values["value"])


def _clear_meta(tree: etree._ElementTree, values: Values) -> None:
    _unset(_primitive(tree, values), "meta_attributes", values["name"], drop_empty=True)


def _places(tree: etree._ElementTree, resource: str) -> list[str]:
    """The nodes whose last action on it, monitors aside, leaves it running."""
    places = []
    for state in tree.iterfind("status/node_state"):
        histories = state.xpath("lrm/lrm_resources/lrm_resource[@id=$id]", id=resource)
        records = [record for history in histories for record in history.iterfind("lrm_rsc_op")]
        if any(int(record.get("call-id", "-1")) < 0 for record in records):
            raise _Unknown
        once = [record for record in records if record.get("interval") == "0"]
        last = max(once, key=lambda record: int(record.get("call-id", "0")), default=None)
        if last is not None and last.get("rc-code") not in ("0", "7"):
            raise _Unknown
        leaves = ("stop", "migrate_to")
        if last is not None and last.get("rc-code") == "0" and last.get("operation") not in leaves:
            places.append(state.get("uname", ""))
    return places


def _move(tree: etree._ElementTree, values: Values, *, ban: bool = False) -> None:
    """Before it prefers the node, crm_resource clears what earlier moves have left."""
    resource, node = values["resource"], values["node"]
    _primitive(tree, values)
    places = _places(tree, resource)
    if len(places) != 1 or node in places:
        raise _Unknown
    _remove_constraints(tree, f"cli-prefer-{resource}", f"cli-ban-{resource}-on-{node}")
    _constrain(tree, f"cli-prefer-{resource}", resource, node, "INFINITY")
    if ban:
        _constrain(tree, f"cli-ban-{resource}-on-{places[0]}", resource, places[0], "-INFINITY")


def _move_and_ban(tree: etree._ElementTree, values: Values) -> None:
    _move(tree, values, ban=True)


def _constrain(tree: etree._ElementTree, name: str, resource: str, node: str, score: str) -> None:
    constraints = _one(tree, "/cib/configuration/constraints")
    location = child(constraints, "rsc_location", name)
    if len(location):  # with a rule, which the tools would keep
        raise _Unknown
    location.attrib.update({"rsc": resource, "role": "Started", "node": node, "score": score})


def _remove_constraints(tree: etree._ElementTree, *names: str) -> None:
    for constraint in tree.xpath("/cib/configuration/constraints/rsc_location"):
        if constraint.get("id") in names:
            constraint.getparent().remove(constraint)


def _clear(tree: etree._ElementTree, values: Values) -> None:
    """crm_resource 2.0 and newer clears what moves left, except the cli-standby of version 0.6."""
    resource = values["resource"]
    _primitive(tree, values)
    nodes = [node.get("uname") for node in tree.iterfind("configuration/nodes/node")]
    bans = (f"cli-ban-{resource}-on-{node}" for node in nodes)
    _remove_constraints(tree, f"cli-prefer-{resource}", *bans)


def _delete_constraint(tree: etree._ElementTree, values: Values) -> None:
    _remove_constraints(tree, values["constraint"])


def _unmove(tree: etree._ElementTree, values: Values) -> None:
    _remove_constraints(tree, f"cli-prefer-{values['resource']}")


def _unban(tree: etree._ElementTree, values: Values) -> None:
    _remove_constraints(tree, f"cli-ban-{values['resource']}-on-{values['source']}")


def _node(tree: etree._ElementTree, values: Values) -> etree._Element:
    return _one(tree, "/cib/configuration/nodes/node[@uname=$node]", node=values["node"])


def _node_attribute(name: str, value: str) -> _Edit:
    def write(tree: etree._ElementTree, values: Values) -> None:
        node = _node(tree, values)
        _set(node, "instance_attributes", f"nodes-{node.get('id')}", name, value)

    return write


def _no_node_attribute(name: str) -> _Edit:
    def clear(tree: etree._ElementTree, values: Values) -> None:
        _unset(_node(tree, values), "instance_attributes", name, drop_empty=True)
        path = "/cib/status/node_state[@uname=$node]/transient_attributes"
        for attributes in tree.xpath(path, node=values["node"]):
            _unset(attributes, "instance_attributes", name, drop_empty=False)

    return clear


def _properties(tree: etree._ElementTree) -> etree._Element:
    return _one(tree, "/cib/configuration/crm_config")


def _maintenance(tree: etree._ElementTree, _: Values) -> None:
    set_id = "cib-bootstrap-options"
    _set(_properties(tree), "cluster_property_set", set_id, "maintenance-mode", "true")


def _no_maintenance(tree: etree._ElementTree, _: Values) -> None:
    _unset(_properties(tree), "cluster_property_set", "maintenance-mode", drop_empty=False)


_EDITS: Mapping[StepKind, _Edit] = {
    "set-meta": _set_meta,
    "clear-meta": _clear_meta,
    "move": _move,
    "move-and-ban": _move_and_ban,
    "clear": _clear,
    "delete-constraint": _delete_constraint,
    "unmove": _unmove,
    "unban": _unban,
    "standby": _node_attribute("standby", "on"),
    "clear-standby": _no_node_attribute("standby"),
    "node-maintenance": _node_attribute("maintenance", "true"),
    "clear-node-maintenance": _no_node_attribute("maintenance"),
    "maintenance": _maintenance,
    "clear-maintenance": _no_maintenance,
}
"""The kinds of step whose effect is known; the tools carry out the others."""
