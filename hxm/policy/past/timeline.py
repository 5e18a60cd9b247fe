"""What happened, pieced together from what the cluster and hxm have written down.

The pieces are the actions in the nodes' own histories, looks at the whole cluster that were saved,
the fencing that is remembered, and hxm's journal. Times are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import groupby, pairwise

from hxm.errors import DONE, Interrupted
from hxm.policy.past.events import Done, Event, Fenced, Look, Ordered, Pieces

PAST_THE_GUARD = "past the guard"
"""The outcome in the journal of a command that went past the guard; hxm does not see its end."""
_CLOCKS = 1.0
"""Seconds by which times may differ that are recorded as whole seconds."""
_NEVER = float("inf")
_A_MOVE = 600.0
"""Seconds within which the two halves of a live migration belong together."""


def history(pieces: Pieces) -> list[Event]:
    """The events in their order: of the domUs and the nodes, what else failed, what was ordered."""
    domus: dict[str, list[Done]] = {}
    for action in sorted(pieces.done):
        if action.domu:
            domus.setdefault(action.resource, []).append(action)
    events = [
        *_of_nodes(pieces.looks),
        *(_fencing(fence) for fence in sorted(pieces.fenced)),
        *(event for done in domus.values() for event in _of_domu(_in_order(done), pieces)),
        *(
            _failure(action)
            for action in sorted(pieces.done)
            if action.resource not in domus and failed(action)
        ),
    ]
    orders = as_written(pieces.ordered)
    placed = [_with_order(event, orders) for event in events]
    events = [event for event, _ in placed]
    placed += [(_order(order, events, pieces), order.at) for order in orders]
    return [event for event, _ in sorted(placed, key=_place)]


def _place(placed: tuple[Event, float]) -> tuple[int, float, int]:
    event, moment = placed
    return int(event.at), moment, _SOURCES.index(event.source)


def as_written(orders: Iterable[Ordered]) -> list[Ordered]:
    """Orders in the order in which the journals have them."""
    return sorted(orders, key=lambda order: (order.at, order.host, order.number))


_SOURCES = ("journal", "looks", "fencing", "actions")
"""In the order in which they speak of one moment."""


# What became of a domU

_RANKS = ("monitor", "migrate_to", "migrate_from", "stop", "start")


def _in_order(done: Iterable[Done]) -> list[Done]:
    """A domU's actions as they happened, whose times are whole seconds.

    Within one, the numbers of the calls tell the order on each node, and between nodes that of the
    transitions; where one transition has all of them, the order that makes sense.
    """
    ordered: list[Done] = []
    for _, one_second in groupby(sorted(done), key=lambda action: action.at):
        nodes = groupby(one_second, key=lambda action: action.node)
        queues = [sorted(own, key=lambda action: action.call) for _, own in nodes]
        ordered += merge(*queues, key=_rank)
    return ordered


def _rank(action: Done) -> tuple[int, int]:
    return action.transition, _RANKS.index(action.task) if action.task in _RANKS else 0


def _of_domu(done: Sequence[Done], pieces: Pieces) -> Iterator[Event]:
    """Starts, stops, moves and failures, and that it was lost with its node.

    The stop that ends a live move is part of it.
    """
    used: set[Done] = set()
    running = ""
    lost = sorted(fencing for fencing in pieces.fenced if fencing.status == "success")
    for action in done:
        while lost and _was_over(lost[0], action):
            if (fence := lost.pop(0)).node == running:
                running = ""
                yield Event(
                    fence.at,
                    action.resource,
                    "lost with its node",
                    fence.node,
                    None,
                    fence.by,
                    "",
                    True,
                    "fencing",
                    left=fence.node,
                )
        if action in used:
            continue
        if action.task == "migrate_to":
            event, others = _moved(action, done, pieces)
            used |= others
            yield event
            running = action.node if event.failed else action.target
        elif action.task == "migrate_from" and action.rc == 0:
            event = _event(action, "arrived live", f"{action.source} -> {action.node}")
            yield event._replace(left=action.source, came=action.node)
            running = action.node
        elif action.task == "stop" and action.rc == 0:
            yield _event(action, "stopped", action.node)._replace(left=action.node)
            running = "" if running == action.node else running
        elif came := _came(action, running, pieces):
            yield came
            running = action.node
        elif failed(action):
            yield _failure(action)


def _came(action: Done, running: str, pieces: Pieces) -> Event | None:
    """That it was started, or found running, if that is what the action did."""
    if action.rc == 0 and action.task == "start":
        event = _event(action, "started", action.node, note=_twice(running, action, pieces))
    elif action.rc == 0 and action.task == "monitor" and not action.recurring:
        event = _event(action, "found running", action.node)
    else:
        return None
    return event._replace(came=action.node)


def _was_over(fence: Fenced, action: Done) -> bool:
    """Whether the fencing came first; in one second, if the action is another node's."""
    return fence.at < action.at or (fence.at == action.at and fence.node != action.node)


