"""Every program that hxm starts, and how it may end.

Built on `os.posix_spawn` and not on `subprocess`, whose import alone takes as long as the
interpreter's own start (10 ms): a program that is sure to be needed is started with `ahead`
before the heavy imports, so that both run side by side.
"""

from __future__ import annotations

import os
import select
import time

from hxm.errors import CannotAsk
from hxm.host.results import Lost, NoAnswer, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import NoReturn

    import pexpect

    from hxm.host.results import Elsewhere

__all__ = ["Lost", "NoAnswer", "Result"]

TOOL_TIMEOUT = 30.0
"""Seconds that a tool may take to answer; crm_mon takes 5 s for 1,000 domUs on 32 nodes."""

REAL = "/usr/lib/hxm/real"
"""Where `hxm guard` keeps the real xl, xm and virsh: hxm itself never meets its own guard."""

_MEANWHILE = 10.0  # seconds
_DYING = 1.0  # seconds
_CHUNK = 1 << 20  # bytes: no pipe holds more (16 pages, of at most 64 KiB)
MOST = 256 << 20
"""Bytes that a program may print; the CIB of 1,000 domUs on 32 nodes has 50 MiB."""
_PACEMAKERS = ("crm_", "cibadmin")  # how the programs begin whose words hold no secret
_SIGKILL = 9  # the module signal takes 3 ms to import
_PROGRAM_PATHS = ":/usr/sbin:/sbin"  # where Pacemaker's tools are, and su's PATH is not


class Process:
    """A started program, in a process group of its own: the terminal's Ctrl-C is hxm's alone."""

    most = MOST
    """Bytes that it may print."""

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str] | None = None,
        stdin: str = "/dev/null",
    ) -> None:
        self.argv = tuple(argv)
        self._size = 0
        self.started = time.monotonic()
        out_read, out_write = os.pipe()
        err_read, err_write = os.pipe()
        self._pipes: dict[int, list[bytes]] = {out_read: [], err_read: []}
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, out_write, 1),
            (os.POSIX_SPAWN_DUP2, err_write, 2),
        ]
        try:
            self.pid = os.posix_spawnp(  # which would look it up in hxm's own PATH
                _find_here(argv[0]) or argv[0],
                self.argv,
                _environment(argv[0], env),
                file_actions=actions,
                setpgroup=0,
            )
        except OSError as error:
            for pipe in self._pipes:
                os.close(pipe)
            raise _cannot_start(argv[0], error) from None
        finally:
            os.close(out_write)
            os.close(err_write)
        _alive.add(self)

    def finish(self, timeout: float, meanwhile: Callable[[], None] | None = None) -> Result:
        """Wait for the end and return the whole output; CannotAsk after `timeout` seconds.

        What the program leaves behind in the background is not waited for. `meanwhile` is called
        every few seconds.
        """
        end = _end_of(self.pid)
        try:
            self._listen(end, timeout, meanwhile)
        except BaseException:
            self.kill()
            raise
        finally:
            if end is not None:
                os.close(end)
        out, err = (b"".join(chunks) for chunks in self._pipes.values())
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self._forget()
        _log(self.argv, self.started, f"exit status {status}")
        return Result(self.argv, status, out, err.decode("utf-8", "replace"))

    def _listen(
        self, end: int | None, timeout: float, meanwhile: Callable[[], None] | None
    ) -> None:
        """Read all that the program writes before its end, or until both pipes are closed."""
        deadline = time.monotonic() + timeout
        poller = select.poll()
        awaited = {*self._pipes} if end is None else {end}
        for descriptor in (*self._pipes, *awaited):
            poller.register(descriptor, select.POLLIN)
        while awaited:
            left = max(0.0, deadline - time.monotonic())
            ready = poller.poll(min(left, _MEANWHILE) * 1000)
            if not ready and left > _MEANWHILE:
                if meanwhile:
                    meanwhile()
            elif not ready:
                raise NoAnswer(
                    f"{self.argv[0]} gave no answer within {timeout:g} s",
                    "is the cluster's stack hanging? Try it by hand: " + " ".join(self.argv),
                )
            if end in dict(ready):  # what it wrote last is in the pipes now, for one read each
                ready = poller.poll(0)
            for descriptor, _ in ready:
                if descriptor == end or not self._read(descriptor):
                    poller.unregister(descriptor)
                    awaited.discard(descriptor)

    def _read(self, pipe: int) -> bool:
        chunk = os.read(pipe, _CHUNK)
        self._pipes[pipe].append(chunk)
        self._size += len(chunk)
        if self._size > self.most:
            raise CannotAsk(f"{self.argv[0]} printed more than {self.most >> 20} MiB")
        return bool(chunk)

    def kill(self) -> None:
        """End the program and everything it started, at once.

        What the kernel does not let die, as in the middle of a hanging disk's work, is given up.
        """
        try:  # noqa: SIM105 - contextlib takes 2 ms to import
            os.killpg(self.pid, _SIGKILL)
        except ProcessLookupError:
            pass
        last = time.monotonic() + _DYING
        while not os.waitpid(self.pid, os.WNOHANG)[0] and time.monotonic() < last:
            time.sleep(0.001)
        self._forget()
        _log(self.argv, self.started, "ended by hxm")

    def _forget(self) -> None:
        _alive.discard(self)
        for pipe in self._pipes:
            os.close(pipe)
        self._pipes = {}


