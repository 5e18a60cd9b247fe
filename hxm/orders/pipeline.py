"""The one pipeline of every change: read, plan, simulate, confirm, execute, report."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from hxm.cluster import capacity, live_pv
from hxm.cluster.lock_holder import with_holder_state
from hxm.cluster.read import identify, read_cluster
from hxm.cluster.transfers import Transfers
from hxm.config import Config
from hxm.errors import DONE, HxmError, Refused, UsageError
from hxm.model import Cluster, Domain, ManagedDomain, is_managed
from hxm.orders import execute, passthrough, refusals, report, simulate, start_check
from hxm.orders.confirm import confirm
from hxm.orders.lock import can_lock, one_at_a_time, take
from hxm.orders.migrations import moved_live, wait_for_their_end
from hxm.orders.outcome import Outcome, changed
from hxm.orders.rehearsal import forecast
from hxm.output import render
from hxm.output.progress import display
from hxm.plan import AlreadyDone, Decision, Forecast, Objection, PassThrough, Plan
from hxm.policy import all_typed, called, guards
from hxm.policy.forecast import elsewhere, tried_again, with_goals
from hxm.policy.names import find_resources, is_pattern, matching, surely_unmanaged
from hxm.policy.orders import lock, other_resources
from hxm.policy.state.summary import remaining
from hxm.policy.ways import taken
from hxm.records import journal, known_clusters
from hxm.records.backups import try_to_keep

if TYPE_CHECKING:
    from hxm.arguments.options import Order

Decide = Callable[[Cluster], Decision]
Then = Callable[[float], str]
"""Waits for something after the plan, for so many seconds at most; returns what to report."""

_ATTEMPTS = 5


def carry_out(order: Order, decide: Decide, *, locks: bool = True, then: Then | None = None) -> int:
    """Take an order through to its end; returns the exit status, raises HxmError for a refusal.

    A decision holds for one snapshot of the cluster: if the cluster differs when the lock is taken,
    hxm decides again. The lock is released before `then`.
    """
    config = order.config
    deadline = time.monotonic() + _timeout(order, config)
    _stop_like_ctrl_c()
    with one_at_a_time():
        for _ in range(_ATTEMPTS):
            cluster = read_cluster(config, why=order.verb in ("start", "update start"))
            for objection in known_clusters.objections(cluster, config):
                if not _despite_refusal(order):
                    raise report.refusal(order, objection)
            if not order.dry_run:
                known_clusters.remember(cluster, config)
            decision = decide(cluster)
            if isinstance(decision, AlreadyDone):
                sentences = [decision.message]
                if then and not order.dry_run:
                    sentences.append(then(_timeout(order, config)))
                sentences += report.useless_options(order)
                return report.show_already_done(order, "; ".join(sentences), decision.named)
            if isinstance(decision, PassThrough):
                break
            status = _carry_out_plan(
                order, config, cluster, decision, locks=locks, deadline=deadline, then=then
            )
            if status is not None:
                return status
        else:
            raise Refused("the cluster state kept changing: nothing was done", "try again")
    if then:
        raise Refused("--until needs a managed domU", "to look: hxm console")
    return passthrough.pass_through(order, config, decision)


def _stop_like_ctrl_c() -> None:
    """Let SIGHUP and SIGTERM end the order as Ctrl-C does: with a report of what is left."""
    import signal

    for number in (signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup
            signal.signal(number, signal.default_int_handler)


def on_domains(
    order: Order,
    words: Sequence[str] | None,
    policy: Callable[..., Decision],
    *,
    everything: bool = False,
    then: Then | None = None,
) -> int:
    """Carry out an order: for managed domUs by the policy, for unmanaged ones by xl or xm.

    `everything` means every managed domU that runs, or for `start` that does not, and no other.
    """
    if everything and words:
        raise UsageError(f"{order.verb} takes names, or -a for all domUs, and not both", "say one")
    if not everything and not words:
        raise UsageError(
            f"{order.verb} needs the names of domUs", f"see: hxm list, or hxm {order.verb} --help"
        )

    def decide(cluster: Cluster) -> Decision:
        if everything:
            runs = order.verb != "start"
            domains = [domain for domain in cluster.managed_domains if domain.running == runs]
            of_all = policy(cluster, domains, everything=True)
            return _with_unmanaged(cluster, of_all) if runs else of_all
        if words and (decision := other_resources.decided(cluster, order.verb, words)):
            return decision
        named = named_domains(cluster, words or ())
        if managed := managed_or_none(cluster, named):
            return asked_about(cluster, words or (), policy(cluster, managed))
        if any(is_pattern(cluster, word) for word in words or ()):
            raise Refused(
                "xl and xm take no pattern, and the cluster does not manage these domUs",
                f"name them: {all_typed(named)}",
            )
        return PassThrough(tuple(words or ()))

    return carry_out(order, decide, then=then)


def asked_about(cluster: Cluster, words: Sequence[str], decision: Decision) -> Decision:
    """The decision, with a question where a pattern stands for the domUs; with all named ones."""
    if isinstance(decision, AlreadyDone):
        domains = named_domains(cluster, [] if "all" in words else words)
        return decision._replace(named=tuple(filter(is_managed, domains)))
    if not isinstance(decision, Plan):
        return decision
    stronger = decision.fallback
    fallback = asked_about(cluster, words, stronger) if stronger else None
    return decision._replace(
        objections=(*decision.objections, *guards.by_pattern(cluster, words)),
        fallback=fallback if isinstance(fallback, Plan) else None,
    )


def _with_unmanaged(cluster: Cluster, decision: Decision) -> Decision:
    """The decision with a warning about running unmanaged domUs, which xl's `-a` would include."""
    others = [domain for domain in cluster.domains if not domain.resource and domain.id]
    if not others:
        return decision
    warning = f"not managed by the cluster, left unchanged: {called(others)}"
    if isinstance(decision, Plan):
        return decision._replace(warnings=(*decision.warnings, warning))
    if isinstance(decision, AlreadyDone):
        return AlreadyDone(f"{decision.message}; {warning}")
    return decision


