"""What the configuration says of resources and nodes among each other, and what it means now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from hxm.policy.indexed import Index

INFINITY = 1000000  # Pacemaker's: 1000000 and more is infinite


class Order(NamedTuple):
    """`first` starts before `then`; a mandatory one keeps `then` from running without it."""

    id: str
    first: str
    then: str
    mandatory: bool = True
    first_action: str = "start"
    then_action: str = "start"
    one_suffices: bool = False
    """Whether of the order's other `first` one is enough (a set with require-all=false)."""
    serial: bool = False
    """Whether it only keeps the two actions from running at once, in whatever order."""

    @property
    def holds_back(self) -> bool:
        """Whether `then` cannot run before `first` does: not so of stops and of demotions."""
        up = ("start", "promote")
        return self.mandatory and self.first_action in up and self.then_action in up


class Colocation(NamedTuple):
    """`resource` runs where `other` does, or with a score below 0 where it does not."""

    id: str
    resource: str
    other: str
    score: int
    role: str = ""
    other_role: str = ""
    """The role that each has to be in for it to count; empty: any in which it is active."""
    by: str = ""
    """The node attribute in which their nodes are to be alike; empty: they are to be the same."""


class Expression(NamedTuple):
    """A comparison of a node's attribute, as in crm(8): pingd lte 0."""

    attribute: str
    operation: str
    value: str = ""
    type: str = ""
    refers: bool = False
    """Whether the value is the name of a parameter or of a meta option of the resource's."""

    @property
    def judged(self) -> bool:
        """Whether hxm knows what is compared, and how."""
        own = not self.attribute.startswith("#") or self.attribute in ("#uname", "#kind")
        return own and not self.refers and self.type != "version"

    @property
    def said(self) -> str:
        """As one would write it."""
        words = {"not_defined": f"{self.attribute} is not defined", "defined": self.attribute}
        return words.get(self.operation, f"{self.attribute} {self.operation} {self.value}")


class Location(NamedTuple):
    """A score for a resource on a node, or wherever a rule is true."""

    id: str
    resource: str
    score: int
    node: str | None = None
    expressions: tuple[Expression, ...] = ()
    every: bool = True
    """Whether all of the expressions must be true, not only one."""
    score_attribute: str = ""
    """The node's attribute that is the score, where it stands for one."""
    dated: bool = False
    """Whether it depends on the time as well: what holds now is then not known."""
    dates: str = ""
    """The times themselves, as the CIB has them."""
    ended: str = ""
    """When its time was over for good, as the CIB has it; `begins`: when it comes; or empty."""
    begins: str = ""
    ends: str = ""
    """When its time will be over for good, where that is told."""
    now: bool = False
    """Whether all its times are now, where it depends on these, and has no rule within it."""
    exclusive: bool = False
    """Whether the resource may run only where such a location names the node."""
    role: str = ""
    """The role that it counts for; empty: any."""
    borrowed_by: tuple[str, ...] = ()
    """The constraints that refer to its rule, without which they are invalid."""
    rule: str = ""
    """Its rule's id, where the constraint has others that stay when this one goes."""

    @property
    def element(self) -> str:
        """The id of what is to be deleted if it is not meant."""
        return self.rule or self.id

    @property
    def uses(self) -> frozenset[str]:
        """The node attributes that it looks at, such as pingd."""
        names = {
            expression.attribute
            for expression in self.expressions
            if not expression.attribute.startswith("#")
        }
        return frozenset(names | {self.score_attribute} - {""})


class Ticket(NamedTuple):
    """A resource that may run only while the cluster holds a ticket."""

    id: str
    ticket: str
    resource: str
    role: str = ""
    freezes: bool = False
    """Whether what runs stays as it is when the ticket is lost (loss-policy)."""


class _Written(NamedTuple):
    orders: tuple[Order, ...] = ()
    colocations: tuple[Colocation, ...] = ()
    locations: tuple[Location, ...] = ()
    unheeded: tuple[Location, ...] = ()
    """Those for nodes that there are not."""
    attributes: Mapping[str, Mapping[str, str]] = {}
    """The attributes of each node, those until it leaves among them."""
    kinds: Mapping[str, str] = {}
    """What the rules call the nodes that are no members: remote; container (a guest node)."""
    members: Mapping[str, tuple[str, ...]] = {}
    """What groups, clones and bundles consist of, in their order."""
    tickets: tuple[Ticket, ...] = ()
    granted: frozenset[str] = frozenset()
    """The tickets that the cluster holds."""
    asleep: frozenset[str] = frozenset()
    """Those of `granted` that are in standby, and do not count."""
    unfit: Mapping[str, Mapping[str, int]] = {}
    """Of each node the resources that cannot run there, by what their agent said last (OCF)."""
    locks: Mapping[str, str] = {}
    """The node that each resource waits for which was stopped there by a clean shutdown."""
    fences: Mapping[str, tuple[str, ...]] = {}
    """The nodes that each fencing device says it can fence; none: it is asked at run time."""


