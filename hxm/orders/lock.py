"""Takes the cluster's lock for a change, renews it meanwhile, and releases it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Self

from hxm.cluster.lock_holder import is_alive
from hxm.cluster.read import read_cluster, sandbox_file
from hxm.config import Config
from hxm.errors import Failed, HxmError, Refused
from hxm.host import programs
from hxm.host.signals import handled
from hxm.model import Cluster, Lock
from hxm.orders.simulate import dialect_of
from hxm.output import render
from hxm.pacemaker.argv import step_argv
from hxm.pacemaker.lock import EXISTS, claim_step, holder_of, own_place, renew_step
from hxm.pacemaker.simulate import serialised
from hxm.plan import Step
from hxm.policy import listed
from hxm.policy.guards import migrating_names
from hxm.policy.orders.lock import RENEW, held
from hxm.policy.state.lock import forsaken, owner
from hxm.policy.steps import release_step
from hxm.records.journal import user

_ATTEMPTS = 5
_REST = 5.0
"""Seconds without a migration after which it is over: between its halves it may not be seen."""
_PATIENCE = RENEW + 5.0
"""Seconds without renewal, by this host's clock, after which hxm takes a lock over."""


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Serialise changes of a CIB_file; a cluster has the lock in its CIB."""
    sandbox = sandbox_file()
    if sandbox:
        with serialised(
            sandbox, lambda: render.note("another hxm is changing the sandbox: waiting")
        ):
            yield
    else:
        yield


class Hold:
    """The lock while this process holds it; released at the end of a `with`.

    While a migration is in flight it is neither renewed nor released: every change of the CIB
    aborts the transition, and Pacemaker decides anew where the half-migrated domU belongs.
    """

    def __init__(self, seen: Cluster, holder: str, config: Config) -> None:
        self.seen = seen
        """The cluster when the lock was taken."""
        self.holder = holder
        self.leaves_to: tuple[str, ...] = ()
        """The domUs whose migration has been ordered, and will not be waited for."""
        self._migrating = -_REST
        """When a migration was last seen, as time.monotonic() has it."""
        self._config = config
        self._renewed = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Release the lock, or leave it to the next order, which sees that its holder has ended."""
        with _signals_ignored():
            names = self.leaves_to or self._in_flight()
        if names:
            render.note(
                f"left: the cluster's lock, because to remove it would disturb the migration of "
                f"{listed(names)}; the next order removes it, or: hxm unlock"
            )
        else:
            self.release()

    def _in_flight(self) -> Sequence[str]:
        try:
            return migrating_names(read_cluster(self._config, local=False))
        except HxmError:
            return ()

    def keep(self, seen: Cluster | None) -> None:
        """Renew the lock if it is time to. Raises Failed if `seen` shows that it is lost."""
        if seen and (not seen.lock or seen.lock.holder != self.holder):
            by = f" by {owner(seen.lock)}" if seen.lock else ""
            raise Failed(f"the cluster's lock was taken over{by}: hxm stops here")
        now = time.monotonic()
        if seen and migrating_names(seen):
            self._migrating = now
        if now - self._renewed > RENEW and now - self._migrating > _REST:
            # it fails without a DC; the next snapshot shows whether the lock is still there
            programs.output(_argv(self.seen, renew_step(self.holder, time.time())))
            self._renewed = time.monotonic()

    def release(self) -> None:
        """Release the lock, in spite of signals; if that fails, report how to remove it."""
        with _signals_ignored():
            try:
                result = programs.output(_argv(self.seen, release_step(self.holder)))
                fault = "" if result.status in (0, 105) else result.complaint()
            except HxmError as error:
                fault = error.message
        if fault:
            render.note(f"left: the cluster's lock ({fault}); remove it with: hxm unlock")


def _signals_ignored() -> AbstractContextManager[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    return handled(dict.fromkeys(numbers, signal.SIG_IGN))


def can_lock(cluster: Cluster) -> bool:
    """Whether the cluster can be locked: a sandbox has its own lock, old tools have none."""
    return not cluster.sandbox and "claim" not in dialect_of(cluster).lacks


def take(cluster: Cluster, what: str, config: Config) -> Hold:
    """Take the lock for `what`. Raises Refused with the holder's name and the lock's age."""
    holder = _own_name(cluster)
    hold = Hold(cluster, holder, config)
    for _ in range(_ATTEMPTS):
        taken_over = _remove_stale(cluster, cluster.lock, config) if cluster.lock else ""
        try:
            result = programs.output(_argv(cluster, claim_step(holder, what, time.time())))
            cluster = read_cluster(config, local=False)  # it shows more than the exit status
        except BaseException:
            hold.release()  # it may have been taken
            raise
        if cluster.lock and cluster.lock.holder == holder:
            if taken_over:
                render.note(taken_over)
            hold.seen = cluster
            return hold
        if cluster.lock:
            continue
        if result.status != EXISTS and "exists" not in result.stderr:
            raise Failed(f"the cluster's lock cannot be taken: {result.complaint()}")
        # released since, or an editor has left what is no lock any more
        programs.output(_argv(cluster, release_step(holder)))
    raise Refused("the cluster's lock keeps changing hands", "try again")


def _own_name(cluster: Cluster) -> str:
    return holder_of(
        user(), own_place(cluster.local_node), os.getpid(), programs.start_time(str(os.getpid()))
    )


def own_lock(cluster: Cluster, what: str) -> str:
    """The lock of this process as XML: a configuration that replaces the CIB must contain it."""
    if not can_lock(cluster):
        return ""
    step = claim_step(_own_name(cluster), what, time.time())
    return _argv(cluster, step)[-1].removeprefix("--xml-text=")


def _remove_stale(cluster: Cluster, lock: Lock, config: Config) -> str:
    """Remove a lock whose holder is gone; returns a note. Raises Refused if it may still work.

    Clocks of two hosts differ: if the holder cannot be asked, hxm waits for a renewal.
    """
    asked = lock._replace(alive=is_alive(cluster, lock, config))
    node = cluster.node(lock.node)
    if asked.alive is None and forsaken(cluster, asked) and (node is None or node.online):
        render.note(f"waiting {_PATIENCE:.0f} s for a sign of life of {owner(lock)}")
        time.sleep(_PATIENCE)
        now = read_cluster(config, local=False).lock
        if now and (now.holder, now.renewed) != (lock.holder, lock.renewed):
            asked = now._replace(alive=True)
    for objection in held(cluster._replace(lock=asked)):
        raise objection.error()
    programs.output(_argv(cluster, release_step(lock.holder)))
    why = forsaken(cluster, asked)
    return f"took over the lock of {owner(lock)} ({lock.what or 'for what is not told'}): {why}"


def _argv(cluster: Cluster, step: Step) -> tuple[str, ...]:
    (argv,) = step_argv(dialect_of(cluster), step)
    return argv
