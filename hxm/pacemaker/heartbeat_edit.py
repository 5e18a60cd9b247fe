"""Writes what steps would do to a CIB of Heartbeat's into a file, since its tools know no CIB_file.

For forecasts only: what is done to a cluster is always done by its own tools. lxml and not
ElementTree: documents are changed here.
"""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree

from hxm.model import UPDATE
from hxm.pacemaker.dialect import OLDEST
from hxm.pacemaker.sandbox import child, forget_failures, parse
from hxm.plan import CLEARING, Step


def edit(path: str, steps: Sequence[Step]) -> None:
    """Change the CIB in the file as Heartbeat's tools would. Raises CannotAsk if it is none."""
    tree = parse(path)
    for step in steps:
        if step.kind.startswith("cleanup"):
            tree.write(path)
            forget_failures(path, step.values["resource"], step.values.get("node"))
            tree = parse(path)
        else:
            _edit(tree, step)
    tree.write(path)


def _edit(tree: etree._ElementTree, step: Step) -> None:
    values = step.values
    resource, node = values.get("resource", ""), values.get("node", "")
    if step.kind in ("set-meta", "clear-meta"):
        name = OLDEST.words.get(values["name"], values["name"])
        value = values.get("value")
        said = None if value is None else OLDEST.words.get(value, value)
        for each in tree.xpath("//resources//*[@id=$id]", id=resource):
            _set(each, "meta_attributes", f"{resource}-meta-options", name, said)
            if said is None:
                _set(each, "instance_attributes", resource, name, None)
    elif step.kind in ("move", "move-and-ban"):
        if step.kind == "move-and-ban":
            for state in _where_it_runs(tree, resource):
                _constrain(tree, resource, "standby", state, "-INFINITY")
        _constrain(tree, resource, "prefer", node, "INFINITY")
    elif step.kind in CLEARING:
        ids = [values.get("constraint"), f"cli-prefer-{resource}"]
        ids += [f"cli-standby-{resource}"] * (step.kind != "unmove")
        for each in tree.xpath("//constraints/rsc_location"):
            if each.get("id") in ids:
                each.getparent().remove(each)
    elif step.kind.endswith("mark-update"):
        for each in tree.xpath("//crm_config"):
            _set(each, "cluster_property_set", "hxm", UPDATE, values.get("state"))
    elif step.kind.endswith("maintenance"):
        value = "false" if step.kind == "maintenance" else "true"
        for each in tree.xpath("//crm_config"):
            _set(each, "cluster_property_set", "hxm", "is-managed-default", value)
    else:  # standby
        value = None if step.kind.startswith("clear") else "on"
        places = "//nodes/node[@uname=$node] | //node_state[@uname=$node]/transient_attributes"
        for each in tree.xpath(places, node=node)[: None if value is None else 1]:
            _set(each, "instance_attributes", f"nodes-{node}", "standby", value)


def _set(parent: etree._Element, tag: str, set_id: str, name: str, value: str | None) -> None:
    """Set a name-value pair where it stands, or in the set of that id; None takes it away."""
    found = parent.xpath("./*[self::*[name()=$tag]]//nvpair[@name=$name]", tag=tag, name=name)
    for pair in found:
        if value is None:
            pair.getparent().remove(pair)
        else:
            pair.set("value", value)
    if value is not None and not found:
        pairs = child(parent, tag, set_id)
        holder = pairs.find("attributes")
        holder = etree.SubElement(pairs, "attributes") if holder is None else holder
        etree.SubElement(holder, "nvpair", id=f"{set_id}-{name}", name=name, value=value)


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
        operations.sort(key=lambda each: int(each.get("call_id") or each.get("call-id") or 0))
        if operations and operations[-1].get("operation") != "stop":
            result = operations[-1].get("rc_code") or operations[-1].get("rc-code")
            running += [state.get("uname")] * (result == "0")
    return running
