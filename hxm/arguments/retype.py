"""Suggests the command line to type instead of a wrong one, with all its options."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from importlib import import_module
from shlex import join, quote

from hxm.arguments.signatures import shared_parameters, signature_of, subcommands, xl_parameters
from hxm.arguments.types import Option, one_of
from hxm.catalog import COMMANDS
from hxm.errors import Joined, UsageError, WrongKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hxm.catalog.foreign.typed import Takes


def split(name: str, words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The operands and the options, each with its value, of what was typed after a command.

    A subcommand is among the words, as their first.
    """
    operands: list[str] = []
    options: list[str] = []
    rest = list(words)
    declared = _spellings(_declared(name, rest))
    while rest:
        word = rest.pop(0)
        if word == "--":
            return operands + rest, options
        if word == "-" or not word.startswith("-"):
            operands.append(word)
            continue
        options.append(word)
        if word in declared and declared[word].value and rest:
            options.append(rest.pop(0))
    return operands, options


def _spellings(options: Iterable[Option]) -> dict[str, Option]:
    return {spelling: option for option in options for spelling in option.spellings}


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


def with_options(line: str, typed: Sequence[str], name: str) -> list[str]:
    """The corrected line, with what was typed after the command of that name as options.

    What the other command has not, and what answers a question or lifts a refusal, is left out and
    named in a line of its own.
    """
    verb, *rest = line.split()[1:]
    may_stay = _spellings(_declared(verb, rest))
    same: list[str] = []
    left_out: list[str] = []
    for option in _one_by_one(name, typed):
        stays = option[0].partition("=")[0] in may_stay and option[0] not in _NEVER_GUESSED
        (same if stays else left_out).extend(option)
    without = [f"without {join(left_out)}"] if left_out else []
    return [" ".join([line, *map(quote, same)]), *without]


def _one_by_one(name: str, typed: Sequence[str]) -> Iterator[list[str]]:
    """The options among the words, each with its value."""
    _, words = split(name, typed)
    declared = _spellings(_declared(name, typed))
    while words:
        word = words.pop(0)
        takes = word in declared and declared[word].value and words
        yield [word, words.pop(0)] if takes else [word]


def takes(name: str, words: Sequence[str]) -> dict[str, Takes]:
    """The options of a command that its help shows, by their spellings."""
    from hxm.catalog.foreign.typed import Takes

    shown = _spellings(option for option in _declared(name, words) if not option.hidden)
    return {
        spelling: Takes(bool(option.value), partial(_accepts, option))
        for spelling, option in shown.items()
    }


def _accepts(option: Option, value: str) -> bool:
    read = option.read or (one_of(option.words) if option.words else str)
    try:
        read(value)
    except ValueError:
        return False
    return True


def refer(
    words: Sequence[str], before: Sequence[str], kind: Callable[[str], str], *, least: int
) -> None:
    """Raise UsageError with what to type, if the line is one of another tool's.

    At least so many of its words must be that tool's own. `kind` says of an operand whether it is
    a node or a domU.
    """
    from hxm.catalog.foreign.translate import Asked, translate

    if answer := translate(words, Asked(takes, kind), least=least):
        line = f"use: {join(['hxm', *before, *answer.command])}" if answer.command else ""
        first, *more = filter(None, (line, *answer.notes))
        raise UsageError(f"unknown command {words[0][:60]!r}", first, more=more)


def for_other_kind(verb: str, words: Sequence[str], error: WrongKind) -> None:
    """Complete the error with the command that takes what was named, if nothing else was."""
    from hxm.catalog.foreign.translate import of_other_kind

    if len(split(verb, words)[0]) > 1:
        return
    if instead := of_other_kind(verb, error.word, error.kind):
        error.hint = f"{instead.notes[0]}: " if instead.notes else ""
        error.instead = join(["hxm", *instead.command])


def parted(verb: str, words: Sequence[str], error: Joined) -> None:
    """Complete the error with the command as it is meant, its names parted by blanks."""
    operands = [
        part
        for word in split(verb, words)[0]
        for part in (filter(None, word.split(",")) if word == error.word else [word])
    ]
    error.instead = join(["hxm", verb, *operands])


_OF_ORDERS = {
    "-i": "what may hurt is asked about; without the question: --yes",
    "-f": "to override a refusal that names it: --force",
    "-n": "say --dry-run, or -N before the command, as to xl",
    "-N": "say --dry-run, or -N before the command, as to xl",
}
_OF_COMMANDS = {
    **{
        ("list", f"-{letter}"): f"only this host's xl knows that: xl list -{letter}"
        for letter in "nZc"
    },
    ("list", "-a"): "hxm list shows all domUs, also those that do not run",
    ("list", "-i"): "all that is known of each: hxm list -l; again and again: hxm watch",
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
