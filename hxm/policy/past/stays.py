"""Where each domU ran, and when, according to the events of the history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from hxm.model import ManagedDomain
from hxm.policy.past.events import Event


class Stay(NamedTuple):
    """A time that a domU spent on one node, in seconds since the epoch."""

    resource: str
    node: str
    since: float
    until: float
    """When it ended, or when it was asked: it may last."""
    lasts: bool = False


class Row(NamedTuple):
    """A domU, its stays in order, and the times of its failures."""

    name: str
    stays: list[Stay]
    failures: list[float]


def rows(
    events: Sequence[Event], domains: Sequence[ManagedDomain], start: float, end: float
) -> dict[str, Row]:
    """A row for each of the domUs, by resource; `end` is now."""
    by_resource = {domain.resource: Row(domain.name, [], []) for domain in domains}
    for stay in stays(events, {domain.resource: domain.nodes for domain in domains}, start, end):
        by_resource[stay.resource].stays.append(stay)
    for event in events:
        if event.failed and event.at >= start and event.subject in by_resource:
            by_resource[event.subject].failures.append(event.at)
    return by_resource


def first_change(events: Iterable[Event], start: float, now: float) -> float:
    """A little before the first of the events since `start` that changed where a domU is."""
    first = min((event.at for event in events if event.at >= start and event.moves), default=start)
    return max(start, first - (now - first) / 20)


def stays(
    events: Iterable[Event], now: Mapping[str, Sequence[str]], start: float, end: float
) -> list[Stay]:
    """The stays of each domU between two times, in their order.

    `events` are those of the history from its beginning on, also from before `start`; `now` are the
    nodes of each resource at the `end`. A domU of which there is no event has been where it is.
    """
    by_resource: dict[str, list[Event]] = {resource: [] for resource in now}
    for event in events:
        if event.moves and event.subject in by_resource:
            by_resource[event.subject].append(event)
    return [
        stay._replace(since=max(stay.since, start))
        for resource, own in by_resource.items()
        for stay in sorted(_of_one(resource, own, now[resource], start, end), key=_begin)
        if stay.until > start and stay.since < end
    ]


def _begin(stay: Stay) -> float:
    return stay.since


def _of_one(
    resource: str, events: Sequence[Event], now: Sequence[str], start: float, end: float
) -> Iterator[Stay]:
    """What began before the first event began at the `start`."""
    began: dict[str, float] = {}
    last = start
    for number, event in enumerate(events):
        last = event.at + (event.seconds or 0.0)
        if event.left in began or (event.left and not number):
            live = event.left and event.came  # it runs there until it is here
            until = last if live else event.at
            yield Stay(resource, event.left, began.pop(event.left, start), until)
        if event.came:
            began.setdefault(event.came, last)
    for node in now:
        yield Stay(resource, node, began.pop(node, last), end, lasts=True)
    for node, since in began.items():  # nothing says when it left
        yield Stay(resource, node, since, last)
