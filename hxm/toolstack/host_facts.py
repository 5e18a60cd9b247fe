"""What a host's own toolstack says of configuration files, and of live migration there.

`xl -N create -n` and `xm create -n` read a file as for a start, and start nothing; xl is told so
twice, so that nothing starts where one of the options gets lost. With xl 4.17.7 a refusal follows
the line "Parsing config from FILE"; without Xen, or without root's rights, xl fails before that
line, and nothing is known. The name is given behind the file, as the agent does (heartbeat/Xen
4.12), so that a file may lack it. xm runs a file as Python: it is asked on this host alone, and of
files only that were read as data before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hxm.errors import CannotAsk
from hxm.host import programs
from hxm.toolstack import is_xm
from hxm.toolstack.memory import INFO, can_log_dirty

_SECONDS = 2
"""After these no further file is tried, so that the rest of an answer comes in time."""
_INFO, _TRIED, _SAID = "hxm info ", "hxm tried ", "hxm said "
_READ_BY_XL = "Parsing config"
_NO_REASON = re.compile(r"warning|deprecated|^Failed to parse config|^\s*$", re.IGNORECASE)
_VALUE = re.compile(r"(config parsing error) near `(?:.*':|.*)")
"""What xl quotes of a file may be a password, with any quotes in it, and cut off."""


class HostFacts(NamedTuple):
    """What the toolstack of one host says; what is unknown is not there."""

    refusals: Mapping[str, str] = {}
    """The files that it would not start, and its reason for each."""
    moves_pv_live: bool = True
    """False only where the hypervisor is known to be unable to."""


def read_facts(program: str, files: Sequence[str], timeout: float) -> HostFacts:
    """What this host's toolstack says of the files; what it does not answer in time is unknown."""
    words = ("sh", "-c", facts_script(program, here=True), "sh", *files)
    try:
        return parse_facts(programs.output(words, timeout=timeout).stdout, program)
    except CannotAsk:
        return HostFacts()


def facts_script(program: str, *, here: bool = False) -> str:
    """For sh, whose operands are files: prints what `parse_facts` reads, and always succeeds."""
    real = f"PATH=${{HXM_REAL:-{programs.REAL}}}:$PATH"  # the guard starts Python for each file
    script = f"{real}\n{program} {INFO} 2>/dev/null | sed 's/^/{_INFO}/'"
    if is_xm(program) and not here:
        return script
    create = "create -n" if is_xm(program) else "-N create -n"
    name = "name=hxm" if is_xm(program) else "'name=\"hxm\"'"
    return f"""{script}
end=$(($(date +%s) + {_SECONDS}))
for file do
    [ -f "$file" ] && [ "$(date +%s)" -lt $end ] || continue
    said=$({program} {create} "$file" {name} 2>&1 >/dev/null </dev/null); status=$?
    printf '{_TRIED}%s %s\\n' $status "$file"
    printf '%s\\n' "$said" | sed 's/^/{_SAID}/'
done
:"""


def parse_facts(printed: bytes, program: str) -> HostFacts:
    """The facts in what the script printed, other lines or not among it."""
    text = printed.decode("utf-8", "surrogateescape")
    info, refusals = [], {}
    path, status, lines = "", "", list[str]()
    for line in [*text.split("\n"), f"{_TRIED}0 "]:
        if line.startswith(_INFO):
            info.append(line.removeprefix(_INFO))
        elif line.startswith(_SAID):
            lines.append(line.removeprefix(_SAID))
        elif line.startswith(_TRIED):
            if status not in ("", "0") and (why := _reason(lines, program)):
                refusals[path] = why
            status, _, path = line.removeprefix(_TRIED).partition(" ")
            lines = []
    return HostFacts(refusals, can_log_dirty("\n".join(info)))


def _reason(lines: Sequence[str], program: str) -> str:
    """Why the file is refused; empty: something else went wrong."""
    if is_xm(program):
        errors = (line for line in lines if line.startswith("Error: ") and "xend" not in line)
        return next(errors, "").removeprefix("Error: ")
    began = next((n for n, line in enumerate(lines) if line.startswith(_READ_BY_XL)), None)
    if began is None:
        return ""
    reasons = (line for line in reversed(lines[began + 1 :]) if not _NO_REASON.search(line))
    return _VALUE.sub(r"\1:", next(reasons, "it says no more"))
