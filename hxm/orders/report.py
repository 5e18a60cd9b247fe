"""Reports plans and outcomes: in words, as JSON, and for the journal."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from hxm.config import Config
from hxm.errors import BY_STATUS, DONE, HxmError
from hxm.model import Cluster, ManagedDomain
from hxm.orders import simulate
from hxm.orders.outcome import How, Outcome, planned, unchanged
from hxm.output import as_json, render, shift_bars
from hxm.pacemaker.simulate import without_scratch_paths
from hxm.plan import Forecast, Movement, Objection, Plan, StepKind
from hxm.policy import guards, listed
from hxm.policy.forecast import movement_text, name_of
from hxm.policy.state.findings import Finding, leftovers

if TYPE_CHECKING:
    from hxm.arguments.options import Order

_HOW: Mapping[How, str] = {
    "live": "{before} -> {after}, live",
    "moved": "{before} -> {after}, stopped and started",
    "restarted": "restarted on {after}",
    "started": "started on {after}",
    "stopped": "stopped, was on {before}",
    "gone": "stopped and removed from the cluster, was on {before}",
    "found": "the cluster supposes it on {after} only",
    "unknown": "still in transition, on {after}",
}
"""What to say of a change; there is nothing to say of what is `unchanged`."""


_NOTED: tuple[StepKind, ...] = ("mark-update", "unmark-update")
"""Steps on hxm's own property: their words say more than their command lines."""


def _name_cluster(order: Order) -> None:
    if order.config.on:
        render.prose(f"cluster {order.config.on}:")


def show_already_done(order: Order, message: str, named: Iterable[ManagedDomain] = ()) -> int:
    """Report that there is nothing to do."""
    if order.output == "json":
        outcome = Outcome(DONE, message, changes=tuple(map(unchanged, named)))
        render.show_json(_json(order, outcome, "nothing"))
    else:
        _name_cluster(order)
        render.prose(message)
    return DONE


def show_pass_through(order: Order, argvs: Sequence[tuple[str, ...]]) -> int:
    """Show the command lines that would go to the toolstack."""
    if order.output == "json":
        outcome = Outcome(DONE, "not managed by the cluster", commands=tuple(argvs))
        render.show_json(_json(order, outcome, "planned"))
    for argv in argvs if order.output != "json" else ():
        render.out(f"not managed by the cluster, passed through: {typed_out(argv)}")
    return DONE


def refusal(order: Order, objection: Objection) -> HxmError:
    """The error for an objection; prints the JSON first if JSON was asked for."""
    if order.output == "json":
        outcome = Outcome(objection.status, objection.what, objection.do)
        render.show_json(_json(order, outcome, "refused"))
    return objection.error()


def plan_lines(
    cluster: Cluster,
    plan: Plan,
    predicted: Forecast,
    objections: Sequence[Objection],
    config: Config,
    stream: TextIO,
    *,
    briefly: bool = False,
) -> list[str]:
    """The plan in lines: command lines, the forecast for each phase, and the objections.

    Everything is folded for the stream except the command lines, so that they can be copied.
    `briefly`, for a question, is without command lines, and counts what is much of one kind.
    """

    def prose(lines: Iterable[str]) -> list[str]:
        return [part for line in lines for part in render.hanging(line, stream)]

    notes = [f"  {note}" for note in plan.intentions or plan.notes]
    lines = [*prose([f"plan: {plan.about}", *notes]), *shift_bars.lines(plan.memory, stream)]
    for number, (phase, movements) in enumerate(zip(plan.phases, predicted.phases, strict=True)):
        left_out = "   (left out, because of this:)" if number in predicted.left_out else ""
        for step in phase.steps:
            noted = step.kind in _NOTED
            typed = [] if noted else [*map(typed_out, simulate.spell(cluster, step, config))]
            for line in ([] if briefly else typed) if typed else [step.says]:
                lines.append(f"  {line}{left_out}")
        moves = (
            _moves(cluster, movements, briefly=briefly)
            if predicted.simulated
            else ["      not simulated"]
        )
        lines += [] if briefly and predicted.movements and not movements else prose(moves)
    for objection in objections:
        what = "asked about" if objection.lifted_by == guards.YES else "refused"
        unless = f" (unless {guards.FORCE})" if objection.lifted_by == guards.FORCE else ""
        lines += prose([f"  {what}{unless}: {objection.what}"])
        lifts = "" if objection.lifted_by == guards.YES else objection.do
        lines += prose([f"      {lifts}"] if lifts else [])
    return lines


