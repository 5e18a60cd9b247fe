"""Asks other nodes for what `hxm check` and `hxm enrol` need, by one ssh each.

The script runs in sh on the node; the paths are its operands, so that no shell interprets them. Of
the files only checksums and names come back: they may hold passwords.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from hxm.errors import CannotAsk
from hxm.guard.status import STATE, STATES_SCRIPT
from hxm.policy.audit.nodes import ABSENT, UNREADABLE, BootLink, Survey
from hxm.policy.orders.readiness import Readiness
from hxm.toolstack.host_facts import HostFacts, facts_script, parse_facts
from hxm.toolstack.remote import Named, ask_elsewhere, named_in, named_script

_AUTOS = r"""
while shift; [ "$1" != -- ]; do
    for link in "$1"/*; do
        [ -e "$link" ] || [ -L "$link" ] || continue
        printf 'hxm auto %s\0%s\0' "$link" "$(readlink -f "$link")"
        sed -n "s/^[[:space:]]*name[[:space:]]*=[[:space:]]*[\"']\([^\"']*\)[\"'].*/\1/p
            s/.*<name>\([^<]*\)<.*/\1/p" "$link" 2>/dev/null | tr '\n' '\0'
        echo
    done
done
shift
"""
"""Prints a line for each link in the folders before a --; the operands after it remain.

Only a name on a line of its own counts, as for the agent (ocf:heartbeat:Xen).
"""
_SCRIPT = f"""
mark=$1
echo "hxm clock $(date +%s.%N)"
{_AUTOS}
for file do
    if [ ! -e "$file" ]; then echo "hxm file {ABSENT} $file"
    elif [ -f "$file" ] && sum=$(md5sum <"$file"); then echo "hxm file ${{sum%% *}} $file"
    else echo "hxm file {UNREADABLE} $file"
    fi 2>/dev/null
done
{STATES_SCRIPT}"""
_END = """
echo "hxm clock $(date +%s.%N)"
echo "hxm list"
"""
_MORE = "hxm more"
_CLOCK, _FILE, _AUTO = ("hxm clock ", "hxm file ", "hxm auto ")


class Surveyed(NamedTuple):
    """All that a node brought back, except its domains."""

    survey: Survey
    facts: HostFacts
    more: bytes
    """The output of the additional script."""


def surveyor(
    answers: dict[str, Surveyed],
    files: Collection[str],
    mark: str,
    autos: Sequence[str],
    more: Callable[[str], str],
) -> Callable[[str, Sequence[str], float], Mapping[str, Named | str]]:
    """Asks as `read_named_elsewhere` does, and adds what else the nodes answer to `answers`.

    A wrapper script is recognised by `mark`; `autos` are the folders of boot links; `more` returns
    an additional script for a toolstack.
    """

    def ask(program: str, nodes: Sequence[str], timeout: float) -> dict[str, Named | str]:
        script = (
            f"{_SCRIPT}({facts_script(program)}){_END}"
            f"{named_script(program)} || exit\necho '{_MORE}'\n{more(program)}; :"
        )
        words = ("sh", "-c", script, "sh", mark, *autos, "--", *files)
        before = time.time()

        def parse(printed: bytes) -> tuple[Named, Surveyed]:
            head, _, listed = printed.partition(b"hxm list\n")
            listed, _, rest = listed.partition(f"{_MORE}\n".encode())
            domains = named_in(program, listed)
            text = head.decode("utf-8", "surrogateescape")
            survey = parse_survey(text, before, time.time())
            return domains, Surveyed(survey, parse_facts(head, program), rest)

        answers_by_node: dict[str, Named | str] = {}
        for node, answer in ask_elsewhere(words, nodes, timeout, parse).items():
            if isinstance(answer, str):
                answers_by_node[node] = answer
            else:
                answers_by_node[node], answers[node] = answer
        return answers_by_node

    return ask


def parse_survey(text: str, before: float, after: float) -> Survey:
    """The output of the script, parsed; it ran between these times of this host's clock.

    The node read its clock first after `before` and last before `after`: a time outside these
    limits cannot come from the network's delay. Raises CannotAsk for what the script never prints.
    """
    lines = text.splitlines()

    def behind(lead: str) -> list[str]:
        return [line.removeprefix(lead) for line in lines if line.startswith(lead)]

    clocks = [_time(clock) for clock in behind(_CLOCK)]
    ahead = max(0.0, clocks[-1] - after) + min(0.0, clocks[0] - before) if clocks else 0.0
    files = (line.partition(" ") for line in behind(_FILE))
    guards = (line.partition(":") for line in behind(STATE))
    return Survey(
        {path: checksum for checksum, _, path in files},
        {path: state for state, _, path in guards},
        ahead,
        boot_links(text),
    )


def _time(clock: str) -> float:
    """A time by `date +%s.%N`, of which busybox leaves out the N. Raises CannotAsk."""
    seconds, _, _ = clock.partition(".")
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) < _MOST_DIGITS):
        raise CannotAsk(f"its clock shows no time: {clock[:40]!r}")
    try:
        return float(clock.rstrip("N."))
    except ValueError:
        return float(seconds)


_MOST_DIGITS = 12


def boot_links(text: str) -> tuple[BootLink, ...]:
    """The boot links that the script printed. Raises CannotAsk for anything else."""
    links = []
    for line in text.split("\n"):
        if line.startswith(_AUTO):
            path, *rest = line.removeprefix(_AUTO).split("\0")
            if not rest:  # a name of a file has a line end in it
                raise CannotAsk(f"what it starts at boot cannot be understood: {path[:60]!r}")
            target, *names = rest
            links.append(BootLink(path, target, (*filter(None, names),)))
    return tuple(links)


_READINESS = f"""{_AUTOS}
domu=$1; shift
for disk do [ -e "$disk" ] || printf 'hxm lacks %s\\n' "$disk"; done"""
_LACKS = "hxm lacks "


def read_readiness(
    program: str,
    nodes: Sequence[str],
    autos: Sequence[str],
    file: str,
    disks: Sequence[str],
    timeout: float,
) -> dict[str, Readiness | str]:
    """What each of the nodes has for the domU of the file, or why that is unknown.

    `program` is the toolstack there; `autos` are the folders of boot links.
    """

    def parse(printed: bytes) -> Readiness:
        text = printed.decode("utf-8", "surrogateescape")
        lines = (line for line in text.split("\n") if line.startswith(_LACKS))
        facts = parse_facts(printed, program)
        lacking = tuple(line.removeprefix(_LACKS) for line in lines)
        return Readiness(
            boot_links(text), lacking, facts.refusals.get(file, ""), facts.moves_pv_live
        )

    script = f'{_READINESS}\nset -- "$domu"\n{facts_script(program)}'
    words = ("sh", "-c", script, "sh", "", *autos, "--", file, *disks)
    return ask_elsewhere(words, nodes, timeout, parse)
