"""Finds in the journal who set a leftover, and when."""

from __future__ import annotations

import os
from typing import Any

from hxm.config import Config
from hxm.model import Cluster
from hxm.policy import IN_PASSING

UNKNOWN = "not set by hxm on this host"


def origins(cluster: Cluster, config: Config) -> dict[str, str]:
    """Who set each interim constraint and each `RESOURCE:OPTION` of a domU, from the journal.

    The CIB itself has no times. Empty if this user may not read the journal: an entry that is
    missing would prove nothing.
    """
    wanted = [constraint.id for constraint in cluster.constraints]
    options = [
        (domain.resource, option)
        for domain in cluster.managed_domains
        for option in cluster.primitives[domain.resource].own_meta
        if option in IN_PASSING
    ]
    if not wanted and not options:
        return {}
    from hxm.records.journal import journal_path, read_orders

    path = journal_path(config, cluster.sandbox)
    if os.path.exists(path) and not os.access(path, os.R_OK):
        return {}
    known = dict.fromkeys((*wanted, *map(":".join, options)), UNKNOWN)
    orders = read_orders(path)
    for entry in (ended for _, ended in orders if ended):
        for name in known.keys() & _names(entry, "left"):
            known[name] = _described(entry)
        for name in known.keys() & _names(entry, "gone"):
            known[name] = UNKNOWN
        for resource, option in options:
            for command in _texts(entry, "commands"):
                if (change := _change(command, resource, option)) is not None:
                    known[f"{resource}:{option}"] = _described(entry) if change else UNKNOWN
    for entry in (begun for begun, ended in orders if not ended):  # killed before the outcome
        if str(entry.get("what")).startswith("migrate "):
            for constraint in cluster.constraints:
                if constraint.resource in _names(entry, "subjects"):
                    known[constraint.id] = _described(entry)
    return known


def _change(command: str, resource: str, option: str) -> bool | None:
    """True if a command line sets the option of the resource, False if it removes it, else None."""
    words = command.split()
    settings = [word.rpartition("=")[2].replace("_", "-") for word in words]
    if resource.replace("_", "-") not in settings or option not in settings:
        return None
    return not any(word == "-d" or word.startswith("--delete") for word in words)


def _names(entry: dict[str, Any], key: str) -> set[str]:
    return set(_texts(entry, key))


def _texts(entry: dict[str, Any], key: str) -> list[str]:
    texts = entry.get(key)
    return [text for text in texts if isinstance(text, str)] if isinstance(texts, list) else []


def _described(entry: dict[str, Any]) -> str:
    why = f"; why: {entry['why']}" if entry.get("why") else ""
    return f"by {entry.get('who')}, {_age(str(entry.get('at')))} ago: {entry.get('what')}{why}"


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
