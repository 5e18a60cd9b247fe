"""Spells the steps of a decision as command lines: the only place where this is known."""

from __future__ import annotations

from hxm.model import Step
from hxm.pacemaker.dialect import Argv, Dialect


def step_argv(dialect: Dialect, step: Step) -> tuple[Argv, ...]:
    """The command lines of one step, to be run in this order."""
    return tuple(
        tuple(word.format_map(step.values) for word in words) for words in dialect.steps[step.kind]
    )
