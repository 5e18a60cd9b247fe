"""Name-value pairs in the CIB, and the options of an operation that are in effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from xml.etree.ElementTree import Element

from hxm.pacemaker.cib_rules import in_effect

_ITS_OWN = ("name", "interval", "role", "enabled", "disabled")
"""What the scheduler takes from the operation alone (pcmk__find_action_config)."""


def elements_by_id(configuration: Element) -> dict[str | None, Element]:
    """What can be referred to by id-ref."""
    kinds = ("instance_attributes", "meta_attributes", "nvpair", "operations")
    return {e.get("id"): e for e in configuration.iter() if e.tag in kinds and e.get("id")}


def pairs(sets: list[Element], known: Mapping[str | None, Element] | None = None) -> dict[str, str]:
    """The name-value pairs of several sets; of two with one name the first counts."""
    values: dict[str, str] = {}
    for name, value in each_pair(sets, known or {}):
        values.setdefault(name, value)
    return values


def each_pair(
    sets: list[Element], known: Mapping[str | None, Element]
) -> Iterator[tuple[str, str]]:
    """Name and value of all pairs, also of those that refer to another (id-ref)."""
    for options in sets:
        for pair in options.iter("nvpair"):
            source = known.get(pair.get("id-ref"), pair)
            yield pair.get("name", source.get("name", "")), source.get("value", "")


def operations_of(
    primitive: Element, template: Element, known: Mapping[str | None, Element]
) -> list[Element]:
    """The operations of a primitive, and those of its template that it has none like.

    Alike are those with one name and role (template_op_key in Pacemaker's complex.c).
    """
    own, inherited = (
        [
            operation
            for operations in source.iterfind("operations")
            for operation in known.get(operations.get("id-ref"), operations).iterfind("op")
        ]
        for source in (primitive, template)
    )
    overridden = {_kind(operation) for operation in own}
    return own + [operation for operation in inherited if _kind(operation) not in overridden]


def _kind(operation: Element) -> tuple[str | None, str]:
    role = operation.get("role", "")
    usual = role.lower() in ("started", "slave", "unpromoted")
    return operation.get("name"), "" if usual else role


class Defaults:
    """What operations are by default, and what can be referred to by id-ref."""

    def __init__(self, configuration: Element) -> None:
        self.known = elements_by_id(configuration)
        self._sets = self._resolved(configuration.find("op_defaults"))

    def _resolved(self, element: Element | None) -> list[Element]:
        sets = [] if element is None else element.findall("meta_attributes")
        return [self.known.get(options.get("id-ref"), options) for options in sets]

    def options_of(self, operation: Element, agent: Mapping[str, str]) -> dict[str, str]:
        """The options of an operation of this agent.

        Its own count before those of op_defaults (since Pacemaker 2.0: pcmk__unpack_action_meta),
        and last its instance_attributes (up to 2.1).
        """
        old = pairs(operation.findall("instance_attributes"), self.known)
        return {**old, **self.usual_of(operation, agent), **self.own_of(operation, agent)}

    def own_of(self, operation: Element, agent: Mapping[str, str]) -> dict[str, str]:
        """What stands at it, and besides in its sets."""
        sets = in_effect(self._resolved(operation), _about(operation, agent))
        return {**pairs(sets, self.known), **operation.attrib}

    def usual_of(self, operation: Element, agent: Mapping[str, str]) -> dict[str, str]:
        """What op_defaults say of it."""
        usual = pairs(in_effect(self._sets, _about(operation, agent)), self.known)
        return {name: value for name, value in usual.items() if name not in _ITS_OWN}


def _about(operation: Element, agent: Mapping[str, str]) -> Mapping[str, str | None]:
    return {**agent, "operation": operation.get("name"), "interval": operation.get("interval")}


def on_fail(options: Mapping[str, str], default: str = "") -> str:
    """What follows from a failure, in small letters; Heartbeat spells the option on_fail."""
    value = options.get("on-fail", options.get("on_fail", default)).lower()
    return "ignore" if value == "nothing" else value


_OPERATIONS = ("start", "stop", "monitor", "promote", "demote", "migrate_to", "migrate_from")


def on_fails(
    operations: Sequence[Element], defaults: Defaults | None, agent: Mapping[str, str]
) -> dict[str, str]:
    """What follows from a failure of each operation of a primitive of this agent, if that is said.

    Without `defaults` nothing but what stands at the operations themselves is looked at.
    """
    if not defaults:
        known = {one.get("name", ""): on_fail(one.attrib) for one in reversed(operations)}
        return {name: effect for name, effect in known.items() if effect}
    by_name = {name: Element("op", name=name) for name in _OPERATIONS}
    by_name |= {one.get("name", ""): one for one in reversed(operations)}
    known = {name: on_fail(defaults.options_of(one, agent)) for name, one in by_name.items()}
    return {name: effect for name, effect in known.items() if effect}


def defaults_of_failures(configuration: Element) -> Defaults | None:
    """The defaults, if anything but an operation itself says what follows from a failure."""
    pairs_ = configuration.iterfind(".//nvpair")
    spelt = any(pair.get("name") in ("on-fail", "on_fail") for pair in pairs_)
    return Defaults(configuration) if spelt else None
