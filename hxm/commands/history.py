"""hxm history: what happened."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from hxm.cluster.read import askable, read_cluster, sandbox_file
from hxm.config import Config, read_config
from hxm.errors import DONE, CannotAsk, NotFound
from hxm.model import Cluster
from hxm.output import TABLE, Form, Table, as_json, render
from hxm.pacemaker.cib import read_configuration
from hxm.pacemaker.transitions import FOLDERS, parse_status, read_fencing, read_transitions
from hxm.policy.names import find_domains
from hxm.policy.timeline import (
    PAST_THE_GUARD,
    Done,
    Event,
    Fenced,
    Look,
    Ordered,
    Pieces,
    as_written,
    history,
)
from hxm.records.journal import journal_path, orders_backwards, time_of
from hxm.records.select import iso_time, time_column
from hxm.records.since import parse_since
from hxm.toolstack.remote import ask_elsewhere

if TYPE_CHECKING:
    from hxm.arguments.backups import Asked, OwnPieces, Since
    from hxm.arguments.options import MaybeSubject

_MOST = 50_000
"""Orders of the journal that are shown at most."""


def run(
    subject: MaybeSubject = None,
    since: Since = "",
    everywhere: Asked = False,
    pieces: OwnPieces = False,
    form: Form = TABLE,
) -> int:
    """Show what happened to domUs and nodes: starts, moves, failures, fencing, standby, orders.

    Sources: the nodes' operation histories in the CIB, the transitions that Pacemaker saved, the
    cluster's fencing history, and hxm's journal, which says who ordered it and why. Transitions lie
    on the node that was DC at the time, the journal on the host where hxm was typed: --everywhere
    asks all nodes. The default is the last day. A change that shows only between two saved states,
    such as standby, has the time of the second one. Of two actions of one kind between two saved
    states, only the second is known.

    Example: `hxm history nfs`, or `hxm history --since 3d --everywhere`.
    """
    config = read_config()
    start = parse_since(since or "1d", time.time())
    notes: list[str] = []
    known = _known_here(config, start, notes)
    if pieces:
        render.show_json(_as_json(known))
        return DONE
    cluster = _cluster(config, notes)
    if cluster and (everywhere or config.ask_nodes):
        known = _joined(known, cluster, config, start, notes)
    elif cluster and not cluster.sandbox and len(cluster.hosts) > 1:
        notes.append("this is what this host knows; to ask the other nodes as well: --everywhere")
    events = [event for event in history(known) if event.at >= start]
    if subject:
        name = _subject_id(cluster, subject, known)
        events = [event for event in events if event.concerns(name)]
    _show(events, cluster, notes, form)
    return DONE


def _known_here(config: Config, since: float, notes: list[str]) -> Pieces:
    """The events that this host knows; adds a note for what cannot be read."""
    sandbox = sandbox_file()
    known = Pieces(ordered=frozenset(_orders(config, sandbox, since, notes)))
    folders = FOLDERS if config.transitions == "auto" else (config.transitions,)
    for folder in folders if not sandbox or config.transitions != "auto" else ():
        saved, cut = read_transitions(folder, since)
        known = known.joined(saved)
        if cut:
            notes.append(f"in {folder}, only transitions since {iso_time(cut)} were read")
    try:
        cib = read_configuration(timeout=config.ask_timeout, whole=True).cib
        if cib is not None:
            look, done = parse_status(cib, time.time())
            known = known.joined(Pieces(frozenset(done), (look,)))
    except CannotAsk as error:
        notes.append(_unasked(error))
    if not sandbox:
        fenced, why = read_fencing(config.ask_timeout)
        known = known.joined(Pieces(fenced=fenced))
        if why:
            notes.append(f"the fencing history is unknown: {why}")
    return known


def _orders(
    config: Config, sandbox: str | None, since: float, notes: list[str]
) -> Iterator[Ordered]:
    """The journal's orders, begun and ended; skips a line without a valid time."""
    orders = orders_backwards(journal_path(config, sandbox), since)
    for number, (begun, ended) in enumerate(orders):
        if number == _MOST:
            notes.append(f"of the journal, only orders since {begun.get('at')} were read")
            return
        at, end = time_of(begun), time_of(ended or begun)
        if at is None or end is None or not begun.get("what"):
            continue
        order = _begun(begun, at)._replace(number=_MOST - number)
        if begun.get("outcome") == PAST_THE_GUARD:
            order = order._replace(outcome=PAST_THE_GUARD)
        elif ended and ended is not begun:
            status, outcome = ended.get("status"), str(ended.get("outcome"))
            known = status if isinstance(status, int) else None
            order = order._replace(ended=end, status=known, outcome=outcome)
        yield order


def _begun(entry: dict[str, Any], at: float) -> Ordered:
    who, host, verb, what = (str(entry.get(key) or "") for key in ("who", "host", "verb", "what"))
    subjects = entry.get("subjects")
    named = tuple(map(str, subjects)) if isinstance(subjects, list) else ()
    return Ordered(at, None, who, host, verb, what, str(entry.get("why") or ""), named, None, "")


def _cluster(config: Config, notes: list[str]) -> Cluster | None:
    try:
        return read_cluster(config, local=False)
    except CannotAsk as error:
        if not notes:
            notes.append(_unasked(error))
        return None


def _unasked(error: CannotAsk) -> str:
    """The note for a cluster that does not answer."""
    why = "; ".join(filter(None, (error.message, error.hint)))
    return f"only saved events are known: {why}"


