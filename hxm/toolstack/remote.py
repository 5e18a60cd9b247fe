"""The other nodes' toolstacks, through ssh: in parallel, and never for long.

ssh is told to ask nothing (BatchMode), so that it fails where it would want a password or an
answer about a host key.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from hxm.errors import CannotAsk
from hxm.host import programs, ssh
from hxm.host.safe_files import MIB
from hxm.toolstack import domains_in, of, uuids_in
from hxm.toolstack.xl import LocalDomain

T = TypeVar("T")
Named = tuple[tuple[LocalDomain, ...], dict[str, str]]
"""Domains, and their uuids by name."""
_UUIDS = "hxm:uuids"
"""What stands between a node's table of domains and their uuids in its answer."""
_NO_XEN = "[ -d /sys/kernel ] && [ ! -e /sys/hypervisor/type ] && [ ! -e /proc/xen ]"
"""The kernel makes one of the last two on every Xen, mounted and installed or not."""
_NO_DOMAINS = "Name ID Mem VCPUs State Time(s)"
MOST = 16 * MIB
"""Bytes that a node may answer: `xl list -l` of 1,000 domUs has 3 MiB."""


def ssh_argv(
    node: str, words: Sequence[str], timeout: float, options: Sequence[str] = ()
) -> tuple[str, ...]:
    """A program on another node; ssh hands the words to a shell there, so they are quoted.

    A guard that stands in front of the toolstack there is gone past.
    """
    import shlex

    cluster = programs.elsewhere()
    script = f'PATH="${{HXM_REAL:-{programs.REAL}}}:$PATH" {shlex.join(words)}'
    connect = min(timeout, cluster.timeout) if cluster else timeout
    return ssh.ssh_argv(_destination(node), script, connect, options)


def _destination(node: str) -> str:
    cluster = programs.elsewhere()
    return cluster.reach(node) if cluster else node


def no_way_in(node: str, stderr: str) -> str:
    """Why ssh did not get in to the node, by what it said; nothing if that is not known."""
    return ssh.no_way_in(_destination(node), stderr)


def at(node: str, here: str | None, words: Sequence[str], timeout: float) -> tuple[str, ...]:
    """A program on a node: here directly, elsewhere through ssh.

    From a host outside the cluster always through ssh to that node: what runs on any node that
    answers is run again on the next if the connection breaks.
    """
    if node == here and not programs.elsewhere():
        return tuple(words)
    return ssh_argv(node, words, timeout)


def answered_as(node: str, name: str) -> bool:
    """Whether who calls itself `name` is the node, and no other host that the name led to."""
    if "." in name and "." in node:
        return name == node
    return name.partition(".")[0] == node.partition(".")[0]


def terminal_argv(
    node: str, words: Sequence[str], timeout: float, *, terminal: bool
) -> tuple[str, ...]:
    """A program on another node that is talked to: every byte passes, and a lost node is noticed.

    ssh would take a tilde after a newline for a command of its own (-e), and report the end of
    the connection in the middle of the screen (LogLevel). A node that is silent is given up after
    `timeout` seconds.
    """
    interval = f"ServerAliveInterval={max(1, round(timeout / 3))}"
    options = ("-e", "none", "-o", "LogLevel=ERROR", "-o", interval, "-o", "ServerAliveCountMax=3")
    return ssh_argv(node, words, timeout, ("-t", *options) if terminal else options)


def read_boot(node: str, here: str | None, timeout: float) -> str:
    """What tells one boot of a node from every other, or nothing if it cannot be asked.

    The kernel's boot_id (proc(5)), and when process 1 started, which tells it of a container.
    """
    words = ("cat", "/proc/sys/kernel/hostname", "/proc/sys/kernel/random/boot_id", "/proc/1/stat")
    try:
        result = programs.output(at(node, here, words, timeout), None, timeout)
    except CannotAsk:
        return ""
    name, boot, stat = [*result.stdout.decode("ascii", "replace").split("\n", 2), "", ""][:3]
    if result.status != 0 or not answered_as(node, name):
        return ""
    identity = f"{boot}.{programs.start_time_in(stat.encode())}"
    return identity if identity.replace("-", "").replace(".", "").isalnum() else ""


