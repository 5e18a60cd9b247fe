"""Objections to a start: the same domU elsewhere, a disk in use, an unreadable file.

Each start that the scheduler foresees is judged, whichever order leads to it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from hxm.model import Cluster, Domain
from hxm.plan import Forecast, Objection, Plan
from hxm.policy import guards, listed, typed
from hxm.policy.forecast.movement_kinds import starts_anew
from hxm.policy.guards import FORCE, YES
from hxm.policy.guards.conflicts import (
    DEVICE,
    DISK,
    FILE,
    MAC,
    REMEDIES,
    THIS_HOST,
    Claim,
    between,
    is_intended,
    pairs,
)
from hxm.policy.state.whereabouts import whereabouts

_NO_START = ("destroy", "unlock")
"""Orders after which no domU starts, also where nothing could be simulated."""


class File(NamedTuple):
    """The file of a domU on a node where the plan starts it, or stops it."""

    domain: Domain
    node: str
    starts: bool
    """Whether the plan itself starts the domU from it; else only a later start needs it."""


def started(cluster: Cluster, plan: Plan, forecast: Forecast) -> frozenset[str]:
    """The resources of the domUs of which the plan makes a new instance.

    Where nothing could be simulated, these are all domUs.
    """
    if not forecast.simulated:
        maybe = () if plan.verb in _NO_START else cluster.managed_domains
        return frozenset(domain.resource for domain in maybe)
    return frozenset(
        movement.resource
        for movement in forecast.with_later
        if starts_anew(movement) and cluster.domain_of(movement.resource)
    )


def strays(cluster: Cluster, starting: Collection[str]) -> Iterator[Objection]:
    """A start of a domU that runs already, by a toolstack that was asked, unknown to the cluster.

    Raises nothing: `cluster` holds what the toolstacks of the other nodes list, if they were asked.
    """
    domains = (domain for domain in cluster.managed_domains if domain.resource in starting)
    yield from guards.stray(cluster, domains)


def clashes(
    cluster: Cluster,
    forecast: Forecast,
    starting: Collection[str],
    claims: Sequence[Claim],
    ignored: Collection[str] = (),
) -> Iterator[Objection]:
    """Two domUs that would run at once and are one, or write to one disk.

    --force lifts this only if both run already: then to restart one of them changes nothing.
    """
    before, after = _running(cluster), _running(forecast.after)
    after |= frozenset(movement.resource for movement in forecast.waiting)
    if not forecast.simulated:
        after |= frozenset(starting)
    seen = set()
    for one, other in pairs(claims):
        new, old = (one, other) if one.resource in starting else (other, one)
        if new.resource not in starting or not _lives(old, before | after):
            continue
        both_run = new.resource in before and _lives(old, before)
        for clash in between(new, old):
            intended = clash.kind == DISK and is_intended(new, old, ignored)
            if intended or clash.kind == MAC or clash.what in seen:
                continue
            seen.add(clash.what)
            yield Objection(
                f"{clash.what}, and {_state(old, cluster, before)}",
                f"{_to_keep_stopped(cluster, new)}{REMEDIES[clash.kind]}",
                lifted_by=FORCE if both_run else "",
            )


def _to_keep_stopped(cluster: Cluster, claim: Claim) -> str:
    """What keeps the domU stopped, where nothing but a hold does so now."""
    domain = cluster.domain_of(claim.resource) if claim.resource else None
    if not domain or domain.running or domain.told_to_stop:
        return ""
    ignored = guards.looked_away(cluster, domain) or not cluster.quorum
    return f"to keep it stopped: hxm shutdown {typed(domain)}{' --force' if ignored else ''}; or "


def warnings(
    starting: Collection[str], claims: Sequence[Claim], *, simulated: bool
) -> Iterator[str]:
    """MAC addresses that two domUs have, and what could not be compared.

    Where nothing could be simulated, no start is known of, so that `unknown_disks` refuses none.
    """
    macs = (
        clash.what
        for one, other in pairs(claims)
        if {one.resource, other.resource} & set(starting)
        for clash in between(one, other)
        if clash.kind == MAC
    )
    yield from dict.fromkeys(macs)
    judged = starting if simulated else ()
    unread = [claim for claim in claims if claim.kind == FILE and claim.resource not in judged]
    if unread:
        names = listed([claim.called for claim in unread], 4)
        yield f"the disks of {names} were not compared: their files cannot be read here"
    yield from (claim.fault for claim in claims if claim.kind in (DEVICE, THIS_HOST))


def files_needed(cluster: Cluster, forecast: Forecast) -> Iterator[File]:
    """The files that the plan's movements rest on, each once."""
    needed: dict[tuple[str, str], File] = {}
    for movement in forecast.with_later:
        domain, node = cluster.domain_of(movement.resource), movement.target or movement.source
        if domain and domain.xmfile and node:
            needed[movement.resource, node] = File(domain, node, starts_anew(movement))
    ends = {resource: node for resource, node in needed if needed[resource, node].starts}
    for (resource, node), file in needed.items():
        if file.starts or ends.get(resource, node) == node:
            yield file


