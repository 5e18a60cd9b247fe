"""Why the cluster is about to restart a domU where it runs, by the scheduler's own word."""

from __future__ import annotations

from collections.abc import Iterator

from hxm.policy import is_true, listed, outermost
from hxm.policy.reasons.facts import Facts, Reason, Subject, places, subject_of
from hxm.policy.reasons.lacking import failure_of
from hxm.policy.reasons.question import Question
from hxm.policy.reasons.search import Verdict

_CHANGED = "resource definition change"
_REQUIRED = "required "


def restarted(question: Question, here: str) -> Iterator[Reason]:
    """The first cause, through all that restarts for it; nothing where the scheduler names none.

    Its reasons are in Pacemaker since 1.1.17.
    """
    verdict = question.inquiry.verdict((), None) if question.inquiry else None
    if verdict:
        yield from _followed(question.facts, verdict, question.subject, here, frozenset())


def _followed(
    facts: Facts, verdict: Verdict, subject: Subject, here: str, seen: frozenset[str]
) -> Iterator[Reason]:
    """Of the first part of the subject that restarts, and that the scheduler has a word of."""
    words = [word for part in subject.inside if (word := verdict.words.get((part.id, here)))]
    if not words or subject.id in seen:
        return
    if words[0] == _CHANGED:
        yield Reason(f"{subject.its} configuration has changed since it was started")
    if not words[0].startswith(_REQUIRED):
        return
    other = subject_of(facts.cluster, words[0].split()[1], called=True)
    name = outermost(other.inside)[0] if other.inside else other.id
    targets = {move.target for move in verdict.movements if move.resource in other.parts}
    comes = sorted(node for node in targets if node and node not in places(facts, other.id))
    link = f"{name}, which starts before {subject.it},"
    if failure := failure_of(facts, other.id, here):
        what = f"{link} restarts on {here}: {failure.resource}'s {failure.operation} failed there"
        evidence, do = f"{failure.reason}, {failure.when}", f"hxm cleanup {other.word} {here}"
        yield Reason(what, evidence, do)
    elif comes and _apart(subject):
        command = facts.cluster.advice(
            "instances", clone=subject.id, option="interleave", number="true"
        )
        what = f"an instance of {name} starts on {listed(comes)}, and {subject.id}"
        yield Reason(f"{what} has no interleave", do=command)
    else:
        deeper = _followed(facts, verdict, other, here, seen | {subject.id})
        for reason in deeper:
            yield reason._replace(what=f"{link} restarts on {here}; {reason.what}")
            return
        yield Reason(f"{link} is about to start or to stop", do=f"hxm why {other.word}")


def _apart(subject: Subject) -> bool:
    """Whether each instance waits for all of what it starts after."""
    return any(part.clone for part in subject.inside) and not any(
        is_true(part.meta.get("interleave", "")) for part in subject.inside
    )
