"""Carries a decision out, step by step, waits for the cluster, and tells what became of it.

A sandbox and a cluster differ in one thing only: in a sandbox the scheduler is run here, until it
has nothing left to do, and in a cluster its end is waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from hxm import run
from hxm.config import Config
from hxm.decide import Translate, listed
from hxm.decide.forecast import came_live, movements, reached, settled, told
from hxm.errors import DONE, CannotAsk, Failed, HxmError, Interrupted, TimedOut
from hxm.model import IN_FLIGHT, Cluster, Domain, Forecast, Goal, Movement, Phase, Step
from hxm.observe import read_cluster, sandbox_file
from hxm.pacemaker.argv import step_argv
from hxm.pacemaker.dialect import DIALECTS, Argv, Dialect
from hxm.pacemaker.sandbox import forget_failures
from hxm.pacemaker.simulate import Scratch, check, commit, scratch, serialised
from hxm.toolstack import destroy_argv
from hxm.toolstack.remote import fault_of

Report = Callable[[str], None]
DESTROY_TIMEOUT = 15.0
"""Seconds for a toolstack to pull a plug; then the cluster's own stop is what remains."""


class Change(NamedTuple):
    """What became of one domU."""

    name: str
    resource: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    how: str
    """live, restarted, moved, started, stopped, unchanged or unknown."""


class Outcome(NamedTuple):
    """What became of an order; `status` is the exit status."""

    status: int
    message: str
    hint: str = ""
    changes: tuple[Change, ...] = ()
    commands: tuple[Argv, ...] = ()
    seconds: float = 0.0
    seen: Cluster | None = None
    """The cluster as it was seen last."""
    warnings: tuple[str, ...] = ()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Serialise changes of a CIB_file; a cluster's own CIB takes care of itself."""
    sandbox = sandbox_file()
    if sandbox:
        with serialised(sandbox):
            yield
    else:
        yield


def spell(cluster: Cluster, step: Step, ssh_timeout: float = 5) -> tuple[Argv, ...]:
    """The command lines that a step will be."""
    if step.kind == "destroy":
        if cluster.sandbox:
            return ()  # there is nobody to pull the plug of: the scheduler's stop is the end
        program = cluster.toolstack or "xl"
        values = step.values
        here = cluster.local_node
        return (destroy_argv(program, values["domain"], values["node"], here, ssh_timeout),)
    return step_argv(_dialect(cluster), step)


def forecast(cluster: Cluster, plan: Translate, config: Config) -> Forecast:
    """What the real scheduler would do with the plan, seen on a copy of the CIB."""
    phases, left_out = [], set()
    with scratch(cluster.sandbox) as copy:
        for number, phase in enumerate(plan.phases):
            with scratch(copy.path) as trial:
                _apply_to_copy(cluster, phase.steps, trial)
                found = movements(trial.settle(), _clones(cluster))
                phases.append(found)
                if phase.only_if_still and found:
                    left_out.add(number)
                else:
                    commit(trial, copy.path)
        after = read_cluster(config, copy.env, local=False)
    return Forecast(tuple(phases), after, frozenset(left_out))


def leads_there(plan: Translate, predicted: Forecast) -> bool:
    """Whether the goals of the plan's last phase with goals are reached in the forecast."""
    goals = [phase.goals for phase in plan.phases if phase.goals]
    return not goals or all(reached(predicted.after, goal) for goal in goals[-1])


