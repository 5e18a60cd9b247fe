"""A domU's policy as XML: written as its neighbours have theirs, and taken out again whole.

A resource that is taken out of the configuration while it runs is an orphan to the scheduler, which
stops it, unmanaged or not (stop-orphan-resources; seen with 2.1.5). So the nodes must have
forgotten it before, and must not look for it again: a constraint with resource-discovery=never
(1.1.13 and newer) keeps them from it, and its -INFINITY keeps anybody from starting it elsewhere
in the meantime.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement, fromstring, indent, tostring

from hxm.errors import Refused
from hxm.model import ENROLLING, WITHDRAWING, ManagedDomain
from hxm.plan import Step

_OURS = ("cli-", "hxm-")
_DEPENDENT = {
    "rsc_location": "rsc",
    "rsc_order": "then",
    "rsc_colocation": "rsc",
    "rsc_ticket": "rsc",
}
"""Where a constraint names the one whom it binds."""
_NAMING = ("rsc", "with-rsc", "first", "then")
_NODE = "#uname"
_REFRESHED = "last-lrm-refresh"


class Spec(NamedTuple):
    """A domU's future resource in the configuration, without its constraints."""

    resource: str
    agent: str
    params: Mapping[str, str]
    meta: Mapping[str, str]
    operations: Sequence[Mapping[str, str]]
    utilization: Mapping[str, str]


class Bound(NamedTuple):
    """A constraint that binds a domU, in a shape that is the same for every domU bound alike."""

    shape: str
    element: Element
    owner: str
    of_a_node: bool
    """Whether it speaks of a node by its name."""


def ids(cib: Element) -> set[str]:
    """Every id in the configuration."""
    return {
        element.get("id", "") for part in cib.iterfind("configuration") for element in part.iter()
    }


def ncname(name: str) -> str:
    """The name as an id in XML: an NCName (Namespaces in XML 1.0), as the CIB's schema wants it."""
    text = re.sub(r"[^A-Za-z0-9_.-]", "-", name)
    return text if re.match("[A-Za-z_]", text) else f"domU-{text}"


def binding(cib: Element, owners: Collection[str]) -> Iterator[Bound]:
    """The constraints that bind one of these resources, without leftovers of commands."""
    for element in cib.iterfind("configuration/constraints/*"):
        owner = element.get(_DEPENDENT.get(element.tag, ""), "")
        if owner in owners and not element.get("id", "").startswith(_OURS):
            named = element.get("node") is not None or any(
                rule.get("attribute") == _NODE for rule in element.iter("expression")
            )
            yield Bound(tostring(_shape(element, owner), "unicode"), element, owner, named)


def _shape(element: Element, owner: str) -> Element:
    attributes = {
        key: "" if value == owner and key in _NAMING else value
        for key, value in sorted(element.items())
        if key != "id"
    }
    shape = Element(element.tag, attributes)
    shape.extend(_shape(child, owner) for child in element)
    return shape


def indirect(cib: Element, owners: Collection[str]) -> list[str]:
    """The ids of sets, tags and the like that name one of these resources from within."""
    return [
        element.get("id", element.tag)
        for part in ("constraints", "tags", "acls")
        for element in cib.iterfind(f"configuration/{part}/*")
        for inner in element.iter()
        if inner.tag in ("resource_ref", "obj_ref", "acl_permission")
        and {inner.get("id") if inner.tag != "acl_permission" else inner.get("reference")}
        & set(owners)
    ]


def others_bound(cib: Element, resource: str) -> list[tuple[str, str]]:
    """The constraints by which this resource binds others: their ids, and whom."""
    return [
        (element.get("id", ""), element.get(_DEPENDENT[element.tag], ""))
        for element in cib.iterfind("configuration/constraints/*")
        if element.tag in _DEPENDENT
        and element.get(_DEPENDENT[element.tag]) != resource
        and resource in [element.get(key) for key in _NAMING]
    ]


def load_step(name: str, spec: Spec, bound: Sequence[Bound], cib: Element, node: str = "") -> Step:
    """Load a domU and its constraints, unmanaged, in one change; `node` is where it runs.

    Raises Refused if an id is taken.
    """
    rid = spec.resource
    root = Element("configuration")
    primitive = SubElement(SubElement(root, "resources"), "primitive", id=rid)
    words = spec.agent.split(":")
    kinds = ("class", "provider", "type") if len(words) == 3 else ("class", "type")
    primitive.attrib.update(zip(kinds, words, strict=True))
    _set(primitive, "instance_attributes", f"{rid}-instance_attributes", spec.params)
    _set(primitive, "meta_attributes", f"{rid}-meta_attributes", spec.meta)
    interim = {"is-managed": "false", ENROLLING: "true"}
    _set(primitive, "meta_attributes", _interim(ENROLLING, rid), interim)
    operations = SubElement(primitive, "operations")
    for operation in spec.operations:
        SubElement(operations, "op", {"id": f"{rid}-{operation['name']}", **operation})
    if spec.utilization:
        _set(primitive, "utilization", f"{rid}-utilization", spec.utilization)
    constraints = SubElement(root, "constraints")
    constraints.extend(_copied(one, rid) for one in bound)
    new_ids = [element.get("id", "") for element in root.iter() if element.get("id")]
    taken = sorted(set(new_ids) & ids(cib)) or [
        new_id for new_id in new_ids if new_ids.count(new_id) > 1
    ]
    if taken:
        raise Refused(
            f"the id {taken[0]} is taken: {name} would need it",
            "rename the domU, or what has that id",
        )
    indent(root)
    values = {"resource": rid, "domain": name, "xml": tostring(root, "unicode")}
    return Step("load-xml", f"load {name}, unmanaged", values | ({"node": node} if node else {}))


