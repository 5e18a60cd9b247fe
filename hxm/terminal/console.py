"""A domU's console, wherever it runs: for somebody at a terminal, and for a wait.

A console ends when its domU leaves the node. Nobody watches the cluster meanwhile: the end itself
is the sign to look where the domU is now.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from hxm import programs
from hxm.cluster.read import nodes_that_run, other_toolstack, read_cluster
from hxm.config import Config
from hxm.errors import CannotAsk, Failed, TimedOut, UsageError
from hxm.model import Cluster, Domain
from hxm.output.render import note
from hxm.toolstack.remote import SSH_FAILED, no_way_in, terminal_argv

if TYPE_CHECKING:
    import pexpect

LEAVE = "\x1d"  # Ctrl-], which xl's own console takes
_AT_ONCE = 1.0
"""Seconds: a console that ends sooner was hardly one."""
_TRIES = 5
_KEPT = 2000  # bytes of the end of what was shown
_SILENCE = 5.0
"""Seconds after which a guest that has shown nothing gets an Enter, to repeat its prompt."""


class End(NamedTuple):
    """How a visit to a console ended."""

    left: bool
    """By Ctrl-]; else the program ended by itself."""
    status: int
    seconds: float
    shown: str
    """The end of what it showed."""


def console_argv(
    cluster: Cluster,
    config: Config,
    name: str,
    node: str,
    options: Sequence[str],
    *,
    terminal: bool,
) -> tuple[str, ...]:
    """The toolstack's console of a domain on a node, through ssh if it is not this one.

    Raises CannotAsk for a node that is lost.
    """
    argv = (other_toolstack(cluster, config), "console", *options, name)
    if node == cluster.local_node:
        return argv
    there = cluster.node(node)
    if not there or not there.reachable:
        state = there.predicament if there else "unknown"
        raise CannotAsk(f"{name} is said to run on {node}, but {node} is {state}", "hxm status")
    return terminal_argv(node, argv, config.ssh_timeout, terminal=terminal)


def console_node(cluster: Cluster, domain: Domain) -> str:
    """The node whose console it has, this one if possible; raises Failed if it runs nowhere."""
    if not domain.places:
        start = f"hxm start {domain.name}" if domain.told_to_stop else "hxm status tells why"
        raise Failed(f"{domain.name} does not run, so it has no console", start)
    return cluster.local_node if cluster.local_node in domain.places else domain.places[0]


def follow(cluster: Cluster, domain: Domain, options: Sequence[str], config: Config) -> int:
    """Be on a domU's console, and go with it to other nodes, until Ctrl-] or its end.

    Returns the exit status: 0, as the toolstack's own console has it.
    """
    name, node, hasty = domain.name, console_node(cluster, domain), 0
    config = config._replace(toolstack=other_toolstack(cluster, config))
    note(f"console of {name} on {node}; Ctrl-] leaves it")
    while True:
        argv = console_argv(cluster, config, name, node, options, terminal=True)
        end = attach(argv)
        if end.left:
            note(f"left the console of {name} on {node}; {name} runs on")
            return 0
        if end.seconds <= config.ssh_timeout + 1:  # else what it says may be the guest's own words
            _raise_if_never_there(end, name, node)
        hasty = hasty + 1 if end.seconds < _AT_ONCE else 0
        if hasty == _TRIES:
            last_line = _last_line(end.shown.encode())
            raise Failed(f"the console of {name} on {node} ends at once: {last_line}", "hxm status")
        cluster, now_on = _find_again(domain, node, config)
        if not now_on:
            note(f"{name} has stopped, and its console with it; hxm start {name} starts it")
            return 0
        if now_on != node:
            note(f"{name} went from {node} to {now_on}: its console goes on there")
        elif not hasty:
            note(f"the console of {name} on {node} had ended: it goes on")
        node = now_on


def _raise_if_never_there(end: End, name: str, node: str) -> None:
    fault = no_way_in(node, end.shown) if end.status == SSH_FAILED else ""
    if fault:
        raise CannotAsk(f"the console of {name} on {node} cannot be reached: {fault}")


def attach(argv: Sequence[str]) -> End:
    """Give the terminal to a program until it ends or Ctrl-] is typed; raises CannotAsk.

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
        shown = (shown + data)[-_KEPT:]
        return data

    def resize(*_: object) -> None:
        size = os.get_terminal_size(0)
        child.setwinsize(size.lines, size.columns)

    before = {
        number: signal.signal(number, handler)
        for number, handler in (
            (signal.SIGWINCH, resize),
            (signal.SIGTERM, signal.default_int_handler),  # the terminal must not stay raw
            (signal.SIGHUP, signal.default_int_handler),
        )
    }
    try:
        resize()
        child.interact(LEAVE, typed, printed)
        status = _ended(child, left=left)
    finally:
        child.close(force=True)
        for number, handler in before.items():
            signal.signal(number, handler)
    if left or shown[-1:] not in (b"", b"\n"):
        os.write(1, b"\r\n")
    return End(left, status, time.monotonic() - started, shown.decode("utf-8", "replace"))


def _ended(child: pexpect.spawn[bytes], *, left: bool) -> int:
    """The status of the program, which is told to leave, or else left behind after two seconds."""
    from pexpect import EOF, TIMEOUT

    if left:
        child.send(LEAVE)
    child.expect([EOF, TIMEOUT], timeout=2)
    child.close(force=True)
    return int(child.exitstatus if child.exitstatus is not None else -(child.signalstatus or 0))


def _find_again(domain: Domain, was: str, config: Config) -> tuple[Cluster, str]:
    """Where a domU runs whose console has ended, as soon as it does; nothing once it is stopped.

    Raises Failed if it comes back nowhere.
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
            raise Failed(f"{domain.name} has left {was} and runs nowhere", "hxm status tells why")
        if not announced and time.monotonic() - started > 2:
            announced = True
            note(f"the console of {domain.name} on {was} ended: looking for it (Ctrl-C gives up)")
        time.sleep(config.poll)
    raise Failed(f"{domain.name} was not found again within {config.timeout:g} s", "hxm status")


def pattern_of(text: str) -> re.Pattern[bytes]:
    """The regular expression for what a console shows. Raises UsageError if it is none."""
    try:
        return re.compile(os.fsencode(text))
    except re.error as error:
        raise UsageError(f"--until: {text!r} is no regular expression: {error}") from None


def await_answer(
    cluster: Cluster, domain: Domain, pattern: re.Pattern[bytes], seconds: float, config: Config
) -> float:
    """Wait until the guest shows the pattern on its console; returns how many seconds it took.

    A guest that shows nothing from the first on is sent one Enter: it may have put up its prompt
    before. Once it has shown anything, nobody knows what an Enter would answer (a boot loader, a
    file system check). Raises TimedOut with what it showed last.
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
    last_shown = f"; the last that it showed: {shown!r}" if shown else "; it showed nothing"
    raise TimedOut(
        f"{domain.name} runs, but did not show {pattern.pattern.decode()!r} on its console within "
        f"{seconds:.0f} s{last_shown}",
        f"look yourself: hxm console {domain.name}",
    )


def _shows(
    argv: Sequence[str], pattern: re.Pattern[bytes], seconds: float, *, knock: bool
) -> tuple[bool, str]:
    """Whether the pattern is shown before the time is up or the console ends; and the last line.

    With `knock` a console that shows nothing is sent one Enter.
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
