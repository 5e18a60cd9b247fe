"""Asks the real scheduler what it would do if something were different, on a copy of the CIB."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from lxml import etree

from hxm.model import Cluster
from hxm.pacemaker.sandbox import child, failed_action, parse, still_runs
from hxm.pacemaker.simulate import Scratch
from hxm.plan import Action, Movement
from hxm.policy.forecast import movements
from hxm.policy.reasons.facts import Change, Reason, Subject
from hxm.policy.reasons.search import Verdict

_ASKED = "hxm-asked"
_MEASURED = re.compile(r"(?!(fail-count|last-failure|#|shutdown|standby|maintenance|terminate))")
"""Attributes that agents such as ping set at every node; not what was done to one node."""
_CONTAINERS = ("primitive", "group", "clone", "master", "bundle")


class Simulations:
    """What the scheduler says of one CIB with changes: each asked once, and not without end."""

    def __init__(
        self,
        cluster: Cluster,
        scratch: Scratch,
        limit: int,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.cluster, self.scratch, self.limit, self.report = cluster, scratch, limit, report
        self.tree = parse(scratch.path)
        self._known: dict[_Asked, Said] = {}

    @property
    def runs(self) -> int:
        """How often the scheduler was asked."""
        return len(self._known)

    def ask(self, changes: Sequence[Change], keep: tuple[str, str] | None = None) -> Said | None:
        """The actions and the scores with the changes; None: it may not be asked any more.

        `keep` is a resource and the node where it must run, or nowhere. Raises CannotAsk if there
        is no scheduler or it gives no answer.
        """
        asked = frozenset(changes), keep
        if asked not in self._known:
            if self.runs >= self.limit:
                return None
            self.report("trying it on a copy, without what may be the reason" if changes else "")
            tree = copy.deepcopy(self.tree)
            for change in changes:
                _CHANGES[change.kind](tree, change)
            if keep:
                _keep_to(tree, *keep)
            tree.write(self.scratch.path)
            self._known[asked] = self.scratch.answer()
        return self._known[asked]


_Asked = tuple[frozenset[Change], tuple[str, str] | None]
Said = tuple[list[Action], dict[str, dict[str, str]]]


class WhatIf:
    """One resource that is asked about."""

    def __init__(self, simulations: Simulations, subject: Subject) -> None:
        self.simulations, self.subject = simulations, subject
        self.cluster, self.tree = simulations.cluster, simulations.tree
        first = next(iter(subject.inside), None)
        in_group = first and first.parent and first.parent != first.clone
        self.whole = str(first.parent) if first and in_group else subject.id
        """What has to be where the resource is: its group."""

    def ask(self, changes: Sequence[Change], node: str | None) -> Verdict | None:
        """The scheduler's answer with the changes; with a node, if it must run there or nowhere.

        None: it may not be asked any more. Raises CannotAsk if it gives no answer.
        """
        answer = self.simulations.ask(changes, (self.whole, node) if node else None)
        if not answer:
            return None
        actions, scores = answer
        name = self.subject.inside[0].id if self.subject.inside else self.subject.id
        moved = movements(actions, self.cluster)
        return Verdict(self._reached(actions, node), scores.get(name, {}), moved)

    def _reached(self, actions: Sequence[Action], node: str | None) -> bool:
        for primitive in self.subject.inside:
            running = [r for r in self.cluster.resources if _primitive(r.id) == primitive.id]
            places = {node for resource in running for node in resource.nodes}
            mine = [action for action in actions if _primitive(action.resource) == primitive.id]
            for action in sorted(mine, key=lambda action: action.operation != "stop"):
                if action.operation == "stop":
                    places.discard(action.node)
                elif action.operation == "start":
                    places.add(action.node)
                elif action.operation == "migrate_to":
                    places.discard(action.source or action.node)
                    places.add(action.target or "")
            if not (node in places if node else places):
                return False
        return bool(self.subject.inside)

    def unknown(self, ids: Collection[str], node: str | None) -> list[Reason]:
        """What in the CIB may have to do with it, and with `ids`, by its id and XML."""
        return [
            Reason(
                f"{element.tag} {name}: the scheduler says so",
                _short(element),
                f"look at it: cibadmin --query --xpath=\"//*[@id='{name}']\"",
                absolute=True,
                change=Change("drop", name),
            )
            for element in _possible(self.tree, ids, node)
            if (name := element.get("id", ""))
        ]


def _primitive(resource: str) -> str:
    return resource.partition(":")[0]


def _short(element: etree._Element) -> str:
    text = " ".join(etree.tostring(element, encoding="unicode", with_tail=False).split())
    return text if len(text) <= 240 else text[:237] + "..."


def _possible(
    tree: etree._ElementTree, ids: Collection[str], node: str | None
) -> Iterator[etree._Element]:
    """Constraints that touch it, its meta options, options of the cluster, the node's own."""
    constraints = tree.xpath("/cib/configuration/constraints/*")
    touching = [constraint for constraint in constraints if _names(constraint, ids)]
    touching.sort(key=lambda constraint: b'score="-' not in etree.tostring(constraint))
    yield from touching
    for name in ids:
        yield from tree.xpath("//resources//*[@id=$id]/meta_attributes//nvpair", id=name)
    yield from tree.xpath("//resources/template/meta_attributes//nvpair")
    yield from tree.xpath("//rsc_defaults//nvpair")
    for where in ("configuration/nodes/node", "status/node_state"):
        for pair in tree.xpath(f"/cib/{where}[@uname=$node]//nvpair", node=node or ""):
            if not pair.get("name", "").startswith(("fail-count-", "last-failure-")):
                yield pair
    yield from (constraint for constraint in constraints if constraint not in touching)
    for pair in tree.xpath("//crm_config//nvpair"):
        if pair.get("name") not in ("dc-version", "cluster-infrastructure", "cluster-name"):
            yield pair


