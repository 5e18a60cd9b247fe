"""Suggests the command line to type instead of a wrong one, with all its options."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from shlex import join

from hxm.arguments.signatures import shared_parameters, signature_of, subcommands, xl_parameters
from hxm.arguments.types import Option
from hxm.catalog import COMMANDS
from hxm.errors import UsageError, WrongKind


def split(name: str, words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The operands and the options, each with its value, of what was typed after a command."""
    operands: list[str] = []
    options: list[str] = []
    rest = list(words)
    valued = {spelling for option in _options(name, rest) for spelling in option.spellings}
    while rest:
        word = rest.pop(0)
        if word == "--":
            return operands + rest, options
        if word == "-" or not word.startswith("-"):
            operands.append(word)
            continue
        options.append(word)
        if word in valued and rest:
            options.append(rest.pop(0))
    return operands, options


def _options(name: str, words: Sequence[str]) -> list[Option]:
    """The options of the command that take a value."""
    return [option for option in _declared(name, words) if option.value]


def _declared(name: str, words: Sequence[str]) -> list[Option]:
    """All options of the command, or of that of its subcommands which the words begin with."""
    row = COMMANDS.get(name)
    if not row or not row.group or name == "help":
        return []
    module = import_module(f"hxm.commands.{name}")
    function = subcommands(module).get(words[0] if words else "") or getattr(module, "run", None)
    if not function:
        return []
    signature = signature_of(function)
    parameters = (*signature.own, *shared_parameters(signature.kind), *xl_parameters(name))
    declared = (parameter.declared for parameter in parameters)
    return [option for option in declared if isinstance(option, Option)]


def with_options(line: str, options: Sequence[str]) -> str:
    """The corrected line, and the options that were typed."""
    return f"{line} {join(options)}" if options else line


def refer(
    words: Sequence[str], before: Sequence[str], kind: Callable[[str], str], *, least: int
) -> None:
    """Raise UsageError with what to type, if the line is one of another tool's.

    At least so many of its words must be that tool's own. `kind` says of an operand whether it is
    a node or a domU.
    """
    from hxm.catalog.foreign import translate

    kind = cache(kind)
    answer, options, without = translate.answer_by_options(words, kind), list[str](), list[str]()
    if answer is None:
        answer = translate.answer(split("", words)[0], least=least)
        if answer is None:
            return
        operands, options, without = _kept(answer[0], words, kind)
        answer = translate.answer(operands, least=least, kind=kind) or answer
    notes = [answer[1]]
    if answer[0]:
        line = with_options(join(["hxm", *before, *answer[0]]), options)
        notes = [f"use: {line}", f"without {' '.join(without)}" if without else "", answer[1]]
    raise UsageError(f"unknown command {words[0][:60]!r}", "; ".join(filter(None, notes)))


_OF_EVERY_TOOL = ("--dry-run", "--timeout", "--reason", "--wait", "--no-wait")
"""Options that mean the same in another tool's line."""


def _kept(
    command: Sequence[str], words: Sequence[str], kind: Callable[[str], str]
) -> tuple[list[str], list[str], list[str]]:
    """The operands, the options that the command has, and what is left out.

    What follows an option that is left out is its value, unless it is a node or a domU.
    """
    from hxm.catalog.foreign.meaning import TOOLS

    declared = {
        spelling: option
        for option in (_declared(command[0], command[1:]) if command else ())
        for spelling in option.spellings
        if spelling not in _NEVER_GUESSED and (words[0] not in TOOLS or spelling in _OF_EVERY_TOOL)
    }
    operands: list[str] = []
    options: list[str] = []
    without: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, mark, _ = word.partition("=")
        if not word.startswith("-") or word == "-":
            operands.append(word)
            continue
        known = declared.get(name)
        (options if known else without).append(word if not known or known.value else name)
        follows = bool(rest) and not mark and not rest[0].startswith("-")
        if follows and (known.value if known else not kind(rest[0])):
            (options if known else without).append(rest.pop(0))
    return operands, options, without


def for_other_kind(verb: str, error: WrongKind) -> None:
    """Complete the error with the command that takes what was named."""
    from hxm.catalog.foreign import translate

    if instead := translate.of_other_kind(verb, error.word, error.kind):
        command, note = instead
        error.hint = f"{note}: " if note else ""
        error.instead = join(["hxm", *command])


_OF_ORDERS = {
    "-f": "to override a refusal that names it: --force",
    "-n": "say --dry-run, or -N before the command, as to xl",
    "-N": "say --dry-run, or -N before the command, as to xl",
}
_OF_COMMANDS = {
    **{
        ("list", f"-{letter}"): f"only this host's xl knows that: xl list -{letter}"
        for letter in "nZc"
    },
    ("migrate", "--lifetime"): "hxm leaves no constraint behind, so there is none to expire",
}
"""Options of other tools, or of xl for what is no question of the cluster."""
_NEVER_GUESSED = ("-y", "--yes", "--force")
"""Named for a slip, but not put into a line to be pasted."""
_ALIKE = 0.75


def unknown_option(name: str, option: str, kind: str, words: Sequence[str]) -> str:
    """What to type instead of an option that the command does not have."""
    verb, _, subcommand = name.partition(" ")
    hint = _OF_COMMANDS.get((verb, option)) or (_OF_ORDERS.get(option) if kind == "order" else "")
    if hint:
        return hint
    from difflib import get_close_matches

    typed = [subcommand, *words] if subcommand else list(words)
    known = [
        spelling
        for declared in _declared(verb, typed)
        for spelling in declared.spellings
        if not declared.hidden and spelling not in _NEVER_GUESSED
    ]
    near = get_close_matches(option, known, 1, _ALIKE) if option.startswith("--") else []
    if not near:
        risky = get_close_matches(option, _NEVER_GUESSED, 1, _ALIKE) if kind == "order" else []
        return f"did you mean {risky[0]}?" if risky else f"hxm {name} --help"
    corrected = [
        near[0] + word[len(option) :] if word.partition("=")[0] == option else word
        for word in words
    ]
    return f"did you mean {near[0]}? {join(['hxm', *name.split(), *corrected])}"
