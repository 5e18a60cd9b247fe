"""Opens backups, compares configurations, and lists the changes between backups."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from hxm.cluster.read import sandbox_file
from hxm.config import Config
from hxm.errors import NotFound
from hxm.pacemaker.cib_document import parse_backup
from hxm.pacemaker.cib_flatten import facts_in
from hxm.policy.diff import Difference, differences
from hxm.policy.names import shown
from hxm.records.backups import Store, read_file
from hxm.records.journal import journal_path, orders_backwards

_MOST_DIGITS = 18


class Opened(NamedTuple):
    """A backup's document, and its name for messages."""

    called: str
    document: bytes


def open_backup(config: Config, word: str) -> Opened:
    """The backup with this number or in this file. Raises NotFound, or Refused if it is invalid."""
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
    """The differences of two documents; never shows the values of `private` parameters."""
    return differences(
        *(facts_in(parse_backup(document, "it"), private) for document in (before, after))
    )


def newest_changes(config: Config, sandbox: str | None) -> Iterator[dict[str, Any]]:
    """The journal's changes with their backups, the newest first; reads only as far as needed.

    A change that never ended has the outcome "begun".
    """
    for begun, ended in orders_backwards(journal_path(config, sandbox)):
        change = ended or begun
        numbers = (change.get("before"), change.get("after"))
        if "before" in begun and ended is not begun and all(map(_is_number, numbers)):
            yield change


def _is_number(value: object) -> bool:
    return value is None or isinstance(value, int)
