"""The cluster's lock in words; one that was written by hand may lack all but its holder."""

from __future__ import annotations

from hxm.model import Lock
from hxm.policy import duration


def owner(lock: Lock) -> str:
    """Whose it is, for a sentence."""
    who = lock.who or "somebody"
    return f"{who} on {lock.node}" if lock.node else who


def held_by(lock: Lock) -> str:
    """Who holds the cluster's lock, for what, and since when."""
    process = f" (process {lock.pid})" if lock.pid else ""
    doing = f"is at '{lock.what}'" if lock.what else "holds the cluster's lock"
    since = ", since when is not told" if lock.age is None else f" for {duration(lock.age)}"
    gone = ", and has ended" if lock.alive is False else ""
    return f"{owner(lock)}{process} {doing}{since}{gone}"