def _names(constraint: etree._Element, ids: Collection[str]) -> bool:
    """Whether a constraint names one of them, or may by its pattern."""
    named = {constraint.get(name, "") for name in ("rsc", "with-rsc", "first", "then")}
    named |= {ref.get("id", "") for ref in constraint.iter("resource_ref")}
    return "rsc-pattern" in constraint.attrib or not named.isdisjoint(ids)


# The changes


def make(path: str, changes: Sequence[Change]) -> None:
    """Change the CIB in the file."""
    tree = parse(path)
    for change in changes:
        _CHANGES[change.kind](tree, change)
    tree.write(path)


def _keep_to(tree: etree._ElementTree, resource: str, node: str) -> None:
    (constraints,) = tree.xpath("/cib/configuration/constraints")[:1]
    location = child(constraints, "rsc_location", _ASKED)
    location.set("rsc", resource)
    rule = child(location, "rule", f"{_ASKED}-rule")
    rule.set("score", "-INFINITY")
    attributes = {"attribute": "#uname", "operation": "ne", "value": node}
    child(rule, "expression", f"{_ASKED}-expression").attrib.update(attributes)


def _elements(tree: etree._ElementTree, name: str) -> Iterator[etree._Element]:
    """The resource, and all resources in it."""
    for element in tree.xpath("/cib/configuration/resources//*[@id=$id]", id=name):
        yield element
        yield from (inside for inside in element.iterdescendants() if inside.tag in _CONTAINERS)


def _meta(tree: etree._ElementTree, name: str, option: str, value: str) -> None:
    """Set a meta option at the resource, and take it from what is in it."""
    for number, element in enumerate(_elements(tree, name)):
        pairs = element.xpath("meta_attributes/nvpair[@name=$name]", name=option)
        for pair in pairs:
            pair.set("value", value)
        if not number and not pairs:
            attributes = element.find("meta_attributes")
            holder = child(element, "meta_attributes", f"{name}-{_ASKED}")
            if attributes is not None and not attributes.get("id-ref"):
                element.remove(holder)
                holder = attributes
            child(holder, "nvpair", f"{name}-{_ASKED}-{option}").attrib.update(
                {"name": option, "value": value}
            )


