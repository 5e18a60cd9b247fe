"""The guard in front of xl, xm and virsh: what it lets through at once, as Python and as a script.

Both come from one table. What passes at once is never judged, so it is only what passes whatever
any generation of the program takes the word for.

Two files stand for a program. In its place is a stub, and beside it the script, which the stub's
first line names: no shell ever reads the program's own path as its script, so that this path may
become the program again, or the guard, at any moment (execve(2), under "Interpreter scripts").
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from hxm.catalog import ALIASES, BY_HAND
from hxm.catalog.command import HOST, READS, XL_OPTIONS, Command
from hxm.toolstack.virsh import OTHER_DRIVERS

MARK = "hxm's guard in front of "
AT_ONCE = (READS, HOST)
PASSED = 100
"""The exit status by which hxm lets a command pass; nothing that is broken ends with it."""
_STARTS = frozenset(("create", "restore", "start"))
"""Commands that an agent starts a domU with."""
_LONGEST_FIRST_LINE = 127
"""Bytes of a script's first line that a kernel before 5.1 reads (execve(2))."""


class Wrapper(NamedTuple):
    """The two files that stand for a guarded program."""

    stub: str
    script: str


class Paths(NamedTuple):
    """Where a program and all that belongs to its guard are."""

    path: str
    """Where everybody finds the program."""
    displaced: str
    """Where the real program is while it is guarded."""
    script: str
    folder: str
    """The folder of the link by which the real program is called by its own name."""


def meanings(program: str, word: str) -> list[Command]:
    """Every command that the word may stand for in some version of xl, xm or virsh.

    xl and xm take a whole name or the beginning of one (cmdtable_lookup in xl.c, xm_lookup_cmd in
    xen/xm/main.py); what is unique to one generation is not to another, so all count.
    """
    if program == "virsh":
        from hxm.guard.virsh_table import VIRSH

        return [VIRSH[word]] if word in VIRSH else []
    names = _names()
    if word in names:
        return [names[word]]
    matching = {row.name: row for name, row in names.items() if word and name.startswith(word)}
    return list(matching.values())


def passes_at_once(program: str, words: Sequence[str]) -> bool:
    """Whether the command line goes to the real program without being judged."""
    for word in words:
        if program != "virsh" and word[:1] == "-" and word[1:] and set(word[1:]) <= set(XL_OPTIONS):
            continue
        if program == "virsh" and word in _VIRSH_FLAGS:
            continue
        rows = meanings(program, word)
        return bool(rows) and all(row.policy in AT_ONCE for row in rows)
    return False


_VIRSH_FLAGS = ("-q", "--quiet", "-t", "--timing")


def wrapper(
    program: str, paths: Paths, hxm: Sequence[str], remedy: str, look_seconds: int
) -> Wrapper:
    """The files that stand for the program.

    `hxm` is how hxm is called, the file that must be there last; `remedy` is the command that makes
    it work again; `look_seconds` is how long the last look may take, with 0 there is none.
    """
    first = f"#!/bin/sh {paths.script}"
    if len(first) >= _LONGEST_FIRST_LINE:
        first = "#!/bin/sh"
    stub = _STUB.format(first=first, mark=MARK, program=program, script=shlex.quote(paths.script))
    options = (
        f"{' | '.join(_VIRSH_FLAGS)}) ;;"
        if program == "virsh"
        else f"-[{XL_OPTIONS}]*) case $word in -*[!{XL_OPTIONS}]*) break ;; esac ;;"
    )
    values = {
        "program": program,
        "path": shlex.quote(paths.path),
        "kept": shlex.quote(paths.displaced),
        "script": shlex.quote(paths.script),
        "folder": shlex.quote(paths.folder),
        "seconds": str(look_seconds),
        "options": options,
        "passing": _pattern(_passing(program)),
        "looked": _pattern(_starting(program)),
        "others": " | ".join(sorted(OTHER_DRIVERS)),
        "hxm": shlex.quote(hxm[-1]),
        "judge": shlex.join((*hxm, "guard", "judge", program)),
        "passed": str(PASSED),
        "remedy": remedy,
    }
    with open(_TEMPLATE, encoding="utf-8") as file:
        script = file.read()
    for name, value in values.items():
        script = script.replace(f"@{name}@", value)
    return Wrapper(stub, script)


_TEMPLATE = os.path.join(os.path.dirname(__file__), "wrapper.sh")
_STUB = """\
{first}
# {mark}{program}: written by `hxm guard install`, taken away by `hxm guard remove`.
exec /bin/sh {script} "$0" "$@"
"""
"""Its last line is for a shell that was about to read a program that was a script itself."""


def _names() -> Mapping[str, Command]:
    return BY_HAND | {alias: BY_HAND[name] for alias, name in ALIASES.items()}


def _beginnings(program: str) -> set[str]:
    names: Mapping[str, Command] = _names()
    if program == "virsh":
        from hxm.guard import virsh_table

        names = virsh_table.VIRSH
    return {name[:end] for name in names for end in range(1, len(name) + 1)}


def _passing(program: str) -> set[str]:
    """All words, whole names and beginnings, that pass at once."""
    return {word for word in _beginnings(program) if passes_at_once(program, [word])}


def _starting(program: str) -> set[str]:
    """All words that can only mean a command that starts a domU."""
    meant = {word: {row.name for row in meanings(program, word)} for word in _beginnings(program)}
    return {word for word, names in meant.items() if names and names <= _STARTS}


def _pattern(words: set[str]) -> str:
    return "|\\\n    ".join(_folded(sorted(words)))


def _folded(words: Sequence[str], width: int = 90) -> Iterator[str]:
    line = ""
    for word in words:
        if line and len(line) + len(word) >= width:
            yield line
            line = ""
        line += f"|{word}" if line else word
    yield line
