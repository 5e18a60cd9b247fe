"""Reads from a CIB what `hxm check` alone asks for, and drills: operations, fencing, failures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from hxm.pacemaker.cib import Configuration
from hxm.policy import is_false, is_true
from hxm.policy.audit.configured import FailCount, Rules
from hxm.policy.drill import Monitor
from hxm.xml_reading import parse_xml

_DEFAULT_TIMEOUT = 20.0  # PCMK_DEFAULT_ACTION_TIMEOUT_MS, since Heartbeat 2
_META = (
    "target-role",
    "is-managed",
    "allow-migrate",
    "resource-stickiness",
    "migration-threshold",
    "failure-timeout",
    "multiple-active",
)
_UNITS = {"": 1.0, "s": 1.0, "sec": 1.0, "ms": 1e-3, "msec": 1e-3, "us": 1e-6, "usec": 1e-6}
_UNITS |= {"m": 60.0, "min": 60.0, "h": 3600.0, "hr": 3600.0}
_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def seconds(said: str) -> float | None:
    """A time as the cluster's tools write it (crm_get_msec, crm_get_interval), or None."""
    if found := re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)\s*", said):
        unit = _UNITS.get(found[2])
        return None if unit is None else float(found[1]) * unit
    if (found := _ISO.fullmatch(said)) and any(found.groups()):
        days, hours, minutes, rest = (int(each or 0) for each in found.groups())
        return float(((days * 24 + hours) * 60 + minutes) * 60 + rest)
    return None


def parse_rules(configuration: Configuration) -> Rules:
    """The rules in a whole CIB, of any generation."""
    cib = configuration.cib
    if cib is None:
        return Rules()
    known = _Known(cib)
    operations = {name: list(_operations(known, each)) for name, each in known.primitives.items()}
    usual = _usual_timeout(configuration, cib)
    return Rules(
        timeouts={name: _timeouts(found, usual) for name, found in operations.items()},
        watched=frozenset(name for name, found in operations.items() if _is_watched(found)),
        after=_after(known),
        attributes=_attributes(known),
        kept_off=_kept_off(known, configuration),
        misspelt=dict(_misspelt(known, heartbeat=configuration.heartbeat)),
        fences={
            each.id: tuple(_hosts(each.params))
            for each in configuration.primitives.values()
            if each.agent.startswith("stonith:")
        },
        fail_counts=tuple(_fail_counts(cib)),
    )


def monitors_in(written: bytes, resource: str) -> tuple[Monitor, ...]:
    """The monitors that look for a resource where it runs, the most frequent first.

    `written` is a `<configuration>`, with what op_defaults add.
    """
    cib = Element("cib")
    cib.append(parse_xml(written))
    known = _Known(cib)
    usual = _defaults(cib)
    found = [{**usual, **each} for each in _operations(known, known.primitives[resource])]
    return tuple(
        Monitor(each["interval"], each.get("on-fail", each.get("on_fail", "restart")).lower())
        for each in sorted(filter(_watches, found), key=_interval)
    )


class _Known:
    """The resources of a CIB, and what a reference to them may mean."""

    def __init__(self, cib: Element) -> None:
        self.cib = cib
        resources = cib.find("configuration/resources")
        assert resources is not None  # parse_configuration wants them
        self.resources = resources
        self.primitives = {each.get("id", ""): each for each in resources.iter("primitive")}
        self.templates = {each.get("id", ""): each for each in resources.iter("template")}
        self._members: dict[str, set[str]] = {}
        self.outermost: dict[str, str] = {}
        for each in resources:
            for inside in each.iter():
                if inside.tag in ("primitive", "group", "clone", "master", "master_slave"):
                    name = inside.get("id", "")
                    self.outermost[name] = each.get("id", "")
                    self._members[name] = {one.get("id", "") for one in inside.iter("primitive")}
        for name, each in self.primitives.items():
            if template := each.get("template"):
                self._members.setdefault(template, set()).add(name)
        for tag in cib.iterfind("configuration/tags/tag"):
            self._members[tag.get("id", "")] = {
                name for ref in tag.iter("obj_ref") for name in self.members(ref.get("id", ""))
            }

    def members(self, name: str | None) -> set[str]:
        """The primitives that a resource, a template or a tag stands for."""
        return self._members.get(name or "", set())

    def constraints(self, tag: str) -> Iterator[Element]:
        """The constraints of a kind, but for what a move or a ban left behind."""
        for each in self.cib.iterfind(f"configuration/constraints/{tag}"):
            if not each.get("id", "").startswith("cli-"):
                yield each

    def concerned(self, constraint: Element) -> set[str]:
        """The primitives that a location constraint is about."""
        if pattern := constraint.get("rsc-pattern"):
            try:
                return {each for each in self.primitives if re.search(pattern, each)}
            except re.error:
                return set()
        found = set(self.members(constraint.get("rsc")))
        for ref in constraint.iter("resource_ref"):
            found |= self.members(ref.get("id"))
        return found


