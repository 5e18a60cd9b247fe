"""What hxm watch shows on any terminal, what is news, and what is left of an order."""

from __future__ import annotations

import re
from collections import deque

import pytest
from factories import cluster, domain, failure, node
from rich.console import Console

from hxm.cluster.transfers import Transfer
from hxm.config import Config
from hxm.errors import CannotAsk
from hxm.plan import Forecast, Movement
from hxm.policy.state.summary import BAD, GOOD, Word, news, remaining
from hxm.terminal.watch import _KEY, Watch, watch_plainly

BEFORE = cluster(domain("nfs", "host1"), domain("sles", "host2"))
MIGRATING = domain("nfs", "host1", role="Migrating")
NOW = cluster(
    MIGRATING,
    domain("sles"),
    failure("monitor", "sles", "host2"),
    nodes=(node("host1"), node("host2", standby=True)),
)


def test_what_one_look_shows_that_the_one_before_did_not():
    assert [word.text for word in news(BEFORE, NOW)] == [
        "nfs: migrating from host1",
        "sles: Stopped",
        "monitor of sles failed on host2: error",
        "host2: standby",
    ]
    assert list(news(NOW, NOW)) == []


def test_a_domu_that_runs_twice_is_no_good_news():
    twice = cluster(domain("nfs", "host1", "host2"), domain("sles", "host2"))
    assert list(news(BEFORE, twice)) == [Word("nfs: Started, host1,host2", BAD)]
    back = list(news(twice, BEFORE))
    assert back == [Word("nfs: Started, host1", GOOD)]


def test_a_domu_that_moved_is_told_with_an_arrow():
    moved = cluster(domain("nfs", "host2"), domain("sles", "host2"))
    between = cluster(domain("nfs", "host1", "host2", role="Migrating"), domain("sles", "host2"))
    for before in (BEFORE, between):
        assert list(news(before, moved)) == [Word("nfs: host1 -> host2", GOOD)]
    assert [word.text for word in news(between, BEFORE)] == ["nfs: Started, host1"]


def forecast(*movements):
    return Forecast((tuple(movements),), BEFORE)


@pytest.mark.parametrize(
    ("movement", "seen", "left"),
    [
        (Movement("nfs", "live", "host1", "host2"), domain("nfs", "host1"), ["nfs"]),
        (
            Movement("nfs", "live", "host1", "host2"),
            domain("nfs", "host1", role="Migrating"),
            ["nfs"],
        ),
        (Movement("nfs", "live", "host1", "host2"), domain("nfs", "host2"), []),
        (Movement("nfs", "live", "host1", "host2"), domain("nfs", "host3"), []),
        (Movement("nfs", "live", "host1", "host2"), domain("nfs"), ["nfs"]),
        (Movement("nfs", "stop", "host1"), domain("nfs", "host1"), ["nfs"]),
        (Movement("nfs", "stop", "host1"), domain("nfs"), []),
        (Movement("nfs", "start", None, "host1"), domain("nfs"), ["nfs"]),
        (Movement("nfs", "start", None, "host1"), domain("nfs", "host1"), []),
        (Movement("evms", "stop", "host1"), domain("nfs", "host1"), []),
    ],
)
def test_what_is_left_of_an_order(movement, seen, left):
    assert remaining(cluster(seen), forecast(movement)) == (left, int(movement.resource == "nfs"))


class Knows:
    """A poller that has seen this."""

    def __init__(self, seen, fault="") -> None:
        self.cluster, self.fault = seen, fault
        self.age, self.stale, self.polls_per_minute = 3.0, bool(fault), 12
        self.transfers: list[Transfer] = []


def screen(watch, width, height):
    console = Console(width=width, height=height, force_terminal=False)
    with console.capture() as shown:
        console.print(watch.screen(width, height))
    lines = shown.get().splitlines()
    assert len(lines) == height
    assert max(map(len, lines)) <= width
    return lines


def test_how_far_a_live_migration_is_stands_in_the_head():
    watch = Watch(Knows(NOW))
    watch.poller.transfers.append(Transfer("nfs", "host2", 60, 512))
    assert "nfs -> host2: 60 of 512 MiB" in "\n".join(screen(watch, 80, 24)[:4])
    watch.poller.transfers = [Transfer("nfs", "host2", 512, 512)]
    assert "memory copied; waiting for the cluster" in "\n".join(screen(watch, 132, 24)[:4])


MANY = cluster(
    *(domain(f"vm{number:03}", "host1") for number in range(300)),
    domain("moves", "host1", role="Migrating"),
    domain("gone"),
    nodes=(node("host1"), node("host2", unclean=True, online=False)),
)


@pytest.mark.parametrize("height", [8, 16, 24, 60])
@pytest.mark.parametrize("width", [20, 60, 80, 200])
@pytest.mark.parametrize("view", "dnfe?")
def test_every_view_fits_every_terminal(view, width, height):
    watch = Watch(Knows(MANY))
    assert watch.press(view)
    screen(watch, width, height)
    screen(Watch(Knows(None, "no answer from crm_mon within 30 s, as ever")), width, height)


def test_what_moves_comes_first_then_what_is_wrong_then_the_others():
    shown = [line.split()[0] for line in screen(Watch(Knows(MANY)), 80, 40) if line.strip()]
    at = shown.index("Name")
    assert shown[at + 1 : at + 4] == ["moves", "gone", "vm000"]