def _end_of(pid: int) -> int | None:
    """What can be read once the process has ended, or None on a kernel older than 5.3."""
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


def start_time(pid: str) -> str:
    """When the process started, in the kernel's ticks; nothing if there is none of that number."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return start_time_in(file.read())
    except OSError:
        return ""


def start_time_in(stat: bytes) -> str:
    """Field 22 of /proc/PID/stat (proc(5)); the second, in brackets, may hold anything."""
    fields = stat.rpartition(b")")[2].split()
    return fields[19].decode() if len(fields) > 19 else ""


_alive: set[Process] = set()
_started_ahead: dict[tuple[str, ...], Process] = {}


_elsewhere: Elsewhere | None = None
_OF_THIS_HOST = ("ssh", "dot")
"""What leads to a node, and what draws for the user, never runs on a node."""


def run_on(node: Elsewhere | None) -> None:
    """Let all programs but ssh run on the node, from now on; None: on this host."""
    global _elsewhere  # noqa: PLW0603 - a command has one cluster
    _elsewhere = node


def elsewhere() -> Elsewhere | None:
    """The node on which the programs run; None: they run on this host."""
    return _elsewhere


def _of_node(argv: Sequence[str]) -> Elsewhere | None:
    """The node that is to run the program, if it is not this host."""
    return None if argv[0] in _OF_THIS_HOST else _elsewhere


def ahead(*commands: Sequence[str]) -> None:
    """Start programs, each once, that `output` will be asked for later with the same argv."""
    if _elsewhere and (there := [tuple(argv) for argv in commands if argv[0] not in _OF_THIS_HOST]):
        _elsewhere.ahead(there)
    for argv in commands:
        if not _of_node(argv) and tuple(argv) not in _started_ahead:
            _started_ahead[tuple(argv)] = Process(argv)


def abandon() -> None:
    """End what was started ahead and never asked for."""
    if _elsewhere:
        _elsewhere.abandon()
    while _started_ahead:
        _started_ahead.popitem()[1].kill()


def end_all() -> None:
    """End whatever still runs, in whichever thread, as the last thing before hxm itself ends."""
    for process in tuple(_alive):
        try:  # noqa: SIM105 - contextlib takes 2 ms to import
            os.killpg(process.pid, _SIGKILL)
        except ProcessLookupError:  # it ended by itself meanwhile
            pass


def output(
    argv: Sequence[str],
    env: Mapping[str, str] | None = None,
    timeout: float = TOOL_TIMEOUT,
    meanwhile: Callable[[], None] | None = None,
    most: int = MOST,
    files: Sequence[str] = (),
    *,
    once: bool = False,
) -> Result:
    """Run a program to its end.

    `files` are files here that its words name: on a node they travel with it, the first one there
    and all of them back. Raises CannotAsk if it is missing, takes over `timeout` s, or prints more
    than `most` bytes; Lost, if it may run only `once`, where a connection broke.
    """
    if node := _of_node(argv):
        return node.output(tuple(argv), env, timeout, meanwhile, most, files, once=once)
    process = (None if env else _started_ahead.pop(tuple(argv), None)) or Process(argv, env)
    process.most = most
    return process.finish(timeout, meanwhile)


def become(argv: Sequence[str]) -> NoReturn:
    """Replace hxm by the program, which then owns terminal, signals and exit status."""
    abandon()
    if _of_node(argv):
        os._exit(beside(argv))
    _log(argv, time.monotonic(), "takes hxm's place")
    try:
        os.execvpe(
            _find_here(argv[0]) or argv[0],
            list(argv),
            os.environ | {"PATH": search_path(os.environ)},
        )
    except OSError as error:
        raise _cannot_start(argv[0], error) from None


def beside(argv: Sequence[str], stdin: int | None = None, *, here: bool = False) -> int:
    """Run a program that shares hxm's terminal, to its end; returns its exit status.

    `here`: it is hxm itself, which never runs on a node.
    """
    if not here and (node := _of_node(argv)):
        argv = node.argv(tuple(argv), terminal=os.isatty(0))
    started = time.monotonic()
    try:
        env = os.environ | {"PATH": search_path(os.environ)}
        actions = [] if stdin is None else [(os.POSIX_SPAWN_DUP2, stdin, 0)]
        pid = os.posix_spawnp(
            _find_here(argv[0]) or argv[0], tuple(argv), env, file_actions=actions
        )
    except OSError as error:
        raise _cannot_start(argv[0], error) from None
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    status = status if status >= 0 else 128 - status
    _log(argv, started, f"exit status {status}")
    return status


def on_terminal(argv: Sequence[str]) -> pexpect.spawn[bytes]:
    """Start a program on a terminal of its own, as large as hxm's; raises CannotAsk."""
    import pexpect

    if node := _of_node(argv):
        argv = node.argv(tuple(argv), terminal=True)
    try:
        size = os.get_terminal_size()
    except OSError:  # hxm has none
        size = os.terminal_size((80, 24))
    env = dict(os.environ) | {"PATH": search_path(os.environ)}
    try:
        child: pexpect.spawn[bytes] = pexpect.spawn(
            _find_here(argv[0]) or argv[0],
            list(argv[1:]),
            env=env,
            dimensions=(size.lines, size.columns),
            encoding=None,
        )
    except pexpect.ExceptionPexpect:
        raise _cannot_start(argv[0], FileNotFoundError()) from None
    child.delayafterclose = child.delayafterterminate = 0.5
    return child


