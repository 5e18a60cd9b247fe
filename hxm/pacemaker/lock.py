"""hxm's lock on the whole cluster: a property set in the CIB, which only one can create.

A create fails with "File exists" if there is one (verified on 2.1.5 with twenty at once on three
nodes), and a delete names the holder: so a lock is taken, and taken over, atomically.
Pacemaker itself ignores properties that it does not know.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from hxm.host import programs
from hxm.model import Lock
from hxm.plan import Step
from hxm.policy.state.lock import LONGEST

EXISTS = 108  # CRM_EX_EXISTS
_RENEWED = re.compile(rb'(name="hxm-lock-renewed" value=")[0-9]*')
_UNSAFE = re.compile(r"[^A-Za-z0-9 @._,/+-]")  # in XML, in XPath, and to the holder's own colons


def lock_in(properties: Mapping[str, str], now: float) -> Lock | None:
    """The lock among the cluster's properties, its ages in seconds by this host's clock.

    Whoever writes one by hand may write anything: what is no time, is not known.
    """
    holder = properties.get("hxm-lock", "")
    who, _, place = holder.partition("@")
    node, pid, started = [*place.split(":"), "", "", ""][:3]
    if not holder:
        return None
    since = _seconds_since(properties.get("hxm-lock-since", ""), now)
    renewed = _seconds_since(properties.get("hxm-lock-renewed", ""), now)
    return Lock(
        holder,
        who,
        node,
        pid,
        started,
        properties.get("hxm-lock-what", ""),
        since,
        # a person gives no signs of life: only a process is taken for dead without them
        (since if renewed is None else renewed) if pid.isdigit() else None,
        renewed=properties.get("hxm-lock-renewed", ""),
    )


def _seconds_since(time: str, now: float) -> float | None:
    if time.isascii() and time.isdigit() and len(time) < 12:
        return max(0.0, now - float(time))
    return None


def lives(lock: Lock, started: str) -> bool | None:
    """Whether a process that started then is the holder; empty: there is none of its number.

    None if the lock was written by hand without a start time: the number may be another's by now.
    """
    if not started:
        return False
    return started == lock.started if lock.started else None


def holder_of(who: str, node: str, pid: int, started: str) -> str:
    """The holder's name in the lock: no two processes ever have the same."""
    return f"{_safe(who).replace('@', '.')}@{_safe(node)}:{pid}:{started}"


def own_place(here: str | None) -> str:
    """What hxm calls the host that it runs on in a lock: the node, or what no node is called.

    Workstations may have one name, as "localhost"; a process is told by its number only on the
    kernel, and in the container, that it runs in.
    """
    host = os.uname().nodename
    if not programs.elsewhere():
        return here or host
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        boot = file.read(8)
    return f"{host}/ssh-{boot}-{os.stat('/proc/self/ns/pid').st_ino:x}"


def claim_step(holder: str, what: str, now: float) -> Step:
    """Create the lock; fails if there is one."""
    values = {"holder": holder, "what": _safe(what)[:LONGEST], "now": f"{now:.0f}"}
    return Step("claim", "take the cluster's lock", values)


def renew_step(holder: str, now: float) -> Step:
    """Renew the lock: its holder is alive."""
    values = {"holder": holder, "now": f"{now:.0f}"}
    return Step("renew", "keep the cluster's lock", values)


def renew_in(path: str, now: float) -> None:
    """Say the same in a configuration in a file, which was written when nobody had answered yet."""
    with open(path, "r+b") as file:
        renewed = _RENEWED.sub(rb"\g<1>%d" % now, file.read())
        file.seek(0)
        file.write(renewed)
        file.truncate()


def _safe(text: str) -> str:
    return _UNSAFE.sub("?", text)
