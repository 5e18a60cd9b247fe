"""What is against a resource on one node, as the model sees it."""

from __future__ import annotations

from collections.abc import Iterator

from hxm.model import Cluster, Node, Primitive
from hxm.policy import MEND, bars, is_promoted, is_true, listed, until_forgotten
from hxm.policy.indexed import failures
from hxm.policy.reasons.everywhere import OPT_IN, by_opt_in, everywhere, not_opted_in
from hxm.policy.reasons.facts import (
    Change,
    Facts,
    Reason,
    Subject,
    remove,
    subject_of,
)
from hxm.policy.relations import (
    FATAL,
    HARD,
    INFINITY,
    Location,
    applying,
    at_times,
    fail_count,
    out_of_time,
    score_of,
    spoken,
    true_of,
)
from hxm.policy.state.fencing import fences_only
from hxm.policy.state.node_health import against_it
from hxm.policy.state.node_remedy import better_health, end_of_wait, node_remedy, recovered
from hxm.policy.unjudged import may_start, on_condition


def kept_empty(facts: Facts, node: Node, subject: Subject | None = None) -> Iterator[Reason]:
    """What keeps everything off the node, or this resource, which may not mind its health."""
    if node.usable or (subject and _minds_no_health(subject) and node._replace(health="").usable):
        return
    if not node.online and node.kind != "member":  # a resource makes it a node
        connection = subject_of(facts.cluster, node.container or node.name, called=True)
        if cause := _unconnected(facts, connection):
            first = f"{end_of_wait(facts.cluster, node)}; then " if node.unclean else ""
            what = f"the node is {node.predicament}: {cause.what}"
            yield cause._replace(what=what, do=f"{first}{cause.do}")
            return
    change = Change("up", node.name)
    if node.online and node.standby:
        change = Change("active", node.name)
    elif node.online and node.maintenance:
        change = Change("wake", node.name, "node")
    elif node.online and node.standby_onfail:
        change = Change("forget", "", node.name)
    elif node.online and node.health:
        change = Change("heal", node.name)
    what = f"the node is {node.predicament}"
    failed = [f for f in facts.cluster.failures if f.node == node.name and node.standby_onfail]
    names = [f"{f.operation} of {f.resource} failed, {f.when}" for f in failed]
    evidence = listed(names, 2) if failed else ""
    yield Reason(what, evidence, node_remedy(facts.cluster, node), True, change)
    if node.standby and not node.online:
        what = "the node will be in standby when it is back"
        do = node_remedy(facts.cluster, node._replace(online=True, unclean=False))
        yield Reason(what, "", do, True, Change("active", node.name))


def _minds_no_health(subject: Subject) -> bool:
    """Whether it runs on nodes of whatever health (since Pacemaker 2.1.3): its group says so."""
    metas = [part.inherited_meta if part.parent else part.meta for part in subject.inside]
    return bool(metas) and all(is_true(meta.get("allow-unhealthy-nodes", "")) for meta in metas)


def _unconnected(facts: Facts, connection: Subject) -> Reason | None:
    """What keeps what makes a node of it from every host, where each has something against it."""
    by_host = {
        host.name: [*kept_empty(facts, host, connection), *on_node(facts, connection, host)]
        for host in facts.cluster.voters
    }
    first = {
        name: [reason for reason in reasons if reason.absolute][:1]
        for name, reasons in by_host.items()
    }
    on_hosts = [
        reason._replace(what=f"{connection.id} does not run on {name}: {reason.what}")
        for name, reasons in first.items()
        for reason in reasons
    ]
    causes = [reason for reason in everywhere(facts, connection) if reason.absolute]
    causes += on_hosts if all(first.values()) else []
    return causes[0] if causes else None


def on_node(facts: Facts, subject: Subject, node: Node, role: str = "") -> Iterator[Reason]:
    """Bans and moves, failures, health, locations; for the promoted role those of it as well."""
    yield from _interim(facts, subject, node)
    yield from _failures(facts, subject, node)
    if not _minds_no_health(subject):
        yield from unwell(facts, node)
    yield from _locations(facts, subject, node, role)


def _interim(facts: Facts, subject: Subject, node: Node) -> Iterator[Reason]:
    for constraint in facts.cluster.constraints:
        if constraint.resource not in subject.ids or constraint.expired:
            continue
        alone = facts.cluster.domain_of(subject.id)
        do = f"hxm unmigrate {subject.word if alone else constraint.resource}"
        change = Change("drop", constraint.id)
        until = f" until {constraint.expires}" if constraint.expires else ""
        there = (constraint.node or "").lower() == node.name.lower()
        if constraint.kind == "ban" and there:
            what = f"a ban keeps {subject.it} away{until}"
            yield Reason(what, constraint.id, do, True, change)
        elif constraint.kind == "prefer" and not there:
            target = facts.cluster.node(constraint.node or "")
            if target and target.usable:
                what = f"a move prefers {constraint.node}{until}"
                yield Reason(what, constraint.id, do, change=change)


