"""What a domU that runs lacks on its host: storage that has failed, or does not run there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hxm.model import Failure, ManagedDomain
from hxm.policy import keeps_stopped, outermost
from hxm.policy.guards.unsupported import Storage
from hxm.policy.indexed import primitive_of, states
from hxm.policy.reasons.facts import Facts, Reason, places, subject_in, subject_of
from hxm.policy.reasons.related import follows


class Lack(NamedTuple):
    """Something that a domU is to have beside it, and has not."""

    name: str
    how: str
    """Why not, as it follows the name: does not run."""
    link: str
    """What it is to the domU, as it follows the name: starts before it."""
    failure: Failure | None = None
    """What has failed there."""

    @property
    def because(self) -> str:
        """Which action has failed, as it follows a bracket or a colon; may be empty."""
        if not self.failure:
            return ""
        own = primitive_of(self.failure.resource) == self.name
        whose = "its" if own else f"{primitive_of(self.failure.resource)}'s"
        return f"{whose} {self.failure.operation} failed"


def lacks(facts: Facts, storage: Storage, domain: ManagedDomain) -> list[Lack]:
    """Of a domU at rest on one node; where that is not fenced yet, nobody knows what runs there."""
    node = facts.cluster.node(domain.nodes[0]) if len(domain.nodes) == 1 else None
    if not node or node.unclean or domain.in_flight:
        return []
    by_name = {lack.name: lack for lack in reversed([*_lacks(facts, storage, domain, node.name)])}
    return [*reversed(by_name.values())]


def _lacks(facts: Facts, storage: Storage, domain: ManagedDomain, node: str) -> Iterator[Lack]:
    link = "starts before it"
    for name, promoted in storage.lacks(domain, node):
        if any(keeps_stopped(part.meta) for part in subject_of(facts.cluster, name).inside):
            continue  # which is meant, and told of itself
        how = "is not promoted" if promoted else "does not run"
        yield Lack(name, how, link, failure_of(facts, name, node))
    for name in storage.before(domain):
        inside = subject_of(facts.cluster, name).inside
        alike = [state for part in inside for state in states(facts.cluster).of(part.id)]
        if any(state.failed and node in state.nodes for state in alike):
            yield Lack(outermost(inside)[0], "has failed", link, failure_of(facts, name, node))
    for name in _beside(facts, domain):
        failure = failure_of(facts, name, node)
        if failure and node not in places(facts, name):
            yield Lack(name, "does not run", "is to run where it does", failure)


def _beside(facts: Facts, domain: ManagedDomain) -> Iterator[str]:
    """What is to run where it does, and is no domU; not what only starts after it."""
    subject, relations = subject_in(facts.cluster, domain), facts.relations
    ids = subject.ids
    for colocation in (*relations.colocations_of.of(*ids), *relations.colocations_with.of(*ids)):
        other = colocation.other if colocation.resource in ids else colocation.resource
        needed = colocation.score > 0 and not colocation.by and not follows(facts, other, subject)
        if needed and not facts.cluster.domain_of(other):
            yield other


def failure_of(facts: Facts, name: str, node: str) -> Failure | None:
    """What the cluster remembers of it there."""
    parts = subject_of(facts.cluster, name).parts
    failures = facts.cluster.failures
    there = (one for one in failures if one.node == node and primitive_of(one.resource) in parts)
    return next(there, None)


def lacking(facts: Facts, domain: ManagedDomain) -> Iterator[Reason]:
    """The same in sentences, with what ends it."""
    cluster = facts.cluster
    for lack in lacks(facts, Storage(cluster, cluster, facts.relations), domain):
        (node,), failure = domain.nodes, lack.failure
        what = f"{lack.name}, which {lack.link}, {lack.how} on {node}"
        evidence, do = "", f"hxm why {lack.name} {node}"
        if failure:
            what += f": {lack.because} there"
            evidence = f"{failure.reason}, {failure.when}"
            do = f"hxm cleanup {primitive_of(failure.resource)} {node}"
        yield Reason(what, evidence, do)
