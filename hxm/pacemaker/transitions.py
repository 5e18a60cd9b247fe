"""What Pacemaker has written down of the past: its saved transitions, and who was fenced.

The input of every transition is saved by the node that was DC, and is a whole CIB with its status:
in each node's history the newest action of every kind, and how the nodes were.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from hxm.errors import CannotAsk
from hxm.host import files, programs, safe_files
from hxm.pacemaker.dialect import FENCING_HISTORY
from hxm.policy import is_true
from hxm.policy.past.events import Done, Fenced, Look, Pieces
from hxm.xml_reading import XmlError, parse_xml

FOLDERS = (
    "/var/lib/pacemaker/pengine",
    "/var/lib/pengine",
    "/var/lib/heartbeat/pengine",
)
"""Where transitions are saved: since 1.1.8, since 1.0, and before."""
_AT_ONCE = 50
"""Transitions that are asked for at once where ssh leads to the node."""
_USUAL = 256 << 10
"""Bytes that come with that, of each; compressed."""
_MOST = 500
_MOST_BYTES = 256 * safe_files.MIB
"""What is read at most of all transitions together; uncompressed."""
_LARGEST = 64 * safe_files.MIB
"""What one of them may have; uncompressed. The memory that is needed is several times as much."""
_LONGEST = 20
"""Seconds that reading them may take; the work depends on what they hold, not on their size."""
_DOMUS = ("Xen", "VirtualDomain")


def read_transitions(folder: str, since: float) -> tuple[Pieces, float | None]:
    """What the saved transitions since then tell, the newest first as far as it goes.

    The second is how far back that was if not all could be read: to the newest if none was. One
    that is damaged, or too large, is left out.
    """
    saved = sorted(((at, path) for at, path in _files(folder) if at >= since), reverse=True)
    done: set[Done] = set()
    looks: list[Look] = []
    size, end = 0, time.monotonic() + _LONGEST
    reached: float | None = None
    for number, (at, path) in enumerate(saved):
        enough = number == _MOST or size > _MOST_BYTES or time.monotonic() > end
        if enough and number:
            return _pieces(done, looks), reached or saved[0][0]
        if number % _AT_ONCE == 0:
            files.bring([path for _, path in saved[number : number + _AT_ONCE]], _USUAL)
        try:
            document = _content(path)
            size += len(document)
            root = parse_xml(document)
        except (OSError, EOFError, ValueError):
            continue
        else:
            look, actions = parse_status(root, at)
            looks.append(look)
            done |= actions
            reached = at
    return _pieces(done, looks), None


def _pieces(done: set[Done], looks: list[Look]) -> Pieces:
    return Pieces(frozenset(done)).joined(Pieces(looks=tuple(looks)))


def _files(folder: str) -> Iterator[tuple[float, str]]:
    try:
        names = files.names_in(folder)
    except OSError:
        return
    paths = [
        os.path.join(folder, name)
        for name in names
        if name.startswith("pe-") and name.endswith((".bz2", ".xml", ".gz"))
    ]
    files.bring(paths, 0)
    for path in paths:
        try:
            yield files.stat(path).st_mtime, path
        except OSError:  # overwritten by a newer one
            continue


def _content(path: str) -> bytes:
    """The document in a file. Raises OSError, EOFError or ValueError for a damaged one."""
    packed = files.read_whole(path, _LARGEST)
    if path.endswith(".bz2"):
        import bz2

        unpacker = bz2.BZ2Decompressor()
        document = unpacker.decompress(packed, _LARGEST)
    elif path.endswith(".gz"):
        import gzip
        import io

        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
            document = file.read(_LARGEST)
    else:
        return packed
    if len(document) == _LARGEST:
        raise ValueError("too large for a transition of a cluster")
    return document


def parse_status(root: Element, at: float) -> tuple[Look, set[Done]]:
    """How the nodes are in a CIB, and what they did; `at` is when it was saved."""
    at = float(_number(root.get("execution-date", ""), 0)) or at
    names = {
        node.get("id", ""): node.get("uname", "")
        for node in root.iterfind("configuration/nodes/node")
    }
    attributes = {
        node.get("uname", ""): _pairs(node) for node in root.iterfind("configuration/nodes/node")
    }
    everywhere = _pairs(root.find("configuration/crm_config"))
    nodes: dict[str, tuple[str, ...]] = {}
    for state in root.iterfind("status/node_state"):
        name = state.get("uname") or names.get(state.get("id", ""), "")
        set_here = attributes.get(name, {}) | _pairs(state.find("transient_attributes"))
        words = [
            ("online" if _online(state) else ""),
            ("unclean" if not _online(state) and state.get("expected") == "member" else ""),
            *(
                word if is_true(set_here.get(word, "")) else ""
                for word in ("standby", "maintenance")
            ),
        ]
        nodes[name] = tuple(dict.fromkeys(filter(None, words)))
    asleep = is_true(everywhere.get("maintenance-mode", ""))
    version = tuple(
        _number(root.get(name, ""), 0) for name in ("admin_epoch", "epoch", "num_updates")
    )
    quorum = is_true(root.get("have-quorum") or root.get("have_quorum") or "1")
    dc = names.get(root.get("dc-uuid") or root.get("dc_uuid") or "", "")
    look = Look(at, nodes, dc, quorum, asleep, version)
    return look, set(_actions(root, names))


_NUMBER = re.compile("-?[0-9]{1,15}")


def _number(text: str, otherwise: int) -> int:
    return int(text) if _NUMBER.fullmatch(text) else otherwise


def _pairs(element: Element | None) -> dict[str, str]:
    pairs = () if element is None else element.iter("nvpair")
    return {pair.get("name", ""): pair.get("value", "") for pair in pairs}


def _online(state: Element) -> bool:
    """Of a node's membership the CIB says yes, or since when (2.1.7 and newer)."""
    member = state.get("in_ccm") or "false"
    joined = state.get("join", "member") == "member"
    peer = state.get("crmd") or "offline"
    up = peer == "online" or (peer.isdigit() and peer != "0")
    return joined and up and (is_true(member) or (member.isdigit() and member != "0"))


