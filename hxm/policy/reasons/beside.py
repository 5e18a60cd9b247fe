"""What each command that is named does beside what was asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from hxm.model import Node
from hxm.policy import typed
from hxm.policy.reasons.effects import effects
from hxm.policy.reasons.facts import Reason
from hxm.policy.reasons.question import Answer, Question, side_effects, unforeseen
from hxm.policy.unjudged import asks_nobody, before_that


def judged(question: Question, answer: Answer, node: Node | None) -> Answer:
    """The answer, whose commands name what they move that is not told of all together.

    Those of hxm ask themselves. Where the scheduler could not be asked, no command is named.
    """
    if not question.inquiry or question.brief:
        return answer
    covered = {reason.change for reason in answer.covered}
    reasons = [
        reason
        if reason.change in covered or not asks_nobody(reason.do)
        else _judged(question, reason, node)
        for reason in answer.reasons
    ]
    return answer._replace(reasons=tuple(dict.fromkeys(reasons)))


def judged_alone(question: Question, reason: Reason, node: str) -> Reason:
    """A reason that is against a node on which the resource need not run."""
    if not question.inquiry or question.brief or not asks_nobody(reason.do):
        return reason
    one = _judged(question, reason, None)
    return one if asks_nobody(one.do) else one._replace(do=_ask_further(question, node))


def _judged(question: Question, reason: Reason, node: Node | None) -> Reason:
    """The reason, with what happens to all but for what was asked."""
    inquiry = question.inquiry
    if not inquiry or not reason.change or unforeseen([reason]):
        return reason
    now, then = inquiry.verdict((), None), inquiry.verdict([reason], None)
    if not now or not then:
        return reason._replace(do=_ask_further(question, ""))
    parts, to = question.subject.parts, node.name if node else None
    asked = [
        move
        for move in then.movements
        if move.resource in parts and (move.target == to if to else move.kind == "start")
    ]
    what = effects(question.facts.cluster, then.movements, (*now.movements, *asked))
    return reason._replace(do=before_that(what, reason.do))


def _ask_further(question: Question, node: str) -> str:
    command = f"hxm why {typed(question.domain)}"
    if node:
        return f"{command} {node}"
    return f"on a terminal, which has hxm ask further: {command}"


Elsewhere = tuple[tuple[str, tuple[str, ...]], ...]


def of_each_node(
    question: Question,
    everywhere: Sequence[Reason],
    by_node: Mapping[str, Sequence[Reason]],
    but: Collection[str],
) -> tuple[dict[str, Sequence[Reason]], Elsewhere]:
    """What is against each node, and what else would move without that, but for some nodes.

    Where the scheduler could not be asked, what asks it stands instead of a command.
    """
    inquiry, shown, moved = question.inquiry, dict(by_node), []
    for name, reasons in by_node.items():
        raw = any(asks_nobody(reason.do) for reason in reasons)
        if name in but or not raw or not inquiry or question.brief:
            continue
        ends = [reason for reason in (*everywhere, *reasons) if not unforeseen([reason])]
        if inquiry.verdict(ends, None):
            moved.append((name, side_effects(question, ends, None)))
        else:
            do = _ask_further(question, name)
            shown[name] = [r._replace(do=do) if asks_nobody(r.do) else r for r in reasons]
    return shown, tuple(moved)
