"""Generates the completions for bash, zsh and fish from hxm's own table: run it after a change."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from hxm.arguments.describe import (  # noqa: E402
    Spec,
    all_specs,
    own_commands,
    spellings,
    summaries,
    todays_toolstack,
    values_of_options,
)


def generate() -> dict[str, str]:
    """The text of every file of completions, by its name in this folder."""
    specs, values = list(all_specs()), values_of_options()
    shells = {"hxm.bash": _bash(specs), "_hxm": _zsh(specs), "hxm.fish": _fish(specs, values)}
    parents = [entry.name for entry in own_commands() if entry.subcommands]
    cases = "\n".join(
        f"    {'|'.join(patterns)}) printf '%s' '{words}' ;;"
        for patterns, words in _cases(values, "*")
    )
    parts = {
        "AWK": _awk(),
        "OWN": " ".join(name for name, _ in summaries()),
        "PARENTS ": " ".join(parents),
        "PARENTS|": "|".join(parents),
        "TOOLSTACK": " ".join(todays_toolstack()),
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


# How each shell has it


def _bash(specs: Iterable[Spec]) -> dict[str, str]:
    rows = [
        f"    {_pattern(spec, '|')})\n"
        f"        options=({' '.join(word for word, _ in spellings(spec))})\n"
        f"        operands=({' '.join(map(_quoted, spec.operands))}) ;;"
        for spec in specs
    ]
    return {"SPECS": "\n".join(rows)}


def _zsh(specs: Iterable[Spec]) -> dict[str, str]:
    rows = []
    for spec in specs:
        options = [f"\n            {_quoted(f'{word}:{text}')}" for word, text in spellings(spec)]
        rows.append(
            f"    {_pattern(spec, '|')})\n"
            f"        options=({''.join(options)})\n"
            f"        operands=({' '.join(map(_quoted, spec.operands))}) ;;"
        )
    commands = [f"        {_quoted(f'{name}:{text}')}" for name, text in summaries()]
    return {"SPECS": "\n".join(rows), "COMMANDS": "\n".join(commands)}


def _fish(specs: Iterable[Spec], values: dict[str, str]) -> dict[str, str]:
    rows = []
    for spec in specs:
        rows.append(f"        case {_pattern(spec, ' ')}")
        options = [
            f" \\\n                {word}\\t{_quoted(text)}" for word, text in spellings(spec)
        ]
        rows.append(f"            set options{''.join(options)}")
        rows.append(f"            set operands {' '.join(map(_quoted, spec.operands))}".rstrip())
    cases = [
        f"        case {' '.join(patterns)}\n            echo '{words}'"
        for patterns, words in _cases(values, "'*'")
    ]
    commands = [f"        {name}\\t{_quoted(text)}" for name, text in summaries()]
    return {
        "SPECS": "\n".join(rows),
        "COMMANDS": " \\\n".join(commands),
        "VALUES": "\n".join(cases),
    }


def _cases(values: dict[str, str], any_command: str) -> Iterator[tuple[list[str], str]]:
    """The patterns of `COMMAND OPTION` for each value, those of single commands first."""
    patterns_of: dict[tuple[bool, str], list[str]] = {}
    for name, words in values.items():
        of_any = " " not in name
        pattern = any_command + _quoted(f" {name}") if of_any else _quoted(name)
        patterns_of.setdefault((of_any, words), []).append(pattern)
    for (_, words), patterns in sorted(patterns_of.items()):
        yield patterns, words


def _pattern(spec: Spec, between: str) -> str:
    return between.join(_quoted(name) if " " in name else name for name in spec.names)


def _quoted(text: str) -> str:
    """One word for all three shells."""
    return "'" + text.replace("'", "'\\''") + "'"


if __name__ == "__main__":
    for path, content in generate().items():
        with open(os.path.join(HERE, path), "w", encoding="utf-8") as out:
            out.write(content)
