"""hxm diff: compare two configurations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.cluster.read import sandbox_file
from hxm.config import Config, read_config
from hxm.errors import DONE, CannotAsk, NotFound, UsageError
from hxm.output import TABLE, Form, Table, render
from hxm.pacemaker.cib import read_configuration
from hxm.pacemaker.cib_document import same
from hxm.pacemaker.cib_flatten import private_names
from hxm.policy.diff import as_row, sentence
from hxm.policy.orders.restore import ONLY_FORM
from hxm.records.backups import Store
from hxm.records.changes import Opened, compare, newest_changes, open_backup

if TYPE_CHECKING:
    from hxm.arguments.backups import Backups


def run(backups: Backups = None, form: Form = TABLE) -> int:
    """Compare the configuration with a backup, or two backups, in words.

    Without a backup, compare with the newest one: this shows what was changed since hxm's last
    change. If nothing was, hxm names the backup that shows that last change. A value is shown
    only if its parameter is known to be harmless; of every other, which may be or hold a password,
    only that it changed.

    Example: `hxm diff`, `hxm diff 7`, or `hxm diff 7 /root/cib.bak.xml`.
    """
    config = read_config()
    if len(backups or ()) > 2:
        raise UsageError("diff takes two backups at most", "hxm backup --list")
    one, other = _both(config, backups or [])
    differences = compare(one.document, other.document, _private(config))
    if form.output == "json":
        rows = [as_row(difference) for difference in differences]
        render.show_json({"from": one.called, "to": other.called, "differences": rows})
    elif not form.usual:
        rows = [as_row(difference) for difference in differences]
        columns = ("kind", "id", "change", "name", "before", "after")
        cells = [[str(row[column] or "-") for column in columns] for row in rows]
        render.show(Table([column.capitalize() for column in columns], cells), form)
    else:
        render.out(f"from {one.called} to {other.called}:")
        nothing = "no differences" if _alike(one, other) else ONLY_FORM
        for line in map(sentence, differences) if differences else (nothing,):
            render.prose(f"  {line}")
        if not (differences or backups):
            _point_to_last_change(config)
    return DONE


def _point_to_last_change(config: Config) -> None:
    """Name the backup that shows hxm's last change: the newest one was made after it."""
    last = next(newest_changes(config, sandbox_file()), None)
    if last and last["before"] not in (None, last.get("after")):
        render.out(f"to see what {last['what']!r} changed: hxm diff {last['before']}")


def _both(config: Config, words: list[str]) -> tuple[Opened, Opened]:
    if not words:
        backups = Store(config, sandbox_file()).all()
        if not backups:
            raise NotFound("there is no backup yet: hxm has changed nothing here", "hxm backup")
        words = [str(backups[-1].number)]
    one = open_backup(config, words[0])
    if len(words) > 1:
        return one, open_backup(config, words[1])
    return one, Opened("now", read_configuration(timeout=config.ask_timeout).document)


def _private(config: Config) -> frozenset[str]:
    """The private parameters; empty without a cluster, where backups can still be compared."""
    try:
        return private_names(read_configuration(timeout=config.ask_timeout, whole=True).cib)
    except CannotAsk:
        return frozenset()


def _alike(one: Opened, other: Opened) -> bool:
    return same(one.document, other.document)
