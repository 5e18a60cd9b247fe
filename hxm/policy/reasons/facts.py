"""What a reason is made of, and all that is known to find one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeVar, cast

from hxm.model import Advice, Cluster, Domain, Node, Primitive
from hxm.policy import MEND, is_promoted, listed, typed
from hxm.policy.indexed import instances, primitives
from hxm.policy.memory import Host, Needs
from hxm.policy.relations import Colocation, Location, Relations, applying
from hxm.policy.unjudged import IF, may_start
from hxm.policy.utilization import UNHEEDED, Utilization

_Made = TypeVar("_Made")
_OfResource = Literal["start", "manage", "wake", "forget", "once", "allot", "unlock"]
_OfCluster = Literal["property", "quorum", "ticket", "drop", "unset"]
_OfNode = Literal["active", "drain", "up", "heal", "connect", "send", "allow"]
ChangeKind = Literal[_OfResource, _OfCluster, _OfNode]


class Change(NamedTuple):
    """What is made different on a copy of the CIB, to see whether it is the reason.

    start, manage, wake: a resource is no longer told to stop, unmanaged, in maintenance (wake also
    of a node, by `value` "node"); forget: the failures of a resource, on the node `value` or on
    all; once: where it is active on several nodes, it is so on one alone; allot: the option
    `source` of a clone gets the value; unlock: it waits no more for the node that was shut down;
    property: a cluster option gets the value; quorum: there is one; ticket: it is granted (or, by
    `value` "activate", leaves standby); drop: the element with this id is gone; unset: the option
    `value` of this set is; active, drain, up, heal: a node leaves standby, goes into it, is back,
    or its health is good; connect: the node `value` has the attribute; send: the resource is moved
    to the node `value`, and banned from the node `source` if there is one, as by `hxm migrate`;
    allow: a location lets the resource run on the node `value`.
    """

    kind: ChangeKind
    subject: str = ""
    value: str = ""
    source: str = ""


NEVER = "-INFINITY"
"""The score of a node that may not run a resource."""


ONE_OF = "one of "
"""How a step begins that is for several resources of which one is enough."""


INSTEAD = "or instead: "
"""How a reason begins whose end would do as well as that of one before."""


FAILED_THERE = " failed there"
"""How a failure on the node in question ends."""


class Reason(NamedTuple):
    """One reason, where it stands, and the command that changes it."""

    what: str
    evidence: str = ""
    do: str = ""
    absolute: bool = False
    """Whether it alone keeps the domU from the node."""
    change: Change | None = None
    """What would show that it is the reason; None: nothing that can be tried on a copy."""
    confirmed: bool = False
    """Whether the scheduler has shown that."""
    nodes: tuple[str, ...] = ()
    """The nodes that it begins with, where it is told of several."""
    lasting: bool = False
    """Whether an administrator wrote it to stay. What has happened since is listed before it."""

    @classmethod
    def of(cls, advice: Advice) -> Reason:
        """What stands against it on every node, as a reason."""
        return cls(advice.what, do=advice.do, absolute=True)

    @property
    def condition(self) -> str:
        """What must hold before `command` is typed; may be empty."""
        before, behind, _ = self.do.partition(": ")
        if behind and before == MEND:
            return "its file is mended"
        return before.removeprefix(IF) if behind and before.startswith(IF) else ""

    @property
    def command(self) -> str:
        """What `do` says is to be typed."""
        return self.do.partition(": ")[2] if self.condition else self.do

    @property
    def cause(self) -> str:
        """What it is, without the nodes where it holds."""
        return self.what.partition(": ")[2] if self.nodes else self.what

    def of_nodes(self, nodes: Sequence[str], *, every: bool) -> Reason:
        """The reason, told of these nodes together; of every node it needs no heading."""
        if not every:
            return self._replace(what=f"not on {listed(nodes)}: {self.cause}", nodes=tuple(nodes))
        rest = self.cause.removeprefix("the node ")
        what = self._named(nodes) if rest == self.cause else f"each node {rest}"
        return self._replace(what=what, nodes=())

    def _named(self, nodes: Sequence[str]) -> str:
        """The cause, with the nodes for what would be `there`."""
        return self.cause.replace(FAILED_THERE, f" failed on {listed(nodes, 4)}")

    def on(self, node: str) -> Reason:
        """The reason, told where another node is in question."""
        if FAILED_THERE in self.what:
            return self._replace(what=self.what.replace(FAILED_THERE, f" failed on {node}"))
        return self._replace(what=f"not on {node}: {self.what}")

    @property
    def placed(self) -> Reason:
        """The reason, where `there` could be another node that has been named since its own."""
        if not self.nodes or "; " not in self.cause:
            return self
        return self._replace(what=f"not on {listed(self.nodes)}: {self._named(self.nodes)}")

    @property
    def unfollowed(self) -> bool:
        """Whether it only leads on to what is needed, against which nothing was found there."""
        return self.do.startswith("hxm why ")

    @property
    def alike(self) -> tuple[str, str, str]:
        """What it shares with the reason of another node: its words, and what to do.

        A command for one node is the same, unless it undoes something of that node alone.
        """
        for_each = self.unfollowed or (self.change and self.change.kind == "allow")
        return self.what, self.evidence, "" if for_each else self.do

    @property
    def stops(self) -> bool:
        """Whether it is that something is told to stop, which may not have happened yet."""
        return self.change is not None and self.change.kind in ("start", "unset")

    @property
    def supposed(self) -> bool:
        """Whether it is the model's word alone, where the scheduler could have been asked."""
        return self.absolute and self.change is not None and not self.confirmed

    @property
    def as_supposed(self) -> Reason:
        """The reason, which says itself that the scheduler has not confirmed it."""
        return self._replace(what=f"not confirmed: {self.what}")


