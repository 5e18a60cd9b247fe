"""Writes steps into a copy of the CIB, and reads off one run of the scheduler what would move."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from hxm.cluster.unfenced import cluster_copy
from hxm.config import Config
from hxm.model import Cluster
from hxm.pacemaker.argv import step_argv
from hxm.pacemaker.dialect import DIALECTS, Argv, Dialect
from hxm.pacemaker.sandbox import forget, forget_failures, set_connected, set_found
from hxm.pacemaker.sandbox_past import Past
from hxm.pacemaker.simulate import Scratch, carries_out, commit, scratch, simulator
from hxm.plan import ON_NODE, Forecast, Goal, Movement, Phase, Plan, Step
from hxm.policy.forecast import movements
from hxm.policy.forecast.goal_kinds import reached
from hxm.toolstack.node_actions import destroy_argv, on_node_argv


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
    with cluster_copy(cluster.sandbox, config) as copy:
        if not cluster.sandbox:
            copy.settle()
        apply_to_copy(cluster, phase.steps, copy)
        return movements(copy.settle(), cluster)


def still_to_do(
    cluster: Cluster, goals: Iterable[Goal], config: Config
) -> tuple[tuple[Movement, ...], bool]:
    """The movements that the scheduler still plans, and whether it would probe a new domU.

    `cluster` is a running one, at any time. Raises NoForecast if the scheduler takes too long.
    """
    watched = {goal.subject for goal in goals if goal.kind in ("healthy", "absent")}
    with scratch(None, config.ask_timeout) as copy:
        transition = copy.simulate(execute=False)
    looks = any(action.resource in watched for action in transition)
    return movements(transition, cluster), looks


def change_sandbox(
    cluster: Cluster, steps: tuple[Step, ...], cib_file: str, config: Config
) -> tuple[list[Argv], tuple[Movement, ...]]:
    """Change the file once, with the steps and their transitions, or not at all.

    Returns the command lines and what moved.
    """
    with cluster_copy(cib_file, config, Past(cib_file)) as copy:
        done = apply_to_copy(cluster, steps, copy, by_tools=True)
        moved = movements(copy.settle(), cluster)
        commit(copy, cib_file)
    return done, moved


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
            _clean_up(alike, copy)
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


def _clean_up(steps: Iterable[Step], copy: Scratch) -> None:
    """What crm_resource --cleanup does, which crashes on a file (2.0.5 to 3.0.1)."""
    for step in steps:
        running = forget_failures(copy.path, step.values["resource"], step.values.get("node"))
        for name, node in running if carries_out(simulator()) else ():
            _find_running(copy, name, node, name)


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
