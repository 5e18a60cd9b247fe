"""Reads from a CIB what `hxm check` alone asks for, and drills: operations, fencing, failures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from hxm.pacemaker.cib import Configuration
from hxm.pacemaker.cib_rules import any_of, ended, ends, is_soon
from hxm.pacemaker.options import Defaults, on_fail, operations_of, pairs
from hxm.pacemaker.times import seconds
from hxm.policy import is_false, is_true
from hxm.policy.audit.configured import FailCount, Named, Rules
from hxm.policy.orders.drill import Monitor
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


def parse_rules(configuration: Configuration) -> Rules:
    """The rules in a whole CIB, of any generation."""
    cib = configuration.cib
    if cib is None:
        return Rules()
    known = _Known(cib)
    operations = {
        name: list(_operations(known, primitive)) for name, primitive in known.primitives.items()
    }
    usual = _usual_timeout(configuration, cib)
    return Rules(
        timeouts={name: _timeouts(own, usual) for name, own in operations.items()},
        watched=frozenset(name for name, own in operations.items() if _is_watched(own)),
        after=_after(known),
        attributes=_attributes(known),
        kept_off=_kept_off(known, configuration),
        named=dict(_named(known)),
        ended=dict(_ended(known)),
        ending=dict(_ending(known)),
        misspelt=dict(_misspelt(known, heartbeat=configuration.heartbeat)),
        fences={
            primitive.id: tuple(_hosts(primitive.params))
            for primitive in configuration.primitives.values()
            if primitive.agent.startswith("stonith:")
        },
        fail_counts=tuple(_fail_counts(cib)),
        ignored_stops=dict(_ignored_stops(known)),
    )


def monitors_in(written: bytes, resource: str) -> tuple[Monitor, ...]:
    """The monitors that look for a resource where it runs, the most frequent first.

    `written` is a `<configuration>`, with what op_defaults add.
    """
    cib = Element("cib")
    cib.append(parse_xml(written))
    known = _Known(cib)
    operations = _operations(known, known.primitives[resource])
    return tuple(
        Monitor(operation["interval"], on_fail(operation, "restart"))
        for operation in sorted(filter(_watches, operations), key=_interval)
    )


class _Known:
    """The resources of a CIB, and what a reference to them may mean."""

    def __init__(self, cib: Element) -> None:
        self.cib = cib
        configuration, resources = cib.find("configuration"), cib.find("configuration/resources")
        assert configuration is not None  # parse_configuration wants them
        assert resources is not None
        self.resources = resources
        self.defaults = Defaults(configuration)
        self.primitives = {
            primitive.get("id", ""): primitive for primitive in resources.iter("primitive")
        }
        self.templates = {
            template.get("id", ""): template for template in resources.iter("template")
        }
        self._members: dict[str, set[str]] = {}
        self.outermost: dict[str, str] = {}
        for resource in resources:
            for inside in resource.iter():
                if inside.tag in ("primitive", "group", "clone", "master", "master_slave"):
                    name = inside.get("id", "")
                    self.outermost[name] = resource.get("id", "")
                    self._members[name] = {one.get("id", "") for one in inside.iter("primitive")}
        for name, primitive in self.primitives.items():
            if template := primitive.get("template"):
                self._members.setdefault(template, set()).add(name)
        for tag in cib.iterfind("configuration/tags/tag"):
            self._members[tag.get("id", "")] = {
                name for ref in tag.iter("obj_ref") for name in self.members(ref.get("id", ""))
            }

    def members(self, name: str | None) -> set[str]:
        """The primitives that a resource, a template or a tag stands for."""
        return self._members.get(name or "", set())

    def constraints(self, tag: str) -> Iterator[Element]:
        """The constraints of a kind, without leftovers of moves and bans."""
        for element in self.cib.iterfind(f"configuration/constraints/{tag}"):
            if not element.get("id", "").startswith("cli-"):
                yield element

    def concerned(self, constraint: Element) -> set[str]:
        """The primitives that a location constraint is about."""
        if pattern := constraint.get("rsc-pattern"):
            try:
                return {primitive for primitive in self.primitives if re.search(pattern, primitive)}
            except re.error:
                return set()
        names = set(self.members(constraint.get("rsc")))
        for ref in constraint.iter("resource_ref"):
            names |= self.members(ref.get("id"))
        return names


def _operations(known: _Known, primitive: Element) -> Iterator[Mapping[str, str]]:
    """The options in effect of each operation of a primitive."""
    template, agent = _kind(known, primitive)
    for operation in operations_of(primitive, template, known.defaults.known):
        yield known.defaults.options_of(operation, agent)


def _kind(known: _Known, primitive: Element) -> tuple[Element, Mapping[str, str]]:
    """The template, and where the agent is named."""
    template = known.templates.get(primitive.get("template", ""), Element("template"))
    return template, (template if "class" in template.attrib else primitive).attrib


def _ignored_stops(known: _Known) -> Iterator[tuple[str, str]]:
    """The primitives whose stop counts as done if it fails, and what says so."""
    for name, primitive in known.primitives.items():
        template, agent = _kind(known, primitive)
        operations = operations_of(primitive, template, known.defaults.known)
        stops = [one for one in operations if one.get("name") == "stop" and not _interval(one)]
        stop = stops[0] if stops else Element("op", name="stop")
        if on_fail(known.defaults.options_of(stop, agent)) == "ignore":
            own = on_fail(known.defaults.own_of(stop, agent))
            by_default = not own and on_fail(known.defaults.usual_of(stop, agent))
            whose = name if stop in list(primitive.iter("op")) else template.get("id", name)
            yield name, "op_defaults" if by_default else f"the operation stop of {whose}"


def _defaults(cib: Element) -> dict[str, str]:
    """What operations of any agent are by default; what a rule decides is left out."""
    sets = cib.findall("configuration/op_defaults/meta_attributes")
    return pairs([options for options in sets if options.find("rule") is None])


def _usual_timeout(configuration: Configuration, cib: Element) -> float:
    """What an operation without a timeout of its own may take."""
    if timeout := seconds(_defaults(cib).get("timeout", "")):
        return timeout
    properties = configuration.properties
    for name in ("default-action-timeout", "default_action_timeout"):  # up to 1.1
        if timeout := seconds(properties.get(name, "")):
            return timeout
    return _DEFAULT_TIMEOUT


def _timeouts(operations: list[Mapping[str, str]], usual: float) -> dict[str, float]:
    timeouts = {"": usual}
    for operation in operations:
        given = seconds(operation.get("timeout", "")) or usual
        name = operation.get("name", "")
        timeouts[name] = min(timeouts.get(name, given), given)
    return timeouts


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


def _interval(operation: Mapping[str, str] | Element) -> float:
    """In seconds; the tools ignore one that they cannot read (crm_parse_interval_spec)."""
    return seconds(operation.get("interval", "")) or 0.0


def _after(known: _Known) -> dict[str, frozenset[str]]:
    firsts_of: dict[str, set[str]] = {}
    for first, then in _orders(known):
        for name in known.members(then):
            firsts_of.setdefault(name, set()).add(known.outermost.get(first, first))
    for group in known.resources.iter("group"):
        names = [primitive.get("id", "") for primitive in group.iterfind("primitive")]
        for number, name in enumerate(names):
            firsts_of.setdefault(name, set()).update(names[:number])
    return {name: frozenset(firsts) for name, firsts in firsts_of.items()}


def _orders(known: _Known) -> Iterator[tuple[str, str]]:
    """First and then, of each order: in Heartbeat's words, in today's, or in sets."""
    for constraint in known.constraints("rsc_order"):
        if constraint.get("kind", "").lower() == "serialize":
            continue  # in whatever order, but not at once
        sets = [
            [ref.get("id", "") for ref in one.iterfind("resource_ref")]
            for one in constraint.iterfind("resource_set")
        ]
        for number, later in enumerate(sets):
            yield from ((a, b) for earlier in sets[:number] for a in earlier for b in later)
        if constraint.get("first"):
            yield constraint.get("first", ""), constraint.get("then", "")
        elif constraint.get("from"):
            ends = constraint.get("to", ""), constraint.get("from", "")
            yield ends if constraint.get("type", "after") == "after" else (ends[1], ends[0])


def _attributes(known: _Known) -> dict[str, frozenset[str]]:
    attributes_of: dict[str, set[str]] = {}
    for constraint in known.constraints("rsc_location"):
        names = {expression.get("attribute", "") for expression in constraint.iter("expression")}
        for name in known.concerned(constraint):
            attributes_of.setdefault(name, set()).update(x for x in names if x and x[0] != "#")
    return {name: frozenset(attributes) for name, attributes in attributes_of.items()}


def _kept_off(known: _Known, configuration: Configuration) -> dict[str, frozenset[str]]:
    """Where each primitive never runs; with symmetric-cluster=false, wherever nothing lets it."""
    nodes = frozenset(configuration.node_attributes)
    off: dict[str, set[str]] = {name: set() for name in known.primitives}
    let: dict[str, set[str]] = {name: set() for name in known.primitives}
    for constraint in known.constraints("rsc_location"):
        for node, score in _scores(constraint, nodes):
            for name in known.concerned(constraint):
                if score.lower() in ("-infinity", "-1000000"):
                    off[name].add(node)
                elif not score.startswith("-") and score != "0":
                    let[name].add(node)
    properties = configuration.properties
    if is_false(properties.get("symmetric-cluster", properties.get("symmetric_cluster", ""))):
        return {name: nodes - let[name] | off[name] for name in off}
    return {name: frozenset(nodes_off) for name, nodes_off in off.items()}


def _named(known: _Known) -> Iterator[tuple[str, Named]]:
    """The nodes that each location constraint names."""
    for constraint in known.constraints("rsc_location"):
        names = [constraint.get("node", "")]
        for expression in constraint.iter("expression"):
            if expression.get("attribute") == "#uname" and expression.get("operation") in _IS:
                names.append(expression.get("value", ""))
        nodes = tuple(dict.fromkeys(filter(None, names)))
        only = all(map(_needs_a_node, constraint.iterfind("rule")))
        yield constraint.get("id", ""), Named(nodes, only)


def _needs_a_node(rule: Element) -> bool:
    """Whether it is true of no node but those that it names."""
    names = [
        one for one in rule if one.get("attribute") == "#uname" and one.get("operation") == "eq"
    ]
    return len(names) == len(rule) or (not any_of(rule) and bool(names))


def _ended(known: _Known) -> Iterator[tuple[str, str]]:
    """The location constraints that no rule of theirs makes count any more, and since when.

    One whose rule another constraint borrows is needed still.
    """
    borrowed = {rule.get("id-ref") for rule in known.cib.iterfind(".//rule[@id-ref]")}
    for constraint in known.constraints("rsc_location"):
        rules = constraint.findall("rule")
        ends = [end for rule in rules if (end := ended(rule))]
        if ends and len(ends) == len(rules) and borrowed.isdisjoint(r.get("id") for r in rules):
            yield constraint.get("id", ""), max(ends)


def _ending(known: _Known) -> Iterator[tuple[str, tuple[str, str]]]:
    """The location constraints for one resource that will soon count no more, for which, and when.

    Not those that keep it off, nor where others allow it for longer.
    """
    endings, lasting = {}, set()
    for constraint in known.constraints("rsc_location"):
        rules, name = constraint.findall("rule"), constraint.get("rsc", "")
        if any(one.get("score", "").startswith("-") for one in (constraint, *rules)):
            continue
        moments = [end for rule in rules if is_soon(end := ends(rule))]
        if moments and len(moments) == len(rules):
            endings[constraint.get("id", "")] = name, max(moments)
        else:
            lasting.add(name)
    return ((one, (name, end)) for one, (name, end) in endings.items() if name not in lasting)


_IS = ("eq", "ne")
"""The comparisons whose value is a whole name."""


def _scores(location: Element, nodes: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Each node that a location constraint names, with its score; rules of one kind only."""
    if location.get("node"):
        yield location.get("node", ""), location.get("score", "0")
    for rule in location.iterfind("rule"):
        expressions = list(rule)
        suffices = len(expressions) == 1 or any_of(rule)
        for expression in expressions:
            if suffices and expression.get("attribute") == "#uname":
                value, score = expression.get("value", ""), rule.get("score", "0")
                if expression.get("operation") == "eq":
                    yield value, score
                elif expression.get("operation") == "ne":
                    yield from ((node, score) for node in nodes - {value})


