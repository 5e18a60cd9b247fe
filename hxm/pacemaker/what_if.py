"""Asks the real scheduler what it would do if something were different, on a copy of the CIB."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator, Sequence

from lxml import etree

from hxm.model import Cluster
from hxm.pacemaker.changed_cib import keep_to, make, make_in
from hxm.pacemaker.sandbox import parse
from hxm.pacemaker.simulate import Scratch
from hxm.plan import Action, Movement
from hxm.policy.forecast import movements
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


def _primitive(resource: str) -> str:
    return resource.partition(":")[0]


def _short(element: etree._Element) -> str:
    text = " ".join(etree.tostring(element, encoding="unicode", with_tail=False).split())
    return text if len(text) <= 240 else text[:237] + "..."


def _possible(
    tree: etree._ElementTree, ids: Sequence[str], node: str | None
) -> Iterator[etree._Element]:
    """Constraints that touch it, its meta options, options of the cluster, the node's own."""
    constraints = tree.xpath("/cib/configuration/constraints/*")
    touching = [constraint for constraint in constraints if _names(constraint, ids)]
    touching.sort(
        key=lambda constraint: (
            next((rank for rank, name in enumerate(ids) if _names(constraint, [name])), len(ids)),
            b'score="-' not in etree.tostring(constraint),
        )
    )
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
