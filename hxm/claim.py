"""Takes the cluster's lock for a change, keeps it while the change lasts, and gives it back."""

from __future__ import annotations

import os
import time
from typing import Self

from hxm import render, run
from hxm.config import Config, read_config
from hxm.decide.lock import RENEW, forsaken, held, release_step
from hxm.errors import BY_STATUS, Failed, HxmError, Refused
from hxm.foresee import dialect_spoken, spell
from hxm.journal import user
from hxm.model import Cluster, Lock, Step
from hxm.observe import read_cluster
from hxm.pacemaker.lock import claim_step, holder_of, renew_step
from hxm.toolstack.remote import ssh_argv

_ATTEMPTS = 5


class Claim:
    """The lock in this process's hand, given back at the end of a `with`."""

    def __init__(self, seen: Cluster, holder: str) -> None:
        self.seen = seen
        """The cluster as it was when the lock had been taken."""
        self.holder = holder
        self._renewed = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def keep(self, seen: Cluster) -> None:
        """Renew the lock if it is time to. Raises Failed if somebody else has taken it."""
        if not seen.lock or seen.lock.holder != self.holder:
            by = f" by {seen.lock.who} on {seen.lock.node}" if seen.lock else ""
            raise Failed(f"the cluster's lock was taken away{by}: nothing more is done here")
        if time.monotonic() - self._renewed > RENEW:
            # without a DC it fails; the next look tells whether the lock is still there
            run.output(_argv(self.seen, renew_step(self.holder, time.time())))
            self._renewed = time.monotonic()

    def release(self) -> None:
        """Give it back, or say how it is removed."""
        try:
            result = run.output(_argv(self.seen, release_step(self.holder)))
            fault = "" if result.status in (0, 105) else result.complaint()
        except HxmError as error:
            fault = error.message
        if fault:
            render.note(f"left: the cluster's lock ({fault}); remove it with: hxm unlock")


def possible(cluster: Cluster) -> bool:
    """Whether there is a lock to take: a sandbox has one of its own, old tools have none."""
    return not cluster.sandbox and "claim" not in dialect_spoken(cluster).lacks


def take(cluster: Cluster, what: str, config: Config) -> Claim:
    """The lock, for what is to be done. Raises Refused with the holder's name and age."""
    node = cluster.local_node or os.uname().nodename
    holder = holder_of(user(), node, os.getpid(), run.start_time(str(os.getpid())))
    for _ in range(_ATTEMPTS):
        if cluster.lock:
            _clear_away(cluster, cluster.lock, config)
        result = run.output(_argv(cluster, claim_step(holder, what, time.time())))
        cluster = read_cluster(config, local=False)  # which tells more than the exit status
        if cluster.lock and cluster.lock.holder == holder:
            return Claim(cluster, holder)
        if not cluster.lock:
            raise Failed(f"the cluster's lock cannot be taken: {result.complaint()}")
    raise Refused("the cluster's lock changes hands all the time", "try it again")


def _clear_away(cluster: Cluster, lock: Lock, config: Config) -> None:
    """Remove a lock whose holder is gone. Raises Refused if it may still be at work."""
    asked = lock._replace(alive=_is_alive(cluster, lock, config))
    for objection in held(cluster._replace(lock=asked)):
        raise BY_STATUS[objection.status](objection.message, objection.hint)
    why = forsaken(cluster, asked)
    render.note(f"took over the lock of {lock.who} on {lock.node} ({lock.what}): {why}")
    run.output(_argv(cluster, release_step(lock.holder)))


def with_a_living_holder(cluster: Cluster) -> Cluster:
    """The cluster, and whether the holder of its lock lives, which may be asked of its node."""
    lock = cluster.lock
    if not lock:
        return cluster
    return cluster._replace(lock=lock._replace(alive=_is_alive(cluster, lock, read_config())))


def _is_alive(cluster: Cluster, lock: Lock, config: Config) -> bool | None:
    """Whether the holder's process still exists, where that can be told."""
    if lock.alive is not None or forsaken(cluster, lock) or not lock.pid.isdigit():
        return lock.alive
    asked = ssh_argv(lock.node, ("cat", f"/proc/{lock.pid}/stat"), config.ssh_timeout)
    try:
        result = run.output(asked, timeout=config.ssh_timeout)
    except HxmError:
        return None
    if result.status == 0:
        return run.start_time_in(result.stdout) == lock.started
    return False if "No such file" in result.stderr else None


def _argv(cluster: Cluster, step: Step) -> tuple[str, ...]:
    (argv,) = spell(cluster, step)
    return argv
