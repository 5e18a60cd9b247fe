"""What the commands on backups share: which one is meant, and what a change was."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from hxm.backups import Store, read_file
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


def compared(before: bytes, after: bytes, private: Collection[str]) -> list[Difference]:
    """What two documents differ in; the values of `private` parameters are never shown."""
    return differences(*(facts_in(parse_backup(each, "it"), private) for each in (before, after)))


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


def when(at: float) -> str:
    """A time by this host's clock and zone, for programs."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(at))


def dated(times: Sequence[float]) -> tuple[str, list[str]]:
    """A header and cells for times: the zone stands in the header, unless it changes."""
    here = [time.localtime(each) for each in times]
    zones = {each.tm_zone for each in here}
    form = "%Y-%m-%d %H:%M:%S" + " %Z" * (len(zones) > 1)
    header = f"Time ({zones.pop()})" if len(zones) == 1 else "Time"
    return header, [time.strftime(form, each) for each in here]
