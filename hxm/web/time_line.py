"""The time line of the status page: who was where, and what happened last."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

from hxm.model import Cluster
from hxm.output.time_line import ticks
from hxm.policy import listed, resource_name
from hxm.policy.past.events import Event
from hxm.policy.past.stays import Row
from hxm.web.snapshot import Picture

_ALL = 20
"""Up to so many domUs each has a row; of more, only those that moved."""
_WHOLE = 99.5
"""Per cent of a row from which on nothing of it is left blank."""
_LATEST = 10
_COLOURS = 6
_CHARACTERS = 70
"""How wide the drawing is on a desktop, and on a phone, in characters."""
_ON_A_PHONE = 26


class Segment(NamedTuple):
    """A stay: where it is drawn, in per cent, in which colour, and what is written on it."""

    start: float
    width: float
    colour: int
    node: str
    room: str
    """Whether the name has room: always, `wide` (only on a desktop), or never."""


class Drawn(NamedTuple):
    """The row of a domU: `words` says what the segments show."""

    name: str
    words: str
    segments: tuple[Segment, ...]
    failures: tuple[float, ...]


class TimeLine(NamedTuple):
    """The whole drawing."""

    axis: tuple[tuple[float, str, str], ...]
    """Each mark: where it is, what is written on it, and whether it has room, as in a segment."""
    rows: tuple[Drawn, ...]
    others: str
    """The domUs that have no row, because they stayed where they are."""
    since: str
    latest: tuple[tuple[str, str, str], ...]
    """What happened last, the newest first: when, what, on whose order."""

    @property
    def gaps(self) -> bool:
        """Whether there is a time at which a domU is not known to have run."""
        return any(sum(part.width for part in row.segments) < _WHOLE for row in self.rows)

    @property
    def failed(self) -> bool:
        """Whether anything failed."""
        return any(row.failures for row in self.rows)

    @property
    def ordered(self) -> bool:
        """Whether anything of that was ordered."""
        return any(by for _, _, by in self.latest)


def time_line(cluster: Cluster, picture: Picture) -> TimeLine:
    """The drawing of the picture's time."""
    colours = {node.name: number % _COLOURS for number, node in enumerate(cluster.nodes)}
    begin, end = picture.since, picture.at
    known = list(picture.rows.values())
    shown = known if len(known) <= _ALL else [row for row in known if _is_eventful(row, begin)]
    still = [row.name for row in known if row not in shown]
    return TimeLine(
        tuple(_axis(begin, end)),
        tuple(_drawn(row, colours, begin, end) for row in shown),
        listed(still) if still else "",
        _moment(begin, end),
        tuple(_latest(cluster, picture)),
    )


def _is_eventful(row: Row, begin: float) -> bool:
    """Whether it came or went, or something of it failed."""
    return bool(row.failures) or any(not stay.lasts or stay.since > begin for stay in row.stays)


def _axis(begin: float, end: float) -> Iterator[tuple[float, str, str]]:
    narrow = {at for at, _ in ticks(begin, end, _ON_A_PHONE)}
    for at, word in ticks(begin, end, _CHARACTERS):
        place = _percent(at, begin, end)
        if place < 100 - 100 * len(word) / _CHARACTERS:
            fits = at in narrow and place < 100 - 100 * len(word) / _ON_A_PHONE
            yield place, word, "" if fits else "wide"


def _percent(at: float, begin: float, end: float) -> float:
    return round(100 * (at - begin) / (end - begin), 2)


def _drawn(row: Row, colours: dict[str, int], begin: float, end: float) -> Drawn:
    segments = []
    for stay in row.stays:
        start = _percent(stay.since, begin, end)
        width = max(round(_percent(stay.until, begin, end) - start, 2), 0.3)
        letters = len(stay.node) + 1
        room = "" if width * _ON_A_PHONE >= 100 * letters else "wide"
        room = room if width * _CHARACTERS >= 100 * letters else "never"
        segments.append(Segment(start, width, colours.get(stay.node, 0), stay.node, room))
    failures = tuple(_percent(at, begin, end) for at in row.failures)
    return Drawn(row.name, _words(row, begin, end), tuple(segments), failures)


def _words(row: Row, begin: float, end: float) -> str:
    """What the drawing shows, for those who do not see it."""
    places = [
        f"on {stay.node} since {_moment(stay.since, end)}"
        if stay.lasts
        else f"on {stay.node} until {_moment(stay.until, end)}"
        for stay in row.stays
    ]
    failures = [f"a failure at {_moment(at, end)}" for at in row.failures if at >= begin]
    return f"{row.name}: {'; '.join([*places, *failures]) or 'nowhere'}"


def _latest(cluster: Cluster, picture: Picture) -> Iterator[tuple[str, str, str]]:
    for event in reversed(picture.events[-_LATEST:]):
        yield _moment(event.at, picture.at), _what(cluster, event), event.by


def _what(cluster: Cluster, event: Event) -> str:
    who = resource_name(cluster, event.subject)
    text = f"{who}: {event.what}" if who else event.what
    return ", ".join(filter(None, (text, event.where)))


def _moment(at: float, now: float) -> str:
    """The time of day, with the day if it is another."""
    moment, today = time.localtime(at), time.localtime(now)
    same = moment[:3] == today[:3]
    return time.strftime("%H:%M:%S" if same else "%m-%d %H:%M", moment)
