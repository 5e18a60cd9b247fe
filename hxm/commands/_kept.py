"""What the commands on backups share: which one is meant, and what a change was."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from hxm.backups import Backup, Store, read_file
from hxm.config import Config
from hxm.decide.difference import Difference, differences
from hxm.journal import journal_path, read_entries
from hxm.observe import sandbox_file
from hxm.pacemaker.facts import facts_in
from hxm.pacemaker.written import parse_backup


class Opened(NamedTuple):
    """A backup's document, and what to call it."""

    called: str
    document: bytes


def open_backup(config: Config, word: str) -> Opened:
    """The backup of that number, or in that file. Raises NotFound, or Refused if it is none."""
    if word.isascii() and word.isdigit():
        backup = Store(config, sandbox_file()).get(int(word))
        opened = Opened(f"backup {backup.number}", backup.read())
    else:
        opened = Opened(word, read_file(word))
    parse_backup(opened.document, opened.called)
    return opened


def compared(before: bytes, after: bytes) -> list[Difference]:
    """What two documents differ in."""
    return differences(*(facts_in(parse_backup(each, "it")) for each in (before, after)))


def changes_made(config: Config, sandbox: str | None) -> list[dict[str, Any]]:
    """The journal's changes with their backups, the oldest first.

    One that was begun and never ended has the outcome "begun".
    """
    found: list[dict[str, Any]] = []
    begun: dict[object, int] = {}
    for entry in read_entries(journal_path(config, sandbox)):
        whose = (entry.get("host"), entry.get("pid"))
        if "before" in entry and entry.get("outcome") == "begun":
            begun[whose] = len(found)
            found.append(entry)
        elif "before" in entry and whose in begun:
            found[begun.pop(whose)] = entry
    return found


def when(backup: Backup) -> str:
    """Its time, by this host's clock and zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(backup.at))