def question_lines(
    cluster: Cluster,
    plan: Plan,
    predicted: Forecast,
    objections: Sequence[Objection],
    config: Config,
) -> list[str]:
    """The plan as it stands above a question, on stderr."""
    return plan_lines(cluster, plan, predicted, objections, config, sys.stderr, briefly=True)


def typed_out(argv: Sequence[str]) -> str:
    """The command line as a user would type it: single quotes inside double ones where safe.

    XML stands in one line.
    """
    words = (_BETWEEN_TAGS.sub("><", word) for word in without_scratch_paths(tuple(argv)))
    return " ".join(
        f'"{word}"' if "'" in word and not set('"$`\\!') & set(word) else shlex.quote(word)
        for word in words
    )


_BETWEEN_TAGS = re.compile(r">\s+<")


def _moves(cluster: Cluster, movements: Sequence[Movement], *, briefly: bool) -> list[str]:
    """One line for each domU or single resource; one line for all that move with a node.

    An instance of a clone is called as the clone is; where one leaves a node for another, it stays
    away from there, and what runs there may need it.
    """
    services = [movement for movement in movements if guards.concerns(cluster, movement)]
    lines = [f"      {movement_text(cluster, movement)}" for movement in services]
    if briefly and len(lines) > _MANY:
        lines = [*_counted(cluster, services)]
    others: dict[str, dict[str, list[str]]] = {}
    for movement in movements:
        if not guards.concerns(cluster, movement):
            primitive = cluster.primitives.get(movement.resource)
            name = (primitive and primitive.clone) or movement.resource
            nodes = others.setdefault(movement.kind, {}).setdefault(name, [])
            nodes += filter(None, [movement.source or movement.target])
    stops, starts = others.get("stop", {}), others.get("start", {})
    for name in [name for name in stops if name in starts]:
        left, taken = listed(stops.pop(name)), listed(starts.pop(name))
        lines.append(f"      {name}: stop on {left}, start on {taken}")
    for kind, names in others.items():
        if names:
            lines.append(f"      also {kind}: {listed([*names])}")
    return lines or ["      nothing moves"]


_MANY = 8
"""Movements that a question lists one by one."""


def _counted(cluster: Cluster, movements: Sequence[Movement]) -> Iterator[str]:
    """A line for each kind of movement: of how many, from how many nodes, and the first names."""
    kinds: dict[str, list[Movement]] = {}
    for movement in movements:
        kinds.setdefault(movement.kind, []).append(movement)
    for kind, alike in kinds.items():
        names = ", ".join(name_of(cluster, movement) for movement in alike[:_MANY])
        names += ", ..." if len(alike) > _MANY else ""
        nodes = {movement.source for movement in alike if movement.source}
        where = f" (on {len(nodes)} nodes)" if len(nodes) > 1 else ""
        yield f"      {kind} {len(alike)}{where}: {names}"


def show_plan(
    order: Order,
    cluster: Cluster,
    plan: Plan,
    predicted: Forecast,
    objections: Sequence[Objection],
) -> int:
    """Show a plan; returns the status with which the order would be refused, or 0."""
    status = next(
        (objection.status for objection in objections if not _lifted(order, objection)), DONE
    )
    if order.output == "json":
        commands = [
            argv
            for number, phase in enumerate(plan.phases)
            if number not in predicted.left_out
            for step in phase.steps
            for argv in simulate.spell(cluster, step, order.config)
        ]
        changes = tuple(planned(cluster, plan, predicted))
        outcome = Outcome(status, plan.about, changes=changes, commands=tuple(commands))
        extra = {
            "simulated": predicted.simulated,
            "movements": as_json.keyed_rows(predicted.movements, as_json.MOVEMENT),
            "objections": [as_json.objection_json(objection) for objection in objections],
            "notes": list(plan.intentions or plan.notes),
        } | _memory_json(plan)
        render.show_json(_json(order, outcome, "planned") | extra)
    else:
        _name_cluster(order)
        for line in plan_lines(cluster, plan, predicted, objections, order.config, sys.stdout):
            render.out(line)
        for warning in plan.warnings:
            render.prose(f"  warning: {warning}")
        render.out("nothing was changed")
    return status


