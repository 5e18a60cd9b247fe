"""What another node brings back for `hxm check`: all of it in one answer to one ssh.

The script goes to sh there; the paths are its operands, so that no shell reads them as anything
else. Of the files only checksums come back: they may hold passwords.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence

from hxm import run
from hxm.decide.audit.nodes import ABSENT, UNREADABLE, Survey
from hxm.toolstack import guard
from hxm.toolstack.remote import Named, ask_elsewhere, named_in, named_script

_SCRIPT = f"""
mark=$1 auto=$2
shift 2
echo "hxm clock $(date +%s.%N)"
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
for link in "$auto"/*; do
    [ ! -e "$link" ] || echo "hxm auto $(readlink -f "$link")"
done
echo "hxm clock $(date +%s.%N)"
echo "hxm list"
"""
_CLOCK, _FILE, _GUARD, _AUTO = ("hxm clock ", "hxm file ", "hxm guard ", "hxm auto ")


def surveyor(
    surveys: dict[str, Survey], files: Collection[str], mark: str, auto: str
) -> Callable[[str, Sequence[str], float], Mapping[str, Named | str]]:
    """Asks as `read_named_elsewhere` does, and puts what else the nodes say into `surveys`.

    A guard's script is known by its `mark`; `auto` is the folder of what xendomains starts.
    """

    def ask(program: str, nodes: Sequence[str], timeout: float) -> dict[str, Named | str]:
        words = ("sh", "-c", _SCRIPT + named_script(program), "sh", mark, auto, *files)
        before = time.time()

        def parse(printed: bytes) -> tuple[Named, Survey]:
            said, _, listed = printed.partition(b"hxm list\n")
            domains = named_in(program, listed)
            return domains, parse_survey(
                said.decode("utf-8", "surrogateescape"), before, time.time()
            )

        found: dict[str, Named | str] = {}
        for node, answer in ask_elsewhere(words, nodes, timeout, parse).items():
            if isinstance(answer, str):
                found[node] = answer
            else:
                found[node], surveys[node] = answer
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
        tuple(behind(_AUTO)),
    )
