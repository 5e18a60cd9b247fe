"""Writes what steps would do to a CIB of Heartbeat's into a file, since its tools know no CIB_file.

For forecasts only: what is done to a cluster is always done by its own tools. lxml and not
ElementTree: documents are changed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lxml import etree

from hxm.model import UPDATE
from hxm.pacemaker.dialect import OLDEST
from hxm.pacemaker.sandbox import child, drop_failures, parse
from hxm.plan import Step, StepKind

Values = Mapping[str, str]
_Edit = Callable[[Any, Values], None]
"""Of an lxml tree and the values of the step."""


def edit(path: str, steps: Sequence[Step]) -> None:
    """Change the CIB in the file as Heartbeat's tools would. Raises CannotAsk if it is none.

    Raises KeyError for a kind of step that these tools lack.
    """
    tree = parse(path)
    for step in steps:
        _EDITS[step.kind](tree, step.values)
    tree.write(path)


def _set_meta(tree: etree._ElementTree, values: Values) -> None:
    name = OLDEST.words.get(values["name"], values["name"])
    value = OLDEST.words.get(values["value"], values["value"])
    resource = values["resource"]
    for primitive in tree.xpath("//resources//*[@id=$id]", id=resource):
        _set(primitive, "meta_attributes", f"{resource}-meta-options", name, value)


def _clear_meta(tree: etree._ElementTree, values: Values) -> None:
    """Meta options may also stand among the parameters."""
    name = OLDEST.words.get(values["name"], values["name"])
    for primitive in tree.xpath("//resources//*[@id=$id]", id=values["resource"]):
        _unset(primitive, "meta_attributes", name)
        _unset(primitive, "instance_attributes", name)


def _cleanup(tree: etree._ElementTree, values: Values) -> None:
    drop_failures(tree, values["resource"], values.get("node"))


def _move(tree: etree._ElementTree, values: Values) -> None:
    _constrain(tree, values["resource"], "prefer", values["node"], "INFINITY")


def _move_and_ban(tree: etree._ElementTree, values: Values) -> None:
    for node in _where_it_runs(tree, values["resource"]):
        _constrain(tree, values["resource"], "standby", node, "-INFINITY")
    _move(tree, values)


def _clear(tree: etree._ElementTree, values: Values) -> None:
    resource = values["resource"]
    _remove_constraints(tree, f"cli-prefer-{resource}", f"cli-standby-{resource}")


def _unmove(tree: etree._ElementTree, values: Values) -> None:
    _remove_constraints(tree, f"cli-prefer-{values['resource']}")


def _unban(tree: etree._ElementTree, values: Values) -> None:
    resource, source = values["resource"], values["source"]
    _remove_constraints(tree, f"cli-standby-{resource}", f"cli-ban-{resource}-on-{source}")


def _delete_constraint(tree: etree._ElementTree, values: Values) -> None:
    _remove_constraints(tree, values["constraint"])


def _standby(tree: etree._ElementTree, values: Values) -> None:
    node = values["node"]
    for entry in tree.xpath("//nodes/node[@uname=$node]", node=node):
        _set(entry, "instance_attributes", f"nodes-{node}", "standby", "on")


def _clear_node_attribute(name: str) -> _Edit:
    def clear(tree: etree._ElementTree, values: Values) -> None:
        places = "//nodes/node[@uname=$node] | //node_state[@uname=$node]/transient_attributes"
        for place in tree.xpath(places, node=values["node"]):
            _unset(place, "instance_attributes", name)

    return clear


def _is_managed_default(value: str) -> _Edit:
    return lambda tree, _: _set_property(tree, "is-managed-default", value)


def _mark_update(tree: etree._ElementTree, values: Values) -> None:
    _set_property(tree, UPDATE, values["state"])


def _unmark_update(tree: etree._ElementTree, _: Values) -> None:
    for properties in tree.xpath("//crm_config"):
        _unset(properties, "cluster_property_set", UPDATE)


_EDITS: Mapping[StepKind, _Edit] = {
    "set-meta": _set_meta,
    "clear-meta": _clear_meta,
    "clear-meta-above": _clear_meta,
    "cleanup": _cleanup,
    "cleanup-on": _cleanup,
    "move": _move,
    "move-and-ban": _move_and_ban,
    "clear": _clear,
    "delete-constraint": _delete_constraint,
    "unmove": _unmove,
    "unban": _unban,
    "standby": _standby,
    "clear-standby": _clear_node_attribute("standby"),
    "maintenance": _is_managed_default("false"),
    "clear-maintenance": _is_managed_default("true"),
    "mark-update": _mark_update,
    "unmark-update": _unmark_update,
}
"""Every kind of step that Heartbeat's tools can carry out."""


def _pairs(parent: etree._Element, tag: str, name: str) -> list[etree._Element]:
    pairs = parent.xpath("./*[self::*[name()=$tag]]//nvpair[@name=$name]", tag=tag, name=name)
    return list(pairs)


def _set(parent: etree._Element, tag: str, set_id: str, name: str, value: str) -> None:
    """Set a name-value pair where it stands, or in the set of that id."""
    present = _pairs(parent, tag, name)
    for pair in present:
        pair.set("value", value)
    if not present:
        pairs = child(parent, tag, set_id)
        holder = pairs.find("attributes")
        holder = etree.SubElement(pairs, "attributes") if holder is None else holder
        etree.SubElement(holder, "nvpair", id=f"{set_id}-{name}", name=name, value=value)


def _unset(parent: etree._Element, tag: str, name: str) -> None:
    for pair in _pairs(parent, tag, name):
        pair.getparent().remove(pair)


def _set_property(tree: etree._ElementTree, name: str, value: str) -> None:
    for properties in tree.xpath("//crm_config"):
        _set(properties, "cluster_property_set", "hxm", name, value)


def _remove_constraints(tree: etree._ElementTree, *ids: str) -> None:
    for constraint in tree.xpath("//constraints/rsc_location"):
        if constraint.get("id") in ids:
            constraint.getparent().remove(constraint)


def _constrain(tree: etree._ElementTree, resource: str, kind: str, node: str, score: str) -> None:
    (constraints,) = tree.xpath("/cib/configuration/constraints")[:1]
    location = child(constraints, "rsc_location", f"cli-{kind}-{resource}")
    location.set("rsc", resource)
    rule = child(location, "rule", f"cli-{kind}-rule-{resource}")
    rule.set("score", score)
    expression = child(rule, "expression", f"cli-{kind}-expr-{resource}")
    for name, value in {"attribute": "#uname", "operation": "eq", "value": node}.items():
        expression.set(name, value)


def _where_it_runs(tree: etree._ElementTree, resource: str) -> list[str]:
    """The node whose last finished action on the resource leaves it running."""
    running = []
    for state in tree.xpath("/cib/status/node_state"):
        operations = state.xpath(".//lrm_resource[@id=$id]/lrm_rsc_op", id=resource)
        operations.sort(
            key=lambda operation: int(operation.get("call_id") or operation.get("call-id") or 0)
        )
        if operations and operations[-1].get("operation") != "stop":
            result = operations[-1].get("rc_code") or operations[-1].get("rc-code")
            if result == "0":
                running.append(state.get("uname"))
    return running
