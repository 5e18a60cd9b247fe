"""What `hxm check` reports: findings with a stable code, a severity, and what to do about each.

Pure: what stands in files, and what clashes, is handed in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from hxm.decide import is_true, typed
from hxm.decide.attention import leftovers
from hxm.decide.clashes import DISK, MAC, NAME, UUID, Clash
from hxm.decide.guards import on_two_nodes, stray
from hxm.decide.names import at_home, travelling
from hxm.model import Cluster, Domain

WARNING, ERROR = "warning", "error"
_LETTERS = {"p": "paused", "c": "crashed", "s": "shut down and kept"}


class Problem(NamedTuple):
    """One thing that is not as it should be."""

    code: str
    severity: str
    subject: str
    """The domU, node or program that it is about; empty: the cluster."""
    what: str
    do: str


_CLASHES = {
    DISK: (ERROR, "take the disk out of one configuration; at once, if both run"),
    NAME: (ERROR, "take one of the resources out of the CIB"),
    UUID: (WARNING, "give one of them another: uuidgen"),
    MAC: (WARNING, "give one of them another"),
}


def clashing(found: Iterable[tuple[Sequence[str], Clash]]) -> Iterator[Problem]:
    """The clashes, each with the names of the two domUs."""
    for names, clash in found:
        severity, do = _CLASHES[clash.kind]
        yield Problem(clash.kind, severity, " ".join(names), clash.what, do)


def of_cluster(cluster: Cluster) -> Iterator[Problem]:
    """What the cluster, its configuration and this host's toolstack show."""
    if not cluster.fencing:
        what = "fencing is disabled: a lost node's domUs may come to run twice"
        yield Problem("no-fencing", ERROR, "", what, "set stonith-enabled=true")
    elif not any(each.agent.startswith("stonith:") for each in cluster.primitives.values()):
        what = "there is no fencing resource: a lost node's domUs start nowhere else"
        yield Problem("no-fencing", ERROR, "", what, "add one for each node")
    if cluster.toolstack_fault:
        what = f"this host's own domUs are not known: {cluster.toolstack_fault}"
        do = f"try it by hand: {cluster.toolstack} list"
        yield Problem("toolstack-silent", ERROR, cluster.local_node or "", what, do)
    for guard, code in ((on_two_nodes, "runs-twice"), (stray, "runs-unknown")):
        for domain in cluster.managed_domains:
            for objection in guard([domain]):
                yield Problem(code, ERROR, domain.name, objection.message, objection.hint)
    for domain in cluster.managed_domains:
        yield from _of_domain(cluster, domain)
    for domain in cluster.domains:
        if travelling(domain) and not _moves(cluster, at_home(domain.name)):
            what = f"{domain.name} is left over from a migration"
            do = f"if {at_home(domain.name)} runs elsewhere: xl destroy {domain.name}"
            yield Problem("half-migrated", ERROR, domain.name, what, do)
    for finding in leftovers(cluster):
        yield Problem("left-behind", WARNING, "", finding.what, finding.do)
    for failure in cluster.failures:
        what = f"{failure.operation} of {failure.resource} failed on {failure.node}"
        do = f"hxm cleanup {failure.resource}"
        yield Problem("failed", WARNING, failure.resource, f"{what}: {failure.reason}", do)


def _moves(cluster: Cluster, name: str) -> bool:
    return any(each.name == name and each.in_flight for each in cluster.domains)


def _of_domain(cluster: Cluster, domain: Domain) -> Iterator[Problem]:
    primitive, name = cluster.primitives[domain.resource or ""], domain.name
    letters = domain.state or ""
    if domain.role == "Started" and (
        found := [_LETTERS[each] for each in "pcs" if each in letters]
    ):
        what = f"{name} is {found[0]}, and the agent takes it for running"
        do = f"xl unpause {name}" if found[0] == "paused" else f"hxm reboot {typed(domain)}"
        yield Problem("not-alive", ERROR, name, what, do)
    if domain.role == "Stopped" and not domain.told_to_stop and not domain.blocked:
        what = f"{name} is to run and does not"
        yield Problem("not-running", ERROR, name, what, f"hxm start {typed(domain)}")
    if domain.blocked:
        what = f"{name} is blocked by a failure"
        yield Problem("blocked", ERROR, name, what, f"hxm cleanup {typed(domain)}")
    if not any(each.get("name") == "monitor" for each in primitive.operations):
        what = f"{name} has no monitor: nobody would notice that it is gone"
        yield Problem("no-monitor", WARNING, name, what, f"add op monitor to {domain.resource}")
    if not domain.live:
        what = f"{name} is never migrated live: allow-migrate is not set"
        do = f"crm_resource --meta -r {domain.resource} -p allow-migrate -v true"
        yield Problem("not-live", WARNING, name, what, do)
    if is_true(primitive.params.get("allow_mem_management", "")):
        what = f"the agent edits memory in the file of {name} and balloons every domU of the node"
        yield Problem("mem-management", WARNING, name, what, "take allow_mem_management away")


class Read(NamedTuple):
    """A managed domU's file as it stands on this host."""

    domain: Domain
    fault: str = ""
    """Why it cannot be read, with line and column; empty: it can."""
    own: str | None = None
    """The name that xl or xm finds in it."""
    agents: str | None = None
    """The name that the agent finds in it; None: it takes the resource's id."""


def of_files(files: Iterable[Read], called: Mapping[str, str]) -> Iterator[Problem]:
    """What is wrong with the files; `called` is the parameter name of each resource that has it."""
    for file in files:
        domain, path = file.domain, file.domain.xmfile
        if file.fault:
            do = "correct the file: where it cannot be read the domU cannot start, nor be stopped"
            what = f"the file of {domain.name} cannot be read: {file.fault}"
            yield Problem("file-unreadable", ERROR, domain.name, what, do)
            continue
        agent = called.get(domain.resource or "") or file.agents or domain.resource
        if file.own != agent:
            what = f"{path} is of {file.own or 'no name'}, and the agent takes it for {agent}"
            do = 'write name = "..." on a line of its own, with nothing behind it'
            yield Problem("name-differs", WARNING, domain.name, what, do)


def of_autostart(links: Iterable[tuple[str, str]], cluster: Cluster) -> Iterator[Problem]:
    """The files in /etc/xen/auto, each with the name in it, that are managed domUs."""
    for path, name in links:
        for domain in cluster.managed_domains:
            if name in (domain.name, domain.resource, *domain.also):
                what = f"{path} starts {domain.name} at boot, beside the cluster"
                yield Problem("auto-start", ERROR, domain.name, what, f"rm {path}")


def chosen(
    problems: Iterable[Problem], ignored: Collection[str], subject: str | None
) -> list[Problem]:
    """Those that are not ignored (a code, or code:subject) and concern the subject, worst first."""
    found = [
        each
        for each in dict.fromkeys(problems)
        if not {each.code, *(f"{each.code}:{name}" for name in each.subject.split())} & set(ignored)
        and (subject is None or subject in each.subject.split())
    ]
    return sorted(found, key=lambda each: each.severity != ERROR)