def on_managed(
    order: Order,
    words: Sequence[str] | None,
    policy: Callable[[Cluster, list[ManagedDomain]], Decision],
) -> int:
    """Carry out an order for managed domUs only; `all` means every one of them."""
    if not words:
        raise UsageError(f"{order.verb} needs the names of domUs, or all", "see: hxm list")

    def decide(cluster: Cluster) -> Decision:
        other = other_resources.decided(cluster, order.verb, words)
        return other or asked_about(cluster, words, policy(cluster, managed_only(cluster, words)))

    return carry_out(order, decide)


def named_domains(cluster: Cluster, words: Sequence[str]) -> list[Domain]:
    """The domUs with these names or patterns, each once. Raises NotFound or Ambiguous."""
    cluster = identify(cluster, words)
    return list(dict.fromkeys(domain for word in words for domain in matching(cluster, word)))


def named_resources(cluster: Cluster, words: Sequence[str] | None) -> frozenset[str] | None:
    """The resources with these names, domUs or others; None means all."""
    if not words or list(words) == ["all"]:
        return None
    cluster = identify(cluster, words)
    return frozenset[str]().union(
        *(
            cluster.ids_of(domain)
            for word in words
            if is_pattern(cluster, word)
            for domain in matching(cluster, word)
            if is_managed(domain)
        ),
        *(find_resources(cluster, word) for word in words if not is_pattern(cluster, word)),
    )


def managed_only(cluster: Cluster, words: Sequence[str]) -> list[ManagedDomain]:
    """The managed domUs with these names, or all. Raises Refused if one is not managed."""
    if "all" in words:
        if len(words) > 1:
            raise UsageError("'all' must stand alone: it means every managed domU", "see: hxm list")
        return list(cluster.managed_domains)
    domains = []
    for domain in named_domains(cluster, words):
        if not is_managed(domain):
            raise Refused(f"the cluster does not manage {domain.name}: nothing to change")
        domains.append(domain)
    return domains


def managed_or_none(cluster: Cluster, domains: Sequence[Domain]) -> list[ManagedDomain]:
    """These domUs if the cluster manages them all; an empty list if it manages none.

    Raises Refused for a mixture, CannotAsk if hxm cannot tell that a domU is unmanaged.
    """
    managed = [domain for domain in domains if is_managed(domain)]
    others = [domain.name for domain in domains if not is_managed(domain)]
    if managed and others:
        raise Refused(
            f"the cluster manages {', '.join(domain.name for domain in managed)}, "
            f"but not {', '.join(others)}",
            "use separate commands for the two",
        )
    surely_unmanaged(cluster, others)
    return managed


def _carry_out_plan(
    order: Order,
    config: Config,
    cluster: Cluster,
    decided: Plan,
    *,
    locks: bool,
    deadline: float,
    then: Then | None,
) -> int | None:
    """The exit status; None if the cluster has changed since the snapshot."""
    locks = locks and can_lock(cluster)
    if locks and not order.dry_run:
        cluster = with_holder_state(cluster, config)
        for objection in lock.held(cluster):
            raise report.refusal(order, objection)
    decided = refusals.with_own_sets(cluster, decided)
    _refuse(order, config, cluster, decided)
    try:
        if locks and not _despite_refusal(order) and wait_for_their_end(cluster, config, deadline):
            return None
    except HxmError as error:
        raise _refusal(order, error) from None
    if not order.wait and not decided.one_breath:
        raise UsageError(f"{order.verb} must wait between its steps", "leave out -W")
    plan, predicted, objections = _judged(order, config, cluster, decided)
    if order.dry_run:
        return report.show_plan(order, cluster, plan, predicted, objections)
    for warning in plan.warnings:
        render.note(f"warning: {warning}")
    plain = report.question_lines(cluster, plan, predicted, objections, config)
    confirm(order, objections, plain, plan)
    plan = with_goals(plan, predicted)
    perform = _execute_locked if locks else _execute
    outcome = perform(order, config, cluster, plan, predicted)
    return None if outcome is None else _end(order, config, plan, outcome, then)


