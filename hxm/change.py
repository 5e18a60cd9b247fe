"""The one way that every changing command goes: observe, decide, foresee, ask, act, tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from hxm import act, journal, render, run
from hxm.claim import take, with_a_living_holder
from hxm.config import Config, read_config
from hxm.decide import Decision, Nothing, Objection, PassThrough, Translate, guards, lock
from hxm.decide.attention import Finding, leftovers
from hxm.decide.forecast import told
from hxm.decide.names import find_domain
from hxm.errors import BY_STATUS, DONE, Failed, HxmError, Refused, UsageError
from hxm.model import Cluster, Domain, Forecast
from hxm.observe import identify, read_cluster
from hxm.toolstack import detect

if TYPE_CHECKING:
    from hxm.options import Order

Decide = Callable[[Cluster], Decision]


_ATTEMPTS = 5


def carry_out(order: Order, decide: Decide, *, locks: bool = True) -> int:
    """Take an order through to its end; returns the exit status, raises HxmError for a refusal.

    What was decided holds for the cluster as it was seen: if it is another one when the lock is
    taken, everything is decided anew.
    """
    config = read_config()
    with act.one_at_a_time():
        for _ in range(_ATTEMPTS):
            cluster = read_cluster(config)
            decision = decide(cluster)
            if isinstance(decision, Nothing):
                return _nothing(order, decision)
            if isinstance(decision, PassThrough):
                break
            status = _translate(order, config, cluster, decision, locks=locks)
            if status is not None:
                return status
        else:
            raise Refused("the cluster changes all the time: nothing was ordered", "try it again")
    return _pass_through(order, config, decision)


def on_domains(
    order: Order,
    words: Sequence[str] | None,
    policy: Callable[[Cluster, list[Domain]], Decision],
) -> int:
    """The order for managed domUs by the policy; for those that no cluster manages, by xl."""
    if not words:
        raise UsageError(f"{order.verb} takes the names of domUs", "hxm list shows them")

    def decide(cluster: Cluster) -> Decision:
        found = meant(cluster, words)
        return policy(cluster, found) if managed_or_none(found) else PassThrough()

    return carry_out(order, decide)


def on_managed(
    order: Order,
    words: Sequence[str] | None,
    policy: Callable[[Cluster, list[Domain]], Decision],
) -> int:
    """An order that only a cluster can carry out; `all` means every managed domU."""
    if not words:
        raise UsageError(f"{order.verb} takes the names of domUs, or all", "hxm list shows them")
    return carry_out(order, lambda cluster: policy(cluster, managed_only(cluster, words)))


def meant(cluster: Cluster, words: Sequence[str]) -> list[Domain]:
    """The domUs that the words mean, each once."""
    cluster = identify(cluster, words, read_config())
    return list(dict.fromkeys(find_domain(cluster, word) for word in words))


def managed_only(cluster: Cluster, words: Sequence[str]) -> list[Domain]:
    """The domUs that the words mean, for what only a cluster can do; `all` is every managed one."""
    if [word.lower() for word in words] == ["all"]:
        return list(cluster.managed_domains)
    domains = meant(cluster, words)
    for domain in domains:
        if not domain.resource:
            raise Refused(
                f"{domain.name} is not managed by the cluster: there is nothing to change"
            )
    return domains


def managed_or_none(domains: Sequence[Domain]) -> bool:
    """Whether the cluster manages these domUs; raises Refused for a mixture."""
    managed = [domain.name for domain in domains if domain.resource]
    others = [domain.name for domain in domains if not domain.resource]
    if managed and others:
        raise Refused(
            f"the cluster manages {', '.join(managed)}, but not {', '.join(others)}",
            "order the two in separate commands",
        )
    return bool(managed)


def _pass_through(order: Order, config: Config, decision: PassThrough) -> int:
    """The toolstack's own command takes hxm's place, unless only a plan was asked for."""
    toolstack = detect(config.toolstack)
    if not toolstack:
        raise Failed(
            f"there is neither xl nor xm on this host to {order.verb} an unmanaged domU with",
            "run this on the Xen host itself",
        )
    argv = (toolstack.program, order.verb, *order.words)
    if order.dry_run:
        render.out("not managed by the cluster, passed through: " + " ".join(argv))
        return DONE
    if decision.warning:
        render.note(decision.warning)
    run.become(argv)


def _nothing(order: Order, decision: Nothing) -> int:
    if order.output == "json":
        render.show_json(_outcome_json(order, act.Outcome(DONE, decision.message), "nothing"))
    else:
        render.out(decision.message)
    return DONE


def _translate(
    order: Order, config: Config, cluster: Cluster, plan: Translate, *, locks: bool
) -> int | None:
    """The exit status, or None if the cluster was changed by somebody else meanwhile."""
    locks = locks and not cluster.sandbox  # which has a lock of its own, on the file
    if locks and not order.dry_run:
        cluster = with_a_living_holder(cluster)
        for objection in lock.held(cluster):
            raise _refusal(order, objection)
    for objection in plan.objections:
        if not objection.lifted_by or (objection.lifted_by == guards.FORCE and not _goes_on(order)):
            raise _refusal(order, objection)
    plan, predicted = _foresee(config, cluster, plan)
    objections = [*plan.objections, *guards.foreseen(cluster, plan, predicted)]
    if not act.leads_there(plan, predicted) and not _in_flight(cluster, plan):
        objections.append(_would_not_get_there(plan))
    if order.dry_run:
        return _show_plan(order, cluster, plan, predicted, objections)
    for warning in (*plan.warnings, *_useless(order)):
        render.note(f"warning: {warning}")
    _overcome(order, cluster, plan, predicted, objections)
    if not locks:
        return _perform(order, config, cluster, plan)
    try:
        claim = take(cluster, plan.about, config)
    except Refused as error:
        raise _refusal(order, Objection(error.message, error.hint)) from None
    with claim:
        if act.changed(cluster, read_cluster(config, local=False)):
            return None
        return _perform(order, config, cluster, plan, claim.keep)


def _perform(
    order: Order,
    config: Config,
    cluster: Cluster,
    plan: Translate,
    keep: Callable[[Cluster], None] = lambda _: None,
) -> int:
    timeout = config.timeout if order.timeout is None else order.timeout
    with render.progress(plan.about) as report:
        performance = act.Performance(cluster, plan, config, report, keep)
        outcome = performance.perform(timeout, wait=order.wait)
    unwritten = journal.write_entry(
        journal.journal_path(config, cluster.sandbox), _entry(order, plan, outcome)
    )
    if unwritten:
        render.note(f"warning: {unwritten}")
    return _tell(order, plan, outcome)


def _goes_on(order: Order) -> bool:
    """Whether a plan is made although a named refusal stands against it."""
    return order.force or order.dry_run


def _foresee(config: Config, cluster: Cluster, plan: Translate) -> tuple[Translate, Forecast]:
    """The plan and its forecast; the stronger way if the scheduler would not follow the first."""
    predicted = act.forecast(cluster, plan, config)
    if plan.otherwise and not act.leads_there(plan, predicted):
        stronger = act.forecast(cluster, plan.otherwise, config)
        if act.leads_there(plan.otherwise, stronger):
            return plan.otherwise, stronger
    return plan, predicted


def _in_flight(cluster: Cluster, plan: Translate) -> bool:
    """The scheduler forecasts nothing for what it waits for the end of."""
    found = (cluster.domain_of(resource) for resource in plan.subjects)
    return any(domain and domain.in_flight for domain in found)


def _would_not_get_there(plan: Translate) -> Objection:
    return Objection(
        f"the scheduler would not {plan.about}",
        "a constraint, a failure or the state of the nodes is against it: hxm status; "
        "--force orders it all the same",
        lifted_by=guards.FORCE,
    )


def _overcome(
    order: Order,
    cluster: Cluster,
    plan: Translate,
    predicted: Forecast,
    objections: Sequence[Objection],
) -> None:
    """Raise the first objection that neither --force, --yes nor an answer lifts."""
    for objection in objections:
        if objection.lifted_by == guards.FORCE and not order.force:
            raise _refusal(order, objection)
    questions = [each for each in objections if each.lifted_by == guards.YES]
    if not questions or order.yes:
        return
    if order.output == "json" or not render.can_ask():
        raise _refusal(order, questions[0])
    for line in _plan_lines(cluster, plan, predicted, objections):
        render.beside(line)
    if not render.ask(f"{plan.about}?"):
        raise Refused("you said no; nothing was changed")


def _refusal(order: Order, objection: Objection) -> HxmError:
    if order.output == "json":
        outcome = act.Outcome(objection.status, objection.message, objection.hint)
        render.show_json(_outcome_json(order, outcome, "refused"))
    return BY_STATUS[objection.status](objection.message, objection.hint)


def _useless(order: Order) -> list[str]:
    if not order.ignored:
        return []
    return [f"{' '.join(order.ignored)}: means nothing for a domU that the cluster runs"]


# What is shown


def _plan_lines(
    cluster: Cluster, plan: Translate, predicted: Forecast, objections: Sequence[Objection]
) -> list[str]:
    lines = [f"plan: {plan.about}"]
    for number, (phase, found) in enumerate(zip(plan.phases, predicted.phases, strict=True)):
        left_out = number in predicted.left_out
        for step in phase.steps:
            for argv in act.spell(cluster, step):
                lines.append(f"  {' '.join(argv)}{'   (left out, because of this:)' * left_out}")
        lines += [f"      {told(cluster, movement)}" for movement in found]
        if not found:
            lines.append("      nothing moves")
    for objection in objections:
        what = "asked about" if objection.lifted_by == guards.YES else "refused"
        unless = f" (unless {guards.FORCE})" if objection.lifted_by == guards.FORCE else ""
        lines.append(f"  {what}{unless}: {objection.message}")
    return lines


def _show_plan(
    order: Order,
    cluster: Cluster,
    plan: Translate,
    predicted: Forecast,
    objections: Sequence[Objection],
) -> int:
    status = next((each.status for each in objections if not _lifted(order, each)), DONE)
    if order.output == "json":
        commands = [
            argv
            for number, phase in enumerate(plan.phases)
            if number not in predicted.left_out
            for step in phase.steps
            for argv in act.spell(cluster, step)
        ]
        outcome = act.Outcome(status, plan.about, commands=tuple(commands))
        extra = {
            "movements": [movement._asdict() for movement in predicted.movements],
            "objections": [objection._asdict() for objection in objections],
        }
        render.show_json(_outcome_json(order, outcome, "planned") | extra)
    else:
        for line in _plan_lines(cluster, plan, predicted, objections):
            render.out(line)
        for warning in plan.warnings:
            render.out(f"  warning: {warning}")
        render.out("nothing was changed")
    return status


def _lifted(order: Order, objection: Objection) -> bool:
    return (objection.lifted_by == guards.FORCE and order.force) or (
        objection.lifted_by == guards.YES and order.yes
    )


_HOW = {
    "live": "{before} -> {after}, live",
    "moved": "{before} -> {after}, stopped and started",
    "restarted": "restarted on {after}",
    "started": "started on {after}",
    "stopped": "stopped, was on {before}",
}


def _tell(order: Order, plan: Translate, outcome: act.Outcome) -> int:
    for warning in outcome.warnings:
        render.note(f"warning: {warning}")
    left = list(leftovers(outcome.seen, only=plan.subjects)) if outcome.seen else []
    if order.output == "json":
        result = "done" if outcome.status == DONE else "failed"
        extra = {"left": [finding._asdict() for finding in left]}
        render.show_json(_outcome_json(order, outcome, result) | extra)
    else:
        _tell_in_words(plan, outcome, left)
    if outcome.status != DONE:
        raise BY_STATUS[outcome.status](outcome.message, outcome.hint)
    return DONE


def _tell_in_words(plan: Translate, outcome: act.Outcome, left: Sequence[Finding]) -> None:
    changed = [change for change in outcome.changes if change.how in _HOW]
    for change in changed:
        words = _HOW[change.how].format(
            before=" ".join(change.before), after=" ".join(change.after)
        )
        render.out(f"{change.name}: {words}, {outcome.seconds:.1f} s")
    if outcome.status == DONE and (plan.done or not changed):
        render.out(outcome.message)
    for finding in left:
        render.note(f"left: {finding.what}; remove it with: {finding.do}")


def _outcome_json(order: Order, outcome: act.Outcome, result: str) -> dict[str, Any]:
    return {
        "command": order.verb,
        "result": result,
        "status": outcome.status,
        "message": outcome.message,
        "hint": outcome.hint,
        "domains": [change._asdict() for change in outcome.changes],
        "left": [],
        "commands": [list(argv) for argv in outcome.commands],
        "seconds": round(outcome.seconds, 1),
    }


def _entry(order: Order, plan: Translate, outcome: act.Outcome) -> journal.Entry:
    return {
        "what": plan.about,
        "why": order.reason or None,
        "steps": [step.says for phase in plan.phases for step in phase.steps],
        "commands": [" ".join(argv) for argv in outcome.commands],
        "left": [each.id for each in outcome.seen.constraints] if outcome.seen else [],
        "status": outcome.status,
        "outcome": outcome.message,
        "seconds": round(outcome.seconds, 1),
    }
