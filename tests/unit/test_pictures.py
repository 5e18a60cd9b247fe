"""What the status page draws: the hosts' memory, who was where, and what happened last."""

from __future__ import annotations

import time

import pytest
from factories import cluster, domain, local, node
from test_page import AT, HEALTHY, SVG, dom, known, table, text_of

from hxm.plan import Objection
from hxm.policy.memory import Host, Need
from hxm.policy.past.events import Event
from hxm.policy.past.stays import rows
from hxm.web.hosts import host_cards
from hxm.web.page import page
from hxm.web.snapshot import Picture
from hxm.web.time_line import time_line

NFS, SLES = domain("nfs", "host1"), domain("sles", "host2")
SEEN = cluster(NFS, SLES, name="xen")
NEEDS = {each.resource: Need(each, 512) for each in (NFS, SLES)}
"""Each takes 520 MiB."""
ASKED = Host("host1", 1024, 2048, 256, "info")
BY_CIB = Host("host1", 3576, source="hv_memory")


def parts(seen, host, needs=NEEDS):
    """Kind and per cent of each part of host1's bar, and its words."""
    card = host_cards(seen, Picture(AT, AT, (host,), needs))[0]
    return [(part.kind, part.width) for part in card.parts], card.memory


def moved(*nodes, role="Started"):
    return cluster(domain("nfs", *nodes, role=role), SLES)


def test_a_host_that_takes_no_domu_is_not_shown_as_merely_online():
    seen = SEEN._replace(barred={"host1": Objection("the node has lost its ping path", "")})
    assert [card.state for card in host_cards(seen, Picture())] == ["takes no domU", "online"]


def test_how_much_has_arrived_stands_at_the_domu():
    seen = moved("host1", "host2", role="Migrating")
    cards = host_cards(seen, Picture(), {"nfs": "60 of 512 MiB"})
    assert [domu.direction for card in cards for domu in card.domus if domu.name == "nfs"] == [
        "\u2192 host2, 60 of 512 MiB",
        "from host1, 60 of 512 MiB",
    ]


BARS = {
    "asked": (
        SEEN,
        ASKED,
        [("dom0", 12.5), ("domu", 25.39), ("other", 12.11), ("free", 50.0)],
        "1024 MiB free of 2048 MiB",
    ),
    "by the CIB": (
        SEEN,
        BY_CIB,
        [("domu", 12.7), ("free", 87.3)],
        "3576 MiB free of 4096 MiB for domUs",
    ),
    "it has left since": (moved("host2"), BY_CIB, [("free", 100.0)], "4096 MiB free of 4096"),
    "two have come since": (
        cluster(NFS, domain("sles", "host1")),
        BY_CIB,
        [("domu", 12.7), ("domu", 12.7), ("free", 74.61)],
        "3056 MiB free of 4096 MiB for domUs",
    ),
    "it moves": (
        moved("host1", "host2", role="Migrating"),
        BY_CIB,
        [("moving", 12.7), ("free", 87.3)],
        "3576 MiB free of 4096 MiB for domUs",
    ),
    "large": (SEEN, BY_CIB._replace(free=20000), [("domu", 2.53), ("free", 97.47)], "19.5 GiB"),
    "full": (SEEN, BY_CIB._replace(free=-8), [("domu", 100.0)], "0 MiB free of 520 MiB"),
    "not known": (SEEN, Host("host1", why="not asked"), [], "memory not known: not asked"),
    "a domU of unknown size came": (
        cluster(NFS, domain("sles", "host1")),
        BY_CIB,
        [],
        "memory not known",
    ),
}


@pytest.mark.parametrize("name", BARS)
def test_the_bar_of_a_host(name):
    seen, host, expected, words = BARS[name]
    unknown = {"sles": Need(SLES)} if "unknown" in name else {}
    shown, memory = parts(seen, host, NEEDS | unknown)
    assert shown == expected
    assert memory.startswith(words)


def test_all_bars_have_one_scale():
    hosts = (BY_CIB, Host("host2", 1528, source="hv_memory"))
    cards = host_cards(SEEN, Picture(AT, AT, hosts, NEEDS))
    assert [card.parts[-1].start + card.parts[-1].width for card in cards] == [100.0, 50.0]


def test_a_host_that_was_never_asked_and_one_that_is_off_say_so():
    seen = cluster(node("host1"), node("host2", online=False))
    asked = Host("host2", 4096, source="hv_memory")
    cards = host_cards(seen, Picture(AT, AT, (asked,)))
    assert [(card.memory, card.parts) for card in cards] == [("memory not known", ()), ("", ())]


