"""A guard in front of xl, xm and virsh on this host."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hxm import journal, render, run
from hxm.commands import _judge
from hxm.commands._shim import MARK, shim
from hxm.config import read_config
from hxm.decide.passing import up_to_date
from hxm.decide.past import PAST_THE_GUARD
from hxm.errors import DONE, CannotAsk, Failed, HxmError, NoQuorum, UsageError
from hxm.observe import read_cluster
from hxm.render import TABLE, Form, Table
from hxm.toolstack import boot, guard
from hxm.toolstack.guard import Place

if TYPE_CHECKING:
    from hxm.options import Raw, Why

REMEDIES = {
    guard.OPEN: "hxm guard install",
    guard.UNDONE: "hxm guard install",
    guard.OUTDATED: "hxm guard install",
    boot.EARLY: "hxm guard install, or an order of its own: After=pacemaker.service",
    guard.BROKEN: "install its package again, then: hxm guard install",
}
"""What to do about a program that is not guarded as it should be."""


def install() -> int:
    """Put the guard in front of each of the programs that is installed; repeat it at will.

    Past it go at once the agents of the cluster, what arrives from another host, and all that only
    reads. Everything else is judged: refused for a domU that the cluster manages, and passed on
    untouched for every other. A package's program is diverted, so that an upgrade does not undo it.
    """
    found = list(guard.places())
    if not found:
        raise Failed("there is neither xl nor xm nor virsh on this host to guard")
    for place in found:
        guard.install(place, MARK, _text(place))
        render.out(f"{place.path} is guarded; the real one is {place.kept}")
    if boot.install(shlex.join(_own_words())):
        render.out("xendomains is now started after the cluster, and stopped before it")
    return DONE


def remove() -> int:
    """Take the guard away; each program is again what it was, to the byte."""
    for place in guard.places():
        stood = guard.state(place, MARK, _text(place))
        guard.remove(place, MARK)
        render.out(f"{place.path} {'was not' if stood == guard.OPEN else 'is no longer'} guarded")
    if boot.remove():
        render.out("xendomains is started and stopped as before")
    return DONE


def status(form: Form = TABLE) -> int:
    """Say how each program stands; status 1 if one is not guarded as it should be.

    An upgrade, where no diversion could prevent it, leaves a program `undone`; after one of hxm
    itself the guard may be `outdated`.
    """
    found = list(states())
    if form.output == "json":
        render.show_json(
            {"guard": [{"program": each.path, "state": state} for each, state in found]}
        )
    elif not found:
        render.out("there is neither xl nor xm nor virsh on this host to guard")
    elif form.usual:
        for place, state in found:
            remedy = f": {REMEDIES[state]}" if state in REMEDIES else ""
            render.out(f"{place.path} is {state}{remedy}")
    else:
        rows = [(each.path, state, REMEDIES.get(state, "")) for each, state in found]
        render.show(Table(("Program", "State", "What to do"), rows), form)
    return DONE if all(state == guard.GUARDED for _, state in found) else Failed.status


def bypass(words: Raw = None, reason: Why = "") -> int:
    """Run a command past the guard, whatever it would say; it is written down, with the reason.

    For the day when the cluster is broken and the domU is not. What the guard would have said is
    shown first; the journal and syslog keep who did it, and why.
    """
    words = words or []
    program = os.path.basename(words[0]) if words else ""
    if program not in guard.PROGRAMS:
        raise UsageError(
            f"bypass takes a command of {', '.join(guard.PROGRAMS)}",
            "hxm guard bypass --reason TEXT -- xl destroy NAME",
        )
    if not reason.strip():
        raise UsageError("why? It is written down", "--reason TEXT")
    config = read_config()
    try:
        at_stake = _judge.verdict(program, words[1:], config)
    except HxmError as error:
        at_stake = error.message
    what = shlex.join((program, *words[1:]))
    if at_stake:
        render.note(f"past the guard: {at_stake}")
    entry: journal.Entry = {"what": what, "why": reason, "outcome": PAST_THE_GUARD}
    if unwritten := journal.write_entry(config.journal, entry | {"at_stake": at_stake or None}):
        render.note(f"warning: {unwritten}")
    import syslog

    syslog.openlog("hxm", syslog.LOG_PID, syslog.LOG_AUTH)
    syslog.syslog(syslog.LOG_WARNING, f"past the guard: {what}; why: {reason}; {at_stake}")
    run.become((program, *words[1:]))


def wait() -> int:
    """Wait until the guard can tell which domUs are managed: a DC, and quorum.

    For what starts domUs at boot; no longer than `timeout` in /etc/hxm.toml. Status 102 or 106 if
    it is not so by then.
    """
    config = read_config()
    end = time.monotonic() + config.timeout
    while True:
        try:
            up_to_date(read_cluster(config))
        except (CannotAsk, NoQuorum):
            if time.monotonic() > end:
                raise
            time.sleep(config.poll)
        else:
            return DONE


SUBCOMMANDS = (install, remove, status, bypass, wait)


def states() -> Iterator[tuple[Place, str]]:
    """Each program, and how it stands; xendomains only where it comes too early for the guard."""
    for place in guard.places():
        yield place, guard.state(place, MARK, _text(place))
    if boot.state() == boot.EARLY:
        yield Place("xendomains", boot.SCRIPT), boot.EARLY


def _text(place: Place) -> str:
    return shim(place.program, place.link, _own_words())


def _own_words() -> tuple[str, ...]:
    """How this hxm is called, from anywhere."""
    own = os.path.abspath(sys.argv[0])
    if os.path.basename(own) == "hxm" and os.access(own, os.X_OK):
        return (own,)
    found = run.find("hxm")
    return (os.path.abspath(found),) if found else (sys.executable, "-m", "hxm")
