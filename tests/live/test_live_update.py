"""The rolling update of three hosts: killed at every step, and gone on with from another node."""

from __future__ import annotations

import os
from itertools import cycle

import pytest
from trouble import calm, never_twice

POINTS = [f"{number}-{when}" for number in range(1, 8) for when in ("before", "after")]
"""A step makes so many changes at most: the lock, the state, the node, the state, the lock."""
long = pytest.mark.skipif(os.environ.get("HXM_FAULTS") != "all", reason="make faults runs it")


def killed(lab, host, point, *words):
    """An order that is killed before or after its so-manieth change; whether it was."""
    count = lab.folder / "count"
    for path in (count, lab.folder / "count.calls"):
        path.unlink(missing_ok=True)
    env = {
        "PATH": f"{lab.folder}/kill:/usr/sbin:/usr/bin:/sbin:/bin",
        "KILL_AT": point,
        "KILL_COUNT": str(count),
    }
    ran = lab.hxm(host, "update", *words, env=env)
    assert ran.status in (0, -9), ran
    return ran.status == -9


def reboot(lab, host):
    """As an operator does it: the cluster's stack is stopped, then the host."""
    lab.run(
        host, "sh", "-c", "kill $(pidof pacemakerd); while pidof pacemakerd; do sleep 0.1; done"
    )
    lab.switch("off", host)
    lab.switch("on", host)


def stage(lab, host):
    return lab.ok(host, "update", "status", "-o", "json").json


def step(lab, point, hosts, *words):
    """One step of the update: killed at the point, gone on with from another node."""
    before = stage(lab, hosts[0])["said"]
    if killed(lab, hosts[0], point, *words):
        lab.until("a killed step comes to its rest", lab.idle)
        never_twice(lab)
        if stage(lab, hosts[1])["said"] not in (before, None):
            found = lab.ok(hosts[1], "list", "-o", "json").json["left"]
            assert any("hxm update next" in each["do"] for each in found), found
            words = ("next",)
    if stage(lab, hosts[1])["said"] == before:
        lab.ok(hosts[1], "update", *words)


def rolling(lab, points, *words):
    """The whole update, each step killed at the next of the points; the hosts as they were done."""
    points, done = cycle(points), []
    step(lab, next(points), lab.hosts, "start", "--watch", "1", *words)
    while (now := stage(lab, lab.hosts[0]))["under_way"]:
        host = now["host"]
        askers = [each for each in lab.hosts if each != host] + [host]
        if now["step"] == "reboot":
            assert lab.xl(host) == []
            early = lab.hxm(askers[1], "update", "next")
            assert early.status == 107, early
            assert "has not been rebooted" in early.err
            reboot(lab, host)
            done.append(host)
        step(lab, next(points), askers, "next")
        never_twice(lab)
    assert lab.configuration() == lab.first
    assert "no update is under way" in lab.ok(lab.hosts[0], "update", "status").out
    return done


def test_a_rolling_update_cut_short_and_gone_on_with(lab):
    """One host and its canary; `make faults` does all three, killed at every point."""
    since = len(lab.lines())
    assert rolling(lab, ["3-after", "2-before", "2-after"], "--order", "host2") == ["host2"]
    ops = [each["op"] for each in lab.events(since)]
    assert "created" not in ops  # every domU came through alive
    assert "fence" not in ops


@long
@pytest.mark.parametrize("point", ["none", *POINTS])
def test_a_rolling_update_killed_at_every_change(lab, point):
    dc = lab.mon().find("summary/current_dc").get("name")
    since = len(lab.lines())
    done = rolling(lab, [point])
    assert sorted(done) == lab.hosts
    assert point != "none" or done[-1] == dc
    assert "created" not in [each["op"] for each in lab.events(since)]


@long
def test_the_return_of_a_host_is_waited_for_and_what_failed_stops_the_update(lab):
    lab.ok("host2", "update", "start", "--watch", "2", "--canary", "vm3", "--order", "host3,host2")
    lab.run("host3", "sh", "-c", "kill $(pidof pacemakerd); while pidof pacemakerd; do :; done")
    lab.switch("off", "host3")
    lab.until("it is off", lambda: lab.node("host3", lab.mon("host1"))["online"] == "false")
    waiting = lab.start("host1", "hxm", "update", "next")
    lab.switch("on", "host3")
    ran = waiting.wait()
    assert ran.status == 0, ran
    assert "host3 is active again" in ran.out

    tried = lab.start("host2", "hxm", "update", "next", "--timeout", "60")
    lab.until("the canary is there", lambda: lab.nodes_of("vm3") == ["host3"])
    lab.turn("migrate.vm3", rc=1)
    ran = tried.wait()
    assert ran.status == 0, ran
    ran = lab.ok("host1", "update", "abort")
    assert "through with it: host3; not: host2" in ran.out
    calm(lab)
    assert lab.configuration() == lab.first