def _refuse(order: Order, config: Config, cluster: Cluster, decided: Plan) -> None:
    """Raise the first objection of those that need no forecast and that the order does not lift."""
    for objection in (*refusals.unlisted(cluster, decided), *decided.objections):
        if not objection.lifted_by or (
            objection.lifted_by == guards.FORCE and not _despite_refusal(order)
        ):
            raise report.refusal(order, refusals.with_cause(cluster, decided, objection, config))


def _judged(
    order: Order, config: Config, cluster: Cluster, decided: Plan
) -> tuple[Plan, Forecast, list[Objection]]:
    """The plan with its warnings, its forecast, and all that there is to object to them."""
    plan, predicted = _forecast(config, cluster, decided)
    more = (
        *elsewhere(cluster, plan, predicted),
        *tried_again(cluster, plan, predicted),
        *report.useless_options(order),
    )
    plan = plan._replace(warnings=(*plan.warnings, *more))
    plan, against_starts = start_check.judge(cluster, plan, predicted, config)
    objections = [*plan.objections, *against_starts, *guards.foreseen(cluster, plan, predicted)]
    if predicted.movements or not predicted.simulated:
        objections += capacity.objections(cluster, (predicted.after,), config)
        predicted, against_live = live_pv.judge(cluster, predicted, config)
        objections += against_live
    if not simulate.reaches_goals(plan, predicted) and not _between_states(cluster, plan):
        objections.append(refusals.would_not_get_there(cluster, plan, config))
    return plan, predicted, objections


def _execute_locked(
    order: Order, config: Config, cluster: Cluster, plan: Plan, predicted: Forecast
) -> Outcome | None:
    """None if the cluster has changed since the snapshot."""
    try:
        hold = take(cluster, plan.about, config)
    except HxmError as error:
        raise _refusal(order, error) from None
    with hold:
        if changed(cluster, hold.seen):
            return None
        outcome = _execute(order, config, cluster, plan, predicted, hold.keep)
        if not order.wait:
            hold.leaves_to = tuple(moved_live(cluster, predicted))
    return outcome


def _execute(
    order: Order,
    config: Config,
    cluster: Cluster,
    plan: Plan,
    predicted: Forecast,
    keep: Callable[[Cluster | None], None] | None = None,
) -> Outcome:
    path = journal.journal_path(config, cluster.sandbox)
    backup, no_backup = try_to_keep(config, cluster.sandbox, cluster.written)
    begun: dict[str, Any] = {
        "verb": plan.verb,
        "what": plan.about,
        "why": order.reason or None,
        "subjects": list(plan.subjects),
        "drains": plan.drains,
        "before": backup,
    }
    unwritten = journal.write_entry(path, begun | {"outcome": "begun"})
    for fault in filter(None, (no_backup, unwritten)):
        render.note(f"warning: {fault}")
    transfers = Transfers(config, cluster, predicted)
    with display(plan.about) as shown:

        def seen(now: Cluster | None) -> None:
            if keep:
                keep(now)
            if now:
                shown.left(*remaining(now, predicted))
                shown.arrived(transfers.read(now) if render.watched() else ())

        acting = execute.Execution(cluster, plan, predicted, config, shown.report, seen)
        outcome = acting.perform(_timeout(order, config), wait=order.wait)
    if not no_backup:
        begun["after"], _ = try_to_keep(config, cluster.sandbox, outcome.written)
    if not unwritten:
        journal.write_entry(path, begun | report.journal_entry(cluster, outcome))
    return outcome


def _end(order: Order, config: Config, plan: Plan, outcome: Outcome, then: Then | None) -> int:
    if then and outcome.status == DONE:
        try:
            message = then(max(0.0, _timeout(order, config) - outcome.seconds))
            plan, outcome = plan._replace(done=message), outcome._replace(message=message)
        except HxmError as error:
            outcome = outcome._replace(status=error.status, message=error.message, hint=error.hint)
    return report.show_outcome(order, plan, outcome)


def _timeout(order: Order, config: Config) -> float:
    return config.timeout if order.timeout is None else order.timeout


def _refusal(order: Order, error: HxmError) -> HxmError:
    return report.refusal(order, Objection(error.message, error.hint, error.status))


def _despite_refusal(order: Order) -> bool:
    """Whether hxm goes on to plan in spite of an objection that only --force lifts."""
    return order.force or order.dry_run


def _forecast(config: Config, cluster: Cluster, plan: Plan) -> tuple[Plan, Forecast]:
    """The plan and its forecast; the fallback if the scheduler would not reach the plan's goals."""
    with display(f"asking the scheduler: {plan.about}", at_once=False) as shown:
        plans = filter(None, (plan, plan.fallback))
        tries = ((each_plan, forecast(cluster, each_plan, config, shown)) for each_plan in plans)
        return taken(tries, lambda tried: simulate.reaches_goals(*tried))


def _between_states(cluster: Cluster, plan: Plan) -> bool:
    """Whether a subject is in transition: until that ends the scheduler forecasts nothing."""
    domains = (cluster.domain_of(resource) for resource in plan.subjects)
    return any(domain and domain.in_flight for domain in domains)
