"""The cluster in a few words: what a prompt, a bottom line and a heading have room for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hxm.model import Cluster, Domain
from hxm.plan import Forecast, Movement
from hxm.policy import guards
from hxm.policy.state.findings import findings
from hxm.policy.state.lock import order_that_runs, owner
from hxm.policy.state.running_twice import on_two_nodes
from hxm.policy.state.whereabouts import on_its_way

GOOD, BUSY, ODD, BAD = "good", "busy", "odd", "bad"
"""How a word is meant: as it should be, something is under way, unusual, and in trouble."""


class Word(NamedTuple):
    """A few words and how they are meant."""

    text: str
    kind: str = GOOD


def trouble(cluster: Cluster) -> Word:
    """The worst that there is to say, for a prompt; `ok` if there is nothing."""
    return next(_troubles(cluster), Word("ok"))


def doubled(cluster: Cluster) -> Iterator[Word]:
    """The domUs that run twice, or would as soon as the cluster starts them: nothing is worse."""
    managed = cluster.managed_domains
    for objection in (*on_two_nodes(cluster, managed), *guards.stray(cluster, managed)):
        yield Word(objection.what, BAD)


def _troubles(cluster: Cluster) -> Iterator[Word]:
    yield from doubled(cluster)
    if not cluster.quorum:
        yield Word("NO QUORUM", BAD)
    if not cluster.dc:
        yield Word("no DC", BAD)
    for node in cluster.nodes:
        if node.unclean:
            yield Word(f"{node.name} UNCLEAN", BAD)
    if cluster.maintenance:
        yield Word("MAINTENANCE", ODD)
    for node in cluster.nodes:
        if not node.usable:
            yield Word(f"{node.name} {node.condition}", ODD)
    if count := sum(1 for _ in findings(cluster)):
        yield Word(f"{count} to see", ODD)


def overview(cluster: Cluster, shown_by: str = "status") -> list[Word]:
    """The cluster in order of what an operator wants to know first.

    `shown_by` is the command or the key that shows what needs attention.
    """
    words = [Word("quorum") if cluster.quorum else Word("NO QUORUM", BAD)]
    words += doubled(cluster)
    if not cluster.dc:
        words.append(Word("no DC", BAD))
    if cluster.maintenance:
        words.append(Word("MAINTENANCE", ODD))
    words += _nodes(cluster)
    words.append(_domains(cluster))
    words += [Word(text, BUSY) for text in under_way(cluster)]
    if order := order_that_runs(cluster):
        words.append(Word(order, BUSY))
    if not cluster.fencing:
        words.append(Word("FENCING OFF", BAD))
    if count := sum(1 for _ in findings(cluster)):
        words.append(
            Word(f"{count} {'needs' if count == 1 else 'need'} attention: {shown_by}", ODD)
        )
    return words


def _nodes(cluster: Cluster) -> Iterator[Word]:
    good = [node for node in cluster.hosts if node.usable]
    everyone = len(good) == len(cluster.hosts)
    counted = f"{len(good)}" if everyone else f"{len(good)} of {len(cluster.hosts)}"
    yield Word(
        f"{counted} {'node' if len(cluster.hosts) == 1 else 'nodes'}", GOOD if everyone else ODD
    )
    odd = [node for node in cluster.hosts if not node.usable]
    for node in odd[:4]:
        yield Word(f"{node.name} {node.condition}", BAD if node.unclean else ODD)
    if len(odd) > 4:
        yield Word(f"and {len(odd) - 4} more", ODD)


def _domains(cluster: Cluster) -> Word:
    domains = cluster.managed_domains
    run = sum(domain.running for domain in domains)
    wanted = sum(not domain.told_to_stop for domain in domains)
    counted = f"{run}" if run == len(domains) else f"{run} of {len(domains)}"
    kind = BAD if list(on_two_nodes(cluster, domains)) else GOOD if run >= wanted else ODD
    return Word(f"{counted} {'domU' if len(domains) == 1 else 'domUs'} run", kind)


def under_way(cluster: Cluster) -> list[str]:
    """What is being done to domUs, and which nodes are to be fenced, a few words each."""
    texts = []
    for domain in cluster.managed_domains:
        if domain.in_flight:
            texts.append(doing(cluster, domain))
    return texts + [f"fencing {node}" for node in cluster.pending_fencing]


def news(before: Cluster, now: Cluster) -> Iterator[Word]:
    """What one look shows that the one before did not: who moved, what failed, which node went."""
    for domain in now.managed_domains:
        was = before.domain_of(domain.resource)
        if not was or same_place(was, domain):
            continue
        twice = list(on_two_nodes(now, [domain]))
        usual = BUSY if domain.in_flight else GOOD if domain.running else ODD
        text = _moved(was, domain) or doing(now, domain)
        if text == doing(before, was):
            continue
        yield Word(text, BAD if twice else usual)
    for failure in now.failures:
        if failure not in before.failures:
            text = f"{failure.operation} of {failure.resource} failed on {failure.node}"
            yield Word(f"{text}: {failure.reason}", BAD)
    for node in now.nodes:
        known = before.node(node.name)
        if known and known.condition != node.condition:
            yield Word(f"{node.name}: {node.condition}", GOOD if node.usable else ODD)
    if before.quorum != now.quorum:
        yield Word("quorum", GOOD) if now.quorum else Word("NO QUORUM", BAD)
    if now.lock and (not before.lock or before.lock.holder != now.lock.holder):
        orders = f"orders: {now.lock.what}" if now.lock.what else "holds the lock"
        yield Word(f"{owner(now.lock)} {orders}", BUSY)


def _moved(was: Domain, now: Domain) -> str:
    """From where to where a domU went that ran at one place, and does at another."""
    at_one = len(was.nodes) == 1 or (was.nodes and was.role == "Migrating")  # the source is first
    if not at_one or now.in_flight or len(now.nodes) != 1 or now.nodes[0] == was.nodes[0]:
        return ""
    return f"{now.name}: {was.nodes[0]} -> {now.nodes[0]}"


def same_place(was: Domain, now: Domain) -> bool:
    """Whether a domU does the same on the same nodes, which crm_mon lists in any order."""
    return was.role == now.role and set(was.nodes) == set(now.nodes)


def doing(cluster: Cluster, domain: Domain) -> str:
    """A domU and what becomes of it, and where: `nfs: Started, host1`."""
    if guards.migrating(cluster, domain) and domain.running:
        return f"{domain.name}: {on_its_way(cluster, domain)}"
    role = "migrating" if guards.migrating(cluster, domain) else domain.role or ""
    return f"{domain.name}: {', '.join(filter(None, (role, domain.where)))}"


def remaining(cluster: Cluster, predicted: Forecast) -> tuple[list[str], int]:
    """The domUs of a forecast that are not yet where it puts them, and how many it is about."""
    movements = {movement.resource: movement for movement in predicted.movements}
    about = [domain for domain in cluster.managed_domains if domain.resource in movements]
    left = [domain.name for domain in about if not _has_been(movements[domain.resource], domain)]
    return left, len(about)


def _has_been(movement: Movement, domain: Domain) -> bool:
    """Whether a movement is over; where to the cluster takes it may be another node after all."""
    if domain.in_flight or domain.running == (movement.kind == "stop"):
        return False
    return movement.kind == "restart" or movement.source not in domain.nodes
