"""Writes what steps would do to a CIB of Pacemaker 2.0 or newer into a copy of it.

For forecasts only: what is done to a cluster, or to a sandbox, is done by the tools themselves,
and `tests/tools/test_cib_edit.py` holds the two against each other. crm_resource 2.1.5 takes 8 s to
write one constraint where there are 300 domUs, and each tool reads and writes the whole CIB.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from lxml import etree

from hxm.pacemaker.sandbox import child, parse
from hxm.plan import Step, StepKind

Values = Mapping[str, str]


class _Cib:
    """A CIB whose resources, histories and locations are found by their ids."""

    def __init__(self, path: str) -> None:
        self.tree = parse(path)
        self.resources: dict[str | None, list[etree._Element]] = {}
        for element in self.tree.iterfind("configuration/resources//*[@id]"):
            self.resources.setdefault(element.get("id"), []).append(element)
        self.histories: dict[str | None, list[tuple[str, etree._Element]]] = {}
        """The nodes that remember each resource, and what."""
        for state in self.tree.iterfind("status/node_state"):
            for history in state.iterfind("lrm/lrm_resources/lrm_resource"):
                there = (state.get("uname", ""), history)
                self.histories.setdefault(history.get("id"), []).append(there)
        self.locations: dict[str | None, list[etree._Element]] = {}
        for location in self.tree.iterfind("configuration/constraints/rsc_location"):
            self.locations.setdefault(location.get("id"), []).append(location)
        self.nodes = [node.get("uname") for node in self.tree.iterfind("configuration/nodes/node")]


_Edit = Callable[[_Cib, Values], None]
"""Of a CIB and the values of the step."""


class _Unknown(Exception):
    """What the tools would make of it is not known here."""


def edit(path: str, steps: Sequence[Step]) -> bool:
    """Change the CIB in the file as the tools would; False, with nothing changed, if unsure."""
    if not all(step.kind in _EDITS for step in steps):
        return False
    cib = _Cib(path)
    try:
        for step in steps:
            _EDITS[step.kind](cib, step.values)
    except _Unknown:
        return False
    cib.tree.write(path)
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


def _primitive(cib: _Cib, values: Values) -> etree._Element:
    """Of a clone's child, or what has a template, the tools may write elsewhere."""
    (resource, *more) = cib.resources.get(values["resource"], [None])
    if resource is None or more:
        raise _Unknown
    ancestors = {ancestor.tag for ancestor in resource.iterancestors()}
    alone = ancestors <= {"resources", "configuration", "cib", "group"}
    if resource.tag != "primitive" or resource.get("template") or not alone:
        raise _Unknown
    return resource


def _set_meta(cib: _Cib, values: Values) -> None:
    set_id = f"{values['resource']}-meta_attributes"
    primitive = _primitive(cib, values)
    _set(primitive, "meta_attributes", set_id, values["name"], values["value"])


def _clear_meta(cib: _Cib, values: Values) -> None:
    _unset(_primitive(cib, values), "meta_attributes", values["name"], drop_empty=True)


def _places(cib: _Cib, resource: str) -> list[str]:
    """The nodes whose last action on it, monitors aside, leaves it running."""
    records: dict[str, list[etree._Element]] = {}
    for node, history in cib.histories.get(resource, ()):
        records.setdefault(node, []).extend(history.iterfind("lrm_rsc_op"))
    places = []
    for node, done in records.items():
        if any(int(record.get("call-id", "-1")) < 0 for record in done):
            raise _Unknown
        once = [record for record in done if record.get("interval") == "0"]
        last = max(once, key=lambda record: int(record.get("call-id", "0")), default=None)
        if last is not None and last.get("rc-code") not in ("0", "7"):
            raise _Unknown
        leaves = ("stop", "migrate_to")
        if last is not None and last.get("rc-code") == "0" and last.get("operation") not in leaves:
            places.append(node)
    return places


def _move(cib: _Cib, values: Values, *, ban: bool = False) -> None:
    """Before it prefers the node, crm_resource clears what earlier moves have left."""
    resource, node = values["resource"], values["node"]
    _primitive(cib, values)
    places = _places(cib, resource)
    if len(places) != 1 or node in places:
        raise _Unknown
    _remove_constraints(cib, f"cli-prefer-{resource}", f"cli-ban-{resource}-on-{node}")
    _constrain(cib, f"cli-prefer-{resource}", resource, node, "INFINITY")
    if ban:
        _constrain(cib, f"cli-ban-{resource}-on-{places[0]}", resource, places[0], "-INFINITY")


def _move_and_ban(cib: _Cib, values: Values) -> None:
    _move(cib, values, ban=True)


def _constrain(cib: _Cib, name: str, resource: str, node: str, score: str) -> None:
    constraints = _one(cib.tree, "/cib/configuration/constraints")
    if name not in cib.locations:
        cib.locations[name] = [etree.SubElement(constraints, "rsc_location", id=name)]
    location = cib.locations[name][0]
    if len(location):  # with a rule, which the tools would keep
        raise _Unknown
    location.attrib.update({"rsc": resource, "role": "Started", "node": node, "score": score})


def _remove_constraints(cib: _Cib, *names: str) -> None:
    for name in names:
        for constraint in cib.locations.pop(name, ()):
            constraint.getparent().remove(constraint)


def _clear(cib: _Cib, values: Values) -> None:
    """crm_resource 2.0 and newer clears what moves left, except the cli-standby of version 0.6."""
    resource = values["resource"]
    _primitive(cib, values)
    bans = (f"cli-ban-{resource}-on-{node}" for node in cib.nodes)
    _remove_constraints(cib, f"cli-prefer-{resource}", *bans)


def _delete_constraint(cib: _Cib, values: Values) -> None:
    _remove_constraints(cib, values["constraint"])


def _unmove(cib: _Cib, values: Values) -> None:
    _remove_constraints(cib, f"cli-prefer-{values['resource']}")


def _unban(cib: _Cib, values: Values) -> None:
    _remove_constraints(cib, f"cli-ban-{values['resource']}-on-{values['source']}")


def _node(cib: _Cib, values: Values) -> etree._Element:
    return _one(cib.tree, "/cib/configuration/nodes/node[@uname=$node]", node=values["node"])


def _node_attribute(name: str, value: str) -> _Edit:
    def write(cib: _Cib, values: Values) -> None:
        node = _node(cib, values)
        _set(node, "instance_attributes", f"nodes-{node.get('id')}", name, value)

    return write


def _no_node_attribute(name: str) -> _Edit:
    def clear(cib: _Cib, values: Values) -> None:
        _unset(_node(cib, values), "instance_attributes", name, drop_empty=True)
        path = "/cib/status/node_state[@uname=$node]/transient_attributes"
        for attributes in cib.tree.xpath(path, node=values["node"]):
            _unset(attributes, "instance_attributes", name, drop_empty=False)

    return clear


def _properties(tree: etree._ElementTree) -> etree._Element:
    return _one(tree, "/cib/configuration/crm_config")


def _maintenance(cib: _Cib, _: Values) -> None:
    set_id = "cib-bootstrap-options"
    _set(_properties(cib.tree), "cluster_property_set", set_id, "maintenance-mode", "true")


def _no_maintenance(cib: _Cib, _: Values) -> None:
    _unset(_properties(cib.tree), "cluster_property_set", "maintenance-mode", drop_empty=False)


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
