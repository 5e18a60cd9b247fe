"""Turns the XML of a configuration into plain facts, which `policy.diff` compares.

Every attribute becomes a fact, whatever element it stands at: what a newer schema adds is named by
its tag. Only ids, comments and the order of things are left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from xml.etree.ElementTree import Element, tostring

from hxm.domu.resources import is_xen
from hxm.pacemaker.cib import parse_configuration
from hxm.pacemaker.cib_document import CLUSTERS_OWN, OWN, sections_in
from hxm.policy.diff import HIDDEN, Facts, Item

_RESOURCES = ("primitive", "group", "clone", "master", "master_slave", "bundle", "template")
_KINDS = {
    "primitive": "resource",
    "master_slave": "master",
    "fencing-level": "fencing level",
    "rsc_location": "constraint",
    "rsc_order": "constraint",
    "rsc_colocation": "constraint",
    "rsc_ticket": "constraint",
    "acl_target": "access of",
    "acl_role": "role",
}
_WHOLE = {
    "crm_config": "cluster",
    "rsc_defaults": "defaults for resources",
    "op_defaults": "defaults for operations",
}
"""Sections that are one thing; the others hold one by one what has an id."""
_PAIRS = {
    "instance_attributes": "parameter ",
    "meta_attributes": "",
    "cluster_property_set": "",
    "utilization": "utilization ",
}


def private_names(cib: Element | None) -> frozenset[str]:
    """The parameters that an agent calls private; Pacemaker names them in the status (2.0)."""
    done = [] if cib is None else cib.iterfind("status//lrm_rsc_op[@op-secure-params]")
    return frozenset(name for each in done for name in each.get("op-secure-params", "").split())


def facts_in(backup: Element, private: Collection[str] = ()) -> Facts:
    """The facts of each thing in the sections of a document; `private` parameters are secret."""
    for pair in backup.iterfind(".//instance_attributes//nvpair"):
        if pair.get("name") in private:
            pair.set("name", f"{pair.get('name')} ({HIDDEN})")
    found: dict[Item, dict[str, str]] = {}
    domus = _domus(backup)
    for section, element in sections_in(backup).items():
        if section in _WHOLE:
            _take(found, Item(_WHOLE[section], "", section), _inside(element))
            continue
        for thing in element:
            if isinstance(thing.tag, str):
                _add(found, thing, section, domus)
    return found


def _domus(backup: Element) -> frozenset[str]:
    resources = sections_in(backup).get("resources")
    if resources is None:
        return frozenset()
    document = b"<configuration>" + tostring(resources) + b"</configuration>"
    known = parse_configuration(document).primitives.values()
    return frozenset(each.id for each in known if is_xen(each))


def _add(
    found: dict[Item, dict[str, str]], thing: Element, section: str, domus: frozenset[str]
) -> None:
    name = thing.get("uname" if thing.tag == "node" else "id", "")
    kind = "domU" if name in domus else _KINDS.get(thing.tag, thing.tag)
    members = [each for each in thing if each.tag in _RESOURCES] if section == "resources" else []
    facts = list(_inside(thing, skip=members))
    if members:
        facts.append(("members", " ".join(each.get("id", "") for each in members)))
    _take(found, Item(kind, name, section), facts)
    for each in members:
        _add(found, each, section, domus)


def _take(found: dict[Item, dict[str, str]], item: Item, facts: Iterable[tuple[str, str]]) -> None:
    """Two facts of one name, which rules tell apart, both count."""
    mine = found.setdefault(item, {})
    for name, value in facts:
        mine[name] = f"{mine[name]} / {value}" if name in mine else value


def _inside(element: Element, skip: list[Element] | None = None) -> Iterator[tuple[str, str]]:
    """The facts of an element and of all that is in it but `skip`."""
    yield from _own(element)
    for each in element:
        if not isinstance(each.tag, str) or each in (skip or []):
            continue
        if each.tag in _PAIRS:
            yield from _pairs(each, element.tag)
        elif each.tag == "operations":
            for operation in each:
                yield from _operation(operation)
        else:
            label = f"{each.tag} {each.get('id', '')}".strip()
            facts = [(f"{label} {name}", value) for name, value in _inside(each)]
            yield from facts or [(each.tag, each.get("id", ""))]  # as a resource_ref has no more


def _own(element: Element) -> Iterator[tuple[str, str]]:
    words = [element.get(each) for each in ("class", "provider", "type")]
    if element.tag in ("primitive", "template") and any(words):
        yield "agent", ":".join(word for word in words if word)
    for name, value in element.attrib.items():
        agents = element.tag in ("primitive", "template") and name in ("class", "provider", "type")
        if name not in ("id", "uname") and not agents:
            yield name, value


def _pairs(pairs: Element, parent: str) -> Iterator[tuple[str, str]]:
    """Name-value pairs; those of a set that has a rule are told apart by the set's id."""
    set_id = pairs.get("id", "")
    if pairs.tag == "cluster_property_set" and set_id.startswith(OWN):
        return
    prefix = "" if parent == "node" else _PAIRS[pairs.tag]
    rules = pairs.findall("rule")
    where = f" in {set_id}" if rules else ""
    for rule in rules:
        yield from ((f"rule of {set_id} {name}", value) for name, value in _inside(rule))
    for name, value in pairs.attrib.items():
        if name != "id":
            yield f"{pairs.tag} {name}", value
    for pair in pairs.iter("nvpair"):
        called = pair.get("name") or pair.get("id-ref", "")
        if called not in CLUSTERS_OWN:
            yield f"{prefix}{called}{where}", pair.get("value", "")


def _operation(operation: Element) -> Iterator[tuple[str, str]]:
    if not isinstance(operation.tag, str):
        return
    every = operation.get("interval", "0")
    often = "" if every in ("0", "0s") else f" every {every}"
    role = f" as {operation.get('role')}" if operation.get("role") else ""
    label = f"{operation.get('name', 'operation')}{often}{role}"
    own = [each for each in _inside(operation) if each[0] not in ("name", "interval", "role")]
    yield from ((f"{label} {name}", value) for name, value in own or [("is", "there")])
