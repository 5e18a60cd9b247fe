"""Spells the steps of a decision as command lines: the only place where this is known."""

from __future__ import annotations

from hxm.errors import Refused
from hxm.pacemaker.dialect import Argv, Dialect
from hxm.plan import Step

_XML = {"&": "&amp;", "<": "&lt;", '"': "&quot;"}


class _Value(str):
    """A value of a step; `{value:literal}` spells it within an XPath, which has no escapes."""

    __slots__ = ()

    def __format__(self, form: str) -> str:
        if form != "literal":
            return str(self)
        parts = ', "\'", '.join(f"'{part}'" for part in self.split("'"))
        return f"concat({parts})" if "'" in self else parts


def step_argv(dialect: Dialect, step: Step) -> tuple[Argv, ...]:
    """The command lines of one step, to be run in this order.

    Raises Refused, with what can be done instead, for a step that this generation does not know.
    """
    name = step.values.get("name", "")
    if instead := dialect.lacks.get(step.kind) or dialect.lacks.get(f"{step.kind} {name}"):
        raise Refused(f"cannot {step.says}: {instead.partition(': ')[0]}", instead.split(": ")[-1])
    for value in step.values.values():
        if not value or value.startswith("-"):  # it could pass for an option, or lose one
            raise Refused(f"cannot {step.says}: {value!r} is no name")
    values = {
        key: _Value(dialect.words.get(value, value) if key in ("name", "value") else value)
        for key, value in step.values.items()
    }
    quoted = {key: "".join(_XML.get(char, char) for char in value) for key, value in values.items()}
    return tuple(
        tuple(word.format_map(quoted if word.startswith("<") else values) for word in words)
        for words in dialect.steps[step.kind]
    )
