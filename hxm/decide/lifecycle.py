"""Start, shutdown, reboot and destroy: the target-role, and what it must lead to."""

from __future__ import annotations

from collections.abc import Sequence

from hxm.decide import (
    Decision,
    Nothing,
    Objection,
    Translate,
    clear_meta_step,
    guards,
    keeps_stopped,
    listed,
    meta_step,
    own_meta,
)
from hxm.decide.forecast import reached
from hxm.model import Cluster, Domain, Goal, Phase, Step


def start(cluster: Cluster, domains: Sequence[Domain]) -> Decision:
    """Let the cluster run the domUs: nothing stays in the CIB if its default is to run them."""
    wanting = [domain for domain in domains if not _runs_and_stays(cluster, domain)]
    if not wanting:
        return Nothing("; ".join(_runs_where(domain) for domain in domains))
    steps = tuple(step for domain in wanting for step in _release(cluster, domain))
    objections = [*_checks(cluster, wanting)]
    for domain in wanting:
        if not domain.running and not _release(cluster, domain):
            objections.append(
                Objection(
                    f"no target-role keeps {domain.name} stopped: the cluster does not manage to "
                    f"run it{_failed_why(cluster, domain)}",
                    f"hxm cleanup {domain.name} makes it try again",
                )
            )
    return Translate(
        "start",
        f"start {_names(wanting)}",
        _resources(wanting),
        (Phase(steps, _goals("running", wanting)),),
        frozenset({"start"}),
        tuple(objections),
        guards.warnings(cluster),
    )


def shutdown(cluster: Cluster, domains: Sequence[Domain], *, everything: bool = False) -> Decision:
    """Stop the domUs cleanly; the target-role that says so stays until `start` or `default`."""
    wanting = [domain for domain in domains if domain.running or not domain.told_to_stop]
    if not wanting:
        return Nothing(f"{_names(domains)}: stopped already" if domains else "no domU runs")
    return Translate(
        "shutdown",
        f"shut down {_names(wanting)}",
        _resources(wanting),
        (_stop(wanting),),
        frozenset({"stop"}),
        (*_checks(cluster, wanting), *guards.all_running(wanting, everything)),
        guards.warnings(cluster),
    )


def reboot(cluster: Cluster, domains: Sequence[Domain], *, everything: bool = False) -> Decision:
    """Stop and start through the cluster, so that no monitor takes it for a failure."""
    if not domains:
        return Nothing("no domU runs")
    objections = [
        Objection(f"{domain.name} does not run", f"hxm start {domain.name}")
        for domain in domains
        if not domain.running
    ]
    back = tuple(step for domain in domains for step in _as_before(cluster, domain))
    return Translate(
        "reboot",
        f"reboot {_names(domains)}",
        _resources(domains),
        (_stop(domains), Phase(back, _goals("running", domains))),
        frozenset({"stop", "start"}),
        (*_checks(cluster, domains), *objections, *guards.all_running(domains, everything)),
        guards.warnings(cluster),
        rollback=back,
    )


def destroy(cluster: Cluster, domains: Sequence[Domain]) -> Decision:
    """First tell the cluster that they are to stop, then pull their plug where they run.

    The other way round the monitor would find them gone and start them again.
    """
    plug = tuple(
        Step(
            "destroy",
            f"destroy {domain.name} on {node}",
            {"domain": domain.name, "node": node},
        )
        for domain in domains
        for node in domain.nodes
    )
    if not plug and all(domain.told_to_stop for domain in domains):
        return Nothing(f"{_names(domains)}: stopped already")
    stop = _stop(domains)
    return Translate(
        "destroy",
        f"destroy {_names(domains)}",
        _resources(domains),
        (stop._replace(steps=(*stop.steps, *plug)),),
        frozenset({"stop"}),
        _checks(cluster, domains),
        guards.warnings(cluster),
    )


def _checks(cluster: Cluster, domains: Sequence[Domain]) -> tuple[Objection, ...]:
    return (
        *guards.whole_cluster(cluster),
        *guards.ignored(cluster, domains),
        *guards.in_flight(cluster, domains, guards.FORCE),
        *guards.on_two_nodes(domains),
    )


def _release(cluster: Cluster, domain: Domain) -> tuple[Step, ...]:
    """Take away what keeps the domU stopped; say Started only where the default is Stopped."""
    primitive = cluster.primitives[domain.resource or ""]
    if keeps_stopped(primitive.inherited_meta):
        if "target-role" in primitive.own_meta and not keeps_stopped(primitive.own_meta):
            return ()
        return (meta_step(domain, "target-role", "Started"),)
    if keeps_stopped(primitive.own_meta):
        return (clear_meta_step(domain, "target-role"),)
    return ()


def _as_before(cluster: Cluster, domain: Domain) -> tuple[Step, ...]:
    before = own_meta(cluster, domain).get("target-role")
    if before is None:
        return (clear_meta_step(domain, "target-role"),)
    return (meta_step(domain, "target-role", before),)


def _stop(domains: Sequence[Domain]) -> Phase:
    steps = tuple(meta_step(domain, "target-role", "Stopped") for domain in domains)
    return Phase(steps, _goals("stopped", domains))


def _runs_and_stays(cluster: Cluster, domain: Domain) -> bool:
    goal = Goal("running", domain.resource or "")
    return reached(cluster, goal) and not _release(cluster, domain)


def _runs_where(domain: Domain) -> str:
    return f"{domain.name} runs on {listed(domain.nodes)} already"


def _failed_why(cluster: Cluster, domain: Domain) -> str:
    for failure in cluster.failures:
        if failure.resource == domain.resource:
            return f" ({failure.operation} failed on {failure.node}: {failure.reason})"
    return ""


def _goals(kind: str, domains: Sequence[Domain]) -> tuple[Goal, ...]:
    return tuple(Goal(kind, domain.resource or "") for domain in domains)


def _names(domains: Sequence[Domain]) -> str:
    return listed([domain.name for domain in domains])


def _resources(domains: Sequence[Domain]) -> tuple[str, ...]:
    return tuple(domain.resource or "" for domain in domains)
