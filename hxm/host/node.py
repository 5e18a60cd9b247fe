"""A node of a cluster that this host does not belong to, reached through ssh alone.

Nothing is installed on the node or stays there: it needs `sh` and the cluster's own tools, of any
age. A user's commands share one connection to a node (ControlMaster), which stays for a minute;
its socket lies in a folder of that user's alone. Users, ports, host keys and jump hosts are as in
ssh_config(5).
"""

from __future__ import annotations

import os
import shlex
import time

from hxm.errors import CannotAsk
from hxm.host import files, programs
from hxm.host.results import Argv, Lost, NoAnswer, Result
from hxm.host.ssh import LEAVE_NOTHING, Target, host_of, no_way_in, ssh_argv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_TOOLS = ("xl", "xm", "crm_simulate", "ptest", "corosync-cfgtool", "virsh")
"""What hxm looks for on every node, asked with the first reading."""
_NOT_FOUND = 127
_ASKED = ("crm_mon", "cibadmin")
"""Reading programs that any node of the cluster answers alike."""
_NOT_CONNECTED = (102, 107)
"""Their exit status where Pacemaker does not run: CRM_EX_DISCONNECT; ENOTCONN before 2.0."""
_TERMINAL = ("-t", "-e", "none", "-o", "LogLevel=ERROR")
_AT_ONCE = 40
"""Files that come unasked with a reading."""
_START_WITHIN = 10.0
"""Seconds, beside those for the connection, after which a change that comes late is not begun."""
_END_WITHIN = 120
"""Seconds after which it is ended: crm_resource 2.1.5 computes for 30 s on 32 nodes."""


