"""Reads the constraints of a whole CIB, sets of resources taken apart, in every layout.

Heartbeat's (up to Pacemaker 0.6) says from and to: `from` starts after `to`, unless the type is
before; and it knows no sets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import combinations, pairwise, product
from xml.etree.ElementTree import Element

from hxm.model import Cluster
from hxm.pacemaker.cib_rules import any_of, begins, ended, ends, is_now, said
from hxm.policy import is_false, is_true
from hxm.policy.relations import (
    HARD,
    Colocation,
    Expression,
    Location,
    Order,
    Relations,
    Ticket,
    score_of,
)
from hxm.policy.state.fencing import fenced_by

_CONTAINERS = ("group", "clone", "master", "master_slave", "bundle")


def relations_in(cib: Element) -> Relations:
    """All that the CIB says of resources and nodes among each other."""
    configuration = cib.find("configuration")
    if configuration is None:
        return Relations()
    constraints = configuration.find("constraints")
    stand_ins = _stand_ins(configuration)
    written = [] if constraints is None else list(constraints)
    lent: dict[str | None, Borrowed] = {
        rule.get("id"): (rule, []) for constraint in written for rule in constraint.iter("rule")
    }
    for constraint in written:
        for rule in constraint.iterfind("rule[@id-ref]"):
            lent.get(rule.get("id-ref"), (rule, []))[1].append(constraint.get("id", ""))
    states = cib.iterfind("status/tickets/ticket_state")
    held = [state for state in states if is_true(state.get("granted", ""))]
    single = [constraint for one in written for constraint in _named(one, stand_ins)]
    return Relations(
        orders=tuple(
            order
            for constraint in single
            if constraint.tag == "rsc_order"
            for order in _orders(constraint)
        ),
        colocations=tuple(
            colocation
            for one in single
            if one.tag == "rsc_colocation"
            for colocation in _colocations(one)
        ),
        locations=tuple(
            location
            for one in single
            if one.tag == "rsc_location"
            for location in _locations(one, configuration, lent)
        ),
        attributes=_attributes(cib, configuration),
        kinds=_kinds(cib, configuration),
        members={
            element.get("id", ""): tuple(
                inside.get("id", "")
                for inside in element
                if inside.tag == "primitive" or inside.tag in _CONTAINERS
            )
            for element in configuration.iterfind("resources//*")
            if element.tag in _CONTAINERS
        },
        tickets=tuple(ticket for one in single for ticket in _tickets(one)),
        granted=frozenset(state.get("id", "") for state in held if not _asleep(state)),
        asleep=frozenset(state.get("id", "") for state in held if _asleep(state)),
        unfit={
            state.get("uname", ""): dict(_unfit(state))
            for state in cib.iterfind("status/node_state")
        },
        locks=dict(_locks(cib)),
        fences=dict(_fences(configuration)),
    )


Borrowed = tuple[Element, list[str]]
"""A rule, and the constraints that refer to it by id-ref."""


def _asleep(ticket: Element) -> bool:
    return is_true(ticket.get("standby", ""))


def _locks(cib: Element) -> Iterator[tuple[str, str]]:
    """The resources that wait for a node that was shut down cleanly, and that node."""
    for state in cib.iterfind("status/node_state"):
        for history in state.iterfind("lrm/lrm_resources/lrm_resource[@shutdown-lock]"):
            if history.get("shutdown-lock") != "0":
                yield history.get("id", ""), state.get("uname", "")


def _unfit(state: Element) -> Iterator[tuple[str, int]]:
    """The resources whose agent said last that they cannot run on the node, and its result."""
    for history in state.iterfind("lrm/lrm_resources/lrm_resource"):
        results = {
            int(call): entry.get("rc-code", "")
            for entry in history.iterfind("lrm_rsc_op")
            if (call := entry.get("call-id", "")).isdigit()
        }
        last = results[max(results)] if results else ""
        if last.isdigit() and int(last) in HARD:
            yield history.get("id", "").partition(":")[0], int(last)


_ENDS = ("rsc", "with-rsc", "first", "then")


def that_count(relations: Relations, cluster: Cluster, now: float) -> Relations:
    """The relations that the scheduler heeds: no location for a node that there is not.

    Nor fail counts that failure-timeout has ended by now: the attributes stay until the cluster's
    next recheck, and count no more (the scheduler compares last-failure with the time).
    """
    nodes = {None, *(node.name.lower() for node in cluster.nodes)}
    there: list[Location] = []
    gone: list[Location] = []
    for location in relations.locations:
        heeded = (location.node and location.node.lower()) in nodes
        (there if heeded else gone).append(location)
    relations = relations._replace(locations=tuple(there), unheeded=tuple(gone))
    for primitive in cluster.primitives.values():
        text = primitive.meta.get("failure-timeout", "")
        if not text:
            continue
        from hxm.pacemaker.times import seconds

        timeout = seconds(text)
        if timeout:
            known = {
                node: dict(_counting(attributes, primitive.id, now - timeout))
                for node, attributes in relations.attributes.items()
            }
            relations = relations._replace(attributes=known)
    return relations


def _counting(
    attributes: Mapping[str, str], resource: str, oldest: float
) -> Iterator[tuple[str, str]]:
    """The attributes but for those that count failures of the resource older than that."""
    for name, value in attributes.items():
        kind, _, operation = name.partition("#")
        if kind == f"fail-count-{resource}":
            last = attributes.get(f"last-failure-{resource}{'#' if operation else ''}{operation}")
            if last and last.isdigit() and int(last) < oldest:
                continue
        yield name, value


def _stand_ins(configuration: Element) -> dict[str, list[str]]:
    """What a constraint names in the place of resources: tags, and templates."""
    by_name = {
        tag.get("id", ""): [obj_ref.get("id", "") for obj_ref in tag.iterfind("obj_ref")]
        for tag in configuration.iterfind("tags/tag")
    }
    for primitive in configuration.iterfind("resources//primitive[@template]"):
        by_name.setdefault(primitive.get("template", ""), []).append(primitive.get("id", ""))
    return by_name


def _named(constraint: Element, stand_ins: Mapping[str, list[str]]) -> Iterator[Element]:
    """The constraint once for each of the resources that its tags and templates stand for."""
    name = next((end for end in _ENDS if constraint.get(end) in stand_ins), None)
    if name:
        for resource in stand_ins[constraint.get(name, "")]:
            copy = Element(constraint.tag, {**constraint.attrib, name: resource})
            copy.extend(constraint)
            yield from _named(copy, stand_ins)
        return
    if all(ref.get("id") not in stand_ins for ref in constraint.iter("resource_ref")):
        yield constraint
        return
    whole = Element(constraint.tag, constraint.attrib)
    whole.extend(
        _spread(part, stand_ins) if part.tag == "resource_set" else part for part in constraint
    )
    yield whole


def _spread(resources: Element, stand_ins: Mapping[str, list[str]]) -> Element:
    whole = Element(resources.tag, resources.attrib)
    for ref in resources:
        names = stand_ins.get(ref.get("id", ""), [ref.get("id", "")])
        whole.extend(Element("resource_ref", {"id": name}) for name in names)
    return whole


def _tickets(element: Element) -> Iterator[Ticket]:
    if element.tag != "rsc_ticket":
        return
    name, ticket = element.get("id", ""), element.get("ticket", "")
    freezes = element.get("loss-policy") == "freeze"
    if resource := element.get("rsc"):
        yield Ticket(name, ticket, resource, element.get("rsc-role", ""), freezes)
    for one, names in zip(element.iterfind("resource_set"), _sets(element), strict=True):
        yield from (Ticket(name, ticket, rsc, one.get("role", ""), freezes) for rsc in names)


def _attributes(cib: Element, configuration: Element) -> dict[str, dict[str, str]]:
    """The permanent ones, and those until the node leaves, which count before them."""
    by_node: dict[str, dict[str, str]] = {}
    places = (
        *((node, "instance_attributes") for node in configuration.iterfind("nodes/node")),
        *((state, "transient_attributes") for state in cib.iterfind("status/node_state")),
    )
    for element, kind in places:
        known = by_node.setdefault(element.get("uname", ""), {})
        for holder in element.iterfind(kind):
            for pair in holder.iter("nvpair"):
                known[pair.get("name", "")] = pair.get("value", "")
    return by_node


def _kinds(cib: Element, configuration: Element) -> dict[str, str]:
    """Of the nodes that are no members what #kind is there."""
    remote = [one.get("id", "") for one in configuration.iterfind(".//primitive[@type='remote']")]
    guests = configuration.iterfind(".//nvpair[@name='remote-node']")
    replicas = [
        state.get("uname", "") for state in cib.iterfind("status/node_state[@remote_node='true']")
    ]
    inside = [*replicas, *(guest.get("value", "") for guest in guests)]
    return {**dict.fromkeys(inside, "container"), **dict.fromkeys(remote, "remote")}