class Performance:
    """One order being carried out."""

    def __init__(
        self,
        cluster: Cluster,
        plan: Translate,
        config: Config,
        report: Report,
        keep: Callable[[Cluster], None] = lambda _: None,
    ) -> None:
        self.before = cluster
        self.cluster = cluster
        self.plan = plan
        self.config = config
        self.report = report
        self.keep = keep
        """Told of every look at the cluster; raises if nothing more may be done."""
        self.commands: list[Argv] = []
        self.warnings: list[str] = []
        self.started = time.monotonic()

    def perform(self, timeout: float, *, wait: bool = True) -> Outcome:
        """All phases, to the end or to the first that does not reach its goals."""
        deadline = self.started + timeout
        try:
            for phase in self.plan.phases:
                if phase.only_if_still and self._would_move(phase):
                    continue
                self._do(phase.steps)
                if not wait and not self.before.sandbox:
                    self.cluster = read_cluster(self.config, local=False)
                    return self._outcome(DONE, f"ordered: {self.plan.about}; see: hxm status")
                if not self._await(phase.goals, deadline):
                    return self._missed()
        except (Interrupted, TimedOut) as error:
            return self._outcome(error.status, error.message, error.hint)
        except HxmError as error:
            return self._outcome(error.status, error.message, self._so_far(error.hint))
        except KeyboardInterrupt:
            message = f"interrupted while ordering: {self.plan.about}"
            return self._outcome(Interrupted.status, message, self._so_far("see: hxm status"))
        return self._verdict()

    def _so_far(self, hint: str) -> str:
        done = "; ".join(" ".join(argv) for argv in self.commands)
        return "; ".join(filter(None, (hint, f"done so far: {done}" if done else "")))

    def _do(self, steps: tuple[Step, ...]) -> None:
        if self.before.sandbox:
            self._do_in_sandbox(steps, self.before.sandbox)
            return
        for step in steps:
            self.report(step.says)
            for argv in spell(self.before, step, self.config.ssh_timeout):
                self.commands.append(argv)
                if step.kind == "destroy":
                    self._pull_the_plug(step, argv)
                else:
                    check(_dialect(self.before), run.output(argv))

    def _pull_the_plug(self, step: Step, argv: Argv) -> None:
        """The cluster has been told already and stops it, if more slowly: no failure stops us."""
        name = step.values["node"]
        node = self.before.node(name)
        if node and (node.unclean or not node.online):
            fault = f"{name} is {node.predicament}"
        else:
            try:
                result = run.output(argv, timeout=DESTROY_TIMEOUT)
                fault = fault_of(name, result) if result.status != 0 else ""
            except CannotAsk as error:
                fault = error.message
        if fault:
            self.warnings.append(f"cannot {step.says} at once: {fault}")

    def _do_in_sandbox(self, steps: tuple[Step, ...], cib_file: str) -> None:
        """Steps and the transitions that follow are one change of the file, or none."""
        for step in steps:
            self.report(step.says)
        with scratch(cib_file) as copy:
            done = _apply_to_copy(self.before, steps, copy)
            for movement in movements(copy.settle(), _clones(self.before)):
                self.report(told(self.before, movement))
            commit(copy, cib_file)
        self.commands += done

    def _await(self, goals: tuple[Goal, ...], deadline: float) -> bool:
        """Look until the goals are reached (True) or the cluster rests without them (False)."""
        try:
            while True:
                seen = read_cluster(self.config, local=False)
                self._tell_changes(seen)
                self.cluster = seen
                self.keep(seen)
                if goals and all(reached(seen, goal) for goal in goals):
                    return True
                if self.before.sandbox or (settled(seen) and self._at_rest()):
                    return not goals
                if time.monotonic() > deadline:
                    raise TimedOut(
                        f"ordered, but not reached in time: {self._under_way()}",
                        self._how_to_undo("the cluster goes on; look with: hxm status"),
                    )
                time.sleep(self.config.poll)
        except KeyboardInterrupt:
            raise Interrupted(
                f"you stopped waiting; the cluster goes on: {self._under_way()}",
                self._how_to_undo("look with: hxm status"),
            ) from None

    def _at_rest(self) -> bool:
        """Whether the scheduler has nothing left to do for the cluster as it is now."""
        with scratch(None) as copy:
            return not any(action.operation != "monitor" for action in copy.simulate(execute=False))

    def _would_move(self, phase: Phase) -> tuple[Movement, ...]:
        with scratch(self.before.sandbox) as copy:
            _apply_to_copy(self.before, phase.steps, copy)
            return movements(copy.settle(), _clones(self.before))

    def _missed(self) -> Outcome:
        """The cluster came to rest elsewhere: take back what can be taken back, name the rest."""
        said = f"{self.plan.about}: the cluster did not get there{self._failure()}"
        if self.plan.rollback and not self._would_move(Phase(self.plan.rollback)):
            self._do(self.plan.rollback)
            self.cluster = read_cluster(self.config, local=False)
        return self._outcome(Failed.status, said, "hxm status shows the failures")

    def _verdict(self) -> Outcome:
        """The end was reached; this says whether it was reached as it was meant to be."""
        outcome = self._outcome(DONE, self.plan.done or self.plan.about)
        cold = [each for each in outcome.changes if each.how == "moved" and self._meant_live(each)]
        if not cold:
            return outcome
        gone = [node for each in cold for node in each.before if self._lost(node)]
        why = f"{listed(gone)} was lost" if gone else "the live migration failed"
        return outcome._replace(
            status=Failed.status,
            message=f"{listed([each.name for each in cold])}: restarted, not live{self._failure()}",
            hint=f"{why} and the cluster started it anew: hxm status",
        )

    def _lost(self, name: str) -> bool:
        node = self.cluster.node(name)
        return not node or not node.online or node.unclean

    def _meant_live(self, change: Change) -> bool:
        """Others count only if a migration of theirs failed: their node may have been lost."""
        domain = self.before.domain_of(change.resource)
        failed = any(
            failure.resource == change.resource and failure.operation.startswith("migrate_")
            for failure in self.cluster.failures
            if failure not in self.before.failures
        )
        return bool(domain and domain.live and (failed or change.resource in self.plan.subjects))

    def _outcome(self, status: int, message: str, hint: str = "") -> Outcome:
        return Outcome(
            status,
            message,
            hint,
            tuple(changes(self.before, self.cluster, self.plan)),
            tuple(self.commands),
            time.monotonic() - self.started,
            self.cluster,
            tuple(self.warnings),
        )

    def _failure(self) -> str:
        """The newest failure of one of the subjects that was not there before."""
        for failure in self.cluster.failures:
            if failure.resource in self.plan.subjects and failure not in self.before.failures:
                return f" ({failure.operation} failed on {failure.node}: {failure.reason})"
        return ""

    def _under_way(self) -> str:
        busy = [
            f"{resource.id} is {resource.role}"
            for resource in self.cluster.resources
            if resource.role in IN_FLIGHT
        ]
        return ", ".join(busy) or self.plan.about

    def _how_to_undo(self, otherwise: str) -> str:
        if self.plan.verb == "migrate":
            return f"{otherwise}; then remove the constraint: hxm unmigrate"
        undo = {
            "standby": f"hxm active {self.plan.drains}",
            "shutdown": "hxm start",
            "destroy": "hxm start",
            "reboot": "hxm start",
        }.get(self.plan.verb)
        return f"{otherwise}; to take it back: {undo}" if undo else otherwise

    def _tell_changes(self, seen: Cluster) -> None:
        for now in seen.managed_domains:
            was = self.cluster.domain_of(now.resource or "")
            if self.before.sandbox or not was or (was.role, was.nodes) == (now.role, now.nodes):
                continue
            self.report(f"{now.name}: {now.role} {' '.join(now.nodes)}")


