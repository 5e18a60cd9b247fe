"""What the cluster and the toolstacks say of what runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from hxm.model import Cluster, Constraint, Domain
from hxm.policy import listed, resource_name, typed, typed_resource
from hxm.policy.names import at_home, travelling
from hxm.policy.state.discrepancies import LETTERS, disagreements, under_way
from hxm.policy.state.findings import Finding, findings


def of_cluster(cluster: Cluster, origins: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """All that `hxm status` says of the cluster, and what the toolstacks show of domUs."""
    at_rest = [domain for domain in cluster.managed_domains if not under_way(cluster, domain)]
    elsewhere = {domain.name for domain in at_rest if _elsewhere(cluster, domain)}
    for finding in findings(cluster, origins):
        if finding.code != "runs-twice" or finding.subject not in elsewhere:
            yield finding
    for domain in at_rest:
        yield from _not_alive(domain)
        yield from _not_there(cluster, domain)
    for guest in cluster.domains:
        yield from _stranger(cluster, guest)
        if travelling(guest) and _at_rest(cluster, at_home(guest.name)):
            what = f"{guest.name} is left over from a migration"
            do = f"if {at_home(guest.name)} runs elsewhere: xl destroy {guest.name}"
            yield Finding(what, do, "half-migrated", guest.name)


def _at_rest(cluster: Cluster, name: str) -> bool:
    return not any(under_way(cluster, domain) for domain in cluster.domains if domain.name == name)


def _not_alive(domain: Domain) -> Iterator[Finding]:
    letter = next((letter for letter in "pcs" if letter in (domain.state or "")), "")
    if domain.role == "Started" and letter:
        how = LETTERS[letter].replace("-", " ")
        what = f"{domain.name} is {how}, and the agent takes it for running"
        unpause = f"on {listed(domain.nodes)}: xl unpause {domain.name}"
        do = unpause if letter == "p" else f"hxm reboot {typed(domain)}"
        yield Finding(what, do, "not-alive", domain.name)


def _not_there(cluster: Cluster, domain: Domain) -> Iterator[Finding]:
    """What is Started on a node whose toolstack was heard and does not list it."""
    missing = [node for node in domain.nodes if node in cluster.heard and node not in domain.seen]
    if domain.role != "Started" or not missing:
        return
    look = cluster.advice("look", resource=domain.resource)
    if _elsewhere(cluster, domain):
        what = (
            f"{domain.name} runs on {domain.stray}, and the cluster takes it to be on "
            f"{missing[0]}, where it will start it again"
        )
        do = f"hxm unmanage {typed(domain)} at once, then let the cluster look: {look}"
        yield Finding(what, do, "runs-elsewhere", f"{domain.name} {domain.stray}")
        return
    for node in missing:
        what = f"{domain.name} is Started on {node}, and the toolstack there does not have it"
        yield Finding(what, f"let the cluster look: {look}", "not-there", f"{domain.name} {node}")


def _elsewhere(cluster: Cluster, domain: Domain) -> bool:
    """Whether it runs where the cluster does not know it, and nowhere else."""
    return bool(domain.stray) and all(
        node in cluster.heard and node not in domain.seen for node in domain.nodes
    )


def _stranger(cluster: Cluster, domain: Domain) -> Iterator[Finding]:
    """What runs under no resource's name, but may be a managed domU."""
    for word in disagreements(cluster, domain):
        if word.startswith("may-be-"):
            what = f"{domain.name} on {listed(domain.nodes)} may be {word[7:]} under another name"
            do = f"compare: hxm list --long {word[7:]}; end it if it is: xl destroy {domain.name}"
            yield Finding(what, do, "runs-unknown", domain.name)


def of_expired(cluster: Cluster, expired: Iterable[Constraint]) -> Iterator[Finding]:
    """Interim constraints whose time is over: they count no more and still stand in the CIB."""
    for constraint in expired:
        name = resource_name(cluster, constraint.resource)
        what = f"{constraint.id} of {name} ended {constraint.expires}"
        do = f"hxm unmigrate {typed_resource(cluster, constraint.resource)}"
        yield Finding(what, do, "expired", name)