def _moved(to: Done, done: Sequence[Done], pieces: Pieces) -> tuple[Event, set[Done]]:
    """A live migration from its first half, and what else of the history belongs to it."""
    later = [action for action in done if to.at <= action.at <= to.at + to.seconds + _A_MOVE]
    came = next(
        (
            action
            for action in later
            if (action.task, action.node, action.source) == ("migrate_from", to.target, to.node)
        ),
        None,
    )
    where = f"{to.node} -> {to.target}"
    if to.rc or (came and came.rc):
        bad = to if to.rc else came or to
        event = _event(to, f"live move failed ({_why(bad)})", where, failed=True)
        return event, {came} if came else set()
    there = [action for action in later if action.node == to.node and action.call > to.call]
    back = min((a.call for a in there if a.task in ("start", "migrate_from")), default=_NEVER)
    left = next((a for a in there if a.task == "stop" and a.call < back), None)
    taken = to.seconds + (came.seconds if came else 0.0)
    silent = not came and _kept_its_records(to, done, pieces)
    note = f"{to.target} has not written down its arrival" if silent else ""
    event = _event(to._replace(seconds=taken), "moved live", where, note=note)
    event = event._replace(left=to.node, came=to.target)
    return event, {action for action in (came, left) if action}


def _kept_its_records(to: Done, done: Sequence[Done], pieces: Pieces) -> bool:
    """Whether the target of a live move would still have a record of the arrival.

    A node keeps one action of each kind, and loses all of them when it leaves.
    """
    overwritten = any(
        action.task == "migrate_from" and action.node == to.target and action.at > to.at
        for action in done
    )
    left = any(fence.node == to.target and fence.at >= to.at for fence in pieces.fenced) or any(
        "online" not in look.nodes.get(to.target, ()) for look in pieces.looks if look.at >= to.at
    )
    return not overwritten and not left


def _twice(running: str, start: Done, pieces: Pieces) -> str:
    """What there is to say if it is not known to have stopped where it ran."""
    if not running or running == start.node:
        return ""
    away = any(
        running in look.nodes and "online" not in look.nodes[running]
        for look in pieces.looks
        if look.at <= start.at + _CLOCKS
    )
    return "" if away else f"no stop on {running} is known"


def failed(action: Done) -> bool:
    """Whether the action failed; that a probe finds nothing is as it should be."""
    probe = action.task == "monitor" and not action.recurring
    return action.rc != 0 and action.call >= 0 and not (probe and action.rc in (5, 7))


def _failure(action: Done) -> Event:
    not_running = action.rc == 7 and action.task == "monitor"
    what = "found not running" if not_running else f"{action.task} failed ({_why(action)})"
    event = _event(action, what, action.node, failed=True)
    return event._replace(left=action.node) if not_running and action.domu else event


_RC = {
    1: "error",
    2: "bad parameters",
    3: "not implemented",
    4: "no permission",
    5: "not installed",
    6: "not configured",
    7: "not running",
    124: "timed out",
    198: "timed out",
}
"""OCF's, and Pacemaker's own for what never ended (2.0: 198, PCMK_OCF_TIMEOUT; 2.1: 124)."""


def _why(action: Done) -> str:
    return action.why or _RC.get(action.rc, f"rc={action.rc}")


def _event(action: Done, what: str, where: str, *, note: str = "", failed: bool = False) -> Event:
    return Event(
        action.at, action.resource, what, where, action.seconds, "", note, failed, source="actions"
    )


# What became of a node


