"""Confirms reasons with the real scheduler, on copies of the CIB."""

from __future__ import annotations

from collections.abc import Sequence

from hxm.model import Domain, Node
from hxm.output.progress import Display
from hxm.pacemaker.simulate import Scratch
from hxm.pacemaker.what_if import WhatIf, host_if
from hxm.plan import Movement
from hxm.policy.reasons.facts import Change, Facts, subject_in
from hxm.policy.reasons.hosts import HostAnswer, Scores, ask_host
from hxm.policy.reasons.obstacles import needed
from hxm.policy.reasons.question import Answer
from hxm.policy.reasons.search import Inquiry, Verdict
from hxm.policy.reasons.why import ask


def confirmed_host(facts: Facts, node: Node, copy: Scratch) -> HostAnswer:
    """What could not leave the host, and what cannot come to it, by the scheduler.

    Raises CannotAsk if the scheduler gives no answer.
    """

    def asked(changes: Sequence[Change]) -> tuple[Sequence[Movement], Scores]:
        return host_if(facts.cluster, copy, changes)

    return ask_host(facts, node, asked)


def confirmed(
    facts: Facts,
    domain: Domain,
    node: Node | None,
    copy: Scratch,
    limit: int,
    shown: Display | None = None,
) -> tuple[Answer, int]:
    """The answer with its reasons confirmed, and how often the scheduler was asked for that.

    Never more often than `limit`. Raises CannotAsk if the scheduler gives no answer.
    """
    subject = subject_in(facts.cluster, domain)
    what_if = WhatIf(facts.cluster, copy, subject)

    def with_progress(changes: Sequence[Change], where: str | None) -> Verdict:
        if shown:
            shown.report(f"without {len(changes)} of what may be the reason" if changes else "")
        return what_if.ask(changes, where)

    inquiry = Inquiry(with_progress, limit)
    now = inquiry.verdict((), None)
    known = facts._replace(scores=now.scores if now else {})
    unknown = what_if.unknown(needed(facts, subject), node.name if node else None)
    return ask(known, domain, node, inquiry, unknown), inquiry.runs
