"""hxm's command line as data, for everything that is made from it.

Whoever adds a command, an option or an operand does it in hxm/ alone; the man page, the
completions (`man/generate.py`, `completions/generate.py`) and `hxm shell` follow.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple

from hxm.arguments.parse import command_of, shared_parameters
from hxm.catalog import BYGONE, COMMANDS, EXACT_ONLY
from hxm.catalog.command import HOST, READS, REFUSED, RUNTIME

POLICIES = (READS, HOST, RUNTIME, REFUSED)

_HELP_ITSELF = ("help", "all commands, or one command's help")
_THINGS = frozenset({"DOMAIN", "NODE", "FILE", "DIR"})
_NUMBERS = ("float", "int")
"""How Typer's names of the types of numbers begin."""
_NOT_A_DOMU = """claims cpupool-list dmesg domname getenforce info pci-assignable-list psr-hwinfo
    restore top vm-list xenstore-quota-get"""
"""What the toolstack's commands take, where it is no domU by name (xl help, Xen 4.17)."""


class Option(NamedTuple):
    """An option with all its spellings; `value` is empty for a flag."""

    spellings: tuple[str, ...]
    value: str
    help: str
    default: str = ""
    hidden: bool = False
    opposites: tuple[str, ...] = ()
    """Those of the spellings that mean the opposite: --no-wait."""

    @property
    def words(self) -> tuple[str, ...]:
        """What may be typed as the value, where that is known: table, json."""
        words = tuple(self.value.split("|"))
        return words if len(words) > 1 and all(each.islower() for each in words) else ()


class Operand(NamedTuple):
    """An operand: `metavar` as the help shows it, `kinds` what may stand there."""

    metavar: str
    help: str
    kinds: tuple[str, ...]
    repeated: bool


class Entry(NamedTuple):
    """One of hxm's own commands; those of `hxm sandbox` are called `sandbox new` and so on."""

    name: str
    group: str
    summary: str
    text: str
    operands: tuple[Operand, ...]
    options: tuple[Option, ...]
    """Its own; those that it shares with others are in `shared_options`."""
    shared: str
    """What it does, where there are options for all that do it: `order`, `form`, or nothing."""
    subcommands: tuple[Entry, ...] = ()

    @property
    def all_options(self) -> tuple[Option, ...]:
        """Everything that may be typed and is not hidden, --help last."""
        shared = shared_options(self.shared) if self.shared else ()
        shown = tuple(each for each in self.options if not each.hidden)
        return (*shown, *shared, HELP)


HELP = Option(("-h", "--help"), "", "Show the command's help.")


_LOCAL_ONLY = Option(("--local-only",), "", "Change the running domU alone.")


def own_commands() -> tuple[Entry, ...]:
    """The commands of hxm's own, in the order of the table."""
    return tuple(_entry(name) for name, row in COMMANDS.items() if row.group and name != "help")


def shared_options(kind: str) -> tuple[Option, ...]:
    """The options of every changing command (order), or of every reading one (form)."""
    return _options(_parsed(_EXAMPLES[kind]), kind, theirs=True)


def toolstack_commands(*policies: str, bygone: bool = False) -> tuple[str, ...]:
    """The toolstack's commands under these policies: today's, or those that are gone from xl."""
    return tuple(
        name
        for name, row in COMMANDS.items()
        if row.policy in policies and (name in BYGONE) == bygone and name != "help"
    )


def about_a_domu() -> frozenset[str]:
    """The toolstack's commands of today whose first operand is a domU."""
    found = {*toolstack_commands(READS, RUNTIME, REFUSED), "unpause"}
    return frozenset(found - EXACT_ONLY - set(_NOT_A_DOMU.split()))


_EXAMPLES = {"order": "start", "form": "nodes"}


def _parsed(name: str) -> Any:
    return command_of(COMMANDS[name], import_module(f"hxm.commands.{name}"))


def _entry(name: str) -> Entry:
    row, command = COMMANDS[name], _parsed(name)
    subcommands = tuple(
        _described(f"{name} {each.name}", row.group, "", each.help, each)
        for each in getattr(command, "commands", {}).values()
    )
    text = f"{row.summary[0].upper()}{row.summary[1:]}." if subcommands else command.help
    entry = _described(name, row.group, row.summary, text, command)
    return entry._replace(subcommands=subcommands)


def _described(name: str, group: str, summary: str, text: str, command: Any) -> Entry:
    given = {parameter.name for parameter in command.params}
    kind = next((each for each in _EXAMPLES if _parameters_of(each) <= given), "")
    return Entry(name, group, summary, text, _operands(command), _options(command, kind), kind)


def _parameters_of(kind: str) -> set[str]:
    return {each.name for each in shared_parameters(kind)}


def _options(command: Any, kind: str, *, theirs: bool = False) -> tuple[Option, ...]:
    """Its own options, or `theirs`: those of every command of that kind."""
    common = _parameters_of(kind) if kind else set()
    return tuple(
        _option(each)
        for each in command.params
        if each.param_type_name == "option" and (each.name in common) == theirs
    )


def _option(parameter: Any) -> Option:
    value = ""
    if not parameter.is_flag:
        number = parameter.type.name.startswith(_NUMBERS)
        value = parameter.metavar or ("NUMBER" if number else "TEXT")
    default = "" if parameter.is_flag or parameter.default in (None, "") else parameter.default
    if parameter.secondary_opts and parameter.default:
        default = parameter.opts[-1]
    return Option(
        (*parameter.opts, *parameter.secondary_opts),
        value,
        parameter.help or "",
        str(default),
        parameter.hidden,
        tuple(parameter.secondary_opts),
    )


def _operands(command: Any) -> tuple[Operand, ...]:
    found = []
    for each in command.params:
        if each.param_type_name == "argument":
            first = re.sub(r"[][]|\.\.\.", "", each.metavar.split(" ")[0])
            repeated = each.nargs == -1 and " " not in each.metavar
            found.append(Operand(each.metavar, each.help or "", tuple(first.split("|")), repeated))
    return tuple(found)


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
        return ["|".join(each.name.split(" ")[1] for each in entry.subcommands)]
    return ["|".join(each.kinds) + "..." * each.repeated for each in entry.operands]


def values_of_options() -> dict[str, str]:
    """What may follow each option that takes a value, to most of the commands that have it.

    Before it stands, under `COMMAND OPTION`, what follows it to one where that is something else.
    """
    found: dict[str, dict[str, str]] = {}
    for entry in _entries():
        for option in entry.all_options:
            kinds = option.value if option.value in _THINGS else "|".join(option.words)
            for spelling in option.spellings if option.value else ():
                found.setdefault(spelling, {})[entry.name] = kinds
    values: dict[str, str] = {}
    for spelling, told in found.items():
        ((usual, _),) = Counter(told.values()).most_common(1)
        values |= {f"{name} {spelling}": each for name, each in told.items() if each != usual}
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
