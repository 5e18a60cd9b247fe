"""Shows a domU's console on whichever node it runs, and waits for text on it.

A console ends when its domU leaves the node. hxm does not poll the cluster while a console is
open: only when it ends, hxm looks where the domU runs now.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from hxm.cluster.read import nodes_that_run, other_toolstack, read_cluster
from hxm.config import Config
from hxm.errors import CannotAsk, Failed, TimedOut, UsageError
from hxm.host import programs
from hxm.host.signals import handled
from hxm.host.ssh import FAILED
from hxm.model import Cluster, Domain
from hxm.output.render import note
from hxm.toolstack.remote import no_way_in, terminal_argv

if TYPE_CHECKING:
    import pexpect

LEAVE = "\x1d"  # Ctrl-], which xl's own console takes
_AT_ONCE = 1.0
"""Seconds: a console that ends sooner did not work."""
_TRIES = 5
_TAIL = 2000  # bytes that are kept of the end of the output
_SILENCE = 5.0
"""Seconds without output after which the guest gets an Enter, so that it repeats its prompt."""


class End(NamedTuple):
    """How a visit to a console ended."""

    left: bool
    """Whether the user left with Ctrl-]; otherwise the program ended."""
    status: int
    seconds: float
    shown: str
    """The end of its output."""


def console_argv(
    cluster: Cluster,
    config: Config,
    name: str,
    node: str,
    options: Sequence[str],
    *,
    terminal: bool,
) -> tuple[str, ...]:
    """The command line of a domain's console on a node, through ssh for another node.

    Raises CannotAsk for a node that is lost.
    """
    argv = (other_toolstack(cluster, config), "console", *options, name)
    if node == cluster.local_node:
        return argv
    there = cluster.node(node)
    if not there or not there.reachable:
        state = there.predicament if there else "unknown"
        raise CannotAsk(f"{name} should run on {node}, but {node} is {state}", "hxm status")
    return terminal_argv(node, argv, config.ssh_timeout, terminal=terminal)


def console_node(cluster: Cluster, domain: Domain) -> str:
    """The node where the domU runs, this one if possible. Raises Failed if it runs nowhere."""
    if not domain.places:
        start = f"hxm start {domain.name}" if domain.told_to_stop else "to see why: hxm status"
        raise Failed(f"{domain.name} does not run, so it has no console", start)
    return cluster.local_node if cluster.local_node in domain.places else domain.places[0]


def greet(name: str, node: str | None) -> None:
    """Tell a person on a terminal what to type: an idle guest prints nothing by itself."""
    if os.isatty(0) and os.isatty(2):
        note(f"console of {name} on {node or 'this host'}: Enter for a prompt, Ctrl-] to leave")


def follow(cluster: Cluster, domain: Domain, options: Sequence[str], config: Config) -> int:
    """Show a domU's console, and follow the domU to other nodes, until Ctrl-] or its end.

    Returns the exit status 0, like the toolstack's own console.
    """
    name, node, hasty = domain.name, console_node(cluster, domain), 0
    config = config._replace(toolstack=other_toolstack(cluster, config))
    greet(name, node)
    while True:
        argv = console_argv(cluster, config, name, node, options, terminal=True)
        end = attach(argv)
        if end.left:
            note(f"left the console of {name} on {node}; {name} still runs")
            return 0
        if end.seconds <= config.ssh_timeout + 1:  # later, the output may be the guest's own
            _raise_if_never_there(end, name, node)
        hasty = hasty + 1 if end.seconds < _AT_ONCE else 0
        if hasty == _TRIES:
            last_line = _last_line(end.shown.encode())
            fault = f"the console of {name} on {node} exits immediately: {last_line}"
            raise Failed(fault, "hxm status")
        cluster, now_on = _find_again(domain, node, config)
        if not now_on:
            note(f"{name} has stopped, which ended its console; to start it: hxm start {name}")
            return 0
        if now_on != node:
            note(f"{name} moved from {node} to {now_on}: the console continues there")
        elif not hasty:
            note(f"the console of {name} on {node} was interrupted: it continues")
        node = now_on


def _raise_if_never_there(end: End, name: str, node: str) -> None:
    fault = no_way_in(node, end.shown) if end.status == FAILED else ""
    if fault:
        raise CannotAsk(f"the console of {name} on {node} cannot be reached: {fault}")


def attach(argv: Sequence[str]) -> End:
    """Connect the terminal to a program until it ends or Ctrl-] is typed. Raises CannotAsk.

    Every other byte passes unchanged in both directions, and the program's terminal always has
    the size of this one.
    """
    child = programs.on_terminal(argv)
    started = time.monotonic()
    left, shown = False, b""

    def typed(data: bytes) -> bytes:
        nonlocal left
        left = left or LEAVE.encode() in data
        return data

    def printed(data: bytes) -> bytes:
        nonlocal shown
        shown = (shown + data)[-_TAIL:]
        return data

    def resize(*_: object) -> None:
        size = os.get_terminal_size(0)
        child.setwinsize(size.lines, size.columns)

    stop = signal.default_int_handler  # the terminal must not stay raw
    with handled({signal.SIGWINCH: resize, signal.SIGTERM: stop, signal.SIGHUP: stop}):
        try:
            resize()
            child.interact(LEAVE, typed, printed)
            status = _ended(child, left=left)
        finally:
            child.close(force=True)
    if left or shown[-1:] not in (b"", b"\n"):
        os.write(1, b"\r\n")
    return End(left, status, time.monotonic() - started, shown.decode("utf-8", "replace"))


def _ended(child: pexpect.spawn[bytes], *, left: bool) -> int:
    """The exit status of the program; after Ctrl-] it has two seconds to end."""
    from pexpect import EOF, TIMEOUT

    if left:
        child.send(LEAVE)
    child.expect([EOF, TIMEOUT], timeout=2)
    child.close(force=True)
    return int(child.exitstatus if child.exitstatus is not None else -(child.signalstatus or 0))


def _find_again(domain: Domain, was: str, config: Config) -> tuple[Cluster, str]:
    """The node where a domU runs after its console ended; "" once it is stopped.

    Waits until it runs. Raises Failed if it does not come back.
    """
    started = time.monotonic()
    announced, rests = False, 0
    while time.monotonic() - started < config.timeout:
        try:
            cluster = read_cluster(config, local=False)
        except CannotAsk:
            time.sleep(config.poll)
            continue
        nodes = nodes_that_run(domain.name, cluster, config)
        if nodes:
            return cluster, next((node for node in nodes if node != was), nodes[0])
        now = cluster.domain_of(domain.resource) if domain.resource else None
        at_rest = not now or (not now.running and not now.in_flight)
        rests = rests + 1 if at_rest else 0
        if rests and now and now.told_to_stop:
            return cluster, ""
        if rests >= _TRIES:
            if not now:
                return cluster, ""
            raise Failed(f"{domain.name} has left {was} and runs nowhere", "to see why: hxm status")
        if not announced and time.monotonic() - started > 2:
            announced = True
            note(f"the console of {domain.name} on {was} ended: looking for it (Ctrl-C gives up)")
        time.sleep(config.poll)
    raise Failed(f"{domain.name} was not found again within {config.timeout:g} s", "hxm status")


def pattern_of(text: str) -> re.Pattern[bytes]:
    """A regular expression for the output of a console. Raises UsageError if it is invalid."""
    try:
        return re.compile(os.fsencode(text))
    except re.error as error:
        raise UsageError(f"--until: {text!r} is not a regular expression: {error}") from None


def await_answer(
    cluster: Cluster, domain: Domain, pattern: re.Pattern[bytes], seconds: float, config: Config
) -> float:
    """Wait until the guest prints the pattern on its console; returns the seconds it took.

    A guest that has printed nothing is sent one Enter, because its prompt may be there already.
    Once it has printed something, an Enter could answer a question of a boot loader or a file
    system check. Raises TimedOut with the last line of output.
    """
    config = config._replace(toolstack=other_toolstack(cluster, config))
    started = time.monotonic()
    end, shown, knock = started + seconds, "", True
    while (left := end - time.monotonic()) > 0:
        try:
            cluster = read_cluster(config, local=False)
            node = next(iter(nodes_that_run(domain.name, cluster, config)), "")
            if node:
                argv = console_argv(cluster, config, domain.name, node, (), terminal=True)
                matched, shown = _shows(argv, pattern, left, knock=knock)
                knock = False
                if matched:
                    return time.monotonic() - started
        except CannotAsk as error:
            shown = error.message
        time.sleep(min(config.poll, max(0.0, end - time.monotonic())))
    last_shown = f"; its last output: {shown!r}" if shown else "; it printed nothing"
    raise TimedOut(
        f"{domain.name} runs, but did not print {pattern.pattern.decode()!r} on its console within "
        f"{seconds:.0f} s{last_shown}",
        f"to look: hxm console {domain.name}",
    )


def _shows(
    argv: Sequence[str], pattern: re.Pattern[bytes], seconds: float, *, knock: bool
) -> tuple[bool, str]:
    """Whether the pattern appears before the time is up or the console ends; and the last line.

    With `knock`, a console without output is sent one Enter.
    """
    from pexpect import EOF, TIMEOUT

    child = programs.on_terminal(argv)
    end, seen = time.monotonic() + seconds, b""
    try:
        while (left := end - time.monotonic()) > 0:
            patience = min(_SILENCE, left) if knock else left
            which = child.expect([pattern, EOF, TIMEOUT], timeout=patience)
            seen = child.before or seen
            if which < 2:
                return which == 0, _last_line(seen)
            if knock and not seen:
                child.send("\r")
            knock = False
    finally:
        if child.isalive():
            child.send(LEAVE)
            child.expect([EOF, TIMEOUT], timeout=1)
        child.close(force=True)
    return False, _last_line(seen)


def _last_line(shown: bytes) -> str:
    lines = [line.strip() for line in shown.decode("utf-8", "replace").splitlines()]
    return next((line[:60] for line in reversed(lines) if line), "")
