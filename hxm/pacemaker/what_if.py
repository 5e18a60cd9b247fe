"""Asks the real scheduler what it would do if something were different, on a copy of the CIB."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from lxml import etree

from hxm.model import Cluster
from hxm.pacemaker.changed_cib import keep_to, make, make_in
from hxm.pacemaker.sandbox import parse
from hxm.pacemaker.simulate import Said, Scratch
from hxm.plan import Action, Movement
from hxm.policy.forecast import movements
from hxm.policy.indexed import Index, primitive_of, states
from hxm.policy.reasons.facts import Change, Reason, Subject
from hxm.policy.reasons.search import Verdict


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
        self._moved: dict[_Asked, tuple[Movement, ...]] = {}
        self._actions: dict[_Asked, Index[Action]] = {}

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
            make_in(tree, changes)
            if keep:
                keep_to(tree, *keep)
            tree.write(self.scratch.path)
            self._known[asked] = self.scratch.answer()
        return self._known[asked]

    def moved(
        self, changes: Sequence[Change], keep: tuple[str, str] | None = None
    ) -> tuple[Movement, ...]:
        """What moves by an answer that was given."""
        asked = frozenset(changes), keep
        if asked not in self._moved:
            self._moved[asked] = movements(self._known[asked][0], self.cluster)
        return self._moved[asked]

    def actions(
        self, changes: Sequence[Change], keep: tuple[str, str] | None = None
    ) -> Index[Action]:
        """The actions of an answer that was given, by their primitives."""
        asked = frozenset(changes), keep
        if asked not in self._actions:
            every = self._known[asked][0]
            self._actions[asked] = Index((primitive_of(one.resource), one) for one in every)
        return self._actions[asked]


_Asked = tuple[frozenset[Change], tuple[str, str] | None]


class WhatIf:
    """One resource that is asked about."""

    def __init__(self, simulations: Simulations, subject: Subject) -> None:
        self.simulations, self.subject = simulations, subject
        self.cluster, self.tree = simulations.cluster, simulations.tree
        first = next(iter(subject.inside), None)
        in_group = first and first.parent and first.parent != first.clone
        self.whole = str(first.parent) if first and in_group else subject.id
        """What has to be where the resource is: its group."""
        self.cloned = any(part.clone for part in subject.inside)
        self.runs = any(state.nodes for state in states(self.cluster).of(*subject.parts))
        self._elsewhere: dict[str, list[frozenset[Change]]] = {}
        """After which changes it would start, but on another node than this."""

    def ask(self, changes: Sequence[Change], node: str | None) -> Verdict | None:
        """The scheduler's answer with the changes; with a node, if it must run there or nowhere.

        To keep a resource to one node also moves what is colocated with it: that is only done where
        it would run, and elsewhere. None: it may not be asked any more. Raises CannotAsk if it
        gives no answer.
        """
        if not node or self.cloned:
            return self._asked(changes, None, node)
        keep, elsewhere = (self.whole, node), self._elsewhere.setdefault(node, [])
        if self.runs or any(fewer.issubset(changes) for fewer in elsewhere):
            return self._asked(changes, keep, node)
        there, anywhere = (self._asked(changes, None, to) for to in (node, None))
        if not anywhere or not anywhere.reached or (there and there.reached):
            return there
        elsewhere.append(frozenset(changes))
        return self._asked(changes, keep, node)

    def _asked(
        self, changes: Sequence[Change], keep: tuple[str, str] | None, node: str | None
    ) -> Verdict | None:
        answer = self.simulations.ask(changes, keep)
        if not answer:
            return None
        done, scores, words = answer
        name = self.subject.inside[0].id if self.subject.inside else self.subject.id
        moved = self.simulations.moved(changes, keep)
        actions = self.simulations.actions(changes, keep)
        reached, demoted = self._reached(actions, node), _at(done, "demote") - _at(done, "promote")
        return Verdict(reached, scores.get(name, {}), moved, demoted, words)

    def _reached(self, actions: Index[Action], node: str | None) -> bool:
        for primitive in self.subject.inside:
            running = states(self.cluster).of(primitive.id)
            places = {node for resource in running for node in resource.nodes}
            mine = actions.of(primitive.id)
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

    def unknown(self, ids: Sequence[str], node: str | None) -> list[Reason]:
        """What in the CIB may have to do with it, and with `ids`, the nearest first."""
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


def _at(actions: Iterable[Action], operation: str) -> frozenset[tuple[str, str]]:
    """The primitives and the nodes of an operation."""
    own = (action for action in actions if action.operation == operation)
    return frozenset((primitive_of(action.resource), action.node) for action in own)


def _short(element: etree._Element) -> str:
    text = " ".join(etree.tostring(element, encoding="unicode", with_tail=False).split())
    return text if len(text) <= 240 else text[:237] + "..."


def _possible(
    tree: etree._ElementTree, ids: Sequence[str], node: str | None
) -> Iterator[etree._Element]:
    """Constraints that touch it, its meta options, options of the cluster, the node's own."""
    constraints = tree.xpath("/cib/configuration/constraints/*")
    ranks = {name: rank for rank, name in enumerate(ids)}
    touching = {
        constraint: (min(near), b'score="-' not in etree.tostring(constraint))
        for constraint in constraints
        if (near := [ranks[name] for name in _named(constraint, ids) if name in ranks])
    }
    yield from sorted(touching, key=touching.__getitem__)
    options: dict[str, list[etree._Element]] = {}
    for pair in tree.xpath("//resources//*[@id]/meta_attributes//nvpair"):
        for above in pair.iterancestors("meta_attributes"):
            options.setdefault(above.getparent().get("id", ""), []).append(pair)
    for name in ids:
        yield from options.get(name, ())
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


def _named(constraint: etree._Element, ids: Sequence[str]) -> set[str]:
    """What a constraint names; by a pattern it may be each of the ids, so that is the first."""
    named = {constraint.get(name, "") for name in ("rsc", "with-rsc", "first", "then")}
    named |= {ref.get("id", "") for ref in constraint.iter("resource_ref")}
    return named | {*ids[:1]} if "rsc-pattern" in constraint.attrib else named


def host_if(
    cluster: Cluster, scratch: Scratch, changes: Sequence[Change]
) -> tuple[tuple[Movement, ...], Mapping[str, Mapping[str, str]]]:
    """What the scheduler would do with these changes, and each resource's scores.

    Raises CannotAsk if there is no scheduler or it gives no answer.
    """
    before = parse(scratch.path)
    make(scratch.path, changes)
    actions, scores, _ = scratch.answer()
    before.write(scratch.path)
    return movements(actions, cluster), scores