def _sets(element: Element) -> list[list[str]]:
    return [
        [reference.get("id", "") for reference in one.iterfind("resource_ref")]
        for one in element.iterfind("resource_set")
    ]


def _orders(element: Element) -> Iterator[Order]:
    serial = element.get("kind", "").lower() == "serialize"
    return (order._replace(serial=serial) for order in _pairs_of(element))


def _pairs_of(element: Element) -> Iterator[Order]:
    name, kind = element.get("id", ""), element.get("kind", "").lower()
    score = element.get("score")
    mandatory = kind == "mandatory" or (not kind and (score is None or score_of(score) > 0))
    if first := element.get("first"):
        action = element.get("first-action", "start")
        then_action = element.get("then-action", action)
        yield Order(name, first, element.get("then", ""), mandatory, action, then_action)
    elif to := element.get("to"):  # Heartbeat's
        pair = (to, element.get("from", ""))
        yield Order(name, *(pair[::-1] if element.get("type") == "before" else pair), mandatory)
    groups: list[tuple[Element, list[str]]] = []
    for one, names in zip(element.iterfind("resource_set"), _sets(element), strict=True):
        ordered = not is_false(one.get("sequential", ""))
        groups += [(one, [name]) for name in names] if ordered else [(one, names)]
    for (one, before), (other, after) in pairwise(groups):
        actions = one.get("action", "start"), other.get("action", one.get("action", "start"))
        suffices = is_false(one.get("require-all", ""))
        for first in before:
            yield from (Order(name, first, then, mandatory, *actions, suffices) for then in after)