def _operations(known: _Known, primitive: Element) -> Iterator[Mapping[str, str]]:
    """The operations of a primitive, with what stands in sets of their own."""
    template = known.templates.get(primitive.get("template", ""), Element("template"))
    for each in primitive.findall("operations/op") or template.findall("operations/op"):
        pairs = {pair.get("name", ""): pair.get("value", "") for pair in each.iter("nvpair")}
        yield pairs | each.attrib


def _defaults(cib: Element) -> dict[str, str]:
    """What operations are by default; what a rule decides is left out."""
    found: dict[str, str] = {}
    for each in cib.iterfind("configuration/op_defaults/meta_attributes"):
        if each.find("rule") is None:
            for pair in each.iterfind("nvpair"):
                found.setdefault(pair.get("name", ""), pair.get("value", ""))
    return found


def _usual_timeout(configuration: Configuration, cib: Element) -> float:
    """What an operation without a timeout of its own may take."""
    if found := seconds(_defaults(cib).get("timeout", "")):
        return found
    properties = configuration.properties
    for name in ("default-action-timeout", "default_action_timeout"):  # up to 1.1
        if found := seconds(properties.get(name, "")):
            return found
    return _DEFAULT_TIMEOUT


def _timeouts(operations: list[Mapping[str, str]], usual: float) -> dict[str, float]:
    found = {"": usual}
    for each in operations:
        given = seconds(each.get("timeout", "")) or usual
        name = each.get("name", "")
        found[name] = min(found.get(name, given), given)
    return found


def _is_watched(operations: list[Mapping[str, str]]) -> bool:
    return any(map(_watches, operations))


def _watches(operation: Mapping[str, str]) -> bool:
    """Whether it looks again and again for what runs; `disabled` is Heartbeat's word."""
    return (
        operation.get("name") == "monitor"
        and not is_false(operation.get("enabled", ""))
        and not is_true(operation.get("disabled", ""))
        and operation.get("role", "Started").lower() == "started"
        and _interval(operation) > 0
    )


def _interval(operation: Mapping[str, str]) -> float:
    """In seconds; one that the tools cannot read is none to them (crm_parse_interval_spec)."""
    return seconds(operation.get("interval", "")) or 0.0


def _after(known: _Known) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for first, then in _orders(known):
        for name in known.members(then):
            found.setdefault(name, set()).add(known.outermost.get(first, first))
    for group in known.resources.iter("group"):
        names = [each.get("id", "") for each in group.iterfind("primitive")]
        for number, name in enumerate(names):
            found.setdefault(name, set()).update(names[:number])
    return {name: frozenset(firsts) for name, firsts in found.items()}


def _orders(known: _Known) -> Iterator[tuple[str, str]]:
    """First and then, of each order: in Heartbeat's words, in today's, or in sets."""
    for each in known.constraints("rsc_order"):
        sets = [
            [ref.get("id", "") for ref in one.iterfind("resource_ref")]
            for one in each.iterfind("resource_set")
        ]
        for number, later in enumerate(sets):
            yield from ((a, b) for earlier in sets[:number] for a in earlier for b in later)
        if each.get("first"):
            yield each.get("first", ""), each.get("then", "")
        elif each.get("from"):
            ends = each.get("to", ""), each.get("from", "")
            yield ends if each.get("type", "after") == "after" else (ends[1], ends[0])


