"""hxm backup: back up the configuration."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from hxm.cluster.read import sandbox_file
from hxm.config import Config, read_config
from hxm.errors import DONE, Failed, Refused, UsageError
from hxm.host.safe_files import write_new
from hxm.output import TABLE, Form, Table, render
from hxm.output.times import iso_time, time_column
from hxm.pacemaker.cib import read_configuration
from hxm.pacemaker.cib_document import as_cib, read_header
from hxm.records.backups import Store
from hxm.records.changes import newest_changes

if TYPE_CHECKING:
    from hxm.arguments.backups import BackupFile, ListKept


_MOST = 10_000
"""Changes that --list looks at: many, as live migrations, leave the configuration as it was."""


def run(file: BackupFile = None, listing: ListKept = False, form: Form = TABLE) -> int:
    """Back up the configuration, or write it to a new file, without the status.

    hxm makes a backup before and after every change, and keeps the last 100, readable by root only:
    they hold the passwords of the fencing devices. An unchanged configuration is not kept twice in
    a row. --list shows the backups, with the changes before and after each.

    Example: `hxm backup /root/before-the-upgrade.xml`, or `hxm backup --list`.
    """
    config = read_config()
    store = Store(config, sandbox_file())
    if listing and file:
        raise UsageError("--list takes no file", "hxm backup --list")
    if file and "/" not in file and not file.endswith(".xml"):
        raise UsageError(
            f"backup takes a new file, and {file!r} may be a name or a command: hxm backup keeps"
            " the whole configuration, with its passwords",
            f"./{file} for a file of that name; hxm backup --list shows what is kept",
        )
    if listing:
        _list(store, config, form)
        return DONE
    configuration = read_configuration(timeout=config.ask_timeout).document
    try:
        if file:
            write_new(file, as_cib(configuration, read_header(config.ask_timeout)))
            number, path = None, file
        else:
            number, _, path = store.keep(configuration)
    except FileExistsError:
        raise Refused(f"{file} exists already", "choose another name, or remove it first") from None
    except OSError as error:
        raise Failed(f"cannot write {file or store.folder}: {error.strerror}") from None
    if form.output == "json":
        render.show_json({"number": number, "file": path})
    else:
        what = "the configuration, with its passwords" if file else f"backup {number}"
        render.out(f"{what}: {path}")
    return DONE


def _list(store: Store, config: Config, form: Form) -> None:
    after: dict[object, str] = {}
    before: dict[object, str] = {}
    backups = store.all()
    oldest = backups[0].number if backups else 0
    for change in islice(newest_changes(config, sandbox_file()), _MOST):
        outcome = f"{change.get('what')} ({change.get('who')})"
        before.setdefault(change["before"], outcome)
        if change.get("after") != change["before"]:
            after.setdefault(change.get("after"), outcome)
        if not backups or (change["before"] or oldest) < oldest:
            break
    if form.output == "json":
        rows = [
            {
                "number": backup.number,
                "at": iso_time(backup.at),
                "file": backup.path,
                "after": after.get(backup.number),
                "before": before.get(backup.number),
            }
            for backup in backups
        ]
        render.show_json({"backups": rows})
        return
    if not backups and form.usual:
        render.note("there is no backup yet; the first change makes two")
        return
    header, times = time_column([backup.at for backup in backups])
    table = [
        (str(backup.number), at, after.get(backup.number, "-"), before.get(backup.number, "-"))
        for at, backup in zip(times, backups, strict=True)
    ]
    render.show(Table(("No", header, "After", "Before"), table, frozenset({0, 1})), form)