def changed(before: Cluster, now: Cluster) -> bool:
    """Whether what was foreseen in the one may not be true of the other any more."""
    return any(
        getattr(before, name) != getattr(now, name)
        for name in ("nodes", "resources", "primitives", "constraints", "node_attributes", "dc")
    )


def changes(before: Cluster, after: Cluster, plan: Translate) -> Iterator[Change]:
    """What became of each domU that the order was about, or that moved meanwhile."""
    for was in before.managed_domains:
        now = after.domain_of(was.resource or "")
        if now is None:
            continue
        how = _how(was, now, after, plan)
        if how != "unchanged" or was.resource in plan.subjects:
            yield Change(was.name, was.resource or "", was.nodes, now.nodes, how)


def _how(was: Domain, now: Domain, after: Cluster, plan: Translate) -> str:
    if was.nodes == now.nodes:
        restarted = plan.verb == "reboot" and was.resource in plan.subjects and now.running
        return "restarted" if restarted else "unchanged"
    if not now.nodes:
        return "stopped"
    if not was.nodes:
        return "started"
    if plan.verb == "reboot" and was.resource in plan.subjects:
        return "restarted"
    return "live" if came_live(after, was.resource or "", now.nodes[0]) else "moved"


def _apply_to_copy(cluster: Cluster, steps: tuple[Step, ...], copy: Scratch) -> list[Argv]:
    """The steps on a copy of the CIB: what is not the CIB's is left out."""
    done: list[Argv] = []
    for step in steps:
        if step.kind.startswith("cleanup"):
            # crm_resource --cleanup crashes on a file (2.0.5 to 3.0.1)
            forget_failures(copy.path, step.values["resource"], step.values.get("node"))
        elif step.kind != "destroy":
            for argv in step_argv(_dialect(cluster), step):
                copy.apply(_dialect(cluster), argv)
                done.append(argv)
    return done


def _clones(cluster: Cluster) -> frozenset[str]:
    return frozenset(each.id for each in cluster.primitives.values() if each.clone)


def _dialect(cluster: Cluster) -> Dialect:
    return next(each for each in DIALECTS if each.name == cluster.dialect)
