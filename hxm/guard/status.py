"""The state of the guard of each program, and what to do if it is not guarded."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hxm.config import Config
from hxm.guard import install, xendomains
from hxm.guard.install import Program
from hxm.guard.wrapper import MARK, Wrapper, wrapper
from hxm.host import programs

REMEDIES = {
    install.OPEN: "hxm guard install",
    install.UNDONE: "hxm guard install",
    install.OUTDATED: "hxm guard install",
    xendomains.EARLY: "hxm guard install, or an order of its own: After=pacemaker.service",
    install.BROKEN: "install its package again, then: hxm guard install",
}
"""What to do about a program that is not guarded as it should be."""


class Look(NamedTuple):
    """Whether the last look can ask a node."""

    node: str
    fault: str
    """Why it cannot; empty where it can."""


STATE = "hxm guard "
STATES_SCRIPT = f"""
real=${{HXM_REAL:-{programs.REAL}}}
public=$(echo ":$PATH:/usr/sbin:/sbin" | sed "s|:$real||g; s|^:||")
for name in {" ".join(install.PROGRAMS)}; do
    link=$real/$name
    path=$(PATH=$public; command -v "$name") || continue
    if grep -qF "$mark" "$path"
    then [ -x "$path{install.KEPT}" ] && state="{install.GUARDED}" || state="{install.BROKEN}"
    else [ -L "$link" ] && state="{install.UNDONE}" || state="{install.OPEN}"
    fi
    echo "{STATE}$state:$path"
done
"""
"""Prints how each program of a node stands; a wrapper script is recognised by $mark."""


def states(config: Config) -> Iterator[tuple[Program, str]]:
    """Each program, and how it stands; xendomains only where it comes too early for the guard.

    Of a node that ssh leads to it is not told whether its guard is of today's hxm.
    """
    if programs.elsewhere():
        yield from _states_there()
        return
    for program in install.installed():
        yield program, install.state(program, wrapper_of(program, config))
    if xendomains.state() == xendomains.EARLY:
        yield Program("xendomains", xendomains.SCRIPT), xendomains.EARLY


def _states_there() -> Iterator[tuple[Program, str]]:
    argv = ("sh", "-c", f"mark=$1; {STATES_SCRIPT}", "sh", MARK)
    for line in programs.output(argv).text.splitlines():
        state, _, path = line.removeprefix(STATE).partition(":")
        yield Program(os.path.basename(path), path), state


def last_looks(config: Config, stood: Iterable[tuple[Program, str]]) -> list[Look]:
    """What the last look of this host's guard hears from each other node; none without a guard.

    `stood`: the programs and their states. It asks as the guard itself does, for `last_look`
    seconds at most.
    """
    program = next((known for known, state in stood if state == install.GUARDED), None)
    if not program or not config.last_look:
        return []
    argv = ("sh", program.paths.script, "look")
    printed = programs.output(argv, timeout=config.last_look + 10).stdout
    rows = (line.split(None, 2) for line in printed.decode("utf-8", "replace").splitlines())
    silent = f"no answer within {config.last_look} s"
    looks = sorted(
        Look(row[1], "" if row[0] != "silent" else row[2] if len(row) > 2 else silent)
        for row in rows
    )
    return looks or [Look("any node", "neither the CIB nor its copy on the disk names one")]


def wrapper_of(program: Program, config: Config) -> Wrapper:
    """The files that stand in front of the program by these settings."""
    hxm = own_words()
    return wrapper(program.name, program.paths, hxm, _remedy(), config.last_look)


def own_words() -> tuple[str, ...]:
    """How this hxm is called, from anywhere, and whatever PYTHONPATH says; its file is the last."""
    own = os.path.abspath(sys.argv[0])
    if os.path.basename(own) != "hxm" or not os.access(own, os.X_OK):
        installed = programs.find("hxm")
        if not installed:
            return (sys.executable, "-I", "-m", "hxm")
        own = os.path.abspath(installed)
    with open(own, "rb") as file:
        first = os.fsdecode(file.readline(1 << 10)).strip()
    interpreter = first.removeprefix("#!")
    python = "python" in os.path.basename(interpreter) and os.access(interpreter, os.X_OK)
    return (interpreter, "-I", own) if python else (own,)


def _remedy() -> str:
    """The command that installs this hxm again; a package has its own in a file (.ci/venv)."""
    folder = sys.prefix
    if os.path.exists(f"{folder}/remedy"):
        with open(f"{folder}/remedy", encoding="utf-8") as file:
            return file.read().strip()
    return f"python3 -m venv --clear {folder} && {folder}/bin/pip install hxm (hxm-install(7))"