def _colocations(element: Element) -> Iterator[Colocation]:
    name, score = element.get("id", ""), score_of(element.get("score", "INFINITY"))
    resource = element.get("rsc") or element.get("from")
    other = element.get("with-rsc") or element.get("to")
    if resource and other:
        roles = element.get("rsc-role", ""), element.get("with-rsc-role", "")
        yield Colocation(name, resource, other, score, *roles, element.get("node-attribute", ""))
    sets = _sets(element)
    for one, names in zip(element.iterfind("resource_set"), sets, strict=True):
        if _is_sequential(one):  # below 0 each keeps from all before it
            roles = one.get("role", ""), one.get("role", "")
            pairs = combinations(names, 2) if score < 0 else pairwise(names)
            yield from (Colocation(name, later, first, score, *roles) for first, later in pairs)
    groups = zip(element.iterfind("resource_set"), sets, strict=True)
    for (one, before), (target, after) in pairwise(groups):  # colocate_rsc_sets in Pacemaker
        roles = one.get("role", ""), target.get("role", "")
        ends = before[:1] if _is_sequential(one) else before
        targets = after[-1:] if _is_sequential(target) else after
        for resource_id, with_id in product(ends, targets):
            yield Colocation(name, resource_id, with_id, score, *roles)


def _is_sequential(resources: Element) -> bool:
    return not is_false(resources.get("sequential", ""))


def _locations(
    element: Element, configuration: Element, lent: Mapping[str | None, Borrowed]
) -> Iterator[Location]:
    name = element.get("id", "")
    resources = [element.get("rsc", "")] if element.get("rsc") else []
    if pattern := element.get("rsc-pattern"):
        inside = configuration.iterfind("resources//*[@id]")
        ids = [e.get("id", "") for e in inside if e.tag in ("primitive", *_CONTAINERS)]
        resources = [resource for resource in ids if _matches(pattern, resource)]
    resources += [name for names in _sets(element) for name in names]
    for resource in resources:
        if node := element.get("node"):
            score = score_of(element.get("score", "0"))
            exclusive = element.get("resource-discovery") == "exclusive"
            role = element.get("role", "")
            yield Location(name, resource, score, node, exclusive=exclusive, role=role)
        rules = element.findall("rule")
        for own in rules:
            rule, borrowers = lent.get(own.get("id-ref", own.get("id")), (own, []))
            in_role = rule.get("role", element.get("role", ""))
            borrowed_by = tuple(other for other in borrowers if other != name)
            location = _rule(name, resource, rule)
            yield location._replace(
                role=in_role,
                borrowed_by=borrowed_by if rule is own else (),
                rule=own.get("id", "") if rules[1:] else "",
            )


def _matches(pattern: str, name: str) -> bool:
    """Whether a pattern means the resource; one that begins with ! means what it does not match."""
    try:
        return bool(re.search(pattern.removeprefix("!"), name)) != pattern.startswith("!")
    except re.error:
        return False


def _rule(name: str, resource: str, rule: Element) -> Location:
    """A rule; one with rules or dates within it is said to depend on the time: it is not judged."""
    expressions = tuple(
        Expression(
            expression.get("attribute", ""),
            expression.get("operation", ""),
            expression.get("value", ""),
            expression.get("type", ""),
            expression.get("value-source", "literal") != "literal",
        )
        for expression in rule.iterfind("expression")
    )
    return Location(
        name,
        resource,
        score_of(rule.get("score", "0")),
        None,
        expressions,
        not any_of(rule),
        rule.get("score-attribute") or rule.get("score_attribute") or "",
        rule.find("date_expression") is not None or rule.find("rule") is not None,
        said(rule),
        ended(rule),
        begins(rule),
        ends(rule),
        is_now(rule),
    )


def _fences(configuration: Element) -> Iterator[tuple[str, tuple[str, ...]]]:
    templates = {
        template.get("id"): template for template in configuration.iterfind("resources/template")
    }
    for primitive in configuration.iterfind("resources//primitive"):
        kind = (
            templates.get(primitive.get("template"), primitive)
            if primitive.get("template")
            else primitive
        )
        if kind.get("class") == "stonith":
            yield (
                primitive.get("id", ""),
                fenced_by(_parameters(kind) | _parameters(primitive)),
            )


def _parameters(element: Element) -> dict[str, str]:
    pairs = (pair for one in element.findall("instance_attributes") for pair in one.iter("nvpair"))
    return {pair.get("name", ""): pair.get("value", "") for pair in pairs}
