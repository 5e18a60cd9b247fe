"""Start, shutdown, reboot and destroy: the target-role, and what it must lead to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hxm.model import Cluster, ManagedDomain
from hxm.plan import AlreadyDone, Decision, Goal, Objection, Phase, Plan, Step
from hxm.policy import (
    all_typed,
    called,
    goals,
    guards,
    keeps_stopped,
    listed,
    outermost,
    own_meta,
    resources,
)
from hxm.policy.forecast.goal_kinds import reached
from hxm.policy.guards import location
from hxm.policy.guards.above import stands_above
from hxm.policy.state.cluster_wide import inherited
from hxm.policy.state.running_twice import on_two_nodes
from hxm.policy.steps import clear_meta_step, destroy_step, meta_step


def start(
    cluster: Cluster, domains: Sequence[ManagedDomain], *, everything: bool = False
) -> Decision:
    """Let the cluster run the domUs: nothing stays in the CIB if its default is to run them."""
    wanting = [domain for domain in domains if not _runs_and_stays(cluster, domain)]
    if not wanting:
        already = "; ".join(_runs_where(domain) for domain in domains)
        return AlreadyDone(already or "every domU of the cluster runs")
    rest = [domain for domain in domains if domain not in wanting]
    idle = [domain for domain in wanting if not domain.running and not _release(cluster, domain)]
    return Plan(
        "start",
        f"start {called(wanting)}",
        resources(wanting),
        (
            Phase(
                tuple(step for domain in wanting for step in _release(cluster, domain)),
                goals("running", wanting),
            ),
        ),
        frozenset({"start"}),
        (
            *_checks(cluster, wanting),
            *guards.stray(cluster, wanting),
            *location.cloned(cluster, wanting),
            *stands_above(
                cluster, [cluster.primitives[d.resource] for d in wanting], "target-role"
            ),
            *(
                objection
                for domain in idle
                for objection in location.kept_from_running(cluster, domain)
            ),
            *guards.all_of_them(wanting, everything, "start"),
        ),
        guards.warnings(cluster),
        notes=(*map(_runs_where, rest), *_despite(cluster, wanting)),
        unchanged=resources(rest),
        undo=f"hxm shutdown {all_typed(wanting)}",
    )


def shutdown(
    cluster: Cluster, domains: Sequence[ManagedDomain], *, everything: bool = False
) -> Decision:
    """Stop the domUs cleanly; the target-role that says so stays until `start` or `default`."""
    wanting = [domain for domain in domains if domain.places or not domain.told_to_stop]
    if not wanting:
        return AlreadyDone(f"{called(domains)}: stopped already" if domains else "no domU runs")
    rest = [domain for domain in domains if domain not in wanting]
    return Plan(
        "shutdown",
        f"shut down {called(wanting)}",
        resources(wanting),
        (_stop(wanting),),
        frozenset({"stop"}),
        (
            *_checks(cluster, wanting),
            *guards.stray(cluster, wanting),
            *guards.all_of_them(wanting, everything, "stop"),
        ),
        guards.warnings(cluster),
        notes=(f"{called(rest)}: stopped already",) if rest else (),
        unchanged=resources(rest),
        undo=f"hxm start {all_typed(wanting)}",
    )


def reboot(
    cluster: Cluster, domains: Sequence[ManagedDomain], *, everything: bool = False
) -> Decision:
    """Stop and start through the cluster, so that no monitor takes it for a failure."""
    if not domains:
        return AlreadyDone("no domU runs")
    back = tuple(step for domain in domains for step in _as_before(cluster, domain))
    return Plan(
        "reboot",
        f"reboot {called(domains)}",
        resources(domains),
        (_stop(domains), Phase(back, goals("running", domains))),
        frozenset({"stop", "start"}),
        (
            *_checks(cluster, domains),
            *guards.stopped(domains),
            *guards.all_of_them(domains, everything, "stop"),
        ),
        guards.warnings(cluster),
        rollback=back,
        undo=f"hxm start {all_typed(domains)}",
    )


def destroy(cluster: Cluster, domains: Sequence[ManagedDomain]) -> Decision:
    """First tell the cluster that they are to stop, then pull their plug where they run.

    The other way round the monitor would find them gone and start them again.
    """
    plug = tuple(
        destroy_step(domain, node)
        for domain in domains
        for node in domain.places
        if means_itself(domain.name)
    )
    if all(domain.told_to_stop and not domain.places for domain in domains):
        return AlreadyDone(f"{called(domains)}: stopped already")
    stop = _stop(domains)
    slowly = [domain for domain in domains if domain.places and not means_itself(domain.name)]
    return Plan(
        "destroy",
        f"destroy {called(domains)}",
        resources(domains),
        (stop._replace(steps=(*stop.steps, *plug)),),
        frozenset({"stop"}),
        _checks(cluster, domains),
        (
            *guards.warnings(cluster),
            *(f"xl cannot be told of {domain.name!r}: the cluster stops it" for domain in slowly),
        ),
        undo=f"hxm start {all_typed(domains)}",
    )


def means_itself(name: str) -> bool:
    """Whether the toolstack takes the name for a name: digits are a domid to it, -x an option."""
    return not name.isdigit() and not name.startswith("-")


def _checks(cluster: Cluster, domains: Sequence[ManagedDomain]) -> tuple[Objection, ...]:
    return (
        *guards.whole_cluster(cluster),
        *on_two_nodes(cluster, domains),
        *guards.ignored(cluster, domains),
        *guards.in_flight(cluster, domains, guards.FORCE),
    )


def _release(cluster: Cluster, domain: ManagedDomain) -> tuple[Step, ...]:
    """Take away what keeps the domU stopped; say Started only where the default is Stopped."""
    primitive = cluster.primitives[domain.resource]
    if keeps_stopped(primitive.inherited_meta):
        if "target-role" in primitive.own_meta and not keeps_stopped(primitive.own_meta):
            return ()
        return (meta_step(domain, "target-role", "Started"),)
    if keeps_stopped(primitive.own_meta):
        return (clear_meta_step(domain, "target-role"),)
    return ()


def _despite(cluster: Cluster, domains: Sequence[ManagedDomain]) -> Iterator[str]:
    """What stays at the domUs, and against what above them."""
    own = {domain.resource: domain.name for domain in domains if _release(cluster, domain)}
    for given in inherited(cluster):
        concerned = [primitive.id for primitive in given.concerned]
        names = [name for resource, name in own.items() if resource in concerned]
        if names and given.option == "target-role":
            what = f"target-role=Started stays at {listed(names, 4)}, because {given.says}"
            yield f"{what}, for {listed(outermost(given.concerned), 4)}"


def _as_before(cluster: Cluster, domain: ManagedDomain) -> tuple[Step, ...]:
    before = own_meta(cluster, domain).get("target-role")
    if before is None:
        return (clear_meta_step(domain, "target-role"),)
    return (meta_step(domain, "target-role", before),)


def _stop(domains: Sequence[ManagedDomain]) -> Phase:
    steps = tuple(meta_step(domain, "target-role", "Stopped") for domain in domains)
    return Phase(steps, goals("stopped", domains))


def _runs_and_stays(cluster: Cluster, domain: ManagedDomain) -> bool:
    goal = Goal("running", domain.resource)
    return reached(cluster, goal) and not domain.stray and not _release(cluster, domain)


def _runs_where(domain: ManagedDomain) -> str:
    return f"{domain.name} runs on {listed(domain.nodes)} already"
