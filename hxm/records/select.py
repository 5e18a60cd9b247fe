"""What the commands on backups share: which one is meant, and what a change was."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from hxm.cluster.read import sandbox_file
from hxm.config import Config
from hxm.errors import NotFound
from hxm.pacemaker.cib_document import parse_backup
from hxm.pacemaker.cib_flatten import facts_in
from hxm.policy.diff import Difference, differences
from hxm.policy.names import shown
from hxm.records.backups import Store, read_file
from hxm.records.journal import journal_path, read_orders

_MOST_DIGITS = 18


class Opened(NamedTuple):
    """A backup's document, and what to call it."""

    called: str
    document: bytes


def open_backup(config: Config, word: str) -> Opened:
    """The backup of that number, or in that file. Raises NotFound, or Refused if it is none."""
    if word.isascii() and word.isdigit():
        if len(word) > _MOST_DIGITS:
            raise NotFound(f"there is no backup {shown(word)}", "hxm backup --list")
        backup = Store(config, sandbox_file()).get(int(word))
        opened = Opened(f"backup {backup.number}", backup.read())
    else:
        opened = Opened(word, read_file(word))
    parse_backup(opened.document, opened.called)
    return opened


def compare(before: bytes, after: bytes, private: Collection[str]) -> list[Difference]:
    """What two documents differ in; the values of `private` parameters are never shown."""
    return differences(
        *(facts_in(parse_backup(document, "it"), private) for document in (before, after))
    )


def changes_made(config: Config, sandbox: str | None) -> list[dict[str, Any]]:
    """The journal's changes with their backups, the oldest first.

    One that was begun and never ended has the outcome "begun".
    """
    orders = read_orders(journal_path(config, sandbox))
    made = [ended or begun for begun, ended in orders if "before" in begun and ended is not begun]
    return [
        change
        for change in made
        if all(map(_is_number, (change.get("before"), change.get("after"))))
    ]


def _is_number(value: object) -> bool:
    return value is None or isinstance(value, int)


def iso_time(at: float) -> str:
    """A time by this host's clock and zone, for programs."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(at))


def time_column(times: Sequence[float]) -> tuple[str, list[str]]:
    """A header and cells for times: the zone stands in the header, unless it changes.

    On a terminal the date is left out where it is today's.
    """
    local_times = [time.localtime(at) for at in times]
    today = time.strftime("%Y-%m-%d ") if sys.stdout.isatty() else "none"
    zones = {local_time.tm_zone for local_time in local_times}
    form = "%Y-%m-%d %H:%M:%S" + " %Z" * (len(zones) > 1)
    header = f"Time ({zones.pop()})" if len(zones) == 1 else "Time"
    return header, [
        time.strftime(form, local_time).removeprefix(today) for local_time in local_times
    ]