def nameless(text: str, name: str) -> str:
    """The text without the name of a node or a domU, where that stands as a word."""
    first, *parts = text.split(name)
    for part in parts:
        inside = first[-1:].isalnum() or part[:1].isalnum()
        first += (name if inside else "*") + part
    return first


class Facts(NamedTuple):
    """All that there is to know."""

    cluster: Cluster
    relations: Relations
    scores: Mapping[str, str] = MappingProxyType({})
    """The scheduler's for the domU on each node, where it tells them."""
    hosts: tuple[Host, ...] = ()
    needs: Needs = MappingProxyType({})
    utilization: Utilization = UNHEEDED
    causes: dict[tuple[str, str, str], list[Reason]] | None = None
    """What was found against a resource in a role on a node, by whichever way it was asked for."""
    memory: dict[object, object] | None = None
    """What `once` has been told, where the facts serve many questions."""
    now: Cluster | None = None
    """The cluster as it is, where the facts are of what it is about to be."""

    @property
    def as_now(self) -> Facts:
        """The facts of what is, where these are of what is about to be."""
        return self._replace(cluster=self.now) if self.now else self

    def once(self, key: object, make: Callable[[], _Made]) -> _Made:
        """What `make` gives, made once for all questions that share the key."""
        if self.memory is None:
            return make()
        if key not in self.memory:
            self.memory[key] = make()
        return cast("_Made", self.memory[key])


class Subject(NamedTuple):
    """A resource that a question is about: a domU, or a group, a clone or what a domU needs."""

    id: str
    ids: frozenset[str]
    """Itself, what it is in, and what is in it."""
    inside: tuple[Primitive, ...]
    """The primitives that it is or consists of."""
    word: str
    """What to type for it."""
    it: str = "it"
    its: str = "its"

    @property
    def parts(self) -> frozenset[str]:
        """The ids of the primitives that it is or consists of."""
        return frozenset(primitive.id for primitive in self.inside)


def subject_of(cluster: Cluster, name: str, *, called: bool = False) -> Subject:
    """The resource of that id; `called` by its id in sentences, and not `it`."""
    inside = tuple(primitives(cluster).of(name)) or tuple(_replicas(cluster, name))
    ids = {name}
    for primitive in inside:
        ids |= {primitive.id, primitive.parent or "", primitive.clone or ""}
    if called and any(primitive.id == name for primitive in inside):
        ids -= {""}
    domain = cluster.domain_of(name)
    word = typed(domain) if domain else name
    pronouns = (name, f"{name}'s") if called else ("it", "its")
    return Subject(name, frozenset(ids - {""}), inside, word, *pronouns)