WAYS = {
    ("Started", "host1"): [["nfs", ""], []],
    ("Migrating", "host1", "host2"): [["nfs", "\u2192 host2"], ["nfs", "from host1"]],
    ("Stopping", "host1"): [["nfs", "stopping"], []],
}


@pytest.mark.parametrize("how", WAYS, ids=" ".join)
def test_what_moves_is_shown_on_both_hosts_while_it_moves(how):
    role, *nodes = how
    cards = host_cards(cluster(domain("nfs", *nodes, role=role)), Picture())
    shown = [
        [word for domu in card.domus for word in (domu.name, domu.direction)] for card in cards
    ]
    assert shown == WAYS[how]
    under_way = text_of(dom(page(known(moved(*nodes, role=role)), served=True)))
    assert ("Under waynfs " in under_way) == (role != "Started")


def test_what_runs_nowhere_has_a_card_of_its_own():
    document = dom(page(known(cluster(domain("nfs", target_role="Stopped"))), served=True))
    card = document.findall(".//li[@class='host']")[-1]
    assert text_of(card) == "on no host nfs disabled"


def test_a_local_domu_counts_with_what_its_toolstack_says():
    seen = cluster(NFS, local("test", memory=240))
    drawn, _ = parts(seen, ASKED)
    assert ("domu", 11.72) in drawn


# The past

MOVE = Event(AT - 50, "nfs", "moved live", "host2 -> host1", 1.0, "anna")
MOVE = MOVE._replace(left="host2", came="host1")
FAULT = Event(AT - 20, "nfs", "found not running", "host1", failed=True)
PAST = [MOVE, FAULT]


def picture(seen=HEALTHY, events=PAST, since=AT - 100):
    return Picture(AT, since, (), {}, rows(events, seen.managed_domains, since, AT), events)


def test_a_row_is_drawn_and_told_in_words():
    (row,) = time_line(HEALTHY, picture()).rows
    clock = [time.strftime("%H:%M:%S", time.localtime(AT - ago)) for ago in (49, 49, 20)]
    assert row.words == "nfs: on host2 until {}; on host1 since {}; a failure at {}".format(*clock)
    drawn = [(each.start, each.width, each.node, each.colour) for each in row.segments]
    assert drawn == [(0.0, 51.0, "host2", 1), (51.0, 49.0, "host1", 0)]
    assert row.failures == (80.0,)


ROOMS = {100.0: "", 8.0: "", 7.0: "wide", 3.0: "wide", 2.0: "never", 0.001: "never"}


@pytest.mark.parametrize("length", ROOMS)
def test_a_name_is_written_where_it_has_room(length):
    """On a phone 26 characters have room, on a desktop 70; the host is called `h`."""
    seen = cluster(domain("nfs", "h"), node("h"))
    came = Event(AT - length, "nfs", "started", "h", 0.0, came="h")
    (row,) = time_line(seen, picture(seen, [came])).rows
    assert row.segments[-1].room == ROOMS[length]
    assert row.segments[-1].width >= 0.3


def test_of_many_domus_only_those_that_came_or_went_have_a_row():
    others = (domain(f"vm{number}", "host1") for number in range(30))
    seen = cluster(domain("nfs", "host1"), domain("off"), domain("new", "host1"), *others)
    stopped = Event(AT - 9, "off", "stopped", "host1", left="host1")
    started = Event(AT - 9, "new", "started", "host1", came="host1")
    drawn = time_line(seen, picture(seen, [*PAST, stopped, started]))
    assert [row.name for row in drawn.rows] == ["nfs", "off", "new"]
    assert drawn.others.endswith("(30 in all)")


def test_the_page_shows_the_past_and_what_happened_last():
    document = dom(page(known(HEALTHY, picture=picture()), served=True))
    row = document.find(".//table[@class='past']/tbody/tr")
    assert text_of(row.find("th")) == "nfs"
    assert row.find(f".//{SVG}svg").get("role") == "img"
    assert [cells[1:] for cells in table(document, "past") if len(cells) == 3] == [
        ["What", "By"],
        ["nfs: found not running, host1", ""],
        ["nfs: moved live, host2 -> host1", "anna"],
    ]


def test_without_a_picture_the_page_is_whole():
    document = dom(page(known(HEALTHY), served=True))
    assert document.find(".//table[@class='past']") is None
    assert "nfs" in text_of(document.find(".//li[@class='host']"))