def test_a_narrow_terminal_keeps_what_matters():
    wide, narrow = (screen(Watch(Knows(BEFORE)), width, 24) for width in (80, 60))
    assert any(line.split()[:5] == ["Name", "ID", "Mem", "VCPUs", "State"] for line in wide)
    assert any(line.split() == ["Name", "Node", "Role", "Flags"] for line in narrow)
    assert "12 polls/min" in narrow[-1]
    once = Knows(BEFORE)
    once.polls_per_minute = 1
    assert "1 poll/min" in screen(Watch(once), 80, 24)[-1]
    assert "ago" not in narrow[0]
    once.age = 41.0
    assert screen(Watch(once), 60, 24)[0].endswith(", seen 41 s ago")


def test_where_there_is_room_nodes_and_attention_stand_below_the_domus():
    lines = screen(Watch(Knows(NOW)), 120, 40)
    below = [line for line in lines if line.startswith(("host2", "monitor of sles", "    hxm "))]
    assert len(below) >= 3
    assert any("needs attention: f" in line or "need attention: f" in line for line in lines)
    short = "\n".join(screen(Watch(Knows(NOW)), 120, 12))
    assert "hxm cleanup" not in short


def test_events_are_kept_and_shown():
    watch = Watch(Knows(BEFORE))
    watch.record_events()
    watch.poller.cluster = NOW
    watch.record_events()
    watch.record_events()
    assert len(watch.events) == 4
    text = "\n".join(screen(watch, 80, 24))
    assert text.index("host2: standby") < text.index("sles: Stopped"), "the newest first"
    watch.press("f")
    assert "hxm cleanup sles" in "\n".join(screen(watch, 80, 24))


def test_keys_scroll_and_end_it():
    watch = Watch(Knows(MANY))
    screen(watch, 80, 24)
    for key in ("j", "\x1b[B", "\x1b[6~"):
        assert watch.press(key)
    assert watch.top == 12
    assert not any(line.startswith("Name") for line in screen(watch, 80, 24))
    for key in "kkkkkkkkkkkkkkkkkk":
        watch.press(key)
    assert watch.top == 0
    assert watch.press("x")
    assert not watch.press("q")
    assert not watch.press("\x03")
    assert isinstance(watch.events, deque)


def test_no_key_is_lost_that_comes_with_others():
    assert _KEY.findall("j\x1b[B\x1bOB\x1b[6~\x1b[1;5Aq\n") == [
        *("j", "\x1b[B", "\x1bOB", "\x1b[6~", "\x1b[1;5A", "q", "\n")
    ]
    watch = Watch(Knows(MANY))
    assert all(map(watch.press, _KEY.findall("\x1b[B\x1b[B\x1bOB\x1bOA")))
    assert watch.top == 2


def test_what_needs_attention_is_folded_and_not_cut():
    long = failure("monitor", "nfs", "host1")._replace(reason="no answer from the agent " * 9)
    watch = Watch(Knows(cluster(domain("nfs", "host1"), long)))
    watch.press("f")
    for width in (40, 80):
        lines = screen(watch, width, 24)
        shown = " ".join("\n".join(lines[:-1]).split())
        assert f"monitor of nfs failed on host1: {long.reason.strip()}" in shown
        assert "hxm cleanup nfs" in shown


def test_the_head_tells_a_sandbox_from_a_cluster():
    real = screen(Watch(Knows(BEFORE._replace(name="xen"))), 80, 24)
    assert real[0].startswith("hxm watch xen ")
    sandbox = screen(Watch(Knows(BEFORE._replace(name="xen", sandbox="/tmp/cib.xml"))), 80, 24)
    assert sandbox[0].startswith("hxm watch sandbox xen ")


@pytest.fixture
def looks(monkeypatch):
    """Looks that end like this, of a watch into a file."""

    def prepare(*ends):
        each = iter(ends)

        def look(_):
            end = next(each)
            if isinstance(end, Exception):
                raise end
            return end

        monkeypatch.setattr("hxm.cluster.read.read_cluster", look)
        monkeypatch.setattr("time.sleep", lambda _: None)

    return prepare


GONE = CannotAsk("the cluster gives no answer")


def test_a_look_that_fails_is_one_line_of_the_log(looks, capsys):
    looks(BEFORE, GONE, NOW)
    assert watch_plainly(Config(), 5.0, 3) == 0
    out = capsys.readouterr().out
    assert re.search(r"^20.* \S+  the cluster gives no answer$", out, re.MULTILINE)
    assert out.count("Name ") == 2
    assert "  sles: Stopped\n" in out  # what happened meanwhile


def test_a_log_whose_last_look_fails_ends_with_that(looks, capsys):
    looks(BEFORE, GONE)
    with pytest.raises(CannotAsk):
        watch_plainly(Config(), 5.0, 2)
    assert capsys.readouterr().out.count("Name ") == 1


def test_a_migration_is_shown_with_an_arrow_and_its_turn_is_no_news():
    moving = MIGRATING._replace(nodes=("host1", "host2"))
    text = "\n".join(screen(Watch(Knows(cluster(moving))), 80, 24))
    assert "host1->host2" in text
    assert "Migrating" in text
    assert [word.text for word in news(NOW, NOW._replace(domains=(moving, domain("sles"))))] == [
        "nfs: migrating from host1 to host2"
    ]
