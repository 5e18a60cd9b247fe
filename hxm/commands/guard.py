"""Wrap xl, xm and virsh on this host, so that hxm is not bypassed by accident."""

from __future__ import annotations

import os
import shlex
import time
from typing import TYPE_CHECKING

from hxm.cluster.read import read_cluster
from hxm.config import Config, read_config
from hxm.errors import DONE, CannotAsk, Failed, HxmError, NoQuorum, UsageError
from hxm.guard import admission, xendomains
from hxm.guard import install as installation
from hxm.guard.on_nodes import on_all_nodes
from hxm.guard.status import REMEDIES, Look, last_looks, own_words, states, wrapper_of
from hxm.host import programs
from hxm.output import TABLE, Form, Table, render
from hxm.pacemaker.environment import forget_other_clusters
from hxm.policy.orders.passthrough import up_to_date
from hxm.policy.past.timeline import PAST_THE_GUARD
from hxm.records import journal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hxm.arguments.options import Raw, Why


def install() -> int:
    """Install the guard in front of each program that is present; safe to repeat.

    The guard passes on at once what the cluster's agents run, what arrives from another host, and
    every command that only reads. It judges everything else: refused if the cluster manages the
    domU, otherwise passed on unchanged. A package's program is diverted (dpkg-divert), so that an
    upgrade does not remove the guard. Run it again after a change of `last_look` in /etc/hxm.toml.
    With `--on CLUSTER`, the hxm of each of its nodes does it, as with `remove` and `status`.
    """
    config = read_config()
    if programs.elsewhere():
        return on_all_nodes("install", config, TABLE)
    guardable = list(installation.installed())
    if not guardable:
        raise Failed("neither xl nor xm nor virsh is installed on this host")
    for program in guardable:
        installation.install(program, wrapper_of(program, config))
        render.out(f"{program.path} is guarded; the real one is {program.displaced}")
    if xendomains.install(shlex.join(own_words())):
        render.out("xendomains now starts after the cluster and stops before it")
    return DONE


def remove() -> int:
    """Remove the guard; each program is again what it was, to the byte."""
    if programs.elsewhere():
        return on_all_nodes("remove", read_config(), TABLE)
    for program in installation.installed():
        wrapper = wrapper_of(program, Config())  # the settings may be what is broken
        stood = installation.state(program, wrapper)
        installation.remove(program, wrapper)
        render.out(
            f"{program.path} {'was not' if stood == installation.OPEN else 'is no longer'} guarded"
        )
    if xendomains.remove():
        render.out("xendomains starts and stops as before")
    return DONE


def status(form: Form = TABLE) -> int:
    """Show the state of each program; status 1 if one is not guarded as it should be.

    An upgrade that no diversion could prevent leaves a program `undone`; after an upgrade of hxm
    itself the guard may be `outdated`. Of each other node it shows whether the last look can ask
    it, which also counts.
    """
    config = read_config()
    if programs.elsewhere():
        return on_all_nodes("status", config, form)
    installed = list(states(config))
    looks = last_looks(config, installed)
    if form.output == "json":
        programs_shown = [{"program": program.path, "state": state} for program, state in installed]
        looks_shown = [{"node": look.node, "fault": look.fault or None} for look in looks]
        render.show_json({"guard": programs_shown, "last_look": looks_shown})
    elif not installed:
        render.out("neither xl nor xm nor virsh is installed on this host")
    elif form.usual:
        for program, state in installed:
            remedy = f": {REMEDIES[state]}" if state in REMEDIES else ""
            render.out(f"{program.path} is {state}{remedy}")
        for line in _look_lines(looks, config.last_look):
            render.out(line)
    else:
        rows = [(program.path, state, REMEDIES.get(state, "")) for program, state in installed]
        rows += [(look.node, look.fault or "answers the last look", "") for look in looks]
        render.show(Table(("Program", "State", "What to do"), rows), form)
    as_it_should_be = all(state == installation.GUARDED for _, state in installed)
    return DONE if as_it_should_be and not any(look.fault for look in looks) else Failed.status


def _look_lines(looks: Sequence[Look], seconds: int) -> list[str]:
    if not seconds:
        return ["the last look is switched off: last_look = 0 in the settings"]
    return [
        f"the last look cannot ask {look.node}: {look.fault}"
        if look.fault
        else f"the last look asks {look.node}"
        for look in looks
    ]


def bypass(words: Raw = None, reason: Why = "") -> int:
    """Run a command without the guard's judgement; the journal records it, with the reason.

    For emergencies: the cluster is broken, but the domU is not. hxm first shows what the guard
    would have said; the journal and syslog record who did it, and why.
    """
    words = words or []
    program = os.path.basename(words[0]) if words else ""
    if program not in installation.PROGRAMS:
        raise UsageError(
            f"bypass takes a command of {', '.join(installation.PROGRAMS)}",
            "hxm guard bypass --reason TEXT -- xl destroy NAME",
        )
    if not reason.strip():
        raise UsageError("bypass needs a reason, which is recorded", "--reason TEXT")
    config = read_config()
    forget_other_clusters()
    try:
        at_stake = admission.verdict(program, words[1:], config)
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
    programs.become((program, *words[1:]))


def wait() -> int:
    """Wait until the guard can tell which domUs are managed: until there are a DC and quorum.

    For services that start domUs at boot. Waits at most `timeout` seconds (/etc/hxm.toml), then
    ends with status 102 or 106.
    """
    config = read_config()
    forget_other_clusters()
    begun = time.monotonic()
    shown = ""
    while True:
        try:
            up_to_date(read_cluster(config))
        except (CannotAsk, NoQuorum) as error:
            if time.monotonic() > begun + config.timeout:
                raise
            if error.message != shown:
                render.note(f"waiting for this host's cluster: {error.message}")
            shown = error.message
            time.sleep(config.poll)
        else:
            return DONE


SUBCOMMANDS = (install, remove, status, bypass, wait)
