"""What each command takes, as its functions' annotations declare it; loads no Typer.

The annotations are names from `options` and `backups`, looked up here. A parameter `order` or
`form` stands for the options that all commands of that kind share.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any, Literal, NamedTuple, get_type_hints

from hxm.arguments import backups, options
from hxm.arguments.types import Operand, Option

Kind = Literal["order", "form", ""]
"""Changes something, shows something as a table, or neither."""


class Parameter(NamedTuple):
    """One parameter of a command's function: a declared option or operand."""

    name: str
    type: Any
    declared: Option | Operand
    default: Any = inspect.Parameter.empty

    @property
    def required(self) -> bool:
        """Whether it must be typed."""
        return self.default is inspect.Parameter.empty


class Signature(NamedTuple):
    """What a function takes: its own parameters, and the kind of those that it shares."""

    own: tuple[Parameter, ...]
    kind: Kind

    @property
    def metavars(self) -> tuple[str, ...]:
        """The operands, as the help shows them."""
        return tuple(p.declared.metavar for p in self.own if isinstance(p.declared, Operand))


def signature_of(function: Callable[..., Any]) -> Signature:
    """What a command's function takes."""
    namespace = vars(options) | vars(backups)
    hints = get_type_hints(function, namespace, include_extras=True)
    own = tuple(
        Parameter(name, hints[name].__origin__, hints[name].__metadata__[0], parameter.default)
        for name, parameter in inspect.signature(function).parameters.items()
        if hasattr(hints[name], "__metadata__")
    )
    return Signature(own, "order" if "order" in hints else "form" if "form" in hints else "")


def shared_parameters(kind: Kind) -> tuple[Parameter, ...]:
    """The options of every changing command (order), or of every reading one (form)."""
    return signature_of(getattr(options, kind)).own if kind else ()


def xl_parameters(name: str) -> tuple[Parameter, ...]:
    """Xl's and xm's own options for this command: hidden, without effect on the cluster."""

    def parameter(word: str, value: str) -> Parameter:
        declared = Option((word,), value, "", hidden=True)
        field = f"xl_{word.strip('-').replace('-', '_')}"
        return Parameter(field, str | None if value else bool, declared, None if value else False)

    flags = [parameter(word, "") for word in options.XL_FLAGS.get(name, "").split()]
    return (*flags, *(parameter(word, "TEXT") for word in options.XL_VALUES.get(name, "").split()))


def subcommands(module: ModuleType) -> dict[str, Callable[..., int]]:
    """The functions of a command that consists of several, by the word that is typed."""
    functions = getattr(module, "SUBCOMMANDS", ())
    return {call.__name__.rstrip("_").replace("_", "-"): call for call in functions}
