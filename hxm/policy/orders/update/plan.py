"""A rolling update from one end to the other, before it begins."""

from __future__ import annotations

from hxm.model import Cluster
from hxm.plan import Forecast, Goal, Objection, Phase, Plan
from hxm.policy import called, guards, resources
from hxm.policy.forecast import after_all, movement_text
from hxm.policy.guards import start
from hxm.policy.orders import placement
from hxm.policy.orders.update import all_stages, busy, ready
from hxm.policy.orders.update.objections import unfit_canary, unheard
from hxm.policy.orders.update.progress import TRY, Progress, Stage, progress_in
from hxm.policy.steps import clear_standby_step, standby_step


def whole(
    cluster: Cluster, progress: Progress, tried: tuple[Phase, ...] = (), hosts: int | None = None
) -> Plan:
    """The update of all or of the first `hosts` as one plan, for the scheduler to simulate.

    Two phases a host, its drain and its return; those of the canary after the first.
    """
    phases: list[Phase] = []
    for number, host in enumerate(progress.order[:hosts]):
        phases.append(Phase((standby_step(host),), (Goal("empty", host),)))
        phases.append(Phase((clear_standby_step(host),), (Goal("usable", host),)))
        phases += tried if number == 0 else ()
    subjects = resources(cluster.managed_domains)
    return Plan("update", "update host by host", subjects, tuple(phases), frozenset({"live"}))


def trial(seen: Cluster, progress: Progress) -> tuple[Phase, ...]:
    """How the canary gets to the first host, from where it is when that has been taken back."""
    domain, node = seen.domain_of(progress.canary), seen.node(progress.order[0])
    plan = placement.migrate(seen, domain, node) if domain and domain.running and node else None
    if not isinstance(plan, Plan):
        return ()
    return (plan.fallback or plan).phases


def foreseen(
    cluster: Cluster, progress: Progress, predicted: Forecast, tried: tuple[Phase, ...]
) -> list[tuple[Stage, list[str]]]:
    """Each step with the movements that the scheduler foresees of domUs, in words."""
    phases = iter(predicted.phases)
    steps = []
    for stage in all_stages(cluster, progress):
        moves = [move for _ in tried if stage.stage == TRY for move in next(phases, ())]
        moves += next(phases, ()) if stage.stage != TRY else ()
        lines = [movement_text(cluster, move) for move in moves if guards.concerns(cluster, move)]
        steps.append((stage._replace(state=""), lines))
    return steps


def against(cluster: Cluster, progress: Progress) -> list[Objection]:
    """All that stands against the whole of an update as things are."""
    if under_way := progress_in(cluster.properties):
        return [busy(cluster, under_way)]
    objections = [*ready(cluster), *unfit_canary(cluster, progress)]
    for host in filter(None, map(cluster.node, progress.order)):
        drain = placement.standby(cluster, host)
        objections += [*unheard(cluster, host), *getattr(drain, "objections", ())]
    return list(dict.fromkeys(objections))


def against_foreseen(cluster: Cluster, plan: Plan, predicted: Forecast) -> list[Objection]:
    """All that stands against what is foreseen of it."""
    strays = start.strays(cluster, start.started(cluster, plan, predicted))
    return list(dict.fromkeys((*strays, *guards.foreseen(cluster, plan, predicted))))


def in_the_end(seen: Cluster) -> str:
    """Where the domUs would run, node by node."""
    here = {
        node.name: [domain for domain in seen.managed_domains if node.name in domain.nodes]
        for node in seen.nodes
    }
    return "; ".join(f"{called(there)} on {name}" for name, there in here.items() if there)


def afterwards(cluster: Cluster, predicted: Forecast) -> tuple[Cluster, ...]:
    """The cluster as it would be after each of the phases."""
    phases = predicted.phases
    return tuple(after_all(cluster, phases[: number + 1]) for number in range(len(phases)))
