"""What the reading commands share: who left an interim constraint behind, and when."""

from __future__ import annotations

import os
from typing import Any

from hxm.config import read_config
from hxm.model import Cluster


def origins(cluster: Cluster) -> dict[str, str]:
    """For each interim constraint what the journal knows of it; the CIB itself keeps no times.

    Nothing if the journal may not be read: that it does not name a constraint would mean nothing.
    """
    if not cluster.constraints:
        return {}
    from hxm.journal import journal_path, read_entries

    path = journal_path(read_config(), cluster.sandbox)
    if os.path.exists(path) and not os.access(path, os.R_OK):
        return {}
    known = dict.fromkeys((each.id for each in cluster.constraints), "not set by hxm on this host")
    begun: dict[tuple[object, object], dict[str, Any]] = {}
    for entry in read_entries(path):
        whose = (entry.get("host"), entry.get("pid"))
        if entry.get("outcome") == "begun":
            begun[whose] = entry
            continue
        begun.pop(whose, None)
        for name in known.keys() & _names(entry, "left"):
            known[name] = _told(entry)
        for name in known.keys() & _names(entry, "gone"):
            known[name] = "not set by hxm on this host"
    for entry in begun.values():  # killed before they could write down what they left
        if str(entry.get("what")).startswith("migrate "):
            for constraint in cluster.constraints:
                if constraint.resource in _names(entry, "subjects"):
                    known[constraint.id] = _told(entry)
    return known


def _names(entry: dict[str, Any], key: str) -> set[str]:
    found = entry.get(key)
    return {each for each in found if isinstance(each, str)} if isinstance(found, list) else set()


def _told(entry: dict[str, Any]) -> str:
    return f"by {entry.get('who')}, {_age(str(entry.get('at')))} ago: {entry.get('what')}"


def _age(at: str) -> str:
    from datetime import datetime

    try:
        seconds = int((datetime.now().astimezone() - datetime.fromisoformat(at)).total_seconds())
    except ValueError:
        return f"({at})"
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{max(seconds, 0)} s"