def _joined(
    known: Pieces, cluster: Cluster, config: Config, since: float, notes: list[str]
) -> Pieces:
    """With the events of the other nodes; adds a note for a node that does not answer."""
    _, nodes, lost = askable(cluster, config)
    words = ("hxm", "history", "--pieces", "--since", iso_time(since))
    answers = ask_elsewhere(words, nodes, config.ssh_timeout, _parse_pieces)
    for node, answer in answers.items():
        if isinstance(answer, str):
            lost[node] = answer
        else:
            known = known.joined(answer)
    notes += [f"events from {node} are missing: {why}" for node, why in lost.items()]
    return known


def _as_json(pieces: Pieces) -> dict[str, Any]:
    return {
        "done": sorted(pieces.done),
        "looks": pieces.looks,
        "fenced": sorted(pieces.fenced),
        "ordered": as_written(pieces.ordered),
    }


def _parse_pieces(document: bytes) -> Pieces:
    """What another host's hxm printed. Raises CannotAsk if it is not of this version."""
    try:
        answer = json.loads(document)
        return Pieces(
            frozenset(_like(Done, _DONE, row) for row in answer["done"]),
            tuple(map(_look, answer["looks"])),
            frozenset(_like(Fenced, _FENCED, row) for row in answer["fenced"]),
            frozenset(_like(Ordered, _ORDERED, row) for row in answer["ordered"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise CannotAsk("its hxm is missing, or of another version") from None


_DONE = Done(0.0, "", "", "", 0, 0, 0.0)
_FENCED = Fenced(0.0, "", "", "", "")
_ORDERED = Ordered(0.0, 0.0, "", "", "", "", "", (), 0, "")
_UNKNOWN = ("ended", "status")
"""What of an order may be missing."""
_LAST = 1e11
"""The latest time, in seconds since the epoch: after it localtime(3) may know none."""
Piece = TypeVar("Piece", Done, Fenced, Ordered)


def _like(kind: type[Piece], pattern: Piece, row: list[Any]) -> Piece:
    """A piece with the types of the pattern. Raises ValueError or TypeError for anything else."""
    piece = kind(*map(_hashable, row))
    for name, wanted in pattern._asdict().items():
        value = getattr(piece, name)
        if not (value is None and name in _UNKNOWN) and not _fits(value, wanted):
            raise ValueError(name)
    return piece


def _fits(value: Any, wanted: Any) -> bool:
    """Whether a value is of the same type; numbers are no larger than times are."""
    if isinstance(wanted, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(wanted, bool)
    if isinstance(wanted, int | float):
        whole = isinstance(value, int) or (isinstance(value, float) and isinstance(wanted, float))
        return whole and abs(value) < _LAST
    if isinstance(wanted, tuple):
        return isinstance(value, tuple) and all(isinstance(word, str) for word in value)
    return isinstance(value, type(wanted))


def _look(row: list[Any]) -> Look:
    at, nodes, dc, quorum, maintenance, version = row
    look = Look(
        at,
        {name: tuple(words) for name, words in nodes.items()},
        dc,
        quorum,
        maintenance,
        tuple(version),
    )
    known = (
        (look.at, 0.0),
        (look.dc, ""),
        (look.quorum, False),
        (look.maintenance, False),
        *((words, ()) for words in look.nodes.values()),
        *((number, 0) for number in look.version),
    )
    if not all(_fits(value, wanted) for value, wanted in known):
        raise ValueError(row)
    return look


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _subject_id(cluster: Cluster | None, word: str, pieces: Pieces) -> str:
    """The resource or node of this name, also one that has left the cluster."""
    if cluster and cluster.node(word):
        return word
    domains = (
        [domain for domain in find_domains(cluster, word) if domain.resource] if cluster else []
    )
    if domains:
        return domains[0].resource or word
    known = {done.resource for done in pieces.done} | {
        n for look in pieces.looks for n in look.nodes
    }
    if word not in known:
        raise NotFound(f"no events recorded for {word[:60]!r}", "hxm list, hxm nodes")
    return word


_RIGHT = frozenset({4})
_WHOLE = 46
"""The length up to which an event is not folded, for a terminal of 80 columns."""


def _show(events: Sequence[Event], cluster: Cluster | None, notes: list[str], form: Form) -> None:
    domains = cluster.managed_domains if cluster else ()
    names = {domain.resource: domain.name for domain in domains}
    called = [names.get(event.subject, event.subject) for event in events]
    texts = [f"{event.what} ({event.note})" if event.note else event.what for event in events]
    took = ["-" if event.seconds is None else f"{event.seconds:.1f} s" for event in events]
    if form.output == "json":
        rows = [
            as_json.keyed(event, as_json.EVENT)
            | {"at": iso_time(event.at), "domain": names.get(event.subject)}
            for event in events
        ]
        render.show_json({"events": rows, "notes": notes})
        return
    if not form.usual:
        grid = [
            (iso_time(event.at), name or "-", text, event.where or "-", seconds, event.by or "-")
            for event, name, text, seconds in zip(events, called, texts, took, strict=True)
        ]
        render.show(Table(("Time", "Who", "What", "Where", "Took", "By"), grid, _RIGHT), form)
    elif events:
        header, times = time_column([event.at for event in events])
        what = [
            ", ".join(filter(None, (f"{who}: {event.what}" if who else event.what, event.where)))
            for who, event in zip(called, events, strict=True)
        ]
        why = [
            " ".join(filter(None, (event.by, event.note and f"({event.note})"))) for event in events
        ]
        lines = zip(times, took, what, [text or "-" for text in why], strict=True)
        whole = frozenset({0, 1}) | ({2} if max(map(len, what)) <= _WHOLE else set())
        render.show(Table((header, "Took", "What", "By"), [*lines], frozenset({0, 1}), whole), form)
    else:
        render.out("no events recorded")
    for note in notes:
        render.note(note)
