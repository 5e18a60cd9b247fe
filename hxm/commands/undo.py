"""hxm undo: revert the last change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hxm.config import Config
from hxm.errors import Refused
from hxm.model import Cluster
from hxm.orders import pipeline
from hxm.orders.replace import put_in_place
from hxm.orders.report import refusal
from hxm.output.times import local_time
from hxm.pacemaker.cib import read_configuration
from hxm.pacemaker.cib_document import SECTIONS, same
from hxm.pacemaker.cib_flatten import private_names
from hxm.pacemaker.simulate import private_folder
from hxm.plan import AlreadyDone, Decision
from hxm.policy.orders import restore
from hxm.records.changes import Opened, compare, newest_changes, open_backup
from hxm.records.journal import time_of

if TYPE_CHECKING:
    from hxm.arguments.options import Order


def run(order: Order) -> int:
    """Revert hxm's last change on this host, if nothing has changed the configuration since.

    The configuration becomes exactly what it was before, including standby of nodes. The cluster
    then places the domUs accordingly; hxm asks first if one would stop or restart. Undoing an undo
    makes the change again; `hxm restore` goes further back. If a change left the configuration as
    it was, as a live migration does, there is nothing to undo.

    Example: `hxm undo --dry-run`.
    """
    with private_folder() as folder:
        return pipeline.carry_out(order, lambda cluster: _decide(order, cluster, folder))


def _decide(order: Order, cluster: Cluster, folder: str) -> Decision:
    config = order.config
    last = _last(cluster, config)
    what, at = str(last["what"]), _when(last)
    before, after = last["before"], last["after"]
    if before == after:
        return AlreadyDone(f"nothing to undo: {what} ({at}) left the configuration as it was")
    left = open_backup(config, str(after))
    if not same(left.document, cluster.written):
        cib = read_configuration(timeout=config.ask_timeout, whole=True).cib
        since = compare(left.document, cluster.written, private_names(cib))
        raise refusal(order, restore.not_the_last(what, at, after, since))
    backup = open_backup(config, str(before))
    redone = what.removeprefix("undo: ")
    name = f"redo: {redone}" if what != redone else f"undo: {what.removeprefix('redo: ')}"
    opened = Opened(f"backup {before}", backup.document)
    return put_in_place(cluster, opened, SECTIONS, folder, name, config, verb="undo")


def _last(cluster: Cluster, config: Config) -> dict[str, Any]:
    """The newest change in the journal. Raises Refused without a backup before and after it."""
    last = next(newest_changes(config, cluster.sandbox), None)
    if last is None:
        raise Refused("no hxm change is recorded in this host's journal", "hxm backup --list")
    change = f"{last.get('what')} ({_when(last)})"
    number = last["before"]
    if number is None:
        raise Refused(f"no backup was made before: {change}", "hxm backup --list")
    hint = f"hxm diff {number} shows the difference; hxm restore {number} goes back"
    if last.get("outcome") == "begun":
        raise Refused(f"the last change did not finish: {change}", hint)
    if last.get("after") is None:
        raise Refused(f"somebody else also changed the configuration during: {change}", hint)
    return last


def _when(change: dict[str, Any]) -> str:
    at = time_of(change)
    return "at an unknown time" if at is None else local_time(at)
