"""The cluster in trouble before, during and after a change: nothing twice, nothing unsaid."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import cycle, product

import pytest
from trouble import (
    FAULTS,
    calm,
    never_twice,
    ordered,
    repair,
    said_done_and_is,
    sampled,
    sane,
    tidy,
)

# fault, where it strikes (of the domU: source, target, third), verb, when
OFTEN = [
    ("power cut", "source", "migrate", "during"),
    ("power cut", "source", "destroy", "before"),
    ("link cut", "source", "standby", "during"),
    ("pacemaker stopped", "source", "standby", "during"),
    ("controller killed", "dc", "migrate", "during"),
    ("quorum lost", "third", "shutdown", "before"),
    ("toolstack hangs", "source", "migrate", "before"),
    ("disk full", "asker", "destroy", "after"),
]
"""Those of every `make test`."""
PLACES = {
    "power cut": ("source", "target", "third"),
    "link cut": ("target", "source", "third"),
    "pacemaker stopped": ("source", "target", "asker"),
    "controller killed": ("dc",),
    "quorum lost": ("third",),
    "toolstack hangs": ("source", "asker"),
    "disk full": ("asker",),
}
BEFOREHAND = {
    "start": ["shutdown", "nfs"],
    "unmigrate": ["migrate", "nfs", "TARGET", "--keep"],
    "active": ["standby", "THIRD"],
    "manage": ["unmanage", "nfs"],
    "default": ["shutdown", "nfs"],
}
WORDS = {
    "migrate": ["nfs", "TARGET"],
    "standby": ["SOURCE"],
    "active": ["THIRD"],
    "maintenance": ["on", "nfs"],
}
VERBS = (*BEFOREHAND, "shutdown", "reboot", "destroy", "migrate", "standby", "unmanage")
MOMENTS = ("before", "during", "after")


def everything() -> Iterator[tuple[str, str, str, str]]:
    """Every fault at every moment of every changing verb, the places by turns."""
    for fault, places in PLACES.items():
        turns = cycle(places)
        for verb, when in product((*VERBS, "maintenance"), MOMENTS):
            yield fault, next(turns), verb, when


@pytest.mark.parametrize(("fault", "place", "verb", "when"), sampled(OFTEN, everything()))
def test_in_trouble(lab, fault, place, verb, when):
    source = lab.where("nfs")
    target = lab.other(source)
    asker = third = lab.other(source, target)
    dc = lab.mon().find("summary/current_dc").get("name")
    host = {"source": source, "target": target, "third": third, "asker": asker, "dc": dc}[place]
    if place == "third":
        asker = source if verb != "migrate" else target
    named = {"SOURCE": source, "TARGET": target, "THIRD": third, "ASKER": asker}
    if verb in BEFOREHAND:
        lab.ok(source, *(named.get(word, word) for word in BEFOREHAND[verb]))
    words = [verb, *(named.get(word, word) for word in WORDS.get(verb, ["nfs"]))]
    lab.turn("migrate", copying=2)
    if when == "before":
        FAULTS[fault](lab, host)
    order = ordered(lab, asker, *words, "--timeout", "45")
    if when == "during":
        time.sleep(1.5)
        FAULTS[fault](lab, host)
    ran = order.wait(180)
    fenced = ran.status == -9 and asker not in lab.alive()  # hxm went with its node
    if not fenced and (host != asker or fault not in ("power cut", "link cut")):
        sane(ran)
        if fault != "quorum lost":
            said_done_and_is(lab, verb, "nfs", named, ran)
    if when == "after":
        FAULTS[fault](lab, host)
    repair(lab, fault)
    alive = calm(lab)
    never_twice(lab)
    tidy(lab, alive)
    calm(lab)
    never_twice(lab)


def test_a_refusal_while_a_node_is_lost_and_not_fenced(lab):
    host = lab.other(lab.where("nfs"))
    (lab.shared / "knobs" / f"fence.{host}").touch()
    lab.switch("off", host)
    asker = lab.other(host)
    lost = {"unclean": "true", "online": "false"}
    lab.until("it is lost", lambda: lost.items() <= lab.node(host, lab.mon(asker)).items())
    ran = lab.hxm(asker, "shutdown", "nfs")
    assert ran.status == 107, ran
    assert "lost and not yet fenced" in ran.err
    assert f"stonith_admin --confirm {host}" in lab.ok(asker, "status").out
    lab.tool(asker, "stonith_admin", f"--confirm={host}")
    calm(lab)


def test_where_no_cluster_answers_a_change_is_refused_and_a_list_says_so(lab):
    host = "host2"
    lab.run(host, "sh", "-c", "kill $(pidof pacemakerd)")
    lab.until("it is stopped", lambda: lab.run(host, "pidof", "pacemakerd").status != 0)
    for words in (("shutdown", "nfs"), ("migrate", "nfs", "host1"), ("list",), ("standby", host)):
        ran = lab.hxm(host, *words)
        assert ran.status == 102, ran
        assert "cluster" in ran.err
