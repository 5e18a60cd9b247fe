"""The guard in front of xl, xm and virsh: what it lets through at once, as Python and as a script.

Both come from one table. What passes at once is never judged, so it is only what passes whatever
any generation of the program takes the word for.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence

from hxm.catalog import ALIASES, BY_HAND
from hxm.catalog.command import HOST, READS, XL_OPTIONS, Command

MARK = "hxm's guard in front of "
AT_ONCE = (READS, HOST)


def meanings(program: str, word: str) -> list[Command]:
    """Every command that some xl, xm or virsh may take the word for; none if it knows none.

    xl and xm take a whole name or the beginning of one (cmdtable_lookup in xl.c, xm_lookup_cmd in
    xen/xm/main.py); what is unique to one generation is not to another, so all count.
    """
    if program == "virsh":
        from hxm.guard.virsh_table import VIRSH

        return [VIRSH[word]] if word in VIRSH else []
    names = _names()
    if word in names:
        return [names[word]]
    found = {row.name: row for name, row in names.items() if word and name.startswith(word)}
    return list(found.values())


def passes_at_once(program: str, words: Sequence[str]) -> bool:
    """Whether the command line goes to the real program without being judged."""
    for word in words:
        if program != "virsh" and word[:1] == "-" and word[1:] and set(word[1:]) <= set(XL_OPTIONS):
            continue
        if program == "virsh" and word in _VIRSH_FLAGS:
            continue
        found = meanings(program, word)
        return bool(found) and all(row.policy in AT_ONCE for row in found)
    return False


_VIRSH_FLAGS = ("-q", "--quiet", "-t", "--timing")


def shim(program: str, real: str, hxm: Sequence[str]) -> str:
    """The text of the script that stands in the program's place."""
    options = (
        f"    {'|'.join(_VIRSH_FLAGS)}) ;;"
        if program == "virsh"
        else f"    -[{XL_OPTIONS}]*) case $word in -*[!{XL_OPTIONS}]*) break ;; esac ;;"
    )
    return _SCRIPT.format(
        mark=MARK,
        program=program,
        real=shlex.quote(real),
        hxm=shlex.quote(hxm[0]),
        judge=shlex.join((*hxm, "guard", "judge", program)),
        options=options,
        passing="|\\\n    ".join(_folded(sorted(_passing(program)))),
    )


_SCRIPT = """\
#!/bin/sh
# {mark}{program}: written by `hxm guard install`, taken away by `hxm guard remove`.
# The cluster's own agents and all that only reads go on at once; hxm judges the rest.
real={real}
[ -z "$OCF_RESOURCE_INSTANCE" ] || exec "$real" "$@"
for word; do
    case $word in
{options}
    {passing}) exec "$real" "$@" ;;
    *) break ;;
    esac
done
[ -x {hxm} ] || {{
    echo "{program}: hxm, which guards it, is gone: install it again, or call $real" >&2
    exit 102
}}
exec {judge} "$@"
"""


def _names() -> Mapping[str, Command]:
    return BY_HAND | {alias: BY_HAND[name] for alias, name in ALIASES.items()}


def _passing(program: str) -> set[str]:
    """All words, whole names and beginnings, that pass at once."""
    names: Mapping[str, Command] = _names()
    if program == "virsh":
        from hxm.guard import virsh_table

        names = virsh_table.VIRSH
    ends = {name[:end] for name in names for end in range(1, len(name) + 1)}
    return {word for word in ends if passes_at_once(program, [word])}


def _folded(words: Sequence[str], width: int = 90) -> Iterator[str]:
    line = ""
    for word in words:
        if line and len(line) + len(word) >= width:
            yield line
            line = ""
        line += f"|{word}" if line else word
    yield line