def _misspelt(known: _Known, *, heartbeat: bool) -> Iterator[tuple[str, dict[str, str]]]:
    """Meta options with the other kind of dash: no generation rejects them, none heeds them.

    Up to Heartbeat 2.1 allow_migrate was also read among the parameters; later it is not.
    """
    right = {name.replace("-", "_"): name for name in _META}
    if heartbeat:
        right = {name: spelling for spelling, name in right.items()}
    for name, primitive in known.primitives.items():
        pairs = list(primitive.iterfind("meta_attributes//nvpair"))
        pairs += primitive.findall("instance_attributes//nvpair[@name='allow_migrate']")
        present = {pair.get("name", "") for pair in pairs}
        wrong = {one: to for one, to in right.items() if one in present and to not in present}
        if wrong:
            yield name, wrong


def _hosts(params: Mapping[str, str]) -> list[str]:
    """The nodes that a fencing resource is configured for, in any of the spellings."""
    text = params.get("pcmk_host_list") or params.get("hostlist") or ""
    names = re.split(r"[\s,;]+", text)
    names += [
        pair.partition(":")[0] for pair in re.split(r"[\s;]+", params.get("pcmk_host_map", ""))
    ]
    return list(dict.fromkeys(name for name in names if name))


def _fail_counts(cib: Element) -> Iterator[FailCount]:
    """The counts of all operations of a resource on a node, put together."""
    names = {node.get("id"): node.get("uname", "") for node in cib.iter("node")}
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
