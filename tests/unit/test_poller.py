"""The poller of the shell and of a watch: no look ends it."""

from __future__ import annotations

import pytest
from factories import cluster, domain

from hxm.cluster import poller
from hxm.cluster.poller import Pace, Poller
from hxm.config import Config
from hxm.errors import CannotAsk

SEEN = cluster(domain("nfs", "host1"))


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (CannotAsk("no connection"), "no connection"),
        (OSError(11, "no more processes"), "BlockingIOError: [Errno 11] no more processes"),
        (ValueError("odd\noutput"), "ValueError: odd"),
    ],
)
def test_whatever_a_look_ends_with_the_next_one_follows(monkeypatch, error, fault):
    def fails(_):
        raise error

    told = []
    polling = Poller(Config(), lambda: told.append(polling.fault))
    for look in (lambda _: SEEN, fails, lambda _: SEEN):
        monkeypatch.setattr(poller, "read_cluster", look)
        polling._poll()
        assert polling.cluster == SEEN
    assert told == ["", fault, ""]


@pytest.mark.parametrize(
    ("took", "moving", "waits"),
    [(0.1, False, 5.0), (1.0, False, 10.0), (18.0, False, 30.0), (18.0, True, 15.0)],
)
def test_after_a_slow_poll_the_next_one_is_not_far(took, moving, waits):
    polling = Poller(Config(), lambda: None)
    polling._took = took
    polling._quick_until = float("inf") if moving else 0.0
    assert polling._pace() == waits
    assert Poller(Config(), lambda: None, 60.0)._pace() == 60.0


@pytest.mark.parametrize(
    ("took", "waits"),
    [(0.1, 1.0), (0.4, 1.2), (2.0, 6.0), (60.0, 15.0)],
    ids=["cheap", "dear", "dearer", "not so long that the lock would be lost"],
)
def test_an_order_waits_the_longer_the_more_a_look_costs(monkeypatch, took, waits):
    """At most a quarter of the time is spent on looks."""
    now = [0.0]
    slept: list[float] = []
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr("time.sleep", slept.append)
    pace = Pace(1.0)
    pace.begin()
    now[0] += took
    pace.wait()
    assert slept == [pytest.approx(waits)]
