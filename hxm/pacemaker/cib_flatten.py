"""Turns the XML of a configuration into plain facts, which `policy.diff` compares.

Every attribute becomes a fact, whatever element it stands at: what a newer schema adds is named by
its tag. Only ids, comments and the order of things are left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from xml.etree.ElementTree import Element, tostring

from hxm.domu.resources import is_xen
from hxm.pacemaker.cib import parse_configuration
from hxm.pacemaker.cib_document import CLUSTERS_OWN, OWN, sections_in
from hxm.policy import not_secret
from hxm.policy.diff import Fact, Facts, Item

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
    return frozenset(
        name for operation in done for name in operation.get("op-secure-params", "").split()
    )


def facts_in(backup: Element, private: Collection[str] = ()) -> Facts:
    """The facts of each thing in the sections of a document; `private` parameters are not shown."""
    agents = {
        element.get("id", ""): _agent(element)
        for element in backup.iter()
        if element.tag in ("primitive", "template")
    }
    return _Reader(frozenset(private), _domus(backup), agents).facts_in(backup)


def _agent(element: Element) -> str:
    words = [element.get(name) for name in ("class", "provider", "type")]
    return ":".join(word for word in words if word)


def _domus(backup: Element) -> frozenset[str]:
    resources = sections_in(backup).get("resources")
    if resources is None:
        return frozenset()
    document = b"<configuration>" + tostring(resources, "unicode").encode() + b"</configuration>"
    known = parse_configuration(document).primitives.values()
    return frozenset(primitive.id for primitive in known if is_xen(primitive))


_Named = tuple[str, Fact]


class _Reader:
    """Reads the facts of a document: knows the domUs, the private parameters and the agents."""

    def __init__(
        self, private: frozenset[str], domus: frozenset[str], agents: Mapping[str, str]
    ) -> None:
        self.private, self.domus, self.agents = private, domus, agents
        self.agent = ""
        """That of the thing that is being read."""
        self.facts: dict[Item, dict[str, Fact]] = {}

    def facts_in(self, backup: Element) -> Facts:
        for section, element in sections_in(backup).items():
            if section in _WHOLE:
                self._take(Item(_WHOLE[section], "", section), self._inside(element))
                continue
            for entry in element:
                if isinstance(entry.tag, str):
                    self._add(entry, section)
        return self.facts

    def _add(self, entry: Element, section: str) -> None:
        name = entry.get("uname" if entry.tag == "node" else "id", "")
        self.agent = self.agents.get(name) or self.agents.get(entry.get("template", ""), "")
        kind = "domU" if name in self.domus else _KINDS.get(entry.tag, entry.tag)
        members = [
            member for member in entry if section == "resources" and member.tag in _RESOURCES
        ]
        facts = list(self._inside(entry, skip=members))
        if members:
            facts.append(("members", Fact(" ".join(member.get("id", "") for member in members))))
        self._take(Item(kind, name, section), facts)
        for member in members:
            self._add(member, section)

    def _take(self, item: Item, facts: Iterable[_Named]) -> None:
        """Two facts of one name, which rules tell apart, both count."""
        known = self.facts.setdefault(item, {})
        for name, fact in facts:
            if before := known.get(name):
                fact = Fact(f"{before.value} / {fact.value}", before.shown and fact.shown)  # noqa: PLW2901
            known[name] = fact

    def _inside(self, element: Element, skip: Collection[Element] = ()) -> Iterator[_Named]:
        """The facts of an element and of all that is in it but `skip`."""
        yield from _own(element)
        for child in element:
            if not isinstance(child.tag, str) or child in skip:
                continue
            if child.tag in _PAIRS:
                yield from self._pairs(child, element.tag)
            elif child.tag == "operations":
                for operation in child:
                    yield from self._operation(operation)
            else:
                label = f"{child.tag} {child.get('id', '')}".strip()
                facts = [(f"{label} {name}", fact) for name, fact in self._inside(child)]
                # a resource_ref has no more than its id
                yield from facts or [(child.tag, Fact(child.get("id", "")))]

    def _pairs(self, pairs: Element, parent: str) -> Iterator[_Named]:
        """Name-value pairs; those of a set that has a rule are told apart by the set's id."""
        set_id = pairs.get("id", "")
        if pairs.tag == "cluster_property_set" and set_id.startswith(OWN):
            return
        prefix = "" if parent == "node" else _PAIRS[pairs.tag]
        rules = pairs.findall("rule")
        where = f" in {set_id}" if rules else ""
        for rule in rules:
            yield from ((f"rule of {set_id} {name}", fact) for name, fact in self._inside(rule))
        for name, value in pairs.attrib.items():
            if name != "id":
                yield f"{pairs.tag} {name}", Fact(value, not_secret.attribute(name))
        for pair in pairs.iter("nvpair"):
            called = pair.get("name", pair.get("id-ref", ""))
            value = pair.get("value", "")
            if called not in CLUSTERS_OWN:
                shown = self._is_shown(pairs.tag, parent, called, value)
                yield f"{prefix}{called}{where}", Fact(value, shown)

    def _is_shown(self, pairs: str, parent: str, name: str, value: str) -> bool:
        if pairs == "utilization":
            return not_secret.amount(value)
        if pairs == "instance_attributes" and parent != "node":
            return not_secret.parameter(self.agent, name) and name not in self.private
        return not_secret.option(name)

    def _operation(self, operation: Element) -> Iterator[_Named]:
        if not isinstance(operation.tag, str):
            return
        every = operation.get("interval", "0")
        often = "" if every in ("0", "0s") else f" every {every}"
        role = f" as {operation.get('role')}" if operation.get("role") else ""
        label = f"{operation.get('name', 'operation')}{often}{role}"
        own = [
            (name, fact)
            for name, fact in self._inside(operation)
            if name not in ("name", "interval", "role")
        ]
        yield from ((f"{label} {name}", fact) for name, fact in own or [("is", Fact("there"))])


def _own(element: Element) -> Iterator[_Named]:
    if element.tag in ("primitive", "template") and (agent := _agent(element)):
        yield "agent", Fact(agent)
    for name, value in element.attrib.items():
        agents = element.tag in ("primitive", "template") and name in ("class", "provider", "type")
        if (element.tag, name) == ("expression", "value"):
            yield name, Fact(value, not_secret.compared(element.get("attribute", "")))
        elif name not in ("id", "uname") and not agents:
            yield name, Fact(value, not_secret.attribute(name))