def _start(tree: etree._ElementTree, change: Change) -> None:
    """Also promoted, as its agent would see to."""
    _meta(tree, change.subject, "target-role", "Started")
    promotable = "self::master or (self::clone and .//nvpair[@name='promotable'])"
    path = f"//resources//*[@id=$id]/ancestor-or-self::*[{promotable}]//primitive"
    for inside in tree.xpath(path, id=change.subject):
        for state in tree.xpath("/cib/status/node_state[@crmd='online']"):
            _set_attribute(state, f"master-{inside.get('id')}", "100")


def _manage(tree: etree._ElementTree, change: Change) -> None:
    _meta(tree, change.subject, "is-managed", "true")


def _wake(tree: etree._ElementTree, change: Change) -> None:
    if change.value == "node":
        _without(tree, change.subject, lambda name: name == "maintenance")
    else:
        _meta(tree, change.subject, "maintenance", "false")


def _forget(tree: etree._ElementTree, change: Change) -> None:
    """As `crm_resource --cleanup`: of everything on a node, where no resource is named."""
    names = {element.get("id", "") for element in _elements(tree, change.subject)}
    for state in tree.xpath("/cib/status/node_state"):
        if change.value and state.get("uname") != change.value:
            continue
        for history in state.xpath(".//lrm_resource"):
            mine = history.get("id", "").partition(":")[0] in names or not change.subject
            failed = [operation for operation in history if mine and failed_action(operation)]
            if failed and not still_runs(history):
                history.getparent().remove(history)
            elif failed:  # a look would find it there
                for operation in failed:
                    history.remove(operation)
        for pair in state.xpath("./transient_attributes//nvpair"):
            counted = re.fullmatch(r"(?:fail-count|last-failure)-(.+?)(#.*)?", pair.get("name", ""))
            if counted and (counted[1].partition(":")[0] in names or not change.subject):
                pair.getparent().remove(pair)


def _property(tree: etree._ElementTree, change: Change) -> None:
    pairs = tree.xpath("//crm_config//nvpair[@name=$name]", name=change.subject)
    for pair in pairs:
        pair.set("value", change.value)
    if not pairs:
        (options,) = tree.xpath("/cib/configuration/crm_config")[:1]
        holder = child(options, "cluster_property_set", _ASKED)
        pair = child(holder, "nvpair", f"{_ASKED}-{change.subject}")
        pair.attrib.update({"name": change.subject, "value": change.value})


def _quorum(tree: etree._ElementTree, _: Change) -> None:
    tree.getroot().set("have-quorum", "1")


def _ticket(tree: etree._ElementTree, change: Change) -> None:
    (status,) = tree.xpath("/cib/status")[:1]
    tickets = status.find("tickets")
    if tickets is None:
        tickets = etree.SubElement(status, "tickets")
    state = child(tickets, "ticket_state", change.subject)
    state.set(*(("standby", "false") if change.value == "activate" else ("granted", "true")))


def _drop(tree: etree._ElementTree, change: Change) -> None:
    for element in tree.xpath("//*[@id=$id]", id=change.subject):
        element.getparent().remove(element)


def _unset(tree: etree._ElementTree, change: Change) -> None:
    path = "//meta_attributes[@id=$id]//nvpair[@name=$name]"
    for pair in tree.xpath(path, id=change.subject, name=change.value):
        pair.getparent().remove(pair)


def _without(tree: etree._ElementTree, node: str, gone: Callable[[str], bool]) -> None:
    """Take attributes from the node."""
    for where in ("configuration/nodes/node", "status/node_state"):
        for pair in tree.xpath(f"/cib/{where}[@uname=$node]//nvpair", node=node):
            if gone(pair.get("name", "")):
                pair.getparent().remove(pair)


def host_if(
    cluster: Cluster, scratch: Scratch, changes: Sequence[Change]
) -> tuple[tuple[Movement, ...], dict[str, dict[str, str]]]:
    """What the scheduler would do with these changes, and each resource's scores.

    Raises CannotAsk if there is no scheduler or it gives no answer.
    """
    before = parse(scratch.path)
    make(scratch.path, changes)
    actions, scores = scratch.answer()
    before.write(scratch.path)
    return movements(actions, cluster), scores


