"""The journal: who ordered what, when, from where and why, and what came of it; JSON lines."""

from __future__ import annotations

import json
import os
import pwd
import time
from collections.abc import Iterator
from typing import Any

from hxm.config import Config
from hxm.host.safe_files import append_line
from hxm.records.rotated_logs import lines_backwards

Entry = dict[str, Any]
_MANY = 1000


def journal_path(config: Config, sandbox: str | None) -> str:
    """The journal of this host, or the one next to the sandbox's file."""
    if sandbox:
        return os.path.join(os.path.dirname(os.path.realpath(sandbox)), "journal")
    return config.journal


def write_entry(path: str, entry: Entry) -> str:
    """Append one line, readable by its owner alone; says what went wrong instead of raising.

    A journal that cannot be written must not keep anybody from moving a domU off a dying host.
    """
    now = time.time()
    local = time.localtime(now)
    at = f"{time.strftime('%Y-%m-%dT%H:%M:%S', local)}.{int(now % 1 * 1000):03d}"
    at += time.strftime("%z", local)
    line = json.dumps({"at": at, **_who(), **entry})
    try:
        append_line(path, line.encode())
    except OSError as error:
        return f"not written to the journal {path}: {error.strerror}"
    return ""


def _entry_in(line: bytes) -> Entry | None:
    """The entry in a line of the journal; None if a crash cut it off, or it is no entry."""
    try:
        entry = json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def time_of(entry: Entry) -> float | None:
    """When it was written, in seconds since the epoch; None if it has no valid time."""
    from datetime import datetime

    try:
        return datetime.fromisoformat(str(entry.get("at"))).timestamp()
    except (ValueError, OverflowError):
        return None


def orders_backwards(path: str, since: float = 0.0) -> Iterator[tuple[Entry, Entry | None]]:
    """Each order as it was begun, and as it ended, if it did; the newest beginning first.

    Reads as far back as `since`, or as somebody asks. An end whose beginning is missing stands for
    both, and comes last: another order's process may have had its pid.
    """
    ends: dict[tuple[str, str, str], Entry] = {}
    for entry in _entries_backwards(path, since):
        if "before" not in entry:  # done at once: it has no beginning of its own
            yield entry, entry
            continue
        host, pid, what = (str(entry.get(key)) for key in ("host", "pid", "what"))
        end = ends.pop((host, pid, what), None)
        if entry.get("outcome") == "begun":
            yield entry, end
            continue
        if end:
            yield end, end
        ends[host, pid, what] = entry
    yield from ((end, end) for end in ends.values())


def _entries_backwards(path: str, since: float) -> Iterator[Entry]:
    """Ends where many lines in a row are older, or no entries.

    A few are read past: orders overlap, and a clock may have been wrong.
    """
    older = 0
    for line in lines_backwards(path, since):
        entry = _entry_in(line)
        at = time_of(entry) if entry and since else None
        older = older + 1 if entry is None or (at is not None and at < since) else 0
        if older > _MANY:
            return
        if entry:
            yield entry


def user() -> str:
    """The user who typed the command, also through sudo."""
    try:
        return os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _who() -> Entry:
    client = os.environ.get("SSH_CLIENT", "").split(" ")[0]
    return {"who": user(), "host": os.uname().nodename, "from": client or None, "pid": os.getpid()}
