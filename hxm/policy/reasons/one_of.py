"""What would do instead of a reason, where one of several resources is enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hxm.policy.reasons.facts import INSTEAD, ONE_OF, Reason
from hxm.policy.reasons.search import Inquiry


def instead(
    inquiry: Inquiry, confirmed: Sequence[Reason], hard: Sequence[Reason], node: str | None
) -> Iterator[Reason]:
    """The ends of the other resources of a set with require-all=false, each enough by itself.

    The scheduler is asked which these are; a single one is supposed if it may be asked no more.
    """
    known = {reason.change for reason in confirmed}
    for reason in confirmed:
        rest = [one for one in confirmed if one is not reason]
        others = [one for one in hard if one.change not in known and other_way(reason, one)]
        for other in others:
            verdict = inquiry.verdict([*rest, other], node)
            instead_of_it = Reason(f"{INSTEAD}{other_way(reason, other)}", other.evidence, other.do)
            if verdict and verdict.reached:
                yield instead_of_it._replace(confirmed=True)
            elif not verdict and len(others) == 1:
                yield instead_of_it.as_supposed


def other_way(reason: Reason, other: Reason) -> str:
    """What is told of the other where the two part behind the same `one of`; else empty."""
    steps, others = reason.what.split("; "), other.what.split("; ")
    same = 0
    while same < min(len(steps), len(others)) and steps[same] == others[same]:
        same += 1
    parts = same and steps[same - 1].startswith(ONE_OF)
    return "; ".join(others[same:]) if parts else ""
