"""What the cluster and the toolstacks say of what runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from hxm.decide import attention, typed
from hxm.decide.audit import Problem, problem
from hxm.decide.names import at_home, travelling
from hxm.model import Cluster, Constraint, Domain

_LETTERS = {"p": "paused", "c": "crashed", "s": "shut down and kept"}


def of_cluster(cluster: Cluster, origins: Mapping[str, str] | None = None) -> Iterator[Problem]:
    """All that `hxm status` says of the cluster, and what the toolstacks show of domUs."""
    for finding in attention.findings(cluster, origins):
        yield problem(finding.code, finding.subject, finding.what, finding.do)
    for domain in cluster.managed_domains:
        yield from _not_alive(domain)
    for domain in cluster.domains:
        if travelling(domain) and not _moves(cluster, at_home(domain.name)):
            what = f"{domain.name} is left over from a migration"
            do = f"if {at_home(domain.name)} runs elsewhere: xl destroy {domain.name}"
            yield problem("half-migrated", domain.name, what, do)


def _moves(cluster: Cluster, name: str) -> bool:
    return any(each.name == name and each.in_flight for each in cluster.domains)


def _not_alive(domain: Domain) -> Iterator[Problem]:
    letters = domain.state or ""
    if domain.role == "Started" and (
        found := [_LETTERS[each] for each in "pcs" if each in letters]
    ):
        what = f"{domain.name} is {found[0]}, and the agent takes it for running"
        paused = found[0] == "paused"
        do = f"xl unpause {domain.name}" if paused else f"hxm reboot {typed(domain)}"
        yield problem("not-alive", domain.name, what, do)


def of_absence(
    cluster: Cluster, running: Mapping[str, frozenset[str]], program: str
) -> Iterator[Problem]:
    """DomUs that are Started on a node whose toolstack does not have them under any name.

    `running` is what each node that could be asked runs.
    """
    for domain in cluster.managed_domains:
        if domain.role != "Started" or domain.in_flight:
            continue
        for node in domain.nodes:
            known = {domain.name, *domain.also}
            if node in running and not known & {at_home(each) for each in running[node]}:
                what = f"{domain.name} is Started on {node}, and {program} does not have it there"
                do = f"let the cluster look: crm_resource --refresh --resource={domain.resource}"
                yield problem("not-there", f"{domain.name} {node}", what, do)


def of_expired(cluster: Cluster, expired: Iterable[Constraint]) -> Iterator[Problem]:
    """Interim constraints whose time is over: they count no more and still stand in the CIB."""
    for each in expired:
        domain = cluster.domain_of(each.resource)
        what = f"{each.id} of {domain.name if domain else each.resource} ended {each.expires}"
        do = f"hxm unmigrate {typed(domain) if domain else each.resource}"
        yield problem("expired", domain.name if domain else each.resource, what, do)
