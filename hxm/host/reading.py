"""What one ssh runs on a node, in the words of sh, and what comes back."""

from __future__ import annotations

import os
import shlex
import time

from hxm.host import files, programs
from hxm.host.results import Argv, Lost, NoAnswer, Result
from hxm.host.ssh import as_typed, no_way_in, ssh_argv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Protocol

    class Asked(Protocol):
        """Who wants the reading of a node; `node.Remote` does."""

        timeout: float
        paths: tuple[Argv, str] | None

        @property
        def destination(self) -> str:
            """The node, as ssh calls it."""

        def learn(self, name: str, uptime: str, tools: Mapping[str, str], asked: float) -> None:
            """Take over what the node tells of itself."""

        def uptime(self, then: float) -> int | None:
            """What the node's own clock will show then."""


_TOOLS = ("xl", "xm", "crm_simulate", "ptest", "corosync-cfgtool", "virsh")
"""What hxm looks for on every node, asked with the first reading."""
_AT_ONCE = 40
"""Files that come unasked with a reading."""
_START_WITHIN = 10.0
"""Seconds, beside those for the connection, after which a change that comes late is not begun."""
_END_WITHIN = 120
"""Seconds after which it is ended: crm_resource 2.1.5 computes for 30 s on 32 nodes."""
START = (
    "{ LC_ALL=C.UTF-8; export LC_ALL; } 2>/dev/null; "  # old bashes complain of it
    f"PATH=${{HXM_REAL:-{programs.REAL}}}:$PATH:/usr/sbin:/sbin; export PATH; "
    "unset CIB_file CIB_shadow CIB_port CIB_server; "
)
"""The tools speak English, are found, are the real ones, and ask their own cluster."""
_RUN = """{{ e=$({line} 2>&1 >&5); s=$?; }} 5>&1
printf '\\n{mark} end %s\\n%s\\n{mark} said\\n' $s "$e\""""
"""Runs a program; behind its output stand its exit status and its complaints."""
_FILTERED = """f=$({{ {last}
}} | {{ {{ {before}
}} >&4; sed '{filter}' 3>&1 >&4; }})"""
"""Runs the last program beside those before, and keeps what the filter writes to /dev/fd/3."""
_LOOK = f"""set --; set -f; for n in $f; do [ $# -ge {_AT_ONCE} ] || set -- "$@" "$n"; done; set +f
set -- {{mark}} 4096 "$@"; {{script}}
echo"""
"""Looks at the files that the filter found."""
_BOUND = """{{ {line} </dev/null & t=$!
{{ trap 'kill $n; exit' 15; sleep {seconds} & n=$!; wait $n && kill -9 $t; }} >/dev/null 2>&1 &
n=$!; wait $t; s=$?; kill $n 2>/dev/null; exit $s; }}"""
"""Runs a program, and ends it if nobody may wait for it any more."""