def unwell(facts: Facts, node: Node) -> Iterator[Reason]:
    """A health that speaks against the node, among all else that does or does not."""
    attributes = facts.relations.attributes_of(node.name)
    if counted := against_it(facts.cluster.properties, attributes):
        score, evidence = counted
        what = f"the health of {node.name} counts {spoken(score)}"
        do = better_health(facts.cluster, node)
        yield Reason(what, evidence, do, change=Change("heal", node.name))


def _failures(facts: Facts, subject: Subject, node: Node) -> Iterator[Reason]:
    cluster = facts.cluster
    for primitive in subject.inside:
        for where, unfit in facts.relations.unfit.items():
            result = unfit.get(primitive.id)
            if result and (where == node.name or result == FATAL):
                what = f"{subject.its} agent says of {where}: {HARD[result]}"
                command = f"hxm cleanup {_word(cluster, subject, primitive)} {where}"
                do = on_condition("that is mended", command)
                if all(failure.node != where for failure in failures(cluster).of(primitive.id)):
                    # there is nothing to forget; without a resource all failures there would be
                    look = cluster.advice("look-on", resource=primitive.id, node=where)
                    do = may_start(cluster, on_condition("that is mended", look))
                change = Change("forget", primitive.id, where)
                yield Reason(what, "", do, True, change)
        count = fail_count(facts.relations, primitive.id, node.name)
        limit = score_of(primitive.meta.get("migration-threshold", "INFINITY"))
        mine = failures(cluster).of(primitive.id)
        failed = [failure for failure in mine if failure.node == node.name]
        often = count >= limit > 0
        if not (often or any(bars(cluster, failure) for failure in failed)):
            continue
        alone = len(subject.inside) == 1
        it, its = (subject.it, subject.its) if alone else (primitive.id, f"{primitive.id}'s")
        what = f"{it} failed there too often"
        bar = f"migration-threshold {spoken(limit)}" if often else "start-failure-is-fatal"
        evidence = f"fail count {spoken(count)}, {bar}{until_forgotten(primitive)}"
        if failed:
            last = next(
                (failure for failure in reversed(failed) if bars(cluster, failure)), failed[-1]
            )
            what = f"{its} {last.operation} failed there"
            evidence = f"{last.reason}, {last.when}; {evidence}"
        do = f"hxm cleanup {_word(cluster, subject, primitive)} {node.name}"
        if (domain := cluster.domain_of(primitive.id)) and domain.file_fault:
            evidence, do = (
                f"{evidence}; on this host: {domain.file_fault}",
                f"{MEND}: {do}",
            )
        yield Reason(what, evidence, do, True, Change("forget", primitive.id, node.name))


def _word(cluster: Cluster, subject: Subject, primitive: Primitive) -> str:
    """What to type for a primitive of the subject."""
    alone = len(subject.inside) == 1 and not cluster.domain_of(primitive.id)
    return primitive.id if alone else subject.word


def _locations(facts: Facts, subject: Subject, node: Node, role: str) -> Iterator[Reason]:
    cluster, relations = facts.cluster, facts.relations
    interim = {constraint.id for constraint in cluster.constraints}
    mine = [
        location
        for location in relations.locations_of.of(*subject.ids)
        if role or not is_promoted(location.role)
    ]
    for location in mine:
        score = applying(relations, location, node.name)
        if (
            location.id not in interim
            and score is not None
            and score < 0
            and not _unset(facts, location, node)
        ):
            yield _located(facts, subject, location, node, score)
        elif (
            location.score < 0
            and location.id not in interim
            and at_times(relations, location, node.name)
        ):
            what = f"a rule that depends on the time keeps {subject.it} away"
            do = remove(facts, location)
            evidence = f"{location.id}: {location.dates}" if location.dates else location.id
            yield Reason(what, evidence, do, change=Change("drop", location.element), lasting=True)
    scores = [applying(relations, location, node.name) for location in mine]
    allowed = any(score is not None and score >= 0 for score in scores)
    if by_opt_in(cluster) and not allowed and not list(not_opted_in(facts)):
        yield _not_allowed(facts, subject, mine, node)
    exclusive = [location for location in mine if location.exclusive]
    if all(applying(relations, location, node.name) is None for location in exclusive):
        for location in exclusive:
            evidence = f"{location.id}: resource-discovery=exclusive"
            what = (
                f"{subject.it} may run only on nodes that constraints name, such as {location.node}"
            )
            change = Change("drop", location.element)
            yield Reason(what, evidence, remove(facts, location), True, change, lasting=True)


