"""hxm's command line as data, for everything that is made from it.

The man page (`man/generate.py`), the completions (`completions/generate.py`) and `hxm shell` read
it here. Commands, options and operands are declared in hxm/ only.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import NamedTuple

from hxm.arguments.signatures import (
    Kind,
    Parameter,
    shared_parameters,
    signature_of,
    subcommands,
    xl_parameters,
)
from hxm.arguments.types import Operand, Option
from hxm.catalog import BYGONE, COMMANDS, EXACT_ONLY
from hxm.catalog.command import HOST, READS, REFUSED, RUNTIME

POLICIES = (READS, HOST, RUNTIME, REFUSED)

_HELP_ITSELF = ("help", "all commands, or one command's help")
_THINGS = frozenset({"DOMAIN", "NODE", "FILE", "DIR"})
_NOT_A_DOMU = """claims cpupool-list dmesg domname getenforce info pci-assignable-list psr-hwinfo
    restore top vm-list xenstore-quota-get"""
"""What the toolstack's commands take, where it is no domU by name (xl help, Xen 4.17)."""


class Entry(NamedTuple):
    """One of hxm's own commands; those of `hxm sandbox` are called `sandbox new` and so on."""

    name: str
    group: str
    summary: str
    text: str
    operands: tuple[Operand, ...]
    options: tuple[Option, ...]
    """Its own; those that it shares with others are in `shared_options`."""
    shared: Kind
    """Which options it shares: those of changing commands (order), of reading ones (form)."""
    subcommands: tuple[Entry, ...] = ()

    @property
    def all_options(self) -> tuple[Option, ...]:
        """Everything that may be typed and is not hidden, --help last."""
        shared = shared_options(self.shared) if self.shared else ()
        shown = tuple(option for option in self.options if not option.hidden)
        return (*shown, *shared, HELP)


HELP = Option(("-h", "--help"), "", "Show the command's help.")


_LOCAL_ONLY = Option(("--local-only",), "", "Change the running domU alone.")


def own_commands() -> tuple[Entry, ...]:
    """The commands of hxm's own, in the order of the table."""
    return tuple(_entry(name) for name, row in COMMANDS.items() if row.group and name != "help")


def shared_options(kind: Kind) -> tuple[Option, ...]:
    """The options of every changing command (order), or of every reading one (form)."""
    return _options(shared_parameters(kind))


def toolstack_commands(*policies: str, bygone: bool = False) -> tuple[str, ...]:
    """The toolstack's commands under these policies: today's, or those that are gone from xl."""
    return tuple(
        name
        for name, row in COMMANDS.items()
        if row.policy in policies and (name in BYGONE) == bygone and name != "help"
    )


def about_a_domu() -> frozenset[str]:
    """The toolstack's commands of today whose first operand is a domU."""
    names = {*toolstack_commands(READS, RUNTIME, REFUSED), "unpause"}
    return frozenset(names - EXACT_ONLY - set(_NOT_A_DOMU.split()))


def _entry(name: str) -> Entry:
    row, module = COMMANDS[name], import_module(f"hxm.commands.{name}")
    functions = subcommands(module)
    if not functions:
        return _described(name, row.group, row.summary, module.run)
    text = f"{row.summary[0].upper()}{row.summary[1:]}."
    entries = tuple(
        _described(f"{name} {word}", row.group, "", function)
        for word, function in functions.items()
    )
    return Entry(name, row.group, row.summary, text, (), (), "", entries)


def _described(name: str, group: str, summary: str, function: Callable[..., int]) -> Entry:
    signature = signature_of(function)
    operands = tuple(p.declared for p in signature.own if isinstance(p.declared, Operand))
    own = signature.own
    if signature.kind == "order":
        own += xl_parameters(name)
    text = inspect.getdoc(function) or ""
    return Entry(name, group, summary, text, operands, _options(own), signature.kind)


def _options(parameters: Iterable[Parameter]) -> tuple[Option, ...]:
    """The declared options, each with the default of the function that takes it."""
    return tuple(
        parameter.declared._replace(default=str(parameter.default or ""))
        for parameter in parameters
        if isinstance(parameter.declared, Option)
    )


# What may be typed where, for every shell


class Spec(NamedTuple):
    """What may follow each of some commands: the same in every shell."""

    names: tuple[str, ...]
    options: tuple[Option, ...]
    operands: tuple[str, ...]
    """The kinds of thing (DOMAIN, NODE, FILE, DIR) or the words that may stand there, in order,
    with | between alternatives; ... says that more of them may follow."""


def summaries() -> list[tuple[str, str]]:
    """The commands of hxm's own, and what each of them does."""
    return [*((entry.name, entry.summary) for entry in own_commands()), _HELP_ITSELF]


def todays_toolstack() -> list[str]:
    """The toolstack's commands that may be typed."""
    return sorted(set(toolstack_commands(*POLICIES)) - EXACT_ONLY)


def all_specs() -> Iterator[Spec]:
    """What may follow each command, of hxm's own and of the toolstack's."""
    for entry in _entries():
        yield Spec((entry.name,), entry.all_options, tuple(_kinds(entry)))
    yield Spec((_HELP_ITSELF[0],), (), ("COMMAND",))
    for operand, of_domus in (("DOMAIN", True), ("FILE...", False)):
        for local_only in (True, False):
            names = tuple(
                name
                for name in todays_toolstack()
                if (name in about_a_domu()) == of_domus and COMMANDS[name].local_only == local_only
            )
            if names:
                yield Spec(names, (_LOCAL_ONLY,) if local_only else (), (operand,))


def _entries() -> Iterator[Entry]:
    for entry in own_commands():
        yield entry
        yield from entry.subcommands


def _kinds(entry: Entry) -> list[str]:
    if entry.subcommands:
        return ["|".join(subcommand.name.split(" ")[1] for subcommand in entry.subcommands)]
    return [
        "|".join(operand.kinds) + ("..." if operand.repeated else "") for operand in entry.operands
    ]


def values_of_options() -> dict[str, str]:
    """What may follow each option that takes a value, for most of the commands that have it.

    For a command where it is something else, `COMMAND OPTION` stands before the option.
    """
    by_option: dict[str, dict[str, str]] = {}
    for entry in _entries():
        for option in entry.all_options:
            kinds = option.value if option.value in _THINGS else "|".join(option.words)
            for spelling in option.spellings if option.value else ():
                by_option.setdefault(spelling, {})[entry.name] = kinds
    values: dict[str, str] = {}
    for spelling, by_command in by_option.items():
        ((usual, _),) = Counter(by_command.values()).most_common(1)
        for name, kinds in by_command.items():
            if kinds != usual:
                values[f"{name} {spelling}"] = kinds
        values[spelling] = usual
    return values


def spellings(spec: Spec) -> list[tuple[str, str]]:
    """Every spelling with its help; `--no-wait` is the opposite of `--wait`, and says so."""
    return [
        (
            word,
            f"Do not {option.help[0].lower()}{option.help[1:]}"
            if word in option.opposites
            else option.help,
        )
        for option in spec.options
        for word in option.spellings
    ]
