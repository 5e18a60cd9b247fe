"""Remembers the clusters that are reached through ssh: an address may lead to another one later."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from hxm.config import Config
from hxm.host.safe_files import MIB, read_whole, replace
from hxm.model import Cluster
from hxm.plan import Objection
from hxm.policy import listed
from hxm.policy.guards import FORCE

_NODE = re.compile(rb"<node\b[^>]*>")
_ID, _NAME = (re.compile(rb'\s%s="([^"]*)"' % key) for key in (b"id", b"uname"))


def objections(cluster: Cluster, config: Config) -> Iterator[Objection]:
    """Why the cluster may not be the one that `--on` has led to before; of the first time nothing.

    The name of the cluster and the ids of its nodes are compared, and the node that answers must be
    one of them.
    """
    if not config.on or cluster.sandbox:
        return
    if not cluster.local_node:
        yield Objection(
            f"the node that answers for {config.on} is not a member of its cluster",
            "correct the nodes in /etc/hxm.toml, or use --force",
            lifted_by=FORCE,
        )
    before = _read(config)
    name, ids = before.get("name"), before.get("ids", {})
    now = _ids(cluster.written)
    changed = [node for node, number in now.items() if ids.get(node, number) != number]
    reasons = []
    if name and cluster.name and name != cluster.name:
        reasons.append(f"it is called {cluster.name} and was {name}")
    if changed:
        reasons.append(f"another id has {listed(changed)}")
    if ids and not ids.keys() & now.keys():
        reasons.append("none of its nodes is known")
    if reasons:
        yield Objection(
            f"{config.on} leads to another cluster than before: {'; '.join(reasons)}",
            "if it was made anew: --force",
            lifted_by=FORCE,
        )


def remember(cluster: Cluster, config: Config) -> None:
    """Keep what the cluster is called, and its nodes; what cannot be written is not kept."""
    if not config.on or cluster.sandbox:
        return
    seen = {"name": cluster.name, "ids": _ids(cluster.written)}
    if seen == _read(config):
        return
    with suppress(OSError):
        replace(_path(config), json.dumps(seen).encode())


def _path(config: Config) -> str:
    return os.path.join(os.path.dirname(config.journal), "seen.json")


def _read(config: Config) -> dict[str, Any]:
    try:
        seen = json.loads(read_whole(_path(config), MIB))
    except (OSError, ValueError):
        return {}
    return seen if isinstance(seen, dict) and isinstance(seen.get("ids"), dict) else {}


def _ids(configuration: bytes) -> dict[str, str]:
    """The id of each node in the configuration."""
    ids = {}
    for node in _NODE.findall(configuration.partition(b"<resources")[0]):
        number, name = _ID.search(node), _NAME.search(node)
        if number and name:
            ids[name[1].decode("utf-8", "replace")] = number[1].decode("utf-8", "replace")
    return ids