def _log(argv: Sequence[str], started: float, how: str) -> None:
    """One line for HXM_LOG: what ran, for how many seconds, how it ended.

    Words are shown of Pacemaker's own tools alone, and never XML: the CIB holds passwords in clear
    text, and a toolstack's command line may (`xl vncviewer --vncpasswd`).
    """
    if not os.environ.get("HXM_LOG"):
        return
    import shlex

    from hxm.host.log import log

    shown = argv if os.path.basename(argv[0]).startswith(_PACEMAKERS) else argv[:1]
    words = shlex.join(f"({len(word)} characters)" if "<" in word else word for word in shown)
    if hidden := len(argv) - len(shown):
        words += f" ({hidden} more words)"
    log(f"{time.monotonic() - started:7.3f} s  {how}: {words}")


def find(program: str) -> str | None:
    """The path of a program as `output` and `become` would find it."""
    if node := _of_node((program,)):
        return node.find(program)
    return _find_here(program)


def _find_here(program: str) -> str | None:
    if "/" in program:
        return program if os.access(program, os.X_OK) and os.path.isfile(program) else None
    for folder in search_path(os.environ).split(":"):
        candidate = os.path.join(folder or ".", program)
        if os.access(candidate, os.X_OK) and os.path.isfile(candidate):
            return candidate
    return None


def real_folder() -> str:
    """The folder of the real programs behind the guard, which need not exist."""
    return os.environ.get("HXM_REAL", REAL)


def search_path(env: Mapping[str, str], *, guarded: bool = False) -> str:
    """The folders of programs for hxm, or for everybody else, who meets the guard."""
    usual = env.get("PATH", "/usr/bin:/bin") + _PROGRAM_PATHS
    return usual if guarded else f"{real_folder()}:{usual}"


_MEMORY = "glibc.malloc.mxfast=0:glibc.malloc.hugetlb=1:glibc.malloc.top_pad=4194304"
"""Half and more of their CPU time went to the search for memory (Pacemaker 2.1.5, glibc 2.36)."""


def _environment(program: str, extra: Mapping[str, str] | None) -> dict[str, str]:
    """The tools speak English (Pacemaker translates some texts) and find their own kind."""
    memory = {"GLIBC_TUNABLES": _MEMORY} if program.startswith(_PACEMAKERS) else {}
    ours = {"LC_ALL": "C.UTF-8", "PATH": search_path(os.environ)}
    return memory | os.environ | ours | dict(extra or {})


def _cannot_start(program: str, error: OSError) -> CannotAsk:
    if isinstance(error, FileNotFoundError):
        package = {"xl": "xen-utils", "xm": "Xen up to 4.4", "ssh": "openssh-client"}.get(
            program, "pacemaker-cli-utils"
        )
        return CannotAsk(f"{program} is not installed", f"it comes with {package}")
    return CannotAsk(f"{program} cannot be started: {error.strerror}")
