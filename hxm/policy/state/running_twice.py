"""DomUs, and others, that are active on two nodes: what is known of it, and what to type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hxm.model import Cluster, Domain
from hxm.plan import Objection
from hxm.policy import listed, typed
from hxm.policy.guards import FORCE, YES


def on_two_nodes(cluster: Cluster, domains: Iterable[Domain]) -> Iterator[Objection]:
    """A domU that is active twice, outside a migration: its disk is being destroyed.

    After a live migration that failed the cluster only supposes it on both nodes, and xl resumes
    the source; so it does where a probe failed. There the toolstacks know, and where they were not
    asked it is not known.
    """
    for domain in domains:
        if len(domain.places) > 1 and not domain.in_flight and not _is_clone(cluster, domain):
            message, remedy = _what_is_known(cluster, domain)
            yield Objection(message, remedy, lifted_by=FORCE)


def may_run_twice(cluster: Cluster, domains: Iterable[Domain]) -> Iterator[Objection]:
    """A domU that may be active twice, before what has the cluster act on it: a question.

    Nothing where the toolstacks show that it runs on one node at most; refused where on two.
    """
    for domain in domains:
        for objection in on_two_nodes(cluster, [domain]):
            if len(set(domain.places) & set(domain.seen)) > 1:
                yield objection
            elif not _all_heard(cluster, domain):
                look = f"look first: hxm list {typed(domain)} --everywhere"
                do = f"{look}; if it runs on one node only, use --yes"
                yield objection._replace(do=do, lifted_by=YES)


def _all_heard(cluster: Cluster, domain: Domain) -> bool:
    return all(node in cluster.heard for node in domain.places)


def _is_clone(cluster: Cluster, domain: Domain) -> bool:
    """Whether it is no domU but a clone, or in one, which is active on many nodes."""
    return not cluster.domain_of(domain.resource or "") and any(
        primitive.clone and domain.resource in (primitive.id, primitive.parent, primitive.clone)
        for primitive in cluster.primitives.values()
    )


def _what_is_known(cluster: Cluster, domain: Domain) -> tuple[str, str]:
    name, word, places = domain.name, typed(domain), listed(domain.places)
    seen = [node for node in domain.places if node in domain.seen]
    if domain.resource and not cluster.domain_of(domain.resource):
        by_hand = "on each of these nodes but the one to keep, once nothing there uses it"
        by_hand += ", stop it by hand"
        return f"{name} is active on {places} at once", f"{by_hand}; then {_look(cluster, domain)}"
    if len(seen) > 1:
        at_once = f"{name} runs on {listed(seen)} at once, by the toolstacks there"
        return at_once, _end(cluster, domain)
    failed = _in_doubt(cluster, domain)
    message = f"{name} is active on {places} at once"
    if failed:
        message = f"{failed}: the cluster supposes {name} on {places}"
    if _all_heard(cluster, domain):
        where = f"on {seen[0]} only" if seen else "on none of them"
        known = f"{message}; by the toolstacks there it runs {where}"
        return known, _look(cluster, domain)
    look = f"look first: hxm list {word} --everywhere"
    if failed:
        unknown = f"{message}; whether it runs twice is not known"
        return unknown, f"{look}; if it runs on one node only: {_look(cluster, domain)}"
    return message, f"{look}; {_end(cluster, domain)}"


def _end(cluster: Cluster, domain: Domain) -> str:
    """What ends all instances but one, and has the cluster see that.

    The guard lets xl destroy pass where the cluster leaves the domU alone; one that it manages
    again too early, it would stop and start.
    """
    word = typed(domain)
    steps = [f"hxm unmanage {word}"] if domain.managed else []
    destroy = f"{cluster.toolstack or 'xl'} destroy {domain.name}"
    steps.append(f"on each node where it runs but the one to keep: {destroy}")
    if domain.resource:
        steps.append(_look(cluster, domain))
        steps += [] if domain.blocked else [f"hxm manage {word}"]
    return "; then ".join(steps)


def _look(cluster: Cluster, domain: Domain) -> str:
    """What has the cluster look where it runs; a cleanup does so only where something failed."""
    if not domain.resource or _in_doubt(cluster, domain):
        return f"hxm cleanup {typed(domain)}"
    return cluster.advice("look", resource=domain.resource)


def _in_doubt(cluster: Cluster, domain: Domain) -> str:
    """What has failed for which the cluster only supposes it on several nodes; may be empty."""
    return _failed_migration(cluster, domain) or _failed_probe(cluster, domain)


def _failed_probe(cluster: Cluster, domain: Domain) -> str:
    """That it was seen on one node at most: of the others only a probe failed."""
    own = [one for one in cluster.failures if one.resource == domain.resource]
    probed = [one.node for one in own if one.operation == "probe" and one.node in domain.places]
    alone = len(set(domain.places) - {*probed}) <= 1
    return f"a probe failed on {listed(probed)}" if probed and alone else ""


def _failed_migration(cluster: Cluster, domain: Domain) -> str:
    return next(
        (
            f"{failure.operation} failed on {failure.node}"
            for failure in cluster.failures
            if failure.resource == domain.resource and failure.operation.startswith("migrate")
        ),
        "",
    )


def same_names(cluster: Cluster) -> Iterator[tuple[str, Objection]]:
    """The names of which several resources would each start the domU."""
    by_name: dict[str, list[str]] = {}
    for domain in cluster.managed_domains:
        by_name.setdefault(domain.name, []).append(domain.resource)
    for name, ids in by_name.items():
        if len(ids) > 1:
            what = f"the resources {listed(ids)} are all the domU {name}: it may be started twice"
            yield name, Objection(what, f"hxm unmanage {ids[-1]}, and take it out of the CIB")
