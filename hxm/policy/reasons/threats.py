"""What threatens domUs that run: what the cluster is about to do with them, and lost storage."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from hxm.model import Cluster, ManagedDomain
from hxm.plan import Movement
from hxm.policy import listed, typed
from hxm.policy.forecast.movement_kinds import phrase, verb
from hxm.policy.guards.unsupported import Storage
from hxm.policy.reasons.facts import Facts, Reason
from hxm.policy.reasons.lacking import lacks
from hxm.policy.reasons.question import Question, imminent
from hxm.policy.reasons.running import leaving
from hxm.policy.reasons.several import on_both

Threat = tuple[str, tuple[str, ...], Reason]
"""Its code, the names of the domUs, and what it is."""


def departing(cluster: Cluster, movements: Collection[Movement]) -> list[ManagedDomain]:
    """The domUs that run on one node, and that the scheduler moves from it, stops or restarts.

    Not from a node that is to be fenced: which domUs that kills is told of the node.
    """
    fenced = {move.source for move in movements if move.kind == "fence"}
    fenced |= {node.name for node in cluster.nodes if node.unclean}
    sources = {move.resource: move.source for move in movements}
    return [
        domain
        for domain in cluster.managed_domains
        if len(domain.nodes) == 1 and not domain.in_flight
        if sources.get(domain.resource) == domain.nodes[0] not in fenced
    ]


def doubled(cluster: Cluster, movements: Collection[Movement]) -> Iterator[Threat]:
    """What the cluster is about to do with domUs that it supposes on several nodes."""
    lost = {move.source for move in movements if move.kind == "fence"}
    lost |= {node.name for node in cluster.nodes if node.unclean}
    for move in movements:
        domain = cluster.domain_of(move.resource)
        if (
            domain
            and len(domain.nodes) > 1
            and not domain.in_flight
            and lost.isdisjoint(domain.nodes)
        ):
            what = f"{domain.name} is about to {on_both(cluster, domain, move)}"
            code = "about-to-move" if move.target else "about-to-stop"
            yield code, (domain.name,), Reason(what, do=f"hxm why {typed(domain)}")


def departures(questions: Iterable[Question]) -> Iterator[Threat]:
    """What the cluster is about to do with these domUs; those with one cause on a node together.

    What stops comes first.
    """
    alike: dict[tuple[str, str | None, str], list[tuple[ManagedDomain, Movement]]] = {}
    for question in questions:
        for move in imminent(question)[:1]:
            causes = list(dict.fromkeys(reason.what for reason in leaving(question, move)))
            cause = f": {causes[0]}" if causes else ""
            cause += f"; and {len(causes) - 1} more" if causes[1:] else ""
            alike.setdefault((move.kind, move.source, cause), []).append((question.domain, move))
    for (kind, source, cause), leavers in sorted(
        alike.items(), key=lambda one: one[0][0] != "stop"
    ):
        names = tuple(domain.name for domain, _ in leavers)
        does = {phrase(move) for _, move in leavers}
        does = does if len(does) == 1 else {f"{verb(leavers[0][1])} from {source}"}
        what = f"{_those(names, 'is', 'are')} about to {does.pop()}"
        what += cause.replace(": it ", ": each ", 1) if names[1:] else cause
        code = "about-to-stop" if kind == "stop" else "about-to-move"
        yield code, names, Reason(what, do=f"hxm why {typed(leavers[0][0])}")


def at_the_end(cluster: Cluster, movements: Collection[Movement]) -> Iterator[Threat]:
    """What the end of the maintenance would do to domUs that run, by these movements."""
    kinds = {move.resource: move.kind for move in movements}
    alike: dict[str, list[str]] = {}
    for domain in departing(cluster, movements):
        kind = kinds[domain.resource]
        alike.setdefault(kind if kind in ("stop", "restart") else "move", []).append(domain.name)
    if alike:
        does = " and ".join(f"{kind} {listed(some, 8)}" for kind, some in alike.items())
        names = tuple(name for some in alike.values() for name in some)
        what = f"the end of the maintenance would {does}"
        yield "about-to-move", names, Reason(what, do="hxm maintenance off --dry-run")


def unsupported(facts: Facts, besides: Collection[str]) -> Iterator[Threat]:
    """The domUs that run where what they need does not, but for those `besides`."""
    storage = Storage(facts.cluster, facts.cluster, facts.relations)
    alike: dict[str, list[ManagedDomain]] = {}
    for domain in facts.cluster.managed_domains:
        for lack in lacks(facts, storage, domain) if domain.name not in besides else ():
            because = f" ({lack.because})" if lack.failure else ""
            where = f"on {domain.nodes[0]}, where {lack.name} {lack.how}{because}"
            alike.setdefault(where, []).append(domain)
    for where, domains in alike.items():
        names = tuple(domain.name for domain in domains)
        what = f"{_those(names, 'runs', 'run')} {where}"
        yield "unsupported", names, Reason(what, do=f"hxm why {typed(domains[0])}")


def _those(names: Collection[str], one: str, several: str) -> str:
    return f"{listed([*names], 8)} {one if len(names) == 1 else several}"
