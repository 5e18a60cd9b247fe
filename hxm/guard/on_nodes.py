"""Installs the guard on all nodes from a workstation: through ssh, by each node's own hxm."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from hxm.cluster.read import askable, read_cluster
from hxm.config import Config
from hxm.errors import DONE, CannotAsk, Failed
from hxm.host import programs
from hxm.output import Form, Table, render
from hxm.records import known_clusters
from hxm.toolstack.remote import ask_elsewhere

_SCRIPT = 'hxm guard "$@" 2>&1 </dev/null; echo "hxm: status $?"'
_NOT_FOUND = 127
_NO_HXM = "there is no hxm, which the guard needs: hxm-install(7)"


class _Answer(NamedTuple):
    lines: tuple[str, ...]
    status: int


def on_all_nodes(subcommand: str, config: Config, form: Form) -> int:
    """Let every node do it, and show what each says; returns the highest status.

    Raises Refused if the cluster may not be the one that is meant.
    """
    cluster = read_cluster(config, local=False)
    for objection in known_clusters.objections(cluster, config) if subcommand != "status" else ():
        raise objection.error()
    _, nodes, lost = askable(cluster._replace(local_node=None), config)
    as_json = form.output == "json"
    words = ("sh", "-c", _SCRIPT, "sh", subcommand, *(("-o", "json") if as_json else ()))
    silent = _silent(nodes) | {node: f"it is {why}" for node, why in lost.items()}
    asked = [node for node in nodes if node not in silent]
    replies = silent | ask_elsewhere(words, asked, config.ask_timeout, _parse)
    answers = {
        node: _Answer((reply,), CannotAsk.status) if isinstance(reply, str) else reply
        for node, reply in replies.items()
    }
    if as_json:
        render.show_json({"nodes": {node: _document(answer) for node, answer in answers.items()}})
    elif form.usual:
        for node, answer in answers.items():
            for line in answer.lines:
                render.out(f"{node}: {line}")
    else:
        rows = [(node, line) for node, answer in answers.items() for line in answer.lines]
        render.show(Table(("Node", "Guard"), rows), form)
    return max((answer.status for answer in answers.values()), default=DONE)


def _silent(nodes: Sequence[str]) -> dict[str, str]:
    """Those of the nodes that have just been asked for the cluster in vain, and why."""
    there = programs.elsewhere()
    return {node: why for node in nodes if there and (why := there.silence(node))}


def _parse(printed: bytes) -> _Answer:
    text, mark, status = printed.decode("utf-8", "replace").rpartition("hxm: status ")
    if not mark or not status.strip().isdecimal():
        raise CannotAsk("its answer has no end")
    if int(status) == _NOT_FOUND:
        return _Answer((_NO_HXM,), Failed.status)
    return _Answer((*text.splitlines(),), int(status))


def _document(answer: _Answer) -> Any:
    text = "\n".join(answer.lines)
    try:
        return json.loads(text)
    except ValueError:
        return {"error": text}
