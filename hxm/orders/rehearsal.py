"""Makes the forecast of a whole plan: takes one copy of the CIB through its phases, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from hxm.cluster.read import read_cluster
from hxm.cluster.unfenced import cluster_copy
from hxm.config import Config
from hxm.host import safe_files
from hxm.model import Cluster
from hxm.orders.simulate import apply_to_copy, spell
from hxm.output.progress import Display
from hxm.pacemaker.parallel import at_once
from hxm.pacemaker.simulate import (
    NoForecast,
    Scratch,
    carries_out,
    commit,
    simulator,
)
from hxm.pacemaker.what_if import host_if
from hxm.plan import Action, Forecast, Movement, Phase, Plan
from hxm.policy.forecast import after_steps, movements, movements_tell_all
from hxm.policy.reasons.facts import Change
from hxm.policy.reasons.holds import ends_of_holds

if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import Self


def forecast(
    cluster: Cluster, plan: Plan, config: Config, shown: Display | None = None
) -> Forecast:
    """What the real scheduler would do with the plan, on a copy of the CIB.

    Movements that the cluster would make without the plan do not count. Without a scheduler on this
    host, or if it takes too long, there is no forecast, and the phases that only tidy up are left
    out.
    """
    if plan.unforeseeable:
        return unforeseen(cluster, plan, plan.unforeseeable)
    if not simulator():
        for phase in plan.phases:
            for step in phase.steps:
                spell(cluster, step, config)  # raises if this generation cannot do it
        return unforeseen(cluster, plan, "neither crm_simulate nor ptest is here")
    try:
        with rehearsal(cluster, config, shown) as tried:
            tried.go_through(plan.phases, whole=movements_tell_all(cluster, plan))
            return tried.forecast(plan)
    except NoForecast as error:
        return unforeseen(cluster, plan, error.message)


def unforeseen(cluster: Cluster, plan: Plan, why: str) -> Forecast:
    """What is known of a plan that nobody has simulated."""
    tidying = (number for number, phase in enumerate(plan.phases) if phase.only_if_still)
    nothing: tuple[tuple[Movement, ...], ...] = ((),) * len(plan.phases)
    return Forecast(nothing, cluster, frozenset(tidying), simulated=False, unknown=why)


class _Trial(NamedTuple):
    """A phase that was begun: its copy, which is gone when `folder` is closed, and the answer."""

    copy: Scratch
    folder: ExitStack
    actions: list[Action]


class _Beside:
    """Does what comes next while the scheduler finds that nothing is left to do before it."""

    def __init__(self, cib_file: str) -> None:
        from concurrent.futures import ThreadPoolExecutor  # 5 ms, and seldom needed

        self._pool = ThreadPoolExecutor(1)
        self._cib_file = cib_file
        self._begun: list[Future[_Trial | Cluster]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        self.drop()

    def begin(self, work: Callable[[], _Trial | Cluster]) -> None:
        """Begin, if there is room for two tools at once; what was begun before does not count."""
        self.drop()
        if at_once(self._cib_file) > 1:
            self._begun.append(self._pool.submit(work))

    def drop(self) -> None:
        """Forget what was begun: the copy that it works on has changed."""
        while self._begun:
            future = self._begun.pop()
            if not future.cancel() and not future.exception():
                _close(future.result())

    def taken(self) -> _Trial | Cluster | None:
        """What was begun, if anything. Raises what went wrong there."""
        return self._begun.pop().result() if self._begun else None


def _close(result: _Trial | Cluster) -> None:
    if isinstance(result, _Trial):
        result.folder.close()


class Rehearsal:
    """What the phases that were tried have led to, and a copy of the CIB as it is after them."""

    def __init__(
        self, cluster: Cluster, config: Config, copy: Scratch, shown: Display | None
    ) -> None:
        self._cluster, self._config, self._copy, self._shown = cluster, config, copy, shown
        self._before: tuple[Movement, ...] = ()
        self._phases: list[tuple[Movement, ...]] = []
        self._left_out: set[int] = set()
        self._after: Cluster | None = None
        """The cluster as it was read during the last answer, if it was."""
        if not cluster.sandbox:
            self._before = movements(copy.settle(), cluster)
        self._settled = safe_files.read_whole(copy.path)

    def go_through(self, phases: Sequence[Phase], *, whole: bool) -> None:
        """Try these phases after the others; `whole`: their movements tell all that is asked.

        Raises NoForecast if the scheduler takes too long.
        """
        with _Beside(self._copy.path) as beside:
            for number, phase in enumerate(phases):
                self._show(phases[number:])
                begun = beside.taken()
                trial = begun if isinstance(begun, _Trial) else self._begin(phase, self._copy.path)
                with trial.folder:
                    following = phases[number + 1] if number + 1 < len(phases) else None
                    next_work = self._next(phase, following, trial.copy, whole=whole)
                    at_rest = partial(beside.begin, next_work) if next_work else None
                    actions = trial.copy.settle(at_rest, trial.actions)
                    moved = movements(actions, self._cluster)
                    if phase.only_if_still and moved:
                        self._left_out.add(len(self._phases))
                        beside.drop()  # what was read is the state after a phase that is not done
                    else:
                        commit(trial.copy, self._copy.path)
                    self._phases.append(moved)
                    if following is None:
                        after = beside.taken()
                        self._after = after if isinstance(after, Cluster) else None

    def _show(self, to_come: Sequence[Phase]) -> None:
        if self._shown:
            names = ["; ".join(step.says for step in phase.steps) for phase in to_come]
            self._shown.left(names, len(self._phases) + len(names))

    def _begin(self, phase: Phase, cib_file: str) -> _Trial:
        with ExitStack() as folder:
            copy = folder.enter_context(cluster_copy(cib_file, self._config))
            apply_to_copy(self._cluster, phase.steps, copy)
            return _Trial(copy, actions=copy.simulate(execute=False), folder=folder.pop_all())

    def _next(
        self, phase: Phase, following: Phase | None, copy: Scratch, *, whole: bool
    ) -> Callable[[], _Trial | Cluster] | None:
        """What can be done during the last answer on this phase, if that is as expected."""
        if following:
            return None if phase.only_if_still else partial(self._begin, following, copy.path)
        return None if whole else partial(_read_copy, self._config, copy)

    def after(self, plan: Plan) -> Cluster:
        """The cluster after what was tried, which is this plan."""
        done = [at for at in range(len(self._phases)) if at not in self._left_out]
        moved = [self._before, *(self._phases[at] for at in done)]
        fenced = any(move.kind == "fence" for moves in moved for move in moves)
        whole = movements_tell_all(self._cluster, plan) and not fenced
        if whole or not carries_out(simulator()):
            steps = [step for at in done for step in plan.phases[at].steps]
            return after_steps(self._cluster, steps, moved)
        return self._after or _read_copy(self._config, self._copy)

    def forecast(self, plan: Plan) -> Forecast:
        """What the scheduler would do with this plan, all of which was tried."""
        after = self.after(plan)
        waiting, later = self._starts_held_back(after)
        left_out = frozenset(self._left_out)
        made = Forecast(tuple(self._phases), after, left_out, waiting=waiting, later=later)
        return made._replace(anyway=self._anyway(made))

    def _anyway(self, made: Forecast) -> tuple[Movement, ...]:
        """What would happen without the plan, where that is not done first and may be refused."""
        guests = {node.name for node in self._cluster.nodes if node.kind == "guest"}
        if not self._cluster.sandbox or guests.isdisjoint(m.target for m in made.with_later):
            return ()
        with open(self._copy.path, "wb") as file:
            file.write(self._settled)
        return movements(self._copy.settle(), self._cluster)

    def _starts_held_back(
        self, after: Cluster
    ) -> tuple[tuple[Movement, ...], tuple[Movement, ...]]:
        """The starts that wait after the plan, and those of them that did not wait before it.

        Both the copy and what it was before the plan are asked about without the same holds.
        """
        held = tuple(ends_of_holds(after))
        waiting = self._waiting(held)
        if not any(self._cluster.domain_of(start.resource) for start in waiting):
            return (), ()  # a node in standby holds back its clones' instances, too
        with open(self._copy.path, "wb") as file:
            file.write(self._settled)
        excluded = {movement.resource for movement in self._waiting(held)}
        excluded |= {domain.resource for domain in self._cluster.managed_domains if domain.running}
        return waiting, tuple(start for start in waiting if start.resource not in excluded)

    def _waiting(self, held: tuple[Change, ...]) -> tuple[Movement, ...]:
        """The starts that the scheduler would order if these changes ended what holds it back."""
        moved = host_if(self._cluster, self._copy, held)[0] if held else ()
        return tuple(movement for movement in moved if movement.kind == "start")


@contextmanager
def rehearsal(
    cluster: Cluster, config: Config, shown: Display | None = None
) -> Iterator[Rehearsal]:
    """A rehearsal on a copy of this cluster's CIB; there must be a scheduler."""
    with cluster_copy(cluster.sandbox, config) as copy:
        yield Rehearsal(cluster, config, copy, shown)


def _read_copy(config: Config, copy: Scratch) -> Cluster:
    return read_cluster(config, copy.env, local=False)