class Reading:
    """Programs that run on the node one after the other, by one ssh, and what they said.

    What the node tells is marked with a word that nobody can know, so that an answer that was cut
    off is never taken for a whole one.
    """

    def __init__(
        self,
        remote: Asked,
        commands: Sequence[Argv],
        env: Mapping[str, str] | None = None,
        files: Sequence[str] = (),
        *,
        once: bool = False,
    ) -> None:
        self._remote = remote
        self._mark = f"hxm-{os.urandom(8).hex()}"
        self._files = files
        self._results: dict[Argv, Result] | None = None
        self._ended = False
        self.commands = tuple(commands)
        self._filter = ""
        """What sed(1) is to do with the output of the last program."""
        if remote.paths and len(commands) > 1 and commands[-1] == remote.paths[0]:
            self._filter = remote.paths[1]
        self.destination = remote.destination
        latest = time.monotonic() + remote.timeout + _START_WITHIN
        self.until = latest + _END_WITHIN
        script = self._script(env or {}, remote.uptime(latest) if once else None)
        argv = ssh_argv(self.destination, script, remote.timeout)
        stdin = files[0] if files else "/dev/null"
        self.process = programs.Process(argv, stdin=stdin)

    def _script(self, env: Mapping[str, str], latest: int | None) -> str:
        mark = self._mark
        lines = [START]
        if self._files:
            lines += [
                "umask 077",
                'd=`mktemp -d "${TMPDIR:-/tmp}/hxm-XXXXXX"` || exit',
                "trap 'rm -rf \"$d\"' 0; trap 'exit 1' 1 2 13 15",
                # a connection that breaks hands on a part, of which cibadmin takes what it can
                f'cat >"$d/0"; [ `wc -c <"$d/0"` -eq {os.path.getsize(self._files[0])} ] || exit',
            ]
        lines += [
            # what the profile of root prints stands before, and may not end its line
            f"{{ read up x </proc/uptime; }} 2>/dev/null; echo; echo {mark} begin",
            f"echo `uname -n` ${{up%%.*}}; for t in {' '.join(_TOOLS)}; do",
            f'printf "%s " $t; command -v $t || echo; done; echo {mark} facts; exec 4>&1',
        ]
        if latest is not None:
            lines.append(f'[ "${{up%%.*}}" -le {latest} ] || exit')
        programs = [self._program(argv, env, bound=latest is not None) for argv in self.commands]
        if self._filter:
            *others, last = programs
            before = "\n".join(others)
            programs = [
                _FILTERED.format(before=before, last=last, filter=self._filter),
                _LOOK.format(mark=mark, script=files.SCRIPT),
            ]
        lines += programs
        for number in range(len(self._files)):
            there = f'"$d"/{number}'
            shown = f"echo {mark} file {number}; cat {there}; printf '\\n{mark} end\\n'"
            lines.append(f"[ -f {there} ] && {{ {shown}; }}")
        return "\n".join([*lines, f"echo {mark} all"])

    def _program(self, argv: Argv, env: Mapping[str, str], *, bound: bool) -> str:
        words = [f"{name}={self._word(value)}" for name, value in env.items()]
        words = ["env", *words] if words else []
        line = " ".join([*words, *map(self._word, argv)])
        line = _BOUND.format(line=line, seconds=_END_WITHIN) if bound else f"{line} </dev/null"
        return _RUN.format(line=line, mark=self._mark)

    def _word(self, word: str) -> str:
        """The word for the shell there, where a file that travels has another path."""
        for number, path in enumerate(self._files):
            before, there, after = word.partition(path)
            if there and not (after and self._files[number + 1 :]):
                return f'{shlex.quote(before)}"$d"/{number}{shlex.quote(after) if after else ""}'
        return shlex.quote(word)

    def result_of(
        self, argv: Argv, timeout: float, meanwhile: Callable[[], None] | None = None
    ) -> Result:
        """What one of the programs said. Raises CannotAsk; Lost if it is unknown whether it ran."""
        if self._results is None:
            self._ended = True  # however it ends, there is nothing left to be ended
            try:
                answer = self.process.finish(timeout, meanwhile)
            except NoAnswer:
                why = f"{argv[0]} gives no answer there within {timeout:g} s"
                raise NoAnswer(why, f"try it: ssh {as_typed(self.destination)}") from None
            try:
                self._results = self._parse(answer)
            except (ValueError, LookupError):
                raise Lost("its answer cannot be understood") from None
        return self._results[argv]

    def end(self) -> None:
        """End the programs, unless they have ended already."""
        if not self._ended:
            self._ended = True
            self.process.kill()

    def _parse(self, result: Result) -> dict[Argv, Result]:
        mark = self._mark.encode()
        _, begun, rest = result.stdout.partition(b"\n" + mark + b" begin\n")
        if not begun or not rest.endswith(mark + b" all\n"):
            raise Lost(_why(result))
        facts, _, rest = rest.partition(b"\n" + mark + b" facts\n")
        self._remote.learn(*_facts(facts), self.process.started)
        results = {}
        for argv in self.commands:
            out, _, rest = rest.partition(b"\n" + mark + b" end ")
            status, _, rest = rest.partition(b"\n")
            error, _, rest = rest.partition(b"\n" + mark + b" said\n")
            results[argv] = Result(argv, int(status), out, error.decode("utf-8", "replace"))
        if self._filter:
            files.learn(rest.partition(b"\n" + mark + b" all\n")[0], self._mark)
        for number, path in enumerate(self._files):
            head = mark + b" file %d\n" % number
            if head in rest:
                content = rest.partition(head)[2].partition(b"\n" + mark + b" end\n")[0]
                _write(path, content)
        return results


def _facts(text: bytes) -> tuple[str, str, dict[str, str]]:
    """The node's name, its seconds since the boot, and the paths of its tools; empty: none."""
    first, *lines = os.fsdecode(text).split("\n")
    name, _, uptime = first.partition(" ")
    return name, uptime, {tool: path for tool, _, path in (line.partition(" ") for line in lines)}


def _write(path: str, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _why(result: Result) -> str:
    known = no_way_in(result.argv[-2], result.stderr)
    return known or (result.stderr.strip().splitlines() or ["the connection was lost"])[-1]
