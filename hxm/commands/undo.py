"""hxm undo: take the last change back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hxm.config import read_config
from hxm.errors import Refused
from hxm.model import Cluster
from hxm.orders import pipeline
from hxm.orders.replace import put_in_place
from hxm.orders.report import refusal
from hxm.pacemaker.cib import read_configuration
from hxm.pacemaker.cib_document import SECTIONS, same
from hxm.pacemaker.cib_flatten import private_names
from hxm.pacemaker.simulate import private_folder
from hxm.policy import AlreadyDone, Decision, restore
from hxm.records.select import Opened, changes_made, compared, open_backup

if TYPE_CHECKING:
    from hxm.arguments.options import Order


def run(order: Order) -> int:
    """Take back the last change by hxm on this host, if the configuration is still what it left.

    The configuration becomes exactly what it was before, standby of a node and all; where domUs run
    follows from it, and what would stop or restart is asked about first. Undoing an undo does the
    change again; further back goes `hxm restore`. A change that left the configuration as it was,
    as a live migration does, has nothing to take back.

    Example: `hxm undo --dry-run`.
    """
    with private_folder() as folder:
        return pipeline.carry_out(order, lambda cluster: _decide(order, cluster, folder))


def _decide(order: Order, cluster: Cluster, folder: str) -> Decision:
    last = _last(cluster)
    what, at = str(last["what"]), str(last.get("at"))
    before, after = last["before"], last["after"]
    if before == after:
        return AlreadyDone(
            f"{what} ({at}): it left the configuration as it was; nothing to take back"
        )
    left = open_backup(read_config(), str(after))
    if not same(left.document, cluster.written):
        cib = read_configuration(timeout=read_config().ask_timeout, whole=True).cib
        since = compared(left.document, cluster.written, private_names(cib))
        raise refusal(order, restore.not_the_last(what, at, after, since))
    backup = open_backup(read_config(), str(before))
    redone = what.removeprefix("undo: ")
    name = f"redo: {redone}" if what != redone else f"undo: {what.removeprefix('redo: ')}"
    return put_in_place(
        cluster, Opened(f"backup {before}", backup.document), SECTIONS, folder, name, verb="undo"
    )


def _last(cluster: Cluster) -> dict[str, Any]:
    """The newest change in the journal, if it is known what it was made on and what it left."""
    made = changes_made(read_config(), cluster.sandbox)
    if not made:
        raise Refused("the journal of this host knows of no change", "hxm backup --list")
    last = made[-1]
    said = f"{last.get('what')} ({last.get('at')})"
    number = last["before"]
    if number is None:
        raise Refused(f"no backup was kept before: {said}", "hxm backup --list")
    hint = f"hxm diff {number} shows the difference; hxm restore {number} goes back"
    if last.get("outcome") == "begun":
        raise Refused(f"it was begun and never ended: {said}", hint)
    if last.get("after") is None:
        raise Refused(f"somebody else changed the configuration as well during: {said}", hint)
    return last