def read_elsewhere(
    program: str, nodes: Sequence[str], timeout: float
) -> dict[str, tuple[LocalDomain, ...] | str]:
    """The domains of these nodes, or one line on why they are unknown; all asked at once.

    Takes no longer than `timeout` seconds, however many nodes do not answer.
    """
    words = ("sh", "-c", list_script(program))
    return ask_elsewhere(words, nodes, timeout, lambda out: domains_in(program, out))


def read_named_elsewhere(
    program: str, nodes: Sequence[str], timeout: float
) -> dict[str, Named | str]:
    """The same, and with the domains of a node their uuids by name."""
    words = ("sh", "-c", named_script(program))
    return ask_elsewhere(words, nodes, timeout, lambda out: named_in(program, out))


def named_script(program: str) -> str:
    """Prints what `named_in` reads; fails where there is no list of domains."""
    words = " ".join((program, *of(program).UUIDS))
    return f"{list_script(program)} && {{ echo; echo {_UUIDS}; {words}; :; }}"


def list_script(program: str) -> str:
    """Prints a node's domains, as one command; none where there is no Xen."""
    return if_xen(program, f"{program} list", _NO_DOMAINS)


def if_xen(program: str, command: str, none: str) -> str:
    """The command of the toolstack on a node, as one command.

    A host without Xen in its kernel and without the toolstack, as one that only votes, has no domUs
    and says so: it prints what stands for `none`. It takes both: either may be missing by mistake.
    """
    here = f"{_NO_XEN} && ! command -v {program} >/dev/null"
    return f"if {here}; then echo '{none}'; else {command}; fi"


def named_in(program: str, printed: bytes) -> Named:
    """The domains, and their uuids by name. Raises CannotAsk if there is no list of domains."""
    table, _, uuids = printed.partition(f"\n{_UUIDS}\n".encode())
    return domains_in(program, table), uuids_in(program, uuids)


def ask_elsewhere(
    words: Sequence[str], nodes: Sequence[str], timeout: float, parse: Callable[[bytes], T]
) -> dict[str, T | str]:
    """What the program says on each of these nodes, as `parse` reads it, or why it is unknown.

    All are asked at once, and it takes no longer than `timeout` seconds. Each answer is read while
    it comes: a pipe takes 64 KiB, and a node whose answer is longer would wait for the others.
    """
    from concurrent.futures import ThreadPoolExecutor

    if cluster := programs.elsewhere():
        for node in nodes:
            cluster.doubt(node)
    asked = {node: ssh_argv(node, words, timeout) for node in nodes}
    with suppress(CannotAsk):  # no ssh at all: said of each node below
        for argv in asked.values():
            programs.ahead(argv)
    with ThreadPoolExecutor(max(1, len(asked))) as pool:
        answers = [pool.submit(_answer, node, argv, timeout, parse) for node, argv in asked.items()]
        try:
            return {node: answer.result() for node, answer in zip(asked, answers, strict=True)}
        except BaseException:  # Ctrl-C does not wait for them
            programs.end_all()
            raise


def _answer(
    node: str, argv: tuple[str, ...], timeout: float, parse: Callable[[bytes], T]
) -> T | str:
    try:
        result = programs.output(argv, timeout=timeout, most=MOST)
    except programs.NoAnswer:
        return f"no answer within {timeout:g} s"
    except CannotAsk as error:
        return error.message
    if result.status != 0:
        return fault_of(node, result)
    return understood(result.stdout, parse)


def understood(printed: bytes, parse: Callable[[bytes], T]) -> T | str:
    """What `parse` makes of another host's answer, or one line on why it is unknown.

    Another host may be broken, or of another version, in ways that nobody has thought of: whatever
    its answer does to the parser, it is that node's fault and costs no other node's answer.
    """
    try:
        return parse(printed)
    except CannotAsk as error:
        return error.message
    except Exception as error:
        if os.environ.get("HXM_DEBUG"):
            raise
        what = str(error).partition("\n")[0][:80]
        return f"its answer cannot be understood ({type(error).__name__}: {what})"


def fault_of(node: str, result: programs.Result) -> str:
    """One line on why a command on another node failed: ssh's own trouble, or the command's."""
    if result.status != ssh.FAILED:
        return result.complaint()
    return no_way_in(node, result.stderr) or result.complaint()
