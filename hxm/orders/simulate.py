"""Computes with the scheduler what a plan would do, on a copy of the CIB."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby
from typing import TYPE_CHECKING

from hxm.cluster.read import read_cluster
from hxm.config import Config
from hxm.host import safe_files
from hxm.model import Cluster
from hxm.output.progress import Display
from hxm.pacemaker.argv import step_argv
from hxm.pacemaker.dialect import DIALECTS, Argv, Dialect
from hxm.pacemaker.sandbox import forget, forget_failures, set_connected, set_found
from hxm.pacemaker.side_by_side import at_once
from hxm.pacemaker.simulate import LONGEST, Scratch, carries_out, commit, scratch, simulator
from hxm.pacemaker.what_if import host_if
from hxm.plan import ON_NODE, Forecast, Movement, Phase, Plan, Step
from hxm.policy.forecast import after_plan, movements, movements_tell_all
from hxm.policy.goal_kinds import reached
from hxm.policy.reasons.facts import Change
from hxm.policy.reasons.holds import ends_of_holds
from hxm.toolstack.node_actions import destroy_argv, on_node_argv

if TYPE_CHECKING:
    from typing import Self


def spell(cluster: Cluster, step: Step, config: Config) -> tuple[Argv, ...]:
    """The command lines of a step, in the dialect of this cluster."""
    if step.kind in ("destroy", "kill"):
        if cluster.sandbox:
            return ()  # nothing runs there: the scheduler's stop is enough
        program = cluster.toolstack or "xl"
        values = step.values
        here, timeout = cluster.local_node, config.ssh_timeout
        return (destroy_argv(program, values["domain"], values["node"], here, timeout),)
    dialect = dialect_of(cluster)
    if step.kind in ON_NODE:
        here, timeout = cluster.local_node, config.ssh_timeout
        return (on_node_argv(step.kind, step.values, dialect.service, here, timeout),)
    return step_argv(dialect, step)


def forecast(
    cluster: Cluster, plan: Plan, config: Config, shown: Display | None = None
) -> Forecast:
    """What the real scheduler would do with the plan, on a copy of the CIB.

    Movements that the cluster would make without the plan do not count. Without a scheduler on this
    host there is no forecast, and the phases that only tidy up are left out.
    """
    if not simulator():
        for phase in plan.phases:
            for step in phase.steps:
                spell(cluster, step, config)  # raises if this generation cannot do it
        tidying = (number for number, phase in enumerate(plan.phases) if phase.only_if_still)
        nothing: tuple[tuple[Movement, ...], ...] = ((),) * len(plan.phases)
        return Forecast(nothing, cluster, frozenset(tidying), simulated=False)
    phases, left_out = [], set()
    before: tuple[Movement, ...] = ()
    after = None
    computed = movements_tell_all(cluster, plan)
    with scratch(cluster.sandbox, config.ask_timeout) as copy:
        if not cluster.sandbox:
            before = movements(copy.settle(), cluster.cloned)
        settled = safe_files.read_whole(copy.path)
        for number, phase in enumerate(plan.phases):
            if shown:
                to_come = [
                    "; ".join(step.says for step in later.steps) for later in plan.phases[number:]
                ]
                shown.left(to_come, len(plan.phases))
            with scratch(copy.path) as trial, _Ahead(config, trial) as ahead:
                apply_to_copy(cluster, phase.steps, trial)
                is_last = number == len(plan.phases) - 1
                read = ahead.read if is_last and not computed else None
                if read and phase.only_if_still:
                    read()
                moved = movements(trial.settle(read), cluster.cloned)
                phases.append(moved)
                if phase.only_if_still and moved:
                    left_out.add(number)
                else:
                    commit(trial, copy.path)
                    after = ahead.answer()
        done = [moved for number, moved in enumerate(phases) if number not in left_out]
        fenced = any(movement.kind == "fence" for moved in (before, *done) for movement in moved)
        if (computed and not fenced) or not carries_out(simulator()):
            after = after_plan(cluster, plan, (before, *done))
        after = after or _read_copy(config, copy)
        waiting, later = _starts_held_back(cluster, after, copy, settled)
    return Forecast(tuple(phases), after, frozenset(left_out), waiting=waiting, later=later)


def _starts_held_back(
    before: Cluster, after: Cluster, copy: Scratch, settled: bytes
) -> tuple[tuple[Movement, ...], tuple[Movement, ...]]:
    """The starts that wait after the plan, and those of them that did not wait before it.

    `settled` is the copy as it was before the plan; both are asked about without the same holds.
    """
    held = tuple(ends_of_holds(after))
    waiting = _waiting(before, copy, held)
    if not waiting:
        return (), ()
    with open(copy.path, "wb") as file:
        file.write(settled)
    excluded = {movement.resource for movement in _waiting(before, copy, held)}
    excluded |= {domain.resource for domain in before.managed_domains if domain.running}
    return waiting, tuple(start for start in waiting if start.resource not in excluded)


def _waiting(cluster: Cluster, copy: Scratch, held: tuple[Change, ...]) -> tuple[Movement, ...]:
    """The starts that the scheduler would order if these changes ended what holds it back."""
    moved = host_if(cluster, copy, held)[0] if held else ()
    return tuple(movement for movement in moved if movement.kind == "start")


def _read_copy(config: Config, copy: Scratch) -> Cluster:
    return read_cluster(config._replace(ask_timeout=LONGEST), copy.env, local=False)


class _Ahead:
    """Reads a copy of the CIB while the scheduler finds that nothing is left to do there."""

    def __init__(self, config: Config, copy: Scratch) -> None:
        self._config, self._copy = config, copy
        self._pool = ThreadPoolExecutor(1)
        self._reading: Future[Cluster] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def read(self) -> None:
        """Begin, if there is room for two tools at once; what was read before does not count."""
        if at_once(self._copy.path) > 1:
            self._reading = self._pool.submit(_read_copy, self._config, self._copy)

    def answer(self) -> Cluster | None:
        """What was read, if anything. Raises CannotAsk if crm_mon does not understand the copy."""
        return self._reading.result() if self._reading else None


_NEVER = ("marked", "unmarked", "back", "connected")
"""Goals that no scheduler has a say in: what is written down, a node that is back, its network."""


def reaches_goals(plan: Plan, predicted: Forecast) -> bool:
    """Whether the forecast reaches the goals of the last phase that has goals."""
    phases = ([goal for goal in phase.goals if goal.kind not in _NEVER] for phase in plan.phases)
    goals = list(filter(None, phases))
    return (
        not predicted.simulated
        or not goals
        or all(reached(predicted.after, goal) for goal in goals[-1])
    )


def would_move(cluster: Cluster, phase: Phase, config: Config) -> tuple[Movement, ...]:
    """What the steps of a phase would move, without movements already in progress."""
    with scratch(cluster.sandbox, config.ask_timeout) as copy:
        if not cluster.sandbox:
            copy.settle()
        apply_to_copy(cluster, phase.steps, copy)
        return movements(copy.settle(), cluster.cloned)


def apply_to_copy(
    cluster: Cluster, steps: tuple[Step, ...], copy: Scratch, *, by_tools: bool = False
) -> list[Argv]:
    """Apply the steps to a copy of the CIB, without those on nodes; returns the command lines.

    `by_tools` has even those done by the cluster's tools whose effect is known.
    """
    done: list[Argv] = []
    dialect = dialect_of(cluster)
    for kind, alike in groupby(steps, key=_its_own_kind):
        if kind in ("cleanup", "cleanup-on"):
            # crm_resource --cleanup crashes on a file (2.0.5 to 3.0.1)
            for step in alike:
                resource = step.values["resource"]
                running = forget_failures(copy.path, resource, step.values.get("node"))
                for node in running if carries_out(simulator()) else ():
                    _find_running(copy, resource, node, resource)
        elif kind == "fence":
            copy.inject([f"--node-fail={step.values['node']}" for step in alike])
        elif kind == "kill":  # a recurring monitor of any interval finds the domU gone
            results = ("{resource}_monitor_1@{node}=7".format(**step.values) for step in alike)
            copy.inject([f"--op-inject={result}" for result in results])
        elif kind == "cut":
            for step in alike:
                set_connected(copy.path, step.values["node"], "0", step.values["attribute"])
        elif kind == "forget":  # and so does --refresh
            for step in alike:
                done += step_argv(dialect, step)
                forget(copy.path, step.values["resource"])
        elif kind == _WRITTEN:
            group = tuple(alike)
            done += (copy.apply if by_tools else copy.foresee)(dialect, group)
            _answer_probes(group, copy)
    return done


_WRITTEN = ""
_NOT_BY_TOOLS = ("cleanup", "cleanup-on", "fence", "cut", "forget", *ON_NODE)
"""Kinds of steps that the tools cannot do on a file, or that are not done in the CIB."""


def _its_own_kind(step: Step) -> str:
    """The kind of a step that needs care on a copy; those that are just written are one."""
    return step.kind if step.kind in _NOT_BY_TOOLS else _WRITTEN


def _answer_probes(steps: tuple[Step, ...], copy: Scratch) -> None:
    """Add the probe results for domUs that are loaded while they run."""
    for step in steps:
        if step.kind == "load-xml" and "node" in step.values:
            _find_running(copy, step.values["resource"], step.values["node"], step.values["domain"])


def _find_running(copy: Scratch, resource: str, node: str, domain: str) -> None:
    copy.inject([f"--op-inject={resource}_monitor_0@{node}=0"])
    set_found(copy.path, resource, node, domain)


def new_complaints(cluster: Cluster, steps: tuple[Step, ...], config: Config) -> list[str]:
    """The complaints of crm_verify that these steps would add."""
    from xml.etree.ElementTree import parse

    from hxm.pacemaker.verify import read_complaints

    with scratch(cluster.sandbox, config.ask_timeout) as copy:
        before = read_complaints(parse(copy.path).getroot())
        apply_to_copy(cluster, steps, copy)
        after = read_complaints(parse(copy.path).getroot())
    return [complaint.text for complaint in after if complaint not in before]


def dialect_of(cluster: Cluster) -> Dialect:
    """The dialect of the cluster's generation of Pacemaker."""
    return next(dialect for dialect in DIALECTS if dialect.name == cluster.dialect)
