"""The journal: who ordered what, when, from where and why, and what came of it; JSON lines."""

from __future__ import annotations

import json
import os
import pwd
import time
from collections.abc import Iterator
from typing import Any

from hxm.config import Config
from hxm.files import append_line, lines_of_all

Entry = dict[str, Any]


def journal_path(config: Config, sandbox: str | None) -> str:
    """The journal of this host, or the one beside the sandbox's file."""
    if sandbox:
        return os.path.join(os.path.dirname(os.path.realpath(sandbox)), "journal")
    return config.journal


def write_entry(path: str, entry: Entry) -> str:
    """Append one line, readable by its owner alone; says what went wrong instead of raising.

    A journal that cannot be written must not keep anybody from moving a domU off a dying host.
    """
    line = json.dumps({"at": time.strftime("%Y-%m-%dT%H:%M:%S%z"), **_who(), **entry})
    try:
        append_line(path, line.encode())
    except OSError as error:
        return f"not written to the journal {path}: {error.strerror}"
    return ""


def read_entries(path: str, since: float = 0.0) -> Iterator[Entry]:
    """The entries, oldest first, also those that logrotate(8) has put aside.

    A line cut off by a crash is left out, and so is a file that was complete before `since`.
    """
    for line in lines_of_all(path, since):
        try:
            entry = json.loads(line.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict):
            yield entry


def read_orders(path: str, since: float = 0.0) -> list[tuple[Entry, Entry | None]]:
    """Each order as it was begun, and as it ended, if it did; in the order of their beginnings.

    An end whose beginning is missing stands for both: another order's process may have had its pid.
    """
    orders: list[tuple[Entry, Entry | None]] = []
    begun: dict[tuple[str, str, str], int] = {}
    for entry in read_entries(path, since):
        host, pid, what = (str(entry.get(key)) for key in ("host", "pid", "what"))
        if entry.get("outcome") == "begun":
            begun[host, pid, what] = len(orders)
            orders.append((entry, None))
        elif (number := begun.pop((host, pid, what), None)) is not None:
            orders[number] = (orders[number][0], entry)
        else:
            orders.append((entry, entry))
    return orders


def user() -> str:
    """Who sits in front of the keyboard, also behind sudo."""
    try:
        return os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _who() -> Entry:
    client = os.environ.get("SSH_CLIENT", "").split(" ")[0]
    return {"who": user(), "host": os.uname().nodename, "from": client or None, "pid": os.getpid()}