class Remote:
    """The node that programs run on: the first of the target's that answers."""

    def __init__(
        self,
        target: Target,
        timeout: float,
        say: Callable[[str], None],
        paths: tuple[Argv, str] | None = None,
    ) -> None:
        self.target = target
        self.timeout = timeout
        """Seconds that a node may take to accept the connection."""
        self.paths = paths
        """A program, and what sed(1) is to do with its output: hand it on, and write the files that
        are likely to be wanted to /dev/fd/3."""
        self._say = say
        self._silent: dict[str, str] = {}
        self._doubted: set[str] = set()
        self._tools: dict[str, str] = {}
        self._name = ""
        self._booted: float | None = None
        self._ahead: dict[Argv, _Reading] = {}

    @property
    def destination(self) -> str:
        """The node in use, as ssh calls it. Raises CannotAsk if none is left."""
        for node in self.target.nodes:
            if node not in self._silent:
                return self.target.destination(node)
        reasons = "; ".join(f"{node}: {why}" for node, why in self._silent.items())
        self._silent = {}  # who asks again may be answered
        raise CannotAsk(f"no node of {self.target.name} answers: {reasons}", "try it: ssh NODE")

    @property
    def name(self) -> str:
        """What the node calls itself."""
        if not self._name:
            self._learn()
        return self._name

    def find(self, program: str) -> str | None:
        """The path of a program on the node."""
        if not self._name:
            self._learn()
        if program not in self._tools:
            words = ("sh", "-c", 'command -v -- "$1"', "sh", program)
            result = self.output(words, None, programs.TOOL_TIMEOUT)
            self._tools[program] = result.text.strip()
        return self._tools[program] or None

    def ahead(self, commands: Sequence[Argv]) -> None:
        """Start programs, all by one ssh, that `output` will be asked for later."""
        wanted = [argv for argv in dict.fromkeys(commands) if argv not in self._ahead]
        if wanted:
            reading = _Reading(self, wanted)
            self._ahead |= dict.fromkeys(wanted, reading)

    def abandon(self) -> None:
        """End what was started ahead and never asked for."""
        for reading in {*self._ahead.values()}:
            reading.end()
        self._ahead.clear()

    def output(
        self,
        argv: Argv,
        env: Mapping[str, str] | None,
        timeout: float,
        meanwhile: Callable[[], None] | None = None,
        most: int = programs.MOST,
        files: Sequence[str] = (),
        *,
        once: bool = False,
    ) -> Result:
        """As `programs.output`, on the node; `once` raises Lost where it may have been done."""
        if env and not files and "CIB_file" in env:
            files = (env["CIB_file"],)
        reading = None if env or files else self._ahead.pop(argv, None)
        any_node = argv[0] in _ASKED and not (env or once)
        if once and not self._name:
            self._learn()
        while True:
            reading = reading or _Reading(self, [argv], env, files, once=once)
            reading.process.most = most
            try:
                if any_node and len(self._silent) + 1 < len(self.target.nodes):
                    result = _of_a_member(reading, argv, timeout, meanwhile)
                else:
                    result = reading.result_of(argv, timeout, meanwhile)
            except Lost as lost:
                lost.node, lost.until = self._name, reading.until
                self._give_up(reading.destination, lost.message)
                if once:
                    raise
                reading = None
                continue
            if result.status == _NOT_FOUND and "not found" in result.stderr:
                raise CannotAsk(f"{argv[0]} is not installed on {self.name or reading.destination}")
            return result

    def reach(self, node: str) -> str:
        """What ssh is to be told to get to another node of the same cluster."""
        return self.target.destination(node)

    def vouch_for(self, node: str) -> None:
        """Raise CannotAsk unless it was said where the node is: another host may have its name."""
        if not self.target.knows(node):
            raise CannotAsk(
                self._not_named(node),
                f"name it: --on ssh://{','.join(map(host_of, self.target.nodes))},{node}",
            )

    def doubt(self, node: str) -> None:
        """Say once of a node that is asked by its name alone that another host may have it."""
        if not self.target.knows(node) and node not in self._doubted:
            self._doubted.add(node)
            self._say(f"warning: {self._not_named(node)}: it is asked all the same")

    def _not_named(self, node: str) -> str:
        name = self.target.name
        return f"{node} is not among the nodes of {name}, and another host may have its name"

    def beside(self, node: str) -> Remote:
        """Another node of the cluster, and that alone. Raises CannotAsk as `vouch_for`."""
        self.vouch_for(node)
        return Remote(self.target.alone(node), self.timeout, self._say)

    def argv(self, argv: Argv, *, terminal: bool) -> Argv:
        """The command line here for a program there that owns the terminal."""
        quoted = f"{_START}exec {shlex.join(argv)}"
        options = (*LEAVE_NOTHING, *(_TERMINAL if terminal else ()))
        return ssh_argv(self.destination, quoted, self.timeout, options)

    def _learn(self) -> None:
        """Wait for any answer: each brings what `learn` takes."""
        under_way = next(iter(self._ahead), None)
        if under_way:
            reading = self._ahead[under_way]
            result = self.output(under_way, None, programs.TOOL_TIMEOUT)
            if reading.destination == self.destination:  # no other node had to be asked
                self._ahead[result.argv] = reading
        if not self._name:
            self.output(("uname", "-n"), None, programs.TOOL_TIMEOUT)

    def learn(self, name: str, uptime: str, tools: Mapping[str, str], asked: float) -> None:
        """Take over what the node, asked at this time, tells of itself with every reading."""
        self._name = name
        self._booted = asked - float(uptime) if uptime else None
        self._tools = dict(tools) | {k: v for k, v in self._tools.items() if k not in tools}

    def uptime(self, then: float) -> int | None:
        """What the node's clock that nobody sets will show then, or up to an answer's time later.

        None if the node has none.
        """
        return None if self._booted is None else int(then - self._booted) + 1

    def _give_up(self, destination: str, why: str) -> None:
        node = next(
            node for node in self.target.nodes if self.target.destination(node) == destination
        )
        if node not in self._silent:
            self._silent[node] = why
            self._name, self._booted, self._tools, self._ahead = "", None, {}, {}
            files.forget()
            following = host_of(self.destination.removeprefix("ssh://"))  # raises CannotAsk
            self._say(f"{node} does not answer ({why}): asking {following}")


_START = (
    "{ LC_ALL=C.UTF-8; export LC_ALL; } 2>/dev/null; "  # old bashes complain of it
    f"PATH=${{HXM_REAL:-{programs.REAL}}}:$PATH:/usr/sbin:/sbin; export PATH; "
    "unset CIB_file CIB_shadow CIB_port CIB_server; "
)
"""The tools speak English, are found, are the real ones, and ask their own cluster."""


_FILTERED = "f=$({{ {line}; }} | sed '{filter}' 3>&1 >&4)"
"""Keeps what the filter writes to /dev/fd/3."""
_LOOK = f"""set --; set -f; for n in $f; do [ $# -ge {_AT_ONCE} ] || set -- "$@" "$n"; done; set +f
set -- {{mark}} 4096 "$@"; {{script}}
echo"""
"""Looks at the files that the filter found."""


_BOUND = """{line} </dev/null & t=$!
{{ trap 'kill $n; exit' 15; sleep {seconds} & n=$!; wait $n && kill -9 $t; }} >/dev/null 2>&1 &
n=$!; wait $t; s=$?; kill $n 2>/dev/null"""
"""Runs a program, and ends it if nobody may wait for it any more."""


def _of_a_member(
    reading: _Reading, argv: Argv, timeout: float, meanwhile: Callable[[], None] | None
) -> Result:
    """The answer; Lost as well where the node's own Pacemaker does not run, or hangs."""
    try:
        result = reading.result_of(argv, timeout, meanwhile)
    except NoAnswer as error:
        raise Lost(f"{argv[0]} gives no answer there within {timeout:g} s") from error
    if result.status in _NOT_CONNECTED:
        raise Lost("its Pacemaker does not run")
    return result


