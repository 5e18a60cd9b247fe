"""Generates the completions for bash, zsh and fish from hxm's own table: run it after a change."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "man"))

from commandline import (  # noqa: E402
    COMMANDS,
    EXACT_ONLY,
    POLICIES,
    Entry,
    Option,
    about_a_domu,
    own_commands,
    toolstack_commands,
)

_HELP = ("help", "all commands, or one command's help")
_LOCAL_ONLY = Option(("--local-only",), "", "Change the running domU alone.")


class Spec(NamedTuple):
    """What may follow each of some commands: the same in every shell."""

    names: tuple[str, ...]
    options: tuple[Option, ...]
    operands: tuple[str, ...]


def generate() -> dict[str, str]:
    """The text of every file of completions, by its name in this folder."""
    specs, values = list(_specs()), _values()
    shells = {"hxm.bash": _bash(specs), "_hxm": _zsh(specs), "hxm.fish": _fish(specs, values)}
    parents = [entry.name for entry in own_commands() if entry.subcommands]
    cases = "\n".join(f"    {name}) printf '%s' '{words}' ;;" for name, words in values.items())
    parts = {
        "AWK": _awk(),
        "OWN": " ".join(name for name, _ in _summaries()),
        "PARENTS ": " ".join(parents),
        "PARENTS|": "|".join(parents),
        "TOOLSTACK": " ".join(_toolstack()),
        "VALUES": cases,
    }
    return {name: _fill(f"{name}.in", parts | special) for name, special in shells.items()}


def _fill(template: str, parts: dict[str, str]) -> str:
    text = _read(template)
    for name, part in parts.items():
        text = text.replace(f"@{name}@", part)
    return text


def _read(name: str) -> str:
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        return file.read()


def _awk() -> str:
    lines = (line for line in _read("names.awk").splitlines() if not line.startswith("#"))
    return "\n".join(lines)


# What there is, for every shell


def _summaries() -> list[tuple[str, str]]:
    return [*((entry.name, entry.summary) for entry in own_commands()), _HELP]


def _toolstack() -> list[str]:
    return sorted(set(toolstack_commands(*POLICIES)) - EXACT_ONLY)


def _specs() -> Iterator[Spec]:
    for entry in _entries():
        yield Spec((entry.name,), entry.all_options, tuple(_operands(entry)))
    yield Spec((_HELP[0],), (), ("COMMAND",))
    for operand, of_domus in (("DOMAIN", True), ("FILE...", False)):
        for local_only in (True, False):
            names = tuple(
                name
                for name in _toolstack()
                if (name in about_a_domu()) == of_domus and COMMANDS[name].local_only == local_only
            )
            if names:
                yield Spec(names, (_LOCAL_ONLY,) if local_only else (), (operand,))


def _entries() -> Iterator[Entry]:
    for entry in own_commands():
        yield entry
        yield from entry.subcommands


def _operands(entry: Entry) -> list[str]:
    if entry.subcommands:
        return ["|".join(each.name.split(" ")[1] for each in entry.subcommands)]
    return ["|".join(each.kinds) + "..." * each.repeated for each in entry.operands]


def _values() -> dict[str, str]:
    """What may follow each option that takes a value, to any of the commands that have it."""
    found: dict[str, dict[str, None]] = {}
    for entry in _entries():
        for option in entry.all_options:
            for spelling in option.spellings if option.value else ():
                found.setdefault(spelling, {}).update(dict.fromkeys(option.words))
    return {spelling: "|".join(words) for spelling, words in found.items()}


# How each shell has it


def _bash(specs: Iterable[Spec]) -> dict[str, str]:
    rows = [
        f"    {_pattern(spec, '|')})\n"
        f"        options=({' '.join(word for word, _ in _spellings(spec))})\n"
        f"        operands=({' '.join(map(_quoted, spec.operands))}) ;;"
        for spec in specs
    ]
    return {"SPECS": "\n".join(rows)}


def _zsh(specs: Iterable[Spec]) -> dict[str, str]:
    rows = []
    for spec in specs:
        options = [f"\n            {_quoted(f'{word}:{said}')}" for word, said in _spellings(spec)]
        rows.append(
            f"    {_pattern(spec, '|')})\n"
            f"        options=({''.join(options)})\n"
            f"        operands=({' '.join(map(_quoted, spec.operands))}) ;;"
        )
    commands = [f"        {_quoted(f'{name}:{said}')}" for name, said in _summaries()]
    return {"SPECS": "\n".join(rows), "COMMANDS": "\n".join(commands)}


def _fish(specs: Iterable[Spec], values: dict[str, str]) -> dict[str, str]:
    rows = []
    for spec in specs:
        rows.append(f"        case {_pattern(spec, ' ')}")
        options = [
            f" \\\n                {word}\\t{_quoted(said)}" for word, said in _spellings(spec)
        ]
        rows.append(f"            set options{''.join(options)}")
        rows.append(f"            set operands {' '.join(map(_quoted, spec.operands))}".rstrip())
    cases = [f"        case {name}\n            echo '{words}'" for name, words in values.items()]
    commands = [f"        {name}\\t{_quoted(said)}" for name, said in _summaries()]
    return {
        "SPECS": "\n".join(rows),
        "COMMANDS": " \\\n".join(commands),
        "VALUES": "\n".join(cases),
    }


def _pattern(spec: Spec, between: str) -> str:
    return between.join(_quoted(name) if " " in name else name for name in spec.names)


def _spellings(spec: Spec) -> list[tuple[str, str]]:
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


def _quoted(text: str) -> str:
    """One word for all three shells."""
    return "'" + text.replace("'", "'\\''") + "'"


if __name__ == "__main__":
    for path, content in generate().items():
        with open(os.path.join(HERE, path), "w", encoding="utf-8") as out:
            out.write(content)
