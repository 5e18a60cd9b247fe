"""What is known of the past: gathered on this host, and joined with what other nodes know."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from hxm.cluster.read import askable, sandbox_file
from hxm.config import Config
from hxm.errors import CannotAsk
from hxm.host import files, programs
from hxm.model import Cluster
from hxm.output.times import iso_time
from hxm.pacemaker import sandbox_past
from hxm.pacemaker.cib import read_configuration
from hxm.pacemaker.sandbox_past import past_folder
from hxm.pacemaker.transitions import (
    FOLDERS,
    parse_fencing,
    parse_status,
    read_fencing,
    read_transitions,
)
from hxm.policy.past.events import Done, Fenced, Look, Ordered, Pieces
from hxm.policy.past.timeline import PAST_THE_GUARD, as_written
from hxm.records.journal import journal_path, orders_backwards, time_of
from hxm.toolstack.remote import ask_elsewhere

if TYPE_CHECKING:
    from hxm.host.results import Elsewhere

_MOST = 50_000
"""Orders of the journal that are shown at most."""


def known_here(config: Config, since: float, notes: list[str]) -> Pieces:
    """The events that this host knows; adds a note for what cannot be read."""
    sandbox = sandbox_file()
    known = Pieces(ordered=frozenset(_orders(config, sandbox, since, notes)))
    known = known.joined(_transitions(config, sandbox, since, notes))
    try:
        cib = read_configuration(timeout=config.ask_timeout, whole=True).cib
        if cib is not None:
            look, done = parse_status(cib, time.time())
            known = known.joined(Pieces(frozenset(done), (look,)))
    except CannotAsk as error:
        notes.append(unasked(error))
    if sandbox:
        fenced = frozenset(parse_fencing(sandbox_past.read_fencing(past_folder(sandbox))))
        return known.joined(Pieces(fenced=fenced))
    fenced, why = read_fencing(config.ask_timeout)
    if why:
        notes.append(f"the fencing history is unknown: {why}")
    return known.joined(Pieces(fenced=fenced))


def _folders(config: Config, sandbox: str | None) -> tuple[str, ...]:
    """Where transitions were saved."""
    if config.transitions != "auto":
        return (config.transitions,)
    return (past_folder(sandbox),) if sandbox else FOLDERS


def _transitions(config: Config, sandbox: str | None, since: float, notes: list[str]) -> Pieces:
    known = Pieces()
    for folder in _folders(config, sandbox):
        saved, cut = read_transitions(folder, since)
        known = known.joined(saved)
        if cut:
            notes.append(f"in {folder}, only transitions since {iso_time(cut)} were read")
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


def unasked(error: CannotAsk) -> str:
    """The note for a cluster that does not answer."""
    why = "; ".join(filter(None, (error.message, error.hint)))
    return f"only saved events are known: {why}"


def joined_by_others(
    known: Pieces, cluster: Cluster, config: Config, since: float, notes: list[str]
) -> Pieces:
    """With the events of the other nodes; adds a note for a node that does not answer.

    Where ssh leads to the cluster, a node may have no hxm: then of its saved transitions alone.
    """
    there = programs.elsewhere()
    _, nodes, lost = askable(cluster._replace(local_node=None) if there else cluster, config)
    words = ("hxm", "history", "--pieces", "--since", iso_time(since))
    answers = ask_elsewhere(words, nodes, config.ssh_timeout, parse_pieces)
    for node, answer in answers.items():
        if not isinstance(answer, str):
            known = known.joined(answer)
        elif not there or "not found" not in answer:
            lost[node] = answer
        elif node != cluster.local_node:
            try:
                with _programs_of(there.beside(node)):
                    known = known.joined(_transitions(config, None, since, notes))
            except CannotAsk as error:
                lost[node] = error.message
    notes += [f"events from {node} are missing: {why}" for node, why in lost.items()]
    return known


@contextmanager
def _programs_of(node: Elsewhere) -> Iterator[None]:
    """Let programs and files be those of this node; for a while."""
    before = programs.elsewhere()
    files.forget()
    programs.run_on(node)
    try:
        yield
    finally:
        node.abandon()
        files.forget()
        programs.run_on(before)


def written(pieces: Pieces) -> dict[str, Any]:
    """The pieces as JSON can hold them: what `parse_pieces` reads on another host."""
    return {
        "done": sorted(pieces.done),
        "looks": pieces.looks,
        "fenced": sorted(pieces.fenced),
        "ordered": as_written(pieces.ordered),
    }


def parse_pieces(document: bytes) -> Pieces:
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