def _set(parent: Element, tag: str, name: str, pairs: Mapping[str, str]) -> None:
    options = SubElement(parent, tag, id=name)
    for key, value in pairs.items():
        SubElement(options, "nvpair", id=f"{name}-{key}", name=key, value=value)


def _copied(bound: Bound, resource: str) -> Element:
    """The constraint for another domU, with ids that speak of that one."""
    copy = deepcopy(bound.element)
    for element in copy.iter():
        element.text = element.tail = None
        for key in _NAMING:
            if element.get(key) == bound.owner:
                element.set(key, resource)
        if name := element.get("id"):
            own = re.sub(rf"(?<![\w.]){re.escape(bound.owner)}(?![^\W_])", resource, name)
            element.set("id", own if own != name else f"{resource}-{name}")
    return copy


def _interim(marker: str, resource: str) -> str:
    return f"{marker}-{resource}"


def hand_over_step(name: str, resource: str) -> Step:
    """Let the cluster manage what was loaded unmanaged: what kept it from that goes at once."""
    marks = _interim(ENROLLING, resource)
    values = {"xpath": f"//meta_attributes[@id='{marks}']", "ids": marks, "resource": resource}
    return Step("delete-xml", f"hand {name} over to the cluster", values)


def hide_step(name: str, resource: str) -> Step:
    """Keep every node from probing and starting the domU, in constraints that name hxm."""
    root = Element("configuration")
    primitive = SubElement(SubElement(root, "resources"), "primitive", id=resource)
    marker = _interim(WITHDRAWING, resource)
    _set(primitive, "meta_attributes", marker, {WITHDRAWING: "true"})
    location = SubElement(SubElement(root, "constraints"), "rsc_location", id=f"{marker}-never")
    location.attrib.update({"rsc": resource, "resource-discovery": "never"})
    rule = SubElement(location, "rule", id=f"{marker}-rule", score="-INFINITY")
    anywhere = {"id": f"{marker}-anywhere", "attribute": _NODE, "operation": "defined"}
    SubElement(rule, "expression", anywhere)
    indent(root)
    values = {"resource": resource, "xml": tostring(root, "unicode")}
    return Step("load-xml", f"keep the nodes from looking for {name}", values)


def forget_step(name: str, resource: str) -> Step:
    """Let every node forget the domU."""
    return Step("forget", f"let every node forget {name}", {"resource": resource})


def delete_step(name: str, resource: str, constraints: Sequence[str], cib: Element) -> Step:
    """Take the domU, its constraints and what a node may still remember out, in one change.

    So goes the mark that a controller sets when it forgets a resource, if there was none before.
    """
    never = f"{_interim(WITHDRAWING, resource)}-never"
    named = dict.fromkeys([*constraints, never])
    places = [f"//resources//primitive[@id='{resource}']"]
    places += [f"//constraints/*[@id='{constraint}']" for constraint in named]
    places += [f"//lrm_resource[@id='{resource}']"]
    if not any(pair.get("name") == _REFRESHED for pair in cib.iterfind("configuration//nvpair")):
        places += [f"//crm_config//nvpair[@name='{_REFRESHED}']"]
    values = {"xpath": "|".join(places), "ids": " ".join([resource, *named]), "resource": resource}
    return Step("delete-xml", f"take {name} out of the configuration", values)


def loaded_constraints(step: Step) -> list[str]:
    """The ids of the constraints that a step loads."""
    return [
        element.get("id", "")
        for element in fromstring(step.values["xml"]).iterfind("constraints/*")
    ]


def own_constraints(cib: Element, resource: str) -> list[str]:
    """The ids of all constraints that name the resource."""
    return [
        element.get("id", "")
        for element in cib.iterfind("configuration/constraints/*")
        if resource in [element.get(key) for key in _NAMING]
    ]


def banned_step(domains: Sequence[ManagedDomain]) -> Step:
    """Keep each domU off the nodes where it runs: for a copy, to see where else it would go."""
    root = Element("configuration")
    constraints = SubElement(root, "constraints")
    for number, domain in enumerate(domains):
        for node in domain.nodes:
            ban = {"rsc": domain.resource, "node": node, "score": "-INFINITY"}
            SubElement(constraints, "rsc_location", ban, id=f"hxm-elsewhere-{number}-{node}")
    xml = tostring(root, "unicode")
    return Step("load-xml", "keep domUs off the nodes where they run", {"xml": xml})
