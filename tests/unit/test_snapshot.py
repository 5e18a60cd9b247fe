"""The one poller: nobody waits for it, and nothing ends it."""

from __future__ import annotations

import threading
import time

import pytest
from factories import cluster, domain

from hxm.errors import CannotAsk
from hxm.web import snapshot
from hxm.web.snapshot import PICTURE, Picture, SnapshotPoller

SEEN = cluster(domain("nfs", "host1"))


class Cluster:
    """Answers as it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.fault: Exception | None = None
        self.hangs = threading.Event()
        self.hangs.set()

    def look(self):
        self.asked += 1
        self.hangs.wait(20)
        if self.fault:
            raise self.fault
        return SEEN, ()


@pytest.fixture
def there():
    there = Cluster()
    yield there
    there.hangs.set()


@pytest.fixture
def said():
    return []


def test_before_the_first_answer_nothing_is_known(there, said):
    now = SnapshotPoller(there.look, said.append).known()
    assert (now.cluster, now.age, now.fault) == (None, 0.0, "it has not answered yet")


def test_what_was_seen_is_known_with_its_age(there, said):
    poller = SnapshotPoller(there.look, said.append)
    before = time.time()
    poller.ask()
    now = poller.known()
    assert (now.cluster, now.fault, now.looks, now.failed) == (SEEN, "", 1, 0)
    assert before <= now.at <= time.time()
    assert 0 <= now.age < 10
    assert poller.known().age > now.age
    assert said == []


FAULTS = [
    (CannotAsk("no connection"), "no connection"),
    (ValueError("odd\noutput"), "this is a fault in hxm: ValueError: odd"),
]


@pytest.mark.parametrize(("error", "fault"), FAULTS)
def test_a_lost_cluster_leaves_what_was_known_and_says_so_once(there, said, error, fault):
    poller = SnapshotPoller(there.look, said.append)
    poller.ask()
    at = poller.known().at
    there.fault = error
    poller.ask()
    poller.ask()
    now = poller.known()
    assert (now.cluster, now.fault, now.at) == (SEEN, fault, at)
    assert (now.looks, now.failed) == (3, 2)
    there.fault = None
    poller.ask()
    assert poller.known().fault == ""
    assert poller.known().failed == 2
    assert said == [fault, "the cluster answers again"]


def test_a_complaint_that_cannot_be_written_ends_nothing(there):
    def say(_):
        raise OSError(28, "No space left on device")

    poller = SnapshotPoller(there.look, say)
    there.fault = CannotAsk("no connection")
    poller.ask()
    assert (poller.known().fault, poller.known().looks) == ("no connection", 1)
    there.fault = None
    poller.ask()
    assert (poller.known().fault, poller.known().cluster) == ("", SEEN)


def test_a_cluster_that_hangs_keeps_nobody_waiting_and_makes_the_rest_doubtful(
    there, said, monkeypatch
):
    poller = SnapshotPoller(there.look, said.append)
    poller.ask()
    assert poller.known().fault == ""
    there.hangs.clear()
    threading.Thread(target=poller.ask, daemon=True).start()
    while there.asked < 2:
        time.sleep(0.001)
    monkeypatch.setattr(snapshot, "SLOW", 0.0)
    poller._last = poller._last._replace(took=0.0)
    now = poller.known()
    assert now.fault.startswith("the cluster's tools have not answered yet")
    assert now.cluster == SEEN


def test_however_many_ask_there_is_one_look_at_a_time(there, said):
    there.hangs.clear()
    poller = SnapshotPoller(there.look, said.append)
    poller.start(patience=0.0)
    for _ in range(1000):
        poller.known()
    assert there.asked <= 1


def test_only_looks_that_always_take_long_are_rare(there, said, monkeypatch):
    slept = []

    def sleep(seconds):
        slept.append(seconds)

    poller = SnapshotPoller(there.look, said.append)
    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(poller, "ask", iter([0.1, 25.0, 0.1, 3.0, 4.0, 14.0, 12.0]).__next__)
    with pytest.raises(StopIteration):
        poller._poll()
    assert slept == [5.0, 5.0, 5.0, 5.0, 12.0, 16.0, 30.0]


def test_a_picture_is_made_when_it_is_old_or_a_domu_has_moved(monkeypatch):
    now, made = [1000.0], []
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    seen = [cluster(domain("nfs", "host1"))]

    def paint(known):
        made.append(known)
        now[0] += 1.0
        return Picture(at=now[0])

    poller = SnapshotPoller(lambda: (seen[0], ()), str, paint)
    poller.paint()
    assert not made  # nothing is known yet
    expected = []
    for seconds, node, drawn in (
        (0, "host1", True),
        (5, "host2", False),  # nine tenths of the time are left to others
        (5, "host2", True),
        (PICTURE - 1, "host2", False),
        (2, "host2", True),
    ):
        now[0] += seconds
        seen[0] = cluster(domain("nfs", node))
        poller.ask()
        poller.paint()
        expected += [seen[0]] if drawn else []
        assert made == expected
    assert poller.known().picture.at == now[0]


def test_a_picture_that_fails_leaves_the_old_one_and_the_look():
    def paint(_):
        raise ZeroDivisionError

    poller = SnapshotPoller(lambda: (cluster(), ()), str, paint)
    poller.ask()
    poller.paint()
    assert poller.known().picture == Picture()
    assert not poller.known().fault
