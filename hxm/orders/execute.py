"""Executes a plan step by step, waits for the cluster, and returns the outcome.

For a sandbox hxm runs the scheduler itself until it has nothing left to do; on a cluster hxm polls
until the goals are reached.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import groupby

from hxm.cluster.poller import Pace
from hxm.cluster.read import read_cluster
from hxm.config import Config
from hxm.errors import DONE, CannotAsk, Failed, HxmError, Interrupted, Refused, TimedOut
from hxm.model import Cluster
from hxm.orders import instances
from hxm.orders.downtime import DowntimeMeter
from hxm.orders.on_node import carry_out_on_node
from hxm.orders.outcome import Outcome, changes, cold_moves, is_lost, new_failure, news, under_way
from hxm.orders.simulate import change_sandbox, dialect_of, still_to_do, would_move
from hxm.pacemaker.apply import carry_out, meddled
from hxm.pacemaker.dialect import Argv
from hxm.pacemaker.simulate import NoForecast, simulator
from hxm.plan import ON_NODE, Forecast, Goal, Objection, Phase, Plan
from hxm.policy import guards, listed
from hxm.policy.forecast import movement_text, settled
from hxm.policy.forecast.goal_kinds import missing, reached

_POLLS_AT_REST = 5
"""Polls at rest after which the cluster has surely nothing to do."""

_ROLLED_BACK = "everything was rolled back: the configuration is as it was"


class Execution:
    """The execution of one plan."""

    def __init__(
        self,
        cluster: Cluster,
        plan: Plan,
        predicted: Forecast,
        config: Config,
        report: Callable[[str], None],
        keep: Callable[[Cluster | None], None] | None = None,
    ) -> None:
        self.before = cluster
        self.cluster = cluster
        self.plan = plan
        self.predicted = predicted
        self.config = config
        self.report = report
        self._keep = keep
        """Called with every snapshot of the cluster, and regularly with None while a tool runs;
        raises if the order must stop."""
        self.commands: list[Argv] = []
        self.warnings: list[str] = []
        self.downtime = DowntimeMeter(cluster, plan.subjects) if plan.is_drill else None
        self.written: bytes | None = cluster.written
        """The configuration that the last step left; None until the next snapshot."""
        self.meddled = False
        """Whether somebody else changed it before the next step."""
        self._unanswered = not predicted.simulated
        """Whether the scheduler gave no answer."""
        self.quiet = 0
        """The number of successive polls at rest; used if there is no scheduler to ask."""
        self._pace = Pace(config.poll)
        self.started = time.monotonic()
        self._last_change: dict[str, float] = {}
        """The second of the order in which each resource last changed its role or nodes."""

    def perform(self, timeout: float, *, wait: bool = True) -> Outcome:
        """Execute all phases, or until one does not reach its goals.

        However it ends, hxm reads the cluster once more, to report what is left.
        """
        deadline = self.started + timeout
        try:
            for phase in self.plan.phases:
                if phase.only_if_still and self._leaves_out(phase):
                    continue
                if phase.clears and phase is not self.plan.phases[0]:
                    self._look_until_nothing_migrates(deadline)
                self._refuse_to_move(phase)
                self._carry_out(phase)
                if not wait and not self.before.sandbox:
                    self._look()
                    return self._outcome(DONE, f"ordered: {self.plan.about}; see: hxm status")
                there = self._await(phase.goals, deadline, notices=phase.notices)
                if not there or not self._goals_hold(phase):
                    return self._goals_missed(phase)
            unknown = instances.uncertain(self.plan.same_instance, self.config)
        except KeyboardInterrupt:
            return self._cut_short(Interrupted("interrupted", "to look: hxm status"))
        except HxmError as error:
            return self._cut_short(error)
        return self._goals_reached(unknown)

    @property
    def _asks(self) -> bool:
        """Whether a scheduler answers; if not, what the cluster shows has to do."""
        return not self._unanswered and bool(simulator())

    def _leaves_out(self, phase: Phase) -> bool:
        """Whether a phase that only tidies up would move something, or nobody knows."""
        try:
            return not self._asks or bool(would_move(self.before, phase, self.config))
        except NoForecast as error:
            self._no_answer(error)
            return True

    def _no_answer(self, error: NoForecast) -> None:
        """Ask the scheduler no more: each time would take as long again."""
        self._unanswered = True
        self.report(f"{error.message}; going on by what the cluster shows")

    def _cut_short(self, error: HxmError) -> Outcome:
        """The outcome of an order that may be half done, with the command that takes it back."""
        if self.commands and self.plan.rollback_phases and self._rolled_back():
            return self._outcome(error.status, error.message, _ROLLED_BACK)
        seen: Cluster | None = None
        try:
            seen = self.cluster = read_cluster(self.config, local=False)
        except (HxmError, KeyboardInterrupt):
            self.warnings.append("cannot read what is left in the cluster: hxm list")
        message = error.message
        if isinstance(error, Interrupted) and self.before.sandbox:
            message += "" if self.commands else ": nothing was changed"
        elif isinstance(error, Interrupted):
            message += f"; the cluster continues: {under_way(self.cluster, self.plan)}"
        hint = filter(None, (error.hint, self._recovery_hint() if self.commands else ""))
        outcome = self._outcome(error.status, message, "; ".join(hint))
        return outcome if seen else outcome._replace(seen=None, written=self.written or b"")

    def _recovery_hint(self) -> str:
        """What to type after an order that did not end; "" if nothing is left to do."""
        if self.plan.resume_command:
            left = any(resource in self.cluster.primitives for resource in self.plan.subjects)
            return f"to finish it: {self.plan.resume_command}" if left else ""
        first = "when the migration has ended, " if self._migrations() else ""
        return f"{first}to undo it: {self.plan.undo or 'see hxm list'}"

    def _refuse_to_move(self, phase: Phase) -> None:
        """Raises Refused if the phase would move a resource that it must not move."""
        for movement in would_move(self.before, phase, self.config) if phase.leaves else ():
            if movement.resource == phase.leaves:
                raise Refused(
                    f"{movement_text(self.cluster, movement)}: not done", guards.NOT_MEANT
                )

    def _rolled_back(self) -> bool:
        """Roll everything back; whether that succeeded."""
        try:
            self._look()  # raises if somebody else has taken the lock over
            if not any(subject in self.cluster.primitives for subject in self.plan.subjects):
                return True
            deadline = time.monotonic() + self.config.timeout
            for phase in self.plan.rollback_phases:
                self._refuse_to_move(phase)
                self._carry_out(phase)
                if not self._await(phase.goals, deadline):
                    raise Failed(listed([missing(self.cluster, goal) for goal in phase.goals]))
        except (HxmError, KeyboardInterrupt) as error:
            self.warnings.append(f"the rollback is incomplete: {error or 'interrupted'}")
            return False
        return True

    def _carry_out(self, phase: Phase) -> None:
        replaces = any(step.kind == "restore" for step in phase.steps)
        if replaces or (phase.clears and not self.before.sandbox):
            self._look()  # the snapshot of the decision may be old
        if phase.clears and not self.before.sandbox:
            for objection in self._migrations():
                raise Refused(objection.what, objection.do)
        self.meddled |= self.written not in (None, self.cluster.written)
        if self.meddled and replaces:
            raise meddled()
        self.written = None
        if self.before.sandbox:
            done, moved = change_sandbox(self.before, phase.steps, self.before.sandbox, self.config)
            self.commands += done
            for text in (
                *(step.says for step in phase.steps),
                *(movement_text(self.before, movement) for movement in moved),
            ):
                self.report(text)
            return
        for on_node, alike in groupby(phase.steps, key=lambda step: step.kind in ON_NODE):
            group = tuple(alike)
            for step in group:
                self.report(step.says)
                if self.downtime and step.kind in ("kill", "fence"):
                    self.downtime.record_failure(
                        step.values.get("resource", ""), step.values["node"]
                    )
            if not on_node:
                dialect, seen = dialect_of(self.before), self.cluster.written
                carry_out(
                    dialect,
                    group,
                    done=self.commands,
                    meanwhile=self.keep,
                    seen=seen,
                    timeout=self.config.ask_timeout,
                )
                continue
            warnings = (
                carry_out_on_node(self.before, step, self.config, self.commands, self.keep)
                for step in group
            )
            self.warnings += filter(None, warnings)

    def _migrations(self) -> list[Objection]:
        domains = filter(None, (self.cluster.domain_of(subject) for subject in self.plan.subjects))
        return list(guards.in_flight(self.cluster, domains))

    def _look_until_nothing_migrates(self, deadline: float) -> None:
        """A migration that looks complete still has a stop to come (live lab, 2.1.5).

        One of another domU counts too: the change that comes next would abort its transition.
        """
        self._look()
        while migrations := list(guards.in_flight(self.cluster, self.cluster.managed_domains)):
            if time.monotonic() > deadline:
                raise TimedOut(f"not reached in time: {migrations[0].what}")
            self._pace.wait()
            self._look()

    def _await(self, goals: tuple[Goal, ...], deadline: float, *, notices: bool = False) -> bool:
        """Poll until the goals are reached (True) or the cluster rests without them (False).

        With `notices` the cluster must first notice something, so that rest means nothing.
        A poll that fails is repeated: the cluster may be electing a DC.
        """
        self.quiet = 0
        while True:
            try:
                self._look()
                if goals and self._all_reached(goals):
                    return True
                if self.before.sandbox:
                    return not goals
                if not notices and self._at_rest(goals):
                    # the last snapshot may have been older than what the scheduler saw
                    self._look()
                    return all(reached(self.cluster, goal) for goal in goals)
                blind = None
            except NoForecast as error:
                self._no_answer(error)
                continue
            except CannotAsk as error:
                if self.before.sandbox:
                    raise
                blind, self.quiet = error, 0
                self.report(f"{error.message}; asking again")
            if time.monotonic() > deadline:
                if blind:
                    raise blind
                if notices:
                    return False
                raise TimedOut(
                    f"ordered, but not reached in time: {under_way(self.cluster, self.plan)}",
                    "the cluster continues; to look: hxm status",
                )
            self._pace.wait()

    def _goals_hold(self, phase: Phase) -> bool:
        """Whether the goals hold at every poll for `phase.hold` seconds.

        After a failed poll the time starts again; raises CannotAsk if all polls fail for the
        configured timeout. In a sandbox there is nothing to wait for.
        """
        if not phase.hold or self.before.sandbox:
            return True
        self.report(f"watching for {phase.hold:g} s")
        seen = time.monotonic()
        since: float | None = seen
        while since is None or seen - since < phase.hold:
            time.sleep(self.config.poll)
            try:
                self._look()
            except CannotAsk as error:
                if time.monotonic() - seen > self.config.timeout:
                    raise
                self.report(f"{error.message}; asking again, and starting the time again")
                since = None
                continue
            seen = time.monotonic()
            since = seen if since is None else since
            if not all(reached(self.cluster, goal) for goal in phase.goals):
                return False
        return True

    def _all_reached(self, goals: tuple[Goal, ...]) -> bool:
        """Whether the goals are reached, and the scheduler plans nothing more for the subjects.

        Goals only seem reached between the halves of a migration, or after a failed start.
        """
        if not all(reached(self.cluster, goal, self.before) for goal in goals):
            return False
        if self.before.sandbox:
            return True
        if not self._asks:
            return settled(self.cluster, self.before)
        moves, looks = still_to_do(self.before, goals, self.config)
        return not looks and not any(move.resource in self.plan.subjects for move in moves)

    def _look(self) -> None:
        self._pace.begin()
        seen = read_cluster(self.config, local=False)
        self._tell_changes(seen)
        self.cluster = seen
        if self.downtime:
            self.downtime.record_snapshot(seen)
        self.written = seen.written if self.written is None else self.written
        self.keep(seen)

    def keep(self, seen: Cluster | None = None) -> None:
        """Renew the cluster's lock while the order runs. Raises Failed if the lock is lost."""
        if self._keep:
            self._keep(seen)

    def _at_rest(self, goals: tuple[Goal, ...]) -> bool:
        """Whether nothing is in progress and the scheduler plans nothing more.

        Without a scheduler: whether nothing was in progress at several successive polls.
        """
        self.quiet = self.quiet + 1 if settled(self.cluster, self.before) else 0
        if not self._asks or not self.quiet:
            return self.quiet >= _POLLS_AT_REST
        moves, looks = still_to_do(self.before, goals, self.config)
        return not moves and not looks

    def _goals_missed(self, phase: Phase) -> Outcome:
        """Roll back what can be after the goals were missed; the outcome names the rest."""
        done = self.plan.phases[: self.plan.phases.index(phase) + 1]
        wanted = [goal for phase in done for goal in phase.goals]
        lacking = dict.fromkeys(missing(self.cluster, goal) for goal in wanted)
        failure = new_failure(self.before, self.cluster, self.plan)
        hint = "to see the failures: hxm status" if failure else "hxm status"
        if (
            self.plan.rollback
            and self._asks
            and not any(
                guards.concerns(self.before, movement)
                for movement in would_move(self.before, Phase(self.plan.rollback), self.config)
            )
        ):
            self._carry_out(Phase(self.plan.rollback))
            self.cluster = read_cluster(self.config, local=False)
        elif self.plan.undo or self.plan.resume_command:
            hint = "; ".join(filter(None, (hint, self._recovery_hint())))
        why = listed([text for text in lacking if text])
        message = f"{self.plan.about}: the cluster did not reach the goal: {why}{failure}"
        if self.plan.rollback_phases and self._rolled_back():
            hint = _ROLLED_BACK
        return self._outcome(Failed.status, message, hint)

    def _goals_reached(self, unknown: str = "") -> Outcome:
        """The outcome once all goals are reached; it is a failure if a move was not live."""
        message = f"done: {self.plan.about}; {unknown}" if unknown else self.plan.done
        outcome = self._outcome(DONE, message or self.plan.about)
        cold = cold_moves(outcome.changes, self.before, self.cluster, self.plan, self.predicted)
        if not cold:
            return outcome
        gone = [node for change in cold for node in change.before if is_lost(self.cluster, node)]
        why = f"{listed(gone)} was lost" if gone else "the live migration failed"
        return outcome._replace(
            status=Failed.status,
            message=f"{listed([change.name for change in cold])}: restarted, not live"
            + new_failure(self.before, self.cluster, self.plan),
            hint=f"{why} and the cluster restarted it: hxm status",
        )

    def _outcome(self, status: int, message: str, hint: str = "") -> Outcome:
        written = self.cluster.written if self.written is None else self.written
        seconds = time.monotonic() - self.started
        return Outcome(
            status,
            message,
            hint,
            tuple(
                change._replace(seconds=self._last_change.get(change.resource, seconds))
                for change in changes(self.before, self.cluster, self.plan)
            ),
            tuple(self.commands),
            seconds,
            self.cluster,
            tuple(self.warnings),
            b"" if self.meddled else written,
            self.downtime.per_domain() if self.downtime else (),
        )

    def _tell_changes(self, seen: Cluster) -> None:
        for resource, does in () if self.before.sandbox else news(self.cluster, seen):
            self._last_change[resource] = time.monotonic() - self.started
            self.report(does)