class _Reading:
    """Programs that run on the node one after the other, by one ssh, and what they said.

    What the node tells is marked with a word that nobody can know, so that an answer that was cut
    off is never taken for a whole one.
    """

    def __init__(
        self,
        remote: Remote,
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
        self._commands = tuple(commands)
        self._looks = bool(remote.paths) and len(self._commands) > 1
        self.destination = remote.destination
        latest = time.monotonic() + remote.timeout + _START_WITHIN
        self.until = latest + _END_WITHIN
        script = self._script(env or {}, remote.uptime(latest) if once else None)
        argv = ssh_argv(self.destination, script, remote.timeout)
        stdin = files[0] if files else "/dev/null"
        self.process = programs.Process(argv, stdin=stdin)

    def _script(self, env: Mapping[str, str], latest: int | None) -> str:
        mark = self._mark
        tools = " ".join(_TOOLS)
        lines = [_START]
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
            "{ read up x </proc/uptime; } 2>/dev/null",
            f"echo; echo {mark} begin; echo >&2; echo {mark} name `uname -n` ${{up%%.*}} >&2",
            f'{{ for t in {tools}; do printf "%s" "{mark} tool $t "; command -v $t || echo',
            "done; } >&2; exec 4>&1",
        ]
        if latest is not None:
            lines.append(f'[ "${{up%%.*}}" -le {latest} ] || exit')
        for argv in self._commands:
            words = [f"{name}={self._word(value)}" for name, value in env.items()]
            words = ["env", *words] if words else []
            line = " ".join([*words, *map(self._word, argv)])
            if latest is None:
                line = f"{line} </dev/null; s=$?"
            else:
                line = _BOUND.format(line=line, seconds=_END_WITHIN)
            line = f"{line}; printf '\\n{mark} end %s\\n' $s"
            if self._looks and self._remote.paths and argv == self._remote.paths[0]:
                line = _FILTERED.format(line=line, filter=self._remote.paths[1])
            lines += [line, f"echo >&2; echo {mark} end >&2"]
        if self._looks:
            lines += [_LOOK.format(mark=mark, script=files.SCRIPT)]
        for number in range(len(self._files)):
            there = f'"$d"/{number}'
            shown = f"echo {mark} file {number}; cat {there}; printf '\\n{mark} end\\n'"
            lines.append(f"[ -f {there} ] && {{ {shown}; }}")
        return "\n".join([*lines, f"echo {mark} all"])

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
            answer = self.process.finish(timeout, meanwhile)
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
            raise Lost(_why(result, self._mark))
        facts, *errors = self._errors(result.stderr)
        self._remote.learn(*_facts(facts, self._mark), self.process.started)
        results = {}
        for argv, error in zip(self._commands, errors, strict=True):
            out, _, rest = rest.partition(b"\n" + mark + b" end ")
            status, _, rest = rest.partition(b"\n")
            results[argv] = Result(argv, int(status), out, error)
        if self._looks:
            files.learn(rest.partition(b"\n" + mark + b" all\n")[0], self._mark)
        for number, path in enumerate(self._files):
            head = mark + b" file %d\n" % number
            if head in rest:
                content = rest.partition(head)[2].partition(b"\n" + mark + b" end\n")[0]
                _write(path, content)
        return results

    def _errors(self, stderr: str) -> list[str]:
        """What stands before the programs' own errors, and these."""
        before, *parts = stderr.split(f"\n{self._mark} end\n")
        lines = before.splitlines(keepends=True)
        facts = [line for line in lines if line.startswith(self._mark)]
        own = "".join(line for line in lines[lines.index(facts[-1]) + 1 :]) if facts else before
        return ["".join(facts), own, *parts][: len(self._commands) + 1]


def _facts(text: str, mark: str) -> tuple[str, str, dict[str, str]]:
    """The node's name, its seconds since the boot, and the paths of its tools; empty: none."""
    name, uptime, tools = "", "", dict.fromkeys(_TOOLS, "")
    for line in text.splitlines():
        _, kind, *words = [*line.removeprefix(mark).split(" "), ""]
        if kind == "name":
            name, uptime = words[:2]
        elif kind == "tool":
            tools[words[0]] = words[1]
    return name, uptime, tools


def _write(path: str, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _why(result: Result, mark: str) -> str:
    own = "\n".join(line for line in result.stderr.splitlines() if not line.startswith(mark))
    destination = result.argv[-2]
    known = no_way_in(host_of(destination.removeprefix("ssh://")), own)
    return known or (own.strip().splitlines() or ["the connection was lost"])[-1]