def _of_nodes(looks: Sequence[Look]) -> Iterator[Event]:
    for before, after in pairwise(looks):
        for node in sorted({*before.nodes, *after.nodes}):
            yield from _between(node, before.nodes.get(node, ()), after.nodes.get(node, ()), after)
        if after.dc and before.dc and after.dc != before.dc:
            yield Event(after.at, after.dc, "became the DC", source="looks")
        if before.maintenance != after.maintenance:
            what = "maintenance" if after.maintenance else "no maintenance any more"
            yield Event(after.at, "cluster", what, source="looks")
        if before.quorum != after.quorum:
            what = "the quorum was regained" if after.quorum else "the quorum was lost"
            yield Event(after.at, "cluster", what, failed=not after.quorum, source="looks")


def _between(node: str, was: Sequence[str], now: Sequence[str], look: Look) -> Iterator[Event]:
    if "online" in was and "online" not in now:
        lost = "unclean" in now
        yield Event(look.at, node, "was lost" if lost else "left", failed=lost, source="looks")
    elif "online" in now and "online" not in was:
        yield Event(look.at, node, "joined", source="looks")
    for word, over in (("standby", "active again"), ("maintenance", "no maintenance any more")):
        if (word in was) != (word in now):
            yield Event(look.at, node, word if word in now else over, source="looks")


def _fencing(fence: Fenced) -> Event:
    done = fence.status == "success"
    what = "was fenced" if done else f"fencing {fence.status}"
    action = f"{what} ({fence.action})" if fence.action else what
    where = f"by {fence.via}" if fence.via else ""
    return Event(fence.at, fence.node, action, where, None, fence.by, "", not done, "fencing")


# Who ordered it


def _with_order(event: Event, ordered: Iterable[Ordered]) -> tuple[Event, float]:
    """The event with who ordered it, and its moment within its second: behind that order."""
    covering = [order for order in ordered if _covers(order, event)]
    if not covering:
        return event, _NEVER
    meant = [order for order in covering if event.what in _LEADS_TO.get(order.verb, ())]
    order = (meant or covering)[-1]
    return event._replace(by=event.by or order.who), max(order.at, int(event.at))


def _covers(order: Ordered, event: Event) -> bool:
    end = order.at + _A_MOVE if order.ended is None else order.ended
    if not order.at - _CLOCKS <= event.at <= end + _CLOCKS or event.source == "fencing":
        return False
    return event.subject in order.subjects or event.subject in order.what.split()


_LEADS_TO = {
    "start": ("started",),
    "create": ("started",),
    "shutdown": ("stopped",),
    "destroy": ("stopped",),
    "migrate": ("moved live", "started"),  # not live, if that was agreed to
}
"""For each verb the events of which every domU of the order has one, if it was carried out."""


def _order(order: Ordered, events: Sequence[Event], pieces: Pieces) -> Event:
    seconds = None if order.ended is None else order.ended - order.at
    what = f"ordered: {order.what}"
    if order.outcome == PAST_THE_GUARD:
        what = f"{PAST_THE_GUARD}: {order.what}"
    elif order.status is None:
        what += " (no end is written down)"
    elif order.status == Interrupted.status:
        what += " (interrupted)"
    elif order.status:
        what += f" (failed: {order.outcome})"
    everywhere = order.verb in ("undo", "restore")  # of which every domU is a subject
    about = (*(() if everywhere else order.subjects), *order.what.split())
    note = "; ".join(filter(None, (order.why, _missing(order, events, pieces))))
    return Event(
        order.at,
        "",
        what,
        "",
        seconds,
        f"{order.who}@{order.host}",
        note,
        order.status not in (None, DONE, Interrupted.status),
        "journal",
        about,
    )


def _missing(order: Ordered, events: Sequence[Event], pieces: Pieces) -> str:
    """What the journal says was done, and the cluster did not write down though it was watched."""
    wanted = _LEADS_TO.get(order.verb)
    watched = any(look.at < order.at for look in pieces.looks)
    if not wanted or order.status != 0 or not watched:
        return ""
    seen = {event.subject for event in events if event.what in wanted and _covers(order, event)}
    lacking = [subject for subject in order.subjects if subject not in seen]
    return f"the cluster's records show no such thing of {', '.join(lacking)}" if lacking else ""
