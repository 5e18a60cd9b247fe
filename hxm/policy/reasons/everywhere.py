"""What is against a resource on every node, as the model sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hxm.model import Cluster, Primitive
from hxm.policy import block, is_false, keeps_stopped, stops_everything
from hxm.policy.guards.own_sets import own_place
from hxm.policy.indexed import states
from hxm.policy.inherited import end_above, holder, in_force
from hxm.policy.reasons.facts import (
    Change,
    ChangeKind,
    Facts,
    Reason,
    Subject,
)
from hxm.policy.reasons.shutdown_lock import locked
from hxm.policy.reasons.tickets import frozen, without_tickets
from hxm.policy.state.fencing import unfenceable
from hxm.policy.state.node_remedy import end_of_maintenance, first_node_remedy
from hxm.policy.state.quorum import without_quorum
from hxm.policy.unjudged import may_start


def everywhere(facts: Facts, subject: Subject) -> Iterator[Reason]:
    """What keeps it from being started or moved on any node."""
    cluster = facts.cluster
    for primitive in subject.inside:
        if keeps_stopped(primitive.meta):
            yield _told_to_stop(cluster, primitive, subject)
            break
    alone = list(left_alone(facts, subject))
    yield from alone
    yield from locked(facts, subject)
    yield from not_opted_in(facts)
    named = [reason.change for reason in alone]
    yield from (r for r in without_tickets(facts, subject) if r.change not in named)


def _told_to_stop(cluster: Cluster, primitive: Primitive, subject: Subject) -> Reason:
    domain = cluster.domain_of(subject.id)
    where = "at the domU itself" if domain else f"at {primitive.id}"
    evidence = f"target-role={primitive.meta['target-role']}"
    do = f"hxm start {subject.word}"
    reason = Reason(f"{subject.it} is told to stop", f"{evidence}, {where}", do, True)
    return _where_it_stands(cluster, primitive, "target-role", reason, Change("start", subject.id))


def _where_it_stands(
    cluster: Cluster, primitive: Primitive, option: str, reason: Reason, change: Change
) -> Reason:
    """The reason with the place of the option, and with what changes it in a default there."""
    place, given, rule = primitive.inherited_from.get(option, ("", "", ""))
    where = f"at {place}" if place == change.subject else f"inherited from {place}"
    evidence = f"{option}={primitive.meta[option]}, {where}"
    end = end_above(cluster, primitive, option)
    if above := holder(cluster, primitive, option):
        return reason._replace(evidence=evidence, do=end, change=Change(change.kind, above))
    if own := own_place(cluster, primitive, option):
        stands, do, name = own
        evidence = f"{option}={primitive.meta[option]}, in {stands}"
        return reason._replace(evidence=evidence, do=do, change=Change("unset", name, option))
    if option in primitive.own_meta:
        return reason._replace(change=change)
    if option == "target-role" and given and place.startswith("the template "):
        return reason._replace(evidence=f"{evidence} (set {given})", change=change)
    if not end:
        return reason._replace(evidence=evidence, change=change)
    change, by_rule = Change("unset", given, option), f", by a rule: {rule}" if rule else ""
    return reason._replace(evidence=f"{evidence} (set {given}{by_rule})", do=end, change=change)


def left_alone(facts: Facts, subject: Subject) -> Iterator[Reason]:
    """Unmanaged, in maintenance, frozen for want of a ticket, or blocked by a failure."""
    cluster = facts.cluster
    mine = states(cluster).of(*subject.parts)
    if any(resource.blocked for resource in mine):
        if tickets := list(frozen(facts, subject)):
            yield from (r._replace(what=f"{subject.it} {r.what}") for r in tickets)
            return
        what, evidence, do = block(cluster, subject.parts, subject.word)
        several = not evidence and any(len(resource.nodes) > 1 for resource in mine)
        change = Change("once" if several else "forget", subject.id)
        yield Reason(f"{subject.it} {what}", evidence, do, True, change)
        return
    domain = cluster.domain_of(subject.id)
    for option, (state, verb, kind) in _ALONE.items():
        primitive = next((one for one in subject.inside if in_force(option, one.meta)), None)
        if primitive:
            do = f"hxm {verb if domain else 'default'} {subject.word}"
            reason, change = Reason(f"{subject.it} {state}", "", do, True), Change(kind, subject.id)
            yield _where_it_stands(cluster, primitive, option, reason, change)


_ALONE: Mapping[str, tuple[str, str, ChangeKind]] = {
    "maintenance": ("is in maintenance", "maintenance off", "wake"),
    "is-managed": ("is unmanaged", "manage", "manage"),
}
"""By the option: what the resource is, the verb that ends it for a domU, and the change to try."""


def whole_cluster(cluster: Cluster) -> Iterator[Reason]:
    """What keeps the cluster from starting or moving anything."""
    if not cluster.dc:
        what = "there is no DC: nobody in the cluster decides anything"
        yield Reason(what, do=first_node_remedy(cluster), absolute=True)
    if not cluster.quorum and (effect := without_quorum(cluster)):
        what = f"this partition has no quorum: {effect}"
        yield Reason(what, "", first_node_remedy(cluster), True, Change("quorum"))
    if stops_everything(cluster):
        what = "stop-all-resources is set: the cluster runs nothing"
        change = Change("property", "stop-all-resources", "false")
        yield Reason(what, "", may_start(cluster, cluster.advice("run")), True, change)
    for host, objection in unfenceable(cluster):
        if not host:
            change = Change("property", "stonith-enabled", "false")
            yield Reason(objection.what, "", objection.do, change=change)
    if cluster.maintenance:
        what = "the whole cluster is in maintenance"
        change = Change("property", "maintenance-mode", "false")
        yield Reason(what, "", end_of_maintenance(cluster), True, change)


def disallowed_everywhere(facts: Facts) -> Iterator[Primitive]:
    """What should run and no location allows, where one has to."""
    cluster = facts.cluster
    if not by_opt_in(cluster):
        return
    allowed = {location.resource for location in facts.relations.locations if location.score >= 0}
    for primitive in cluster.primitives.values():
        ids = {primitive.id, primitive.parent, primitive.clone}
        if not keeps_stopped(primitive.meta) and allowed.isdisjoint(ids):
            yield primitive


OPT_IN = "symmetric-cluster=false: a resource runs only where a location allows it"


def by_opt_in(cluster: Cluster) -> bool:
    """Whether a resource runs only where a location allows it."""
    return is_false(cluster.properties.get("symmetric-cluster", "true"))


def not_opted_in(facts: Facts) -> Iterator[Reason]:
    """That no location allows anything anywhere; where something is allowed, that is meant."""
    if by_opt_in(facts.cluster):
        yield from facts.once("not opted in", lambda: [*_not_opted_in(facts)])


def _not_opted_in(facts: Facts) -> Iterator[Reason]:
    cluster = facts.cluster
    wanted = {
        primitive.id
        for primitive in cluster.primitives.values()
        if not keeps_stopped(primitive.meta)
    }
    if wanted and wanted == {primitive.id for primitive in disallowed_everywhere(facts)}:
        what = "symmetric-cluster=false, and no location allows anything on any node"
        change = Change("property", "symmetric-cluster", "true")
        do = may_start(cluster, cluster.advice("allow-all"))
        yield Reason(what, "", do, True, change, lasting=True)