def _not_allowed(facts: Facts, subject: Subject, mine: list[Location], node: Node) -> Reason:
    """That no location allows it there; with one that did, or will, where its time tells that."""
    cluster = facts.cluster
    change = Change("allow", subject.id, node.name)
    command = cluster.advice("allow", resource=subject.id, node=node.name)
    for location in mine:
        if location.score >= 0 and out_of_time(facts.relations, location, node.name):
            what = f"{location.id} allowed {subject.it} there until {location.ended}"
            condition = f"{subject.it} is to run there still"
            if location.begins:
                what = f"{location.id} allows {subject.it} there only from {location.begins} on"
                condition = f"{subject.it} is to run there before"
            return Reason(what, OPT_IN, may_start(cluster, command, condition), True, change)
    what = f"nothing allows {subject.it} there"
    for location in facts.relations.unheeded:
        if location.resource in subject.ids and location.score >= 0:
            what += f"; {location.id} allows {subject.it} on {location.node}, and that is no node"
            break
    condition = f"{subject.word} is to run on {node.name}"
    return Reason(what, OPT_IN, may_start(cluster, command, condition), True, change, lasting=True)


def _unset(facts: Facts, location: Location, node: Node) -> bool:
    """Whether it is about what is set anew when the node comes, such as its ping attribute."""
    of_others = {name for names in facts.cluster.transient.values() for name in names}
    known = facts.relations.attributes_of(node.name)
    unknown = [name for name in location.uses if name not in known]
    return not node.online and any(name in of_others or name.startswith("ping") for name in unknown)


_BY_DRBD = "drbd-fence-by-handler-"
"""How the constraints begin by which DRBD keeps outdated data from being used (crm-fence-peer)."""


def _located(facts: Facts, subject: Subject, location: Location, node: Node, score: int) -> Reason:
    """A constraint with a score below 0, in the words of the rule where it has one."""
    if location.id.startswith(_BY_DRBD):
        return _outdated(facts, subject, location)
    absolute = score <= -INFINITY
    if any(fences_only(part, node.name) for part in subject.inside):
        what = f"{subject.it} is kept off the only node that it fences"
        change = Change("drop", location.element)
        return Reason(what, location.id, "", absolute, change, lasting=True)
    known = facts.relations.attributes_of(node.name)
    about = sorted(location.uses)
    change = Change("drop", location.element)
    away = "from being promoted there" if is_promoted(location.role) else "away"
    rule = " or ".join(
        expression.said for expression in true_of(facts.relations, location, node.name)
    )
    if not about:
        what = f"a constraint keeps {subject.it} {away}"
        what = what if absolute else "a constraint is against the node"
        evidence = f"{location.id}: {spoken(score)}{f' where {rule}' if rule else ''}"
        return Reason(what, evidence, remove(facts, location), absolute, change, lasting=True)
    values = ", ".join(f"{a} is {known[a]}" if a in known else f"{a} is not set" for a in about)
    evidence = f"{values} there; {location.id}: {spoken(score)} where {rule}"
    pings = [name for name in about if name.startswith("ping")]
    if not pings:
        what = f"a rule keeps {subject.it} {away}"
        return Reason(what, evidence, remove(facts, location), absolute, change, lasting=True)
    change = Change("connect", pings[0], node.name)
    has = "has lost its" if pings[0] in known else "has no"
    what, do = f"the node {has} ping path", "look at its network, and at the ping resource"
    if facts.cluster.sandbox:
        do = recovered(facts.cluster, node)
    for cause in _of_pings(facts):
        what, do = f"{what}: {cause.what}", cause.do
        break
    return Reason(what, evidence, do, absolute, change)


def _outdated(facts: Facts, subject: Subject, location: Location) -> Reason:
    """What DRBD itself took from a node, and gives back when the data is in step again.

    Nobody else may: the data that is left would be used, and what was written since is lost.
    """
    cluster = facts.cluster
    names = [
        expression.value for expression in location.expressions if expression.attribute == "#uname"
    ]
    best = [node for name in names if (node := cluster.node(name))]
    away = [node_remedy(cluster, node) for node in best if not node.usable]
    what = f"DRBD keeps {subject.it} from being promoted: its data there is outdated"
    do = f"{away[0]}; " if away else ""
    do += "DRBD removes it when it is in step again: drbdadm status"
    return Reason(what, location.id, do, True, Change("drop", location.element), lasting=True)


def _of_pings(facts: Facts) -> Iterator[Reason]:
    """What stops the resources that measure the way to the network."""
    for primitive in facts.cluster.primitives.values():
        if primitive.agent.rpartition(":")[2] in ("ping", "pingd"):
            above = primitive.clone or primitive.parent or primitive.id
            yield from everywhere(facts, subject_of(facts.cluster, above, called=True))
