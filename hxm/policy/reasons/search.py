"""Which of the supposed reasons are the reason: the smallest set without which it would be done.

The scheduler is asked on a copy, so that what is found needs no knowledge of its rules. (Junker's
QuickXplain, for a correction set: what has to go, not what is in conflict.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple, overload

from hxm.plan import Movement
from hxm.policy.reasons.facts import Change, Reason


class Verdict(NamedTuple):
    """What the scheduler would do."""

    reached: bool
    """Whether the resource would then be where it was asked for."""
    scores: Mapping[str, str] = MappingProxyType({})
    movements: tuple[Movement, ...] = ()
    demoted: frozenset[tuple[str, str]] = frozenset()
    """The primitives that would be promoted no more, and the nodes where they are."""
    words: Mapping[tuple[str, str], str] = MappingProxyType({})
    """Why a primitive is restarted on a node, in the scheduler's own words, where it tells any."""


class Sought(Sequence[Reason]):
    """Reasons that are only looked for when they are asked for: that may take long."""

    def __init__(self, look: Callable[[], Sequence[Reason]]) -> None:
        self._look = look

    @cached_property
    def _reasons(self) -> Sequence[Reason]:
        return self._look()

    @overload
    def __getitem__(self, at: int) -> Reason: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Reason]: ...

    def __getitem__(self, at: int | slice) -> Reason | Sequence[Reason]:
        return self._reasons[at]

    def __len__(self) -> int:
        return len(self._reasons)


Ask = Callable[[Sequence[Change], str | None], Verdict | None]
"""Asks the scheduler what it would do after these changes, and on this node if one is given.

It answers None when its questions are used up.
"""


class Inquiry:
    """Questions to the scheduler about one resource."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.joint: frozenset[Change] = frozenset()
        """Changes that were tried together with those of other domUs; together they suffice."""
        self.cut_short = False

    def verdict(self, without: Sequence[Reason], node: str | None) -> Verdict | None:
        """The scheduler's answer without these reasons; None: it may not be asked any more."""
        changes = tuple(dict.fromkeys(reason.change for reason in without if reason.change))
        answer = self.ask(changes, node)
        self.cut_short |= answer is None
        return answer

    def reaches(self, without: Sequence[Reason], node: str | None) -> bool:
        """Whether it would be done without these reasons; False also if that is not known."""
        verdict = self.verdict(without, node)
        return bool(verdict and verdict.reached)

    def smallest(
        self, sure: Sequence[Reason], supposed: Sequence[Reason], node: str | None
    ) -> tuple[Reason, ...]:
        """The fewest of the supposed reasons that must go, beside the sure ones, to reach the goal.

        All of them together are known to suffice. The likely ones come first. When the scheduler's
        questions are used up, the answer holds more reasons than are needed.
        """
        return (*sure, *self._counting(list(sure), list(supposed), node, asked=not sure))

    def _counting(
        self, sure: list[Reason], supposed: list[Reason], node: str | None, *, asked: bool
    ) -> list[Reason]:
        if not supposed or (not asked and self.reaches(sure, node)):
            return []
        if len(supposed) == 1:
            return supposed
        half = (len(supposed) + 1) // 2
        first, second = supposed[:half], supposed[half:]
        of_second = self._counting([*sure, *first], second, node, asked=False)
        of_first = self._counting([*sure, *of_second], first, node, asked=not of_second)
        return [*of_first, *of_second]

    def confirmed(
        self, tiers: Sequence[Sequence[Reason]], node: str | None
    ) -> tuple[Reason, ...] | None:
        """The smallest set, of as few tiers as lead there; None: no reason could be confirmed.

        Of every tier but the first, the likeliest reason is tried alone. When the scheduler's
        questions are used up, the reasons are only known to suffice together. That confirms those
        of the first tier, because each of them forbids it by the model; it confirms no others.
        """
        supposed: list[Reason] = []
        for number, tier in enumerate(tiers):
            known = {reason.change for reason in supposed}
            new = [reason for reason in tier if reason.change and reason.change not in known]
            first = {
                reason.change: reason for reason in reversed(new)
            }  # the nearest of those alike
            supposed += reversed(first.values())
            if new and not number and self.joint.issuperset(first):
                return tuple(reason._replace(confirmed=True) for reason in supposed)
            likeliest = [new[0]] if new and number else []
            if likeliest and self.reaches(likeliest, node):
                return tuple(reason._replace(confirmed=True) for reason in likeliest)
            if new and self.reaches(supposed, node):
                smallest = self.smallest((), supposed, node)
                sure = not number or len(smallest) == 1 or not self.cut_short
                return tuple(reason._replace(confirmed=sure) for reason in smallest)
        return None
