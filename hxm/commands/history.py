"""hxm history: what happened."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hxm.arguments.since import parse_since
from hxm.cluster.read import read_cluster
from hxm.config import Config, read_config
from hxm.errors import DONE, CannotAsk, NotFound
from hxm.host import programs
from hxm.model import Cluster
from hxm.output import TABLE, Form, Table, as_json, render, time_line
from hxm.output.times import iso_time, time_column, took
from hxm.policy.names import find_domains
from hxm.policy.past.events import Event, Pieces
from hxm.policy.past.stays import first_change, rows
from hxm.policy.past.timeline import history
from hxm.records.past import joined_by_others, known_here, unasked, written

if TYPE_CHECKING:
    from hxm.arguments.backups import Asked, AsTimeLine, OwnPieces, Since
    from hxm.arguments.options import MaybeSubject


def run(
    subject: MaybeSubject = None,
    since: Since = "",
    everywhere: Asked = False,
    pieces: OwnPieces = False,
    timeline: AsTimeLine = False,
    form: Form = TABLE,
) -> int:
    """Show what happened to domUs and nodes: starts, moves, failures, fencing, standby, orders.

    Sources: the nodes' operation histories in the CIB, the transitions that Pacemaker saved, the
    cluster's fencing history, and hxm's journal, which says who ordered it and why. Transitions lie
    on the node that was DC at the time, the journal on the host where hxm was typed: --everywhere
    asks all nodes. The default is the last day. A change that shows only between two saved states,
    such as standby, has the time of the second one. Of two actions of one kind between two saved
    states, only the second is known.

    Took is the time of the agents' own actions; of an order it is the time from its confirmation to
    its end, with the waiting and the tidying up. What the order itself printed for a domU is the
    time until hxm saw it arrive, between the two.

    --timeline draws who was where: a row for each domU, the time to the right, each host as a
    letter; from the first change on, or from --since.

    Example: `hxm history nfs`, or `hxm history --since 3d --everywhere`.
    """
    config = read_config()
    now = time.time()
    start = parse_since(since or "1d", now)
    notes: list[str] = []
    known = known_here(config, start, notes)
    if pieces:
        render.show_json(written(known))
        return DONE
    cluster = _cluster(config, notes)
    if cluster and (everywhere or config.ask_nodes):
        known = joined_by_others(known, cluster, config, start, notes)
    elif cluster and not cluster.sandbox and len(cluster.hosts) > 1:
        node = programs.elsewhere()
        who = f"{node.name} knows, and what was ordered from here" if node else "this host knows"
        notes.append(f"this is what {who}; to ask the other nodes as well: --everywhere")
    events = history(known)
    name = _subject_id(cluster, subject, known) if subject else None
    if timeline and cluster:
        begin = start if since else first_change(events, start, now)
        _draw(events, cluster, name, (begin, now), form)
    else:
        shown = [event for event in events if event.at >= start]
        _show([event for event in shown if not name or event.concerns(name)], cluster, notes, form)
    for note in notes if form.output != "json" else ():
        render.note(note)
    return DONE


def _draw(
    events: Sequence[Event],
    cluster: Cluster,
    subject: str | None,
    period: tuple[float, float],
    form: Form,
) -> None:
    """Who was where in a time: every domU, or that one, or those that were on that node."""
    wanted = [
        row
        for resource, row in rows(events, cluster.managed_domains, *period).items()
        if subject is None or subject in (resource, *(stay.node for stay in row.stays))
    ]
    if form.usual and wanted:
        time_line.show(wanted, [node.name for node in cluster.nodes], *period)
        return
    grid = [
        (row.name, stay.node, iso_time(stay.since), iso_time(stay.until))
        for row in wanted
        for stay in row.stays
    ]
    if form.output == "json":
        keys = ("domain", "node", "since", "until")
        render.show_json({"stays": [dict(zip(keys, row, strict=True)) for row in grid]})
    else:
        render.show(Table(("Name", "Node", "Since", "Until"), grid), form)


def _cluster(config: Config, notes: list[str]) -> Cluster | None:
    try:
        return read_cluster(config, local=False)
    except CannotAsk as error:
        if not notes:
            notes.append(unasked(error))
        return None


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
    durations = [took(event.seconds) for event in events]
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
            for event, name, text, seconds in zip(events, called, texts, durations, strict=True)
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
        lines = zip(times, durations, what, [text or "-" for text in why], strict=True)
        whole = frozenset({0, 1}) | ({2} if max(map(len, what)) <= _WHOLE else set())
        render.show(Table((header, "Took", "What", "By"), [*lines], frozenset({0, 1}), whole), form)
    else:
        render.out("no events recorded in this time; further back: --since 7d")
