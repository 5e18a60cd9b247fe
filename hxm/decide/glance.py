"""The cluster in a few words: what a prompt, a bottom line and a heading have room for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hxm.decide import guards, listed
from hxm.decide.attention import findings
from hxm.model import IN_FLIGHT, Cluster

GOOD, BUSY, ODD, BAD = "good", "busy", "odd", "bad"
"""How a word is meant: as it should be, something is under way, unusual, and in trouble."""


class Word(NamedTuple):
    """A few words and how they are meant."""

    text: str
    kind: str = GOOD


def moving(cluster: Cluster) -> bool:
    """Whether anything is under way, so that the next look will show something else."""
    return (
        not cluster.idle
        or bool(cluster.pending_fencing)
        or any(each.role in IN_FLIGHT for each in cluster.resources)
        or any(each.pending and each.task != "monitor" for each in cluster.history)
        or any(node.pending or node.unclean for node in cluster.nodes)
    )


def trouble(cluster: Cluster) -> Word:
    """The worst that there is to say, for a prompt; `ok` if there is nothing."""
    return next(_troubles(cluster), Word("ok"))


def _troubles(cluster: Cluster) -> Iterator[Word]:
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


def overview(cluster: Cluster) -> list[Word]:
    """The cluster in order of what an operator wants to know first."""
    words = [Word("quorum") if cluster.quorum else Word("NO QUORUM", BAD)]
    if not cluster.dc:
        words.append(Word("no DC", BAD))
    if cluster.maintenance:
        words.append(Word("MAINTENANCE", ODD))
    words += _nodes(cluster)
    words.append(_domains(cluster))
    words += [Word(each, BUSY) for each in under_way(cluster)]
    if cluster.lock and cluster.lock.alive is not False:
        words.append(Word(f"{cluster.lock.who}@{cluster.lock.node}: {cluster.lock.what}", BUSY))
    if not cluster.fencing:
        words.append(Word("FENCING OFF", BAD))
    if count := sum(1 for _ in findings(cluster)):
        words.append(Word(f"{count} to see: status", ODD))
    return words


def _nodes(cluster: Cluster) -> Iterator[Word]:
    good = [node for node in cluster.nodes if node.usable]
    everyone = len(good) == len(cluster.nodes)
    counted = f"{len(good)}" if everyone else f"{len(good)} of {len(cluster.nodes)}"
    yield Word(f"{counted} node{'s' * (len(cluster.nodes) != 1)}", GOOD if everyone else ODD)
    odd = [node for node in cluster.nodes if not node.usable]
    for node in odd[:4]:
        yield Word(f"{node.name} {node.condition}", BAD if node.unclean else ODD)
    if len(odd) > 4:
        yield Word(f"and {len(odd) - 4} more", ODD)


def _domains(cluster: Cluster) -> Word:
    domains = cluster.managed_domains
    run = sum(each.running for each in domains)
    wanted = sum(not each.told_to_stop for each in domains)
    counted = f"{run}" if run == len(domains) else f"{run} of {len(domains)}"
    return Word(f"{counted} domU{'s' * (len(domains) != 1)} run", GOOD if run >= wanted else ODD)


def under_way(cluster: Cluster) -> list[str]:
    """What is being done to domUs, and which nodes are to be fenced, a few words each."""
    said = []
    for domain in cluster.managed_domains:
        if domain.in_flight:
            what = "migrating" if guards.migrating(cluster, domain) else (domain.role or "").lower()
            said.append(f"{domain.name} {what} on {listed(domain.nodes)}")
    return said + [f"fencing {each}" for each in cluster.pending_fencing]
