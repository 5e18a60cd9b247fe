"""A node of a cluster that this host does not belong to, reached through ssh alone.

Nothing is installed on the node or stays there: it needs `sh` and the cluster's own tools, of any
age. A user's commands share one connection to a node (ControlMaster), which stays for a minute;
its socket lies in a folder of that user's alone. Users, ports, host keys and jump hosts are as in
ssh_config(5).
"""

from __future__ import annotations

import shlex

from hxm.errors import CannotAsk
from hxm.host import files, programs
from hxm.host.reading import START, Reading
from hxm.host.results import Argv, Lost, NoAnswer, Result
from hxm.host.ssh import LEAVE_NOTHING, Target, as_typed, host_of, ssh_argv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_NOT_FOUND = 127
_ASKED = ("crm_mon", "cibadmin")
"""Reading programs that any node of the cluster answers alike."""
_NOT_CONNECTED = (102, 107)
"""Their exit status where Pacemaker does not run: CRM_EX_DISCONNECT; ENOTCONN before 2.0."""
_TERMINAL = ("-t", "-e", "none", "-o", "LogLevel=ERROR")


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
        self._missed: set[str] = set()
        """Nodes whose silence was told of since the last answer."""
        self._doubted: set[str] = set()
        self._tools: dict[str, str] = {}
        self._name = ""
        self._booted: float | None = None
        self._ahead: dict[Argv, Reading] = {}

    @property
    def destination(self) -> str:
        """The node in use, as ssh calls it. Raises CannotAsk if none is left."""
        for node in self.target.nodes:
            if node not in self._silent:
                return self.target.destination(node)
        (node, why), *others = reversed(self._silent.items())
        self._silent = {}  # who asks again may be answered
        left = f", nor does any other node of {self.target.name}" if others else ""
        raise CannotAsk(
            f"{node} does not answer ({why}){left}",
            f"try it: ssh {as_typed(self.target.destination(node))}",
        )

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
            reading = Reading(self, wanted)
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
        commands: Sequence[Argv] = [argv]
        while True:
            if reading is None:
                reading = Reading(self, commands, env, files, once=once)
                self._ahead |= {other: reading for other in commands if other != argv}
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
                commands, reading = reading.commands, None
                continue
            if result.status == _NOT_FOUND and "not found" in result.stderr:
                raise CannotAsk(f"{argv[0]} is not installed on {self.name or reading.destination}")
            return result

    def reach(self, node: str) -> str:
        """What ssh is to be told to get to another node of the same cluster."""
        return self.target.destination(node)

    def silence(self, node: str) -> str:
        """Why the node has not answered; nothing if it has, or was not asked."""
        return self._silent.get(self.target.called(node), "")

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
        quoted = f"{START}exec {shlex.join(argv)}"
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
        self._missed.clear()
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
            if node not in self._missed:
                self._missed.add(node)
                self._say(f"{node} does not answer ({why}): asking {following}")


def _of_a_member(
    reading: Reading, argv: Argv, timeout: float, meanwhile: Callable[[], None] | None
) -> Result:
    """The answer; Lost as well where the node's own Pacemaker does not run, or hangs."""
    try:
        result = reading.result_of(argv, timeout, meanwhile)
    except NoAnswer as error:
        raise Lost(error.message) from error
    if result.status in _NOT_CONNECTED:
        raise Lost("its Pacemaker does not run")
    return result