def _actions(root: Element, names: Mapping[str, str]) -> Iterator[Done]:
    for state in root.iterfind("status/node_state"):
        node = state.get("uname") or names.get(state.get("id", ""), "")
        for resource in state.iter("lrm_resource"):
            for operation in resource.iter("lrm_rsc_op"):
                if action := _action(operation, node, resource.get("id", "").split(":")[0]):
                    yield action._replace(domu=resource.get("type") in _DOMUS)


def _action(operation: Element, node: str, resource: str) -> Done | None:
    """Heartbeat's attributes have underscores, and its actions no times."""

    def said(name: str) -> str:
        return operation.get(name) or operation.get(name.replace("-", "_")) or ""

    def number(name: str, otherwise: int) -> int:
        return _number(said(name), otherwise)

    at = number("last-rc-change", 0)
    if not at or number("op-status", 0) < 0 or number("call-id", -1) < 0:
        return None  # under way, or nobody knows when
    timed_out = number("op-status", 0) == 2
    return Done(
        at=float(at),
        node=said("on_node") or node,
        resource=resource,
        task=said("operation"),
        call=number("call-id", -1),
        rc=number("rc-code", 0) or int(timed_out),
        seconds=number("exec-time", 0) / 1000,
        recurring=said("interval") not in ("", "0"),
        source=said("migrate_source"),
        target=said("migrate_target"),
        why=said("exit-reason") or ("timed out" if timed_out else ""),
        transition=_number(":".join(said("transition-key").split(":")[1:2]), -1),
    )


def read_fencing(timeout: float) -> tuple[frozenset[Fenced], str]:
    """The fencing that the cluster remembers, or none and why it is not known."""
    try:
        root = parse_xml(programs.output(FENCING_HISTORY, timeout=timeout).stdout)
    except CannotAsk as error:
        return frozenset(), error.message
    except XmlError:
        return frozenset(), "this Pacemaker keeps no record of it"
    return frozenset(parse_fencing(root)), ""


def parse_fencing(root: Element) -> Iterator[Fenced]:
    """What `stonith_admin --history` prints as XML (2.0.4 and newer)."""
    from datetime import datetime

    for fence_event in root.iter("fence_event"):
        try:
            at = datetime.fromisoformat(fence_event.get("completed", "")).timestamp()
        except (ValueError, OverflowError):
            continue  # under way
        yield Fenced(
            at,
            fence_event.get("target", "?"),
            fence_event.get("action", ""),
            fence_event.get("status", "?"),
            _whose(fence_event.get("client", "")),
            fence_event.get("delegate", ""),
        )


def _whose(client: str) -> str:
    """pacemaker-controld.20 is the cluster itself; crmd was its name up to 1.1."""
    program = client.partition(".")[0]
    return "the cluster" if program in ("pacemaker-controld", "crmd") else program