def _memory_json(plan: Plan) -> dict[str, Any]:
    return {"memory": as_json.keyed_rows(plan.memory, as_json.SHIFT)} if plan.memory else {}


def _lifted(order: Order, objection: Objection) -> bool:
    return (objection.lifted_by == guards.FORCE and order.force) or (
        objection.lifted_by == guards.YES and order.yes
    )


def show_outcome(order: Order, plan: Plan, outcome: Outcome) -> int:
    """Report the outcome; raises its HxmError if it is a failure."""
    for warning in outcome.warnings:
        render.note(f"warning: {warning}")
    left = list(leftovers(outcome.seen, only=plan.subjects)) if outcome.seen else []
    if order.output == "json":
        done = "done" if order.wait else "ordered"
        extra: dict[str, Any] = {
            "left": as_json.keyed_rows(left, as_json.FINDING),
            "notes": list(plan.notes),
        } | _memory_json(plan)
        if plan.is_drill:
            extra["verdict"] = "pass" if outcome.status == DONE else "fail"
            extra["away"] = as_json.keyed_rows(outcome.away, as_json.DOWNTIME)
        result = done if outcome.status == DONE else "failed"
        render.show_json(_json(order, outcome, result) | extra)
    else:
        _name_cluster(order)
        _show_changes(plan, outcome, left)
    if outcome.status != DONE:
        raise BY_STATUS[outcome.status](outcome.message, outcome.hint)
    return DONE


def _show_changes(plan: Plan, outcome: Outcome, left: Sequence[Finding]) -> None:
    changed = [change for change in outcome.changes if change.how in _HOW]
    for change in changed:
        words = _HOW[change.how].format(
            before=" ".join(change.before), after=" ".join(change.after)
        )
        render.prose(f"{change.name}: {words}, {change.seconds:.1f} s")
    for away in outcome.away:
        noticed = f", noticed after {away.noticed:.1f} s" if away.noticed is not None else ""
        render.out(f"{away.name}: away for {away.seconds:.1f} s{noticed}")
    if outcome.status == DONE and (plan.done or not changed):
        render.prose(outcome.message if plan.done else f"done: {outcome.message}")
    if outcome.status == DONE:
        for note in plan.notes:
            render.prose(f"  {note}")
    remedies: dict[str, list[str]] = {}
    for finding in left:
        if finding.do not in plan.done:
            remedies.setdefault(finding.do, []).append(finding.what)
    for remedy, what in remedies.items():
        render.note(
            f"left: {listed(what)}", f"remove {'it' if len(what) == 1 else 'them'} with: {remedy}"
        )


def _json(order: Order, outcome: Outcome, result: str) -> dict[str, Any]:
    where = {"cluster": order.config.on} if order.config.on else {}
    return where | {
        "command": order.verb,
        "result": result,
        "status": outcome.status,
        "message": outcome.message,
        "hint": outcome.hint,
        "domains": as_json.keyed_rows(outcome.changes, as_json.CHANGE),
        "left": [],
        "commands": [list(without_scratch_paths(argv)) for argv in outcome.commands],
        "seconds": round(outcome.seconds, 1),
    }


def journal_entry(before: Cluster, outcome: Outcome) -> dict[str, Any]:
    """The journal's fields for an outcome: among others the constraints `left` and `gone`.

    These are None where nobody could look.
    """
    was = before.constraints
    now = outcome.seen and outcome.seen.constraints
    return {
        "commands": [typed_out(argv) for argv in outcome.commands],
        "left": None if now is None else [left.id for left in now if left not in was],
        "gone": None if now is None else [gone.id for gone in was if gone not in now],
        "status": outcome.status,
        "outcome": outcome.message,
        "seconds": round(outcome.seconds, 1),
    } | ({"away": as_json.keyed_rows(outcome.away, as_json.DOWNTIME)} if outcome.away else {})


def useless_options(order: Order) -> list[str]:
    """At most one warning, about xl's options that have no effect on a managed domU."""
    useless = [option for option in order.ignored if option not in ("-l", "--live")]  # live it is
    if not useless:
        return []
    warning = f"{' '.join(useless)} has no effect on a managed domU"
    if any("=" in option for option in useless):
        warning += "; edit its file"
    return [warning]
