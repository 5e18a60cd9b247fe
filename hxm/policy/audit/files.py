"""What is wrong with the domUs' files, on this host and compared with the other nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from hxm.model import Cluster, ManagedDomain
from hxm.policy import listed
from hxm.policy.audit.nodes import ABSENT, UNREADABLE, Survey
from hxm.policy.guards.conflicts import REMEDIES, Clash
from hxm.policy.state.findings import Finding


def clashing(clashes: Iterable[tuple[Sequence[str], Clash]]) -> Iterator[Finding]:
    """The clashes, each with the names of the two domUs."""
    for names, clash in clashes:
        yield Finding(clash.what, REMEDIES[clash.kind], clash.kind, " ".join(names))


class Read(NamedTuple):
    """A managed domU's file as it stands on this host."""

    domain: ManagedDomain
    fault: str = ""
    """Why it cannot be read, with line and column; empty: it can."""
    own: str | None = None
    """The name that xl or xm finds in it."""
    agents: str | None = None
    """The name that the agent reads in the file; None: it uses the resource's id."""
    preserved: tuple[str, ...] = ()
    """The settings in it that keep the domU when it has ended."""


def keeps_the_dead(path: str | None, settings: Sequence[str]) -> str:
    """What these settings of `preserve` in the file make of a domU that has ended."""
    return (
        f'{path}: {listed(settings)} = "preserve" keeps the domU listed after its end, and the '
        "agent takes it for running"
    )


def of_files(files: Iterable[Read], called: Mapping[str, str]) -> Iterator[Finding]:
    """What is wrong with the files; `called` is the parameter name of each resource that has it."""
    for file in files:
        domain, path = file.domain, file.domain.xmfile
        if file.fault:
            do = "correct it, xl.cfg(5): where it cannot be read the domU cannot start, nor stop"
            what = f"the file of {domain.name} cannot be read: {file.fault}"
            yield Finding(what, do, "file-unreadable", domain.name)
            continue
        agent = called.get(domain.resource) or file.agents or domain.resource
        if file.own != agent:
            what = f"{path} is of {file.own or 'no name'}, and the agent takes it for {agent}"
            do = 'write name = "..." on a line of its own, with nothing behind it: xl.cfg(5)'
            yield Finding(what, do, "name-differs", domain.name)
        if file.preserved:
            do = 'say "destroy" or "restart" there: xl.cfg(5)'
            yield Finding(keeps_the_dead(path, file.preserved), do, "preserved", domain.name)


def of_refusals(
    cluster: Cluster,
    refusals: Mapping[str, Mapping[str, str]],
    kept_off: Mapping[str, frozenset[str]],
) -> Iterator[Finding]:
    """The files that the toolstack of a node would not start, where their domUs may run.

    `refusals` has for each node the files and the toolstack's reasons.
    """
    for domain in cluster.managed_domains:
        resource, path = domain.resource, domain.xmfile or ""
        for node, reasons in refusals.items():
            agent = cluster.primitives[resource].agent
            if path in reasons and agent.endswith("Xen") and node not in kept_off.get(resource, ()):
                what = f"{node} would not start {domain.name}: {path}: {reasons[path]}"
                do = f"correct the file: xl.cfg(5); to see it: xl -N create {path}"
                yield Finding(what, do, "file-refused", f"{domain.name} {node}")


def of_autostart(links: Iterable[tuple[str, str]], cluster: Cluster) -> Iterator[Finding]:
    """The files in /etc/xen/auto, each with the name in it, that are managed domUs."""
    for path, name in links:
        for domain in cluster.managed_domains:
            if name in (domain.name, domain.resource, *domain.also):
                what = f"{path} starts {domain.name} at boot, beside the cluster"
                yield Finding(what, f"rm {path}", "auto-start", domain.name)


def of_copies(
    cluster: Cluster,
    surveys: Mapping[str, Survey],
    kept_off: Mapping[str, frozenset[str]],
) -> Iterator[Finding]:
    """Files that are missing, unreadable or different on nodes where their domUs may run.

    `surveys` holds this node as well. Where nothing may run now, a file may be missing: what it
    lies on may not be mounted.
    """
    usable = {node.name for node in cluster.hosts if node.usable}
    for domain in cluster.managed_domains:
        path, name = domain.xmfile or "", domain.name
        copies: dict[str, list[str]] = {}
        for node, survey in surveys.items():
            checksum = survey.files.get(path, "")
            if not checksum or node in kept_off.get(domain.resource, ()):
                continue
            if checksum == UNREADABLE or (checksum == ABSENT and node in usable):
                alike = "has no" if checksum == ABSENT else "cannot read"
                what = f"{node} {alike} {path}: {name} can neither start nor stop there"
                do = f"ssh {node} ls -l {path}"
                yield Finding(what, do, "file-missing", f"{name} {node}")
            elif checksum != ABSENT:
                copies.setdefault(checksum, []).append(node)
        if len(copies) > 1:
            sides = sorted(copies.values(), key=len, reverse=True)
            alike = "; ".join(listed(side) for side in sides)
            what = f"{path} of {name} is not the same everywhere: {alike}"
            do = f"ssh {sides[-1][0]} cat {path} | diff {path} -"
            yield Finding(what, do, "file-differs", f"{name} {' '.join(sides[-1])}")
