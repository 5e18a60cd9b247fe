"""Finds in the journal who set a leftover, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hxm.config import Config
from hxm.host.safe_files import open_own
from hxm.model import Cluster
from hxm.policy import IN_PASSING, duration, is_true

Entry = dict[str, Any]
UNKNOWN = "not set by hxm on this host"


MOST = 5000
"""Orders that are read, the newest of the journal: every `hxm list` reads them."""


def origins(cluster: Cluster, config: Config) -> dict[str, str]:
    """Who set each interim constraint, and what was set in passing, from the journal.

    The latter is called `RESOURCE:OPTION`, `node NODE:OPTION` or `cluster:maintenance`. The CIB
    itself has no times. Empty if this user may not read the journal: an entry that is missing
    would prove nothing.
    """
    options = {
        (domain.resource.replace("_", "-"), option): f"{domain.resource}:{option}"
        for domain in cluster.managed_domains
        for option in cluster.primitives[domain.resource].own_meta
        if option in IN_PASSING
    } | _of_nodes(cluster)
    constraints = {constraint.id: constraint.resource for constraint in cluster.constraints}
    if not constraints and not options:
        return {}
    from hxm.records.journal import journal_path, orders_backwards

    path = journal_path(config, cluster.sandbox)
    try:
        open_own(path).close()
    except FileNotFoundError:
        pass
    except OSError:
        return {}
    wanted = {*constraints, *options.values()}
    known: dict[str, str] = {}
    unknown = UNKNOWN
    for number, (begun, ended) in enumerate(orders_backwards(path), 1):
        changes = {} if _seen_to_its_end(ended) else _may_have_left(begun, constraints)
        changes |= _changes(ended, options) if ended else {}
        for name in changes.keys() & (wanted - known.keys()):
            known[name] = _described(ended or begun) if changes[name] else UNKNOWN
        if len(known) == len(wanted):
            break
        if number == MOST:
            unknown = f"{UNKNOWN} since {begun.get('at')}"
            break
    return dict.fromkeys(wanted, unknown) | known


def _of_nodes(cluster: Cluster) -> dict[tuple[str, str], str]:
    """The standby and maintenance that stand now, by the words of the commands that set them."""
    standing = {
        (node.name.replace("_", "-"), option): f"node {node.name}:{option}"
        for node in cluster.nodes
        for option in ("standby", "maintenance")
        if getattr(node, option)
        or is_true(cluster.node_attributes.get(node.name, {}).get(option, ""))
    }
    if cluster.maintenance:
        standing |= dict.fromkeys((("", "maintenance-mode"), ("", "is-managed-default")), _WHOLE)
    return standing


_WHOLE = "cluster:maintenance"


def _changes(ended: Entry, options: Mapping[tuple[str, str], str]) -> dict[str, bool]:
    """What an order did: True for what it left, False for what it removed."""
    changes = dict.fromkeys(_texts(ended, "left"), True) | dict.fromkeys(
        _texts(ended, "gone"), False
    )
    subjects = {subject for subject, _ in options}
    wanted = {option for _, option in options}
    for command in _texts(ended, "commands"):
        words = command.split()
        settings = {word.rpartition("=")[2].replace("_", "-") for word in words}
        settings |= {"standby"} if "crm-standby" in settings else set()
        settings.add("")  # the whole cluster, whose options no node and no resource has
        removed = any(word == "-d" or word.startswith("--delete") for word in words)
        for option in settings & wanted:
            for subject in settings & subjects:
                if name := options.get((subject, option)):
                    changes[name] = not removed
    return changes


def _seen_to_its_end(ended: Entry | None) -> bool:
    """Whether somebody looked what the order left; not if it was killed, or lost the cluster."""
    return ended is not None and isinstance(ended.get("left", []), list)


def _may_have_left(begun: Entry, constraints: Mapping[str, str | None]) -> dict[str, bool]:
    """The constraints of the domUs that such a migration was about."""
    if not str(begun.get("what")).startswith("migrate "):
        return {}
    subjects = _texts(begun, "subjects")
    return {name: True for name, resource in constraints.items() if resource in subjects}


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
    return duration(seconds)