def _drain(tree: etree._ElementTree, change: Change) -> None:
    for node in tree.xpath("/cib/configuration/nodes/node[@uname=$node]", node=change.subject):
        attributes = child(node, "instance_attributes", f"nodes-{node.get('id')}")
        pair = child(attributes, "nvpair", f"{_ASKED}-standby")
        pair.attrib.update({"name": "standby", "value": "on"})


def _active(tree: etree._ElementTree, change: Change) -> None:
    _without(tree, change.subject, lambda name: name == "standby")
    _measure(tree, change.subject)


def _up(tree: etree._ElementTree, change: Change) -> None:
    """The node is a member, as if it had just come, and its ping and the like as the others'."""
    (status,) = tree.xpath("/cib/status")[:1]
    numbers = tree.xpath("/cib/configuration/nodes/node[@uname=$node]/@id", node=change.subject)
    states = status.xpath("node_state[@uname=$node]", node=change.subject)
    known = numbers[0] if numbers else change.subject
    state = states[0] if states else child(status, "node_state", known)
    state.attrib.update(
        {"uname": change.subject, "in_ccm": "true", "crmd": "online", "join": "member"}
    )
    state.set("expected", "member")
    state.set("id", state.get("id", known))  # one that was never a member may have none
    _without(tree, change.subject, lambda name: name == "shutdown")
    _measure(tree, change.subject)


def _measure(tree: etree._ElementTree, node: str) -> None:
    """Give the node what agents set at the others, and will set at it when they start there."""
    theirs = "/cib/status/node_state[@crmd='online']/transient_attributes//nvpair"
    measured = {pair.get("name"): pair.get("value") for pair in tree.xpath(theirs)}
    for state in tree.xpath("/cib/status/node_state[@uname=$node]", node=node):
        own = {pair.get("name") for pair in state.iterfind("transient_attributes//nvpair")}
        for name in filter(_MEASURED.match, measured.keys() - own):
            _set_attribute(state, name, measured[name])


def _heal(tree: etree._ElementTree, change: Change) -> None:
    _without(tree, change.subject, lambda name: name.startswith("#health"))


def _connect(tree: etree._ElementTree, change: Change) -> None:
    name = change.subject
    _without(tree, change.value, lambda attribute: attribute == name)
    for state in tree.xpath("/cib/status/node_state[@uname=$node]", node=change.value):
        _set_attribute(state, name, "1000000")


def _set_attribute(state: etree._Element, name: str, value: str) -> None:
    """Set an attribute of the node until it leaves."""
    number = state.get("id")
    attributes = child(state, "transient_attributes", number)
    pairs = child(attributes, "instance_attributes", f"status-{number}")
    pair = child(pairs, "nvpair", f"status-{number}-{name}")
    pair.attrib.update({"name": name, "value": value})


def _location(tree: etree._ElementTree, name: str, resource: str, node: str, score: str) -> None:
    (constraints,) = tree.xpath("/cib/configuration/constraints")[:1]
    location = child(constraints, "rsc_location", name)
    location[:] = []  # the rule of a lifetime that is over
    location.attrib.update({"rsc": resource, "node": node, "score": score})


def _send(tree: etree._ElementTree, change: Change) -> None:
    """As `crm_resource --move` leaves it, or `--force` with it where there is a source."""
    name = change.subject
    _location(tree, f"cli-prefer-{name}", name, change.value, "INFINITY")
    if change.source:
        _location(tree, f"cli-ban-{name}-on-{change.source}", name, change.source, "-INFINITY")


def _allow(tree: etree._ElementTree, change: Change) -> None:
    _location(tree, f"{change.subject}-on-{change.value}", change.subject, change.value, "0")


_CHANGES: Mapping[str, Callable[[etree._ElementTree, Change], None]] = {
    "start": _start,
    "manage": _manage,
    "wake": _wake,
    "forget": _forget,
    "property": _property,
    "quorum": _quorum,
    "ticket": _ticket,
    "drop": _drop,
    "unset": _unset,
    "active": _active,
    "drain": _drain,
    "up": _up,
    "heal": _heal,
    "connect": _connect,
    "send": _send,
    "allow": _allow,
}
