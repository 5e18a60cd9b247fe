"""Why a domU runs where it does, or does not run: reasons in plain words, the weightiest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from hxm.model import Cluster, Domain, ManagedDomain, Node, is_managed
from hxm.policy import guards, keeps_stopped, listed, typed
from hxm.policy.doubles import on_two_nodes
from hxm.policy.findings import lock_held_by
from hxm.policy.reasons.why_not import Facts, Reason, against, forbids, places, remove
from hxm.policy.relations import applying, fail_count, score_of, spoken


class Answer(NamedTuple):
    """The state of things in one sentence, and what makes it so."""

    says: str
    reasons: tuple[Reason, ...]


def why(facts: Facts, domain: Domain) -> Answer:
    """Why it runs where it does, or why it does not run."""
    name, cluster = domain.name, facts.cluster
    if not is_managed(domain):
        where = f"on {listed(domain.nodes)}" if domain.nodes else "on this host"
        says = f"{name} {f'runs {where}' if domain.has_instance else 'does not run'}, "
        says += "and the cluster does not manage it"
        return Answer(says, (Reason("nobody but its toolstack starts, stops or watches it"),))
    troubles = list(_troubles(cluster, domain))
    if len(domain.nodes) != 1:
        says = f"{name} does not run"
        if domain.nodes:
            says = f"{name} is {domain.role or 'active'} on {listed(domain.nodes)}"
        elif not forbids(troubles):
            troubles += _not_running(facts, domain)
        return Answer(says, tuple(troubles))
    here = domain.nodes[0]
    says = f"{name} runs on {here}"
    if domain.role not in ("Started", None):
        says = f"{name} is {domain.role} on {here}"
    barred = _barred(facts, domain, here)
    reasons = [*troubles, *(each for each in _failed(facts, domain) if not barred)]
    if not forbids(troubles) and not domain.in_flight:
        reasons += _staying(facts, domain, here, barred)
    return Answer(says, tuple(reasons))


def why_not(facts: Facts, domain: Domain, node: Node) -> Answer:
    """Why it does not run on that node; where it does, why it does."""
    if node.name in domain.nodes or not is_managed(domain):
        return why(facts, domain)
    elsewhere = f", but on {listed(domain.nodes)}" if domain.nodes else ""
    says = f"{domain.name} does not run on {node.name}{elsewhere}"
    reasons = list(against(facts, domain, node))
    if not domain.nodes:
        reasons = [*_troubles(facts.cluster, domain), *reasons]
    elif not forbids(reasons):
        reasons += _staying(facts, domain, domain.nodes[0], [])
        command = f"hxm migrate {typed(domain)} {node.name}"
        reasons.append(Reason(f"nothing forbids {node.name}", do=command))
    return Answer(says, tuple(dict.fromkeys(reasons)))


def _troubles(cluster: Cluster, domain: ManagedDomain) -> Iterator[Reason]:
    """What concerns it wherever it would run."""
    for guard in (on_two_nodes(cluster, [domain]), guards.stray(cluster, [domain])):
        yield from (Reason(each.message, do=each.hint, absolute=True) for each in guard)
    if not cluster.dc:
        what = "there is no DC: nobody in the cluster decides anything"
        yield Reason(what, do="hxm nodes", absolute=True)
    for name in domain.nodes:
        node = cluster.node(name)
        if node and node.unclean:
            what = f"{name} is lost and not yet fenced: before that it starts nowhere else"
            yield Reason(what, do=cluster.advice("confirm", node=name), absolute=True)
    if cluster.pending_fencing:
        yield Reason(f"fencing of {listed(cluster.pending_fencing)} is under way", do="hxm status")
    if not cluster.quorum and (said := guards.without_quorum(cluster)):
        yield Reason(
            f"this partition has no quorum: {said}", "", "bring the others back: hxm nodes"
        )
    if guards.stops_everything(cluster):
        what = "stop-all-resources is set: the cluster runs nothing"
        yield Reason(what, do=cluster.advice("run"), absolute=True)
    if domain.in_flight:
        yield Reason(f"an action on it is under way ({domain.role})", do="hxm status")
    yield from _told_to_stop(cluster, domain)
    if away := guards.looked_away(cluster, domain):
        what = f"the cluster leaves it alone: {away.reason}"
        yield Reason(what, do=away.end, absolute=True)
    if cluster.lock:
        yield Reason(f"the cluster is being changed: {lock_held_by(cluster.lock)}")


def _told_to_stop(cluster: Cluster, domain: ManagedDomain) -> Iterator[Reason]:
    primitive = cluster.primitives[domain.resource]
    if not keeps_stopped(primitive.meta):
        return
    where = "at the domU itself"
    if not keeps_stopped(primitive.own_meta):
        above = primitive.parent or primitive.clone
        where = f"inherited: {f'from {above}, ' if above else ''}a template or the defaults"
    said = primitive.meta["target-role"]
    evidence = f"target-role={said}, {where}"
    yield Reason("it is told to stop", evidence, f"hxm start {typed(domain)}", absolute=True)


def _failed(facts: Facts, domain: ManagedDomain) -> Iterator[Reason]:
    """What it has failed at, although it runs."""
    for each in facts.cluster.failures:
        if each.resource == domain.resource:
            count = fail_count(facts.relations, each.resource, each.node)
            said = f"{each.reason}, {each.when}"
            said += f"; fail count {spoken(count)}" if count else ""
            what = f"its {each.operation} failed on {each.node}"
            yield Reason(what, said, f"hxm cleanup {typed(domain)} {each.node}")


def _not_running(facts: Facts, domain: ManagedDomain) -> Iterator[Reason]:
    """What is against each of the nodes."""
    names = [node.name for node in facts.cluster.nodes]
    found = {node.name: list(against(facts, domain, node))[:1] for node in facts.cluster.nodes}
    found = {name: each or [_unknown(facts, domain, name)] for name, each in found.items()}
    for reason, where in _together(found):
        said = "nowhere" if where == names and len(names) > 1 else f"not on {listed(where)}"
        yield reason._replace(what=f"{said}: {reason.what}")


def _together(found: Mapping[str, Sequence[Reason]]) -> Iterator[tuple[Reason, list[str]]]:
    """The weightiest reason of each node; nodes with one and the same together."""
    nodes: dict[Reason, list[str]] = {}
    for name, reasons in found.items():
        nodes.setdefault(reasons[0], []).append(name)
    yield from nodes.items()


def _unknown(facts: Facts, domain: ManagedDomain, node: str) -> Reason:
    score = facts.scores.get(node)
    said = f"the scheduler's score there is {score}" if score else ""
    do = facts.cluster.advice("why", resource=domain.resource)
    return Reason("no reason was found", said, do)


def _staying(
    facts: Facts, domain: ManagedDomain, here: str, barred: Sequence[Reason]
) -> Iterator[Reason]:
    """Why it is there and not elsewhere, in as few reasons as tell it."""
    cluster, relations = facts.cluster, facts.relations
    ids = cluster.ids_of(domain)
    mine = [each for each in cluster.constraints if each.resource in ids]
    for each in mine:
        sent = each.kind == "prefer"
        if (each.node == here) == sent and (sent or not barred):
            what = "a move sent it there" if sent else f"a ban keeps it off {each.node}"
            yield Reason(what, each.id, f"hxm unmigrate {typed(domain)}")
    interim = {each.id for each in mine}
    for location in relations.locations:
        score = applying(relations, location, here)
        if location.resource in ids and location.id not in interim and score and score > 0:
            what = f"{here} is preferred: score {spoken(score)}"
            yield Reason(what, location.id, remove(cluster, location))
    for beside in relations.colocations:
        if beside.resource in ids and beside.score > 0 and here in places(facts, beside.other):
            yield Reason(f"{beside.other} runs there", f"{beside.id}: {spoken(beside.score)}")
    yield from barred
    primitive = cluster.primitives[domain.resource]
    said = primitive.meta.get("resource-stickiness") or cluster.properties.get(
        "default-resource-stickiness", "0"
    )
    if score_of(said) > 0:
        yield Reason(f"it stays where it is: its stickiness is {said}")
    elif not mine and not barred:
        yield Reason("the cluster chose the node, and may choose another: it has no stickiness")


def _barred(facts: Facts, domain: ManagedDomain, here: str) -> list[Reason]:
    """Why no other node may run it; nothing if one may."""
    others = [node for node in facts.cluster.nodes if node.name != here]
    found = {node.name: list(against(facts, domain, node)) for node in others}
    if not all(forbids(reasons) for reasons in found.values()):
        return []
    return [
        reason._replace(what=f"{listed(names)} may not run it: {reason.what}")
        for reason, names in _together(found)
    ]
