"""The poller of the shell and of a watch: no look ends it."""

from __future__ import annotations

import pytest
from factories import cluster, domain

from hxm.cluster import poller
from hxm.cluster.poller import Poller
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
