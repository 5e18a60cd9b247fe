"""The one pipeline of every change: read, plan, simulate, confirm, execute, report."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from hxm import programs
from hxm.cluster import capacity, hypervisors
from hxm.cluster.read import identify, read_cluster, sandbox_file
from hxm.config import Config, read_config
from hxm.errors import DONE, Failed, HxmError, Interrupted, Refused, UsageError
from hxm.model import Cluster, Domain, ManagedDomain, is_managed
from hxm.orders import execute, report, simulate, starts
from hxm.orders.lock import can_lock, one_at_a_time, take, with_holder_state
from hxm.orders.outcome import Outcome, changed
from hxm.output import render
from hxm.output.progress import display
from hxm.pacemaker.environment import is_this_hosts
from hxm.plan import AlreadyDone, Decision, Forecast, Objection, PassThrough, Plan
from hxm.policy import called, guards, listed, lock
from hxm.policy.forecast import elsewhere, with_goals
from hxm.policy.names import find_domain, find_resources, surely_unmanaged
from hxm.policy.summary import remaining
from hxm.records import journal
from hxm.records.backups import try_to_keep
from hxm.toolstack import detect

if TYPE_CHECKING:
    from hxm.arguments.options import Order

Decide = Callable[[Cluster], Decision]
Then = Callable[[float], str]
"""What is waited for once the cluster got there: at most so many seconds, and what to say of it."""

_ATTEMPTS = 5


def carry_out(order: Order, decide: Decide, *, locks: bool = True, then: Then | None = None) -> int:
    """Take an order through to its end; returns the exit status, raises HxmError for a refusal.

    What was decided holds for the cluster as it was seen: if it is another one when the lock is
    taken, everything is decided anew. The lock is given back before `then`.
    """
    config = read_config()
    _stop_like_ctrl_c()
    with one_at_a_time():
        for _ in range(_ATTEMPTS):
            cluster = read_cluster(config)
            decision = decide(cluster)
            if isinstance(decision, AlreadyDone):
                wanted = then and not order.dry_run
                sentences = [then(_timeout(order, config))] if then and wanted else []
                return report.show_already_done(
                    order, "; ".join([decision.message, *sentences, *report.useless_options(order)])
                )
            if isinstance(decision, PassThrough):
                break
            status = _carry_out_plan(order, config, cluster, decision, locks=locks, then=then)
            if status is not None:
                return status
        else:
            raise Refused("the cluster changes all the time: nothing was ordered", "try it again")
    if then:
        raise Refused("--until is for domUs that the cluster manages", "hxm console shows it")
    return pass_through(order, config, decision)


def _stop_like_ctrl_c() -> None:
    """A lost terminal and a kill end the order as Ctrl-C does: with a word on what is left."""
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
    """The order for managed domUs by the policy; for those that no cluster manages, by xl.

    `everything` means every running domU that the cluster manages, and no other.
    """
    if everything == bool(words):
        raise UsageError(
            f"{order.verb} takes the names of domUs{', or -a' * everything}", "hxm list shows them"
        )

    def decide(cluster: Cluster) -> Decision:
        if everything:
            running = [domain for domain in cluster.managed_domains if domain.running]
            return _with_unmanaged(cluster, policy(cluster, running, everything=True))
        managed = managed_or_none(cluster, named_domains(cluster, words or ()))
        return policy(cluster, managed) if managed else PassThrough(tuple(words or ()))

    return carry_out(order, decide, then=then)


def _with_unmanaged(cluster: Cluster, decision: Decision) -> Decision:
    """What `-a` of xl's would have meant as well must not be forgotten unsaid."""
    others = [domain for domain in cluster.domains if not domain.resource and domain.id]
    if not others:
        return decision
    warning = f"not the cluster's, and left alone: {called(others)}"
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
    """An order that only a cluster can carry out; `all` means every managed domU."""
    if not words:
        raise UsageError(f"{order.verb} takes the names of domUs, or all", "hxm list shows them")
    return carry_out(order, lambda cluster: policy(cluster, managed_only(cluster, words)))


def named_domains(cluster: Cluster, words: Sequence[str]) -> list[Domain]:
    """The domUs that the words mean, each once."""
    cluster = identify(cluster, words, read_config())
    return list(dict.fromkeys(find_domain(cluster, word) for word in words))