def mounting(cluster: Cluster, forecast: Forecast) -> frozenset[str]:
    """Nodes where the plan starts something else first: a file may lie on what is not there yet."""
    return frozenset(
        movement.target
        for movement in forecast.with_later
        if movement.kind == "start" and movement.target and not cluster.domain_of(movement.resource)
    )


def unreadable(faults: Mapping[File, str]) -> Iterator[Objection]:
    """Domains that could not start on a node, because their file cannot be read there."""
    for file, fault in faults.items():
        again = "" if file.starts else " again"
        yield Objection(
            f"{file.domain.name} could not start{again} on {file.node}: {fault}",
            "correct the file first: xl.cfg(5); --yes goes on",
            lifted_by=YES,
        )


def unknown_disks(
    starting: Collection[str],
    claims: Sequence[Claim],
    files: Collection[File],
    unreadable: Collection[File],
    mounting: Collection[str],
) -> Iterator[Objection]:
    """A start of a domU whose disks are unknown.

    Not where its file cannot be read on the node where it starts: there it cannot start. Nor where
    a file system is mounted first, on which the file may lie.
    """
    starts = [file for file in files if file.starts]
    excused = {f.domain.resource for f in starts if f in unreadable or f.node in mounting}
    for claim in claims:
        if claim.resource in starting and claim.resource not in excused and claim.kind == FILE:
            yield Objection(
                f"{claim.fault}, so they cannot be compared",
                "do it on a node that has the file; --force starts it anyway",
                lifted_by=FORCE,
            )


def not_asked(silent: Mapping[str, str]) -> Iterator[str]:
    """What is not known where nodes do not answer before a start."""
    for node, why in silent.items():
        yield f"what runs on {node}, and on which disks, is unknown: {why}"


def not_looked_at(silent: Mapping[str, str]) -> Iterator[str]:
    """What is not known of other nodes' files, said once."""
    if silent:
        faults = "; ".join(dict.fromkeys(silent.values()))
        yield f"the domUs' files on {listed(list(silent))} were not looked at: {faults}"


def _running(cluster: Cluster) -> frozenset[str]:
    return frozenset(domain.resource for domain in cluster.managed_domains if domain.running)


def _lives(claim: Claim, running: Collection[str]) -> bool:
    return claim.runs or claim.resource in running


def _state(claim: Claim, cluster: Cluster, running: Collection[str]) -> str:
    domain = cluster.domain_of(claim.resource) if claim.resource else None
    if domain and claim.resource in running:
        return f"{claim.called} {whereabouts(cluster, domain)}"
    if claim.runs:
        return f"{claim.called} runs" if claim.node else f"{claim.called} runs on this host"
    return f"{claim.called} would run as well"
