"""What another node brings back for `hxm check`: all of it in one answer to one ssh.

The script goes to sh there; the paths are its operands, so that no shell reads them as anything
else. Of the files only checksums come back: they may hold passwords.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from hxm import run
from hxm.decide.audit.nodes import ABSENT, UNREADABLE, Survey
from hxm.toolstack import guard
from hxm.toolstack.remote import Named, ask_elsewhere, named_in, named_script

_SCRIPT = f"""
mark=$1
echo "hxm clock $(date +%s.%N)"
while shift; [ "$1" != -- ]; do
    for link in "$1"/*; do
        [ ! -e "$link" ] || printf 'hxm auto %s\\0%s\\n' "$link" "$(readlink -f "$link")"
    done
done
shift
for file do
    if [ ! -e "$file" ]; then echo "hxm file {ABSENT} $file"
    elif [ -f "$file" ] && sum=$(md5sum <"$file"); then echo "hxm file ${{sum%% *}} $file"
    else echo "hxm file {UNREADABLE} $file"
    fi 2>/dev/null
done
real=${{HXM_REAL:-{run.REAL}}}
public=$(echo ":$PATH:/usr/sbin:/sbin" | sed "s|:$real||g; s|^:||")
for name in {" ".join(guard.PROGRAMS)}; do
    link=$real/$name
    path=$(PATH=$public; command -v "$name") || continue
    if grep -qF "$mark" "$path"
    then [ -x "$link" ] && state="{guard.GUARDED}" || state="{guard.BROKEN}"
    else [ -L "$link" ] && state="{guard.UNDONE}" || state="{guard.OPEN}"
    fi
    echo "hxm guard $state:$path"
done
echo "hxm clock $(date +%s.%N)"
echo "hxm list"
"""
_MORE = "hxm more"
_CLOCK, _FILE, _GUARD, _AUTO = ("hxm clock ", "hxm file ", "hxm guard ", "hxm auto ")


class Answer(NamedTuple):
    """All that a node brought back, but for its domains."""

    survey: Survey
    more: bytes
    """What the script printed that was handed in."""


def surveyor(
    answers: dict[str, Answer],
    files: Collection[str],
    mark: str,
    autos: Sequence[str],
    more: Callable[[str], str],
) -> Callable[[str, Sequence[str], float], Mapping[str, Named | str]]:
    """Asks as `read_named_elsewhere` does, and puts what else the nodes say into `answers`.

    A guard's script is known by its `mark`; `autos` are the folders of what is started at boot;
    `more` makes, for a toolstack, a script that is run as well.
    """

    def ask(program: str, nodes: Sequence[str], timeout: float) -> dict[str, Named | str]:
        script = f"{_SCRIPT}{named_script(program)} || exit\necho '{_MORE}'\n{more(program)}; :"
        words = ("sh", "-c", script, "sh", mark, *autos, "--", *files)
        before = time.time()

        def parse(printed: bytes) -> tuple[Named, Answer]:
            said, _, listed = printed.partition(b"hxm list\n")
            listed, _, rest = listed.partition(f"{_MORE}\n".encode())
            domains = named_in(program, listed)
            text = said.decode("utf-8", "surrogateescape")
            return domains, Answer(parse_survey(text, before, time.time()), rest)

        found: dict[str, Named | str] = {}
        for node, answer in ask_elsewhere(words, nodes, timeout, parse).items():
            if isinstance(answer, str):
                found[node] = answer
            else:
                found[node], answers[node] = answer
        return found

    return ask


def parse_survey(text: str, before: float, after: float) -> Survey:
    """What the script printed, asked and answered at these moments of this host's clock.

    The node's first look at its clock came after `before`, its last one before `after`: what is
    beyond that is not the way there and back.
    """
    lines = text.splitlines()

    def behind(lead: str) -> list[str]:
        return [line.removeprefix(lead) for line in lines if line.startswith(lead)]

    clocks = [float(each.rstrip("N.")) for each in behind(_CLOCK)]
    ahead = max(0.0, clocks[-1] - after) + min(0.0, clocks[0] - before) if clocks else 0.0
    files = (each.partition(" ") for each in behind(_FILE))
    guards = (each.partition(":") for each in behind(_GUARD))
    return Survey(
        {path: checksum for checksum, _, path in files},
        {path: state for state, _, path in guards},
        ahead,
        tuple((link, path) for link, _, path in (each.partition("\0") for each in behind(_AUTO))),
    )