def named_resources(cluster: Cluster, words: Sequence[str] | None) -> frozenset[str] | None:
    """The resources that the words mean, domUs or others; None, for all, without any or for all."""
    if not words or list(words) == ["all"]:
        return None
    cluster = identify(cluster, words, read_config())
    return frozenset[str]().union(*(find_resources(cluster, word) for word in words))


def managed_only(cluster: Cluster, words: Sequence[str]) -> list[ManagedDomain]:
    """The domUs that the words mean, for what only a cluster can do; `all` is every managed one."""
    if "all" in words:
        if len(words) > 1:
            raise UsageError("all stands alone: it means every managed domU", "hxm list")
        return list(cluster.managed_domains)
    domains = []
    for domain in named_domains(cluster, words):
        if not is_managed(domain):
            raise Refused(
                f"{domain.name} is not managed by the cluster: there is nothing to change"
            )
        domains.append(domain)
    return domains


def managed_or_none(cluster: Cluster, domains: Sequence[Domain]) -> list[ManagedDomain]:
    """These domUs, if the cluster manages them; none, if it manages none of them.

    Raises Refused for a mixture, CannotAsk if one that it does not know may yet be managed.
    """
    managed = [domain for domain in domains if is_managed(domain)]
    others = [domain.name for domain in domains if not is_managed(domain)]
    if managed and others:
        raise Refused(
            f"the cluster manages {', '.join(domain.name for domain in managed)}, "
            f"but not {', '.join(others)}",
            "order the two in separate commands",
        )
    surely_unmanaged(cluster, others)
    return managed


def pass_through(order: Order, config: Config, decision: PassThrough) -> int:
    """The toolstack's own command takes hxm's place, unless only a plan was asked for.

    xl and xm take one domU at a time: several are handed to them one after the other. Returns the
    highest status.
    """
    toolstack = toolstack_for(order.verb, config)
    names = decision.names if len(decision.names) > 1 else ("",)
    argvs = [
        (
            *(toolstack, *order.before, order.verb),
            *(word for word in order.words if word == name or word not in names),
        )
        for name in names
    ]
    if order.dry_run:
        return report.show_pass_through(order, argvs)
    if len(argvs) == 1:
        programs.become(argvs[0])
    statuses = []
    try:
        for argv in argvs:
            statuses.append(programs.beside(argv))
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; done: {listed(names[: len(statuses)])}") from None
    return max(statuses)


def toolstack_for(verb: str, config: Config) -> str:
    """The toolstack that is to carry out what concerns no managed domU.

    Raises Refused where it should not, Failed where there is none.
    """
    require_this_host()
    toolstack = detect(config.toolstack)
    if not toolstack:
        raise Failed(
            f"there is neither xl nor xm on this host to {verb} an unmanaged domU with",
            "run this on the Xen host itself",
        )
    if (verb, toolstack.program) == ("start", "xl"):
        raise Refused("xl starts a domU from its configuration file only", "hxm create FILE")
    return toolstack.program


def require_this_host(instead: str = "") -> None:
    """Raises Refused where another cluster is asked than that of this host's toolstack.

    `instead` is the command that does it in that cluster.
    """
    if sandbox_file() and not is_this_hosts():
        raise Refused(
            "CIB_file is set: the domUs of this host are none of that cluster's",
            f"unset CIB_file to act on this host{f', or {instead}' if instead else ''}",
        )