class Relations(_Written):
    """All constraints, and what the nodes know of themselves; by resource as they stand there."""

    @cached_property
    def orders_before(self) -> Index[Order]:
        """What each resource starts after."""
        return Index((order.then, order) for order in self.orders)

    @cached_property
    def orders_after(self) -> Index[Order]:
        """What starts after each resource."""
        return Index((order.first, order) for order in self.orders)

    @cached_property
    def colocations_of(self) -> Index[Colocation]:
        """With what each resource runs, or not."""
        return Index((colocation.resource, colocation) for colocation in self.colocations)

    @cached_property
    def colocations_with(self) -> Index[Colocation]:
        """What runs with each resource, or not."""
        return Index((colocation.other, colocation) for colocation in self.colocations)

    @cached_property
    def locations_of(self) -> Index[Location]:
        """Where each resource may run, or not."""
        return Index((location.resource, location) for location in self.locations)

    @cached_property
    def fail_counts(self) -> Mapping[tuple[str, str], int]:
        """How often each resource has failed on each node, by the attributes that count it."""
        counts: dict[tuple[str, str], int] = {}
        for node, attributes in self.attributes.items():
            for name, value in attributes.items():
                resource = name.partition("#")[0].removeprefix("fail-count-")
                if name.startswith("fail-count-"):
                    counts[resource, node] = counts.get((resource, node), 0) + score_of(value)
        return counts

    def attributes_of(self, node: str) -> Mapping[str, str]:
        """The node's attributes, #uname and #kind among them."""
        built_in = {"#uname": node, "#kind": self.kinds.get(node, "cluster")}
        return {**self.attributes.get(node, {}), **built_in}


def applying(relations: Relations, location: Location, node: str) -> int | None:
    """The score that the location gives the node; None if it says nothing of it, or may not."""
    if location.node is not None:
        return location.score if location.node.lower() == node.lower() else None
    if location.dated or not all(expression.judged for expression in location.expressions):
        return None
    known = relations.attributes_of(node)
    holds = [true(expression, known) for expression in location.expressions]
    if not (all(holds) if location.every else any(holds)):
        return None
    if location.score_attribute:
        return score_of(known.get(location.score_attribute, "-INFINITY"))
    return location.score


def at_times(relations: Relations, location: Location, node: str) -> bool:
    """Whether it may say something of the node now, and the time decides whether it does."""
    return not (location.ended or location.begins) and _once(relations, location, node)


def at_this_time(relations: Relations, location: Location, node: str) -> bool:
    """Whether it depends on the time and gives the node its score now, by this host's clock."""
    plain = location.every and not location.score_attribute
    known = all(expression.judged for expression in location.expressions)
    return location.now and plain and known and at_times(relations, location, node)


def out_of_time(relations: Relations, location: Location, node: str) -> bool:
    """Whether it only said something of the node, or only will."""
    return bool(location.ended or location.begins) and _once(relations, location, node)


def _once(relations: Relations, location: Location, node: str) -> bool:
    known = relations.attributes_of(node)
    never = any(e.judged and not true(e, known) for e in location.expressions)
    return location.dated and not (location.every and never)


def true_of(relations: Relations, location: Location, node: str) -> Iterator[Expression]:
    """The expressions of a rule that are true on the node."""
    known = relations.attributes_of(node)
    return (expression for expression in location.expressions if true(expression, known))


def true(expression: Expression, known: Mapping[str, str]) -> bool:
    """Whether it holds; without a type, texts are equal and numbers less (as in Pacemaker)."""
    value = known.get(expression.attribute)
    if expression.operation in ("defined", "not_defined"):
        return (value is not None) == (expression.operation == "defined")
    # what is not there equals nothing, and is less (compare_attr_expr_vals in Pacemaker 2.1)
    usual = "string" if expression.operation in ("eq", "ne") else "number"
    compare = _compare_texts if (expression.type or usual) == "string" else _compare
    order = -1 if value is None else compare(value, expression.value)
    return {
        "eq": order == 0,
        "ne": order != 0,
        "lt": order < 0,
        "lte": order <= 0,
        "gt": order > 0,
        "gte": order >= 0,
    }.get(expression.operation, False)


def _compare(one: str, other: str) -> int:
    try:
        left, right = float(one), float(other)
    except ValueError:
        return _compare_texts(one, other)
    return (left > right) - (left < right)


def _compare_texts(one: str, other: str) -> int:
    return (one.lower() > other.lower()) - (one.lower() < other.lower())


def score_of(score: str) -> int:
    """A score as Pacemaker reads it: INFINITY in any case is a million, what is no number 0."""
    word = score.strip().lower()
    sign = -1 if word.startswith("-") else 1
    word = word.lstrip("+-")
    if word in ("infinity", "inf"):
        return sign * INFINITY
    return sign * min(int(word), INFINITY) if word.isdecimal() else 0


def fail_count(relations: Relations, resource: str, node: str) -> int:
    """How often the resource has failed on the node; infinite is the most."""
    return min(relations.fail_counts.get((resource, node), 0), INFINITY)


HARD = {
    2: "invalid parameters",
    3: "not implemented",
    4: "insufficient privileges",
    5: "not installed",
    6: "not configured",
}
"""The agent's results after which the scheduler tries a node no more; after the last, no node."""
FATAL = 6


def spoken(score: int) -> str:
    """A score as it is written."""
    if abs(score) < INFINITY:
        return str(score)
    return "INFINITY" if score > 0 else "-INFINITY"