def _replicas(cluster: Cluster, bundle: str) -> Iterator[Primitive]:
    """What stands for a bundle in which nothing is run: its containers, which no CIB configures."""
    if (own := cluster.own_meta.get(bundle)) is not None:
        given = dict.fromkeys(own, (bundle, "", ""))
        for state in instances(cluster).of(bundle):
            if state.id != bundle:
                yield Primitive(
                    state.id, state.agent, {}, own, {}, own, clone=bundle, inherited_from=given
                )


def subject_in(cluster: Cluster, domain: Domain) -> Subject:
    """The resource of a managed domU."""
    return subject_of(cluster, domain.resource or "")


def each_once(reasons: Iterable[Reason]) -> list[Reason]:
    """The first of those that one change ends."""
    first: dict[object, Reason] = {}
    for reason in reasons:
        first.setdefault(reason.change or reason.what, reason)
    return list(first.values())


def forbids(reasons: Iterable[Reason]) -> bool:
    """Whether one of them keeps the domU from the node."""
    return any(reason.absolute for reason in reasons)


def weight(node: Node, reasons: Sequence[Reason]) -> tuple[bool, bool, bool, bool, int]:
    """How far a node is from running what these keep away: what it needs is elsewhere weighs most.

    Then what is written to stay, that the node is a guest, and what lies outside the cluster.
    """
    hard = [reason for reason in reasons if reason.absolute]
    outside = any(reason.change and reason.change.kind in ("up", "heal") for reason in reasons)
    lasting = any(reason.lasting for reason in hard)
    unfollowed = any(reason.unfollowed for reason in hard)
    return unfollowed, lasting, node.kind == "guest", outside, len(hard)


def preference(facts: Facts, subject: Subject, node: str) -> int:
    """The best score that a location gives it there; below 0: none allows it."""
    mine = facts.relations.locations_of.of(*subject.ids)
    scores = (applying(facts.relations, location, node) for location in mine)
    return max((score for score in scores if score is not None and score >= 0), default=-1)


def remove(facts: Facts, constraint: Colocation | Location) -> str:
    """The command that takes a permanent constraint out of the CIB, and for whom it counts."""
    name, kind, about = constraint.id, "rsc_colocation", "unbind"
    if isinstance(constraint, Colocation):
        pairs = [one for one in facts.relations.colocations if one.id == name]
        apart = pairs[1:] and constraint.score < 0  # a set
        concerns = [one.other for one in pairs] if apart else []
        concerns += [one.resource for one in pairs]
    else:
        name, kind = constraint.element, "rsc_location"
        about = "unbind-rule" if constraint.rule else about
        concerns = [one.resource for one in facts.relations.locations if one.element == name]
    alike = list(dict.fromkeys(concerns))
    condition = f"it is not meant{f' for {listed(alike, 4)}' if alike[1:] else ''}"
    if isinstance(constraint, Location) and constraint.borrowed_by:
        have = "have" if constraint.borrowed_by[1:] else "has"
        condition += f", and {listed(constraint.borrowed_by)} {have} a rule of its own"
    command = facts.cluster.advice(about, constraint=name, kind=kind)
    return may_start(facts.cluster, command, condition)


def places(facts: Facts, name: str, role: str = "") -> frozenset[str]:
    """The nodes where a resource is active, in the role; a group where all of its members are."""
    inside = facts.relations.members.get(name)
    if inside:
        of_each = [places(facts, member, role) for member in inside]
        return of_each[0].intersection(*of_each[1:])
    wanted = is_promoted(role)
    return frozenset(
        node
        for resource in instances(facts.cluster).of(name)
        if not wanted or is_promoted(resource.role)
        for node in resource.nodes
    )


def alike(facts: Facts, colocation: Colocation, nodes: frozenset[str]) -> frozenset[str]:
    """The nodes that count as those where the other is: by an attribute, all with the same value.

    What has none is like what has none (pcmk__apply_coloc_to_scores compares the two texts).
    """
    if not colocation.by:
        return nodes
    values = {
        name: facts.relations.attributes_of(name).get(colocation.by, "").lower()
        for name in (node.name for node in facts.cluster.nodes)
    }
    alike = {values.get(name) for name in nodes}
    return frozenset(name for name, value in values.items() if value in alike)