def _carry_out_plan(
    order: Order,
    config: Config,
    cluster: Cluster,
    decided: Plan,
    *,
    locks: bool,
    then: Then | None,
) -> int | None:
    """The exit status, or None if the cluster was changed by somebody else meanwhile."""
    locks = locks and can_lock(cluster)
    if locks and not order.dry_run:
        cluster = with_holder_state(cluster)
        for objection in lock.held(cluster):
            raise report.refusal(order, objection)
    for objection in decided.objections:
        if not objection.lifted_by or (
            objection.lifted_by == guards.FORCE and not _despite_refusal(order)
        ):
            raise report.refusal(order, objection)
    if not order.wait and not decided.one_breath:
        raise UsageError(f"{order.verb} has to wait between its steps", "leave out -W")
    plan, predicted = _forecast(config, cluster, decided)
    more = (*elsewhere(cluster, plan, predicted), *report.useless_options(order))
    plan = plan._replace(warnings=(*plan.warnings, *more))
    plan, against_starts = starts.judge(cluster, plan, predicted, config)
    objections = [*plan.objections, *against_starts, *guards.foreseen(cluster, plan, predicted)]
    if predicted.movements or not predicted.simulated:
        objections += capacity.objections(cluster, (predicted.after,), config)
        objections += hypervisors.objections(cluster, predicted, config)
    if not simulate.reaches_goals(plan, predicted) and not _in_flight(cluster, plan):
        objections.append(_would_not_get_there(plan))
    if order.dry_run:
        return report.show_plan(order, cluster, plan, predicted, objections)
    for warning in plan.warnings:
        render.note(f"warning: {warning}")
    lines = report.plan_lines(cluster, plan, predicted, objections, sys.stderr)
    _confirm(order, objections, lines, plan)
    plan = with_goals(plan, predicted)
    if not locks:
        return _end(order, config, plan, _execute(order, config, cluster, plan, predicted), then)
    try:
        hold = take(cluster, plan.about, config)
    except HxmError as error:
        raise report.refusal(order, Objection(error.message, error.hint, error.status)) from None
    with hold:
        if changed(cluster, hold.seen):
            return None
        outcome = _execute(order, config, cluster, plan, predicted, hold.keep)
    return _end(order, config, plan, outcome, then)


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
        "before": backup,
    }
    unwritten = journal.write_entry(path, begun | {"outcome": "begun"})
    for fault in filter(None, (no_backup, unwritten)):
        render.note(f"warning: {fault}")
    with display(plan.about) as shown:

        def seen(now: Cluster | None) -> None:
            if keep:
                keep(now)
            if now:
                shown.left(*remaining(now, predicted))

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


def _despite_refusal(order: Order) -> bool:
    """Whether a plan is made although a named refusal stands against it."""
    return order.force or order.dry_run


def _forecast(config: Config, cluster: Cluster, plan: Plan) -> tuple[Plan, Forecast]:
    """The plan and its forecast; the stronger way if the scheduler would not follow the first."""
    predicted = simulate.forecast(cluster, plan, config)
    if plan.fallback and not simulate.reaches_goals(plan, predicted):
        stronger = simulate.forecast(cluster, plan.fallback, config)
        if simulate.reaches_goals(plan.fallback, stronger):
            return plan.fallback, stronger
    return plan, predicted


def _in_flight(cluster: Cluster, plan: Plan) -> bool:
    """The scheduler forecasts nothing for what it waits for the end of."""
    domains = (cluster.domain_of(resource) for resource in plan.subjects)
    return any(domain and domain.in_flight for domain in domains)


def _would_not_get_there(plan: Plan) -> Objection:
    return Objection(
        f"the scheduler would not {plan.about}",
        "a constraint, a failure or the state of the nodes is against it: hxm status; "
        "--force orders it all the same",
        lifted_by=guards.FORCE,
    )


def _questions(objections: Sequence[Objection]) -> list[Objection]:
    return [objection for objection in objections if objection.lifted_by == guards.YES]


def _asked(order: Order, objections: Sequence[Objection]) -> bool:
    return bool(_questions(objections)) and not order.yes


def _confirm(
    order: Order, objections: Sequence[Objection], lines: Sequence[str], plan: Plan
) -> None:
    """Raise the first objection that neither --force, --yes nor an answer lifts.

    A drain is shown before it begins, to whoever is looking.
    """
    for objection in objections:
        if not objection.lifted_by or (objection.lifted_by == guards.FORCE and not order.force):
            raise report.refusal(order, objection)
    asked = _asked(order, objections)
    if asked and (order.output == "json" or not render.can_ask()):
        raise report.refusal(order, _questions(objections)[0])
    if asked or (plan.drains and render.watched() and order.output != "json"):
        for line in lines:
            render.beside(line)
    questions = [f"{plan.about}?", *["are you sure?"] * plan.confirm_twice] if asked else []
    if not all(render.ask(question) for question in questions):
        raise Refused("you said no; nothing was changed")