def _attributes(known: _Known) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for each in known.constraints("rsc_location"):
        names = {expression.get("attribute", "") for expression in each.iter("expression")}
        for name in known.concerned(each):
            found.setdefault(name, set()).update(x for x in names if x and x[0] != "#")
    return {name: frozenset(attributes) for name, attributes in found.items()}


def _kept_off(known: _Known, configuration: Configuration) -> dict[str, frozenset[str]]:
    """Where each primitive never runs; with symmetric-cluster=false, wherever nothing lets it."""
    nodes = frozenset(configuration.node_attributes)
    off: dict[str, set[str]] = {name: set() for name in known.primitives}
    let: dict[str, set[str]] = {name: set() for name in known.primitives}
    for each in known.constraints("rsc_location"):
        for node, score in _scores(each, nodes):
            for name in known.concerned(each):
                if score.lower() in ("-infinity", "-1000000"):
                    off[name].add(node)
                elif not score.startswith("-") and score != "0":
                    let[name].add(node)
    said = configuration.properties
    if is_false(said.get("symmetric-cluster", said.get("symmetric_cluster", ""))):
        return {name: nodes - let[name] | off[name] for name in off}
    return {name: frozenset(found) for name, found in off.items()}


def _scores(location: Element, nodes: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Each node that a location constraint names, with its score; rules of one kind only."""
    if location.get("node"):
        yield location.get("node", ""), location.get("score", "0")
    for rule in location.iterfind("rule"):
        expressions = list(rule)
        any_of = len(expressions) == 1 or rule.get("boolean-op", rule.get("boolean_op")) == "or"
        for each in expressions:
            if any_of and each.get("attribute") == "#uname":
                value, score = each.get("value", ""), rule.get("score", "0")
                if each.get("operation") == "eq":
                    yield value, score
                elif each.get("operation") == "ne":
                    yield from ((node, score) for node in nodes - {value})


def _misspelt(known: _Known, *, heartbeat: bool) -> Iterator[tuple[str, dict[str, str]]]:
    """Meta options with the other kind of dash: no generation rejects them, none heeds them.

    Up to Heartbeat 2.1 allow_migrate was also read among the parameters; later it is not.
    """
    right = {name.replace("-", "_"): name for name in _META}
    if heartbeat:
        right = {name: said for said, name in right.items()}
    for name, each in known.primitives.items():
        pairs = list(each.iterfind("meta_attributes//nvpair"))
        pairs += each.findall("instance_attributes//nvpair[@name='allow_migrate']")
        said = {pair.get("name", "") for pair in pairs}
        wrong = {one: to for one, to in right.items() if one in said and to not in said}
        if wrong:
            yield name, wrong


def _hosts(params: Mapping[str, str]) -> list[str]:
    """The nodes that a fencing resource is told to be for, in any of the spellings."""
    said = params.get("pcmk_host_list") or params.get("hostlist") or ""
    names = re.split(r"[\s,;]+", said)
    names += [
        pair.partition(":")[0] for pair in re.split(r"[\s;]+", params.get("pcmk_host_map", ""))
    ]
    return list(dict.fromkeys(name for name in names if name))


def _fail_counts(cib: Element) -> Iterator[FailCount]:
    """The counts of all operations of a resource on a node, put together."""
    names = {each.get("id"): each.get("uname", "") for each in cib.iter("node")}
    for state in cib.iterfind("status/node_state"):
        node = state.get("uname") or names.get(state.get("id"), "")
        counts: dict[str, list[str]] = {}
        for pair in state.iterfind("transient_attributes//nvpair"):
            lead, _, rest = pair.get("name", "").partition("fail-count-")
            if rest and not lead and pair.get("value") not in ("0", None):
                resource = re.split("[#:]", rest)[0]
                counts.setdefault(resource, []).append(pair.get("value", ""))
        for resource, values in counts.items():
            known = [int(value) for value in values if value.isdigit()]
            many = len(known) < len(values) or sum(known) >= 1000000
            yield FailCount(resource, node, "INFINITY" if many else str(sum(known)))
