"""Asks before an order is carried out what there is to ask, or refuses it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hxm.errors import Refused
from hxm.orders import report
from hxm.output import render
from hxm.plan import Objection, Plan
from hxm.policy import guards

if TYPE_CHECKING:
    from hxm.arguments.options import Order


_SHOWN = 4


def _questions(objections: Sequence[Objection]) -> list[Objection]:
    return [objection for objection in objections if objection.lifted_by == guards.YES]


def _asked(order: Order, objections: Sequence[Objection]) -> bool:
    return bool(_questions(objections)) and not order.yes


def _all_in_one(questions: Sequence[Objection]) -> Objection:
    """The first, in whose sentence are the others: --yes lifts them all."""
    what = "; ".join(dict.fromkeys(question.what for question in questions[:_SHOWN]))
    if more := questions[_SHOWN:]:
        what += f"; and {len(more)} more, which --dry-run shows"
    return questions[0]._replace(what=what)


def confirm(
    order: Order, objections: Sequence[Objection], lines: Sequence[str], plan: Plan
) -> None:
    """Ask the questions; raise the first objection that --force, --yes or the answer does not lift.

    On a terminal, a drain is shown before it begins.
    """
    for objection in objections:
        if not objection.lifted_by or (objection.lifted_by == guards.FORCE and not order.force):
            raise report.refusal(order, objection)
    asked = _asked(order, objections)
    if asked and (order.output == "json" or not render.can_ask()):
        raise report.refusal(order, _all_in_one(_questions(objections)))
    if asked or (plan.drains and render.watched() and order.output != "json"):
        for line in lines:
            render.beside(line)
    questions = [f"{plan.about}?"] if asked else []
    if asked and plan.confirm_twice:
        questions.append("are you sure?")
    if not all(render.ask(question) for question in questions):
        raise Refused("not confirmed; nothing was changed")
