"""The rolling update, killed at every step and gone on with from another node; and the drills."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import cycle

import pytest
import trouble
from trouble import calm, never_twice

POINTS = [f"{number}-{when}" for number in range(1, 8) for when in ("before", "after")]
"""A step makes so many changes at most: the lock, the state, the node, the state, the lock."""


def killed(lab, host, point, *words):
    """An order that is killed before or after its so-manieth change; whether it was."""
    ran, _ = trouble.killed(lab, host, ("update", *words), point)
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
    lab.ok(lab.hosts[0], "unlock")  # of one that was killed when all was done
    assert lab.configuration() == lab.first
    assert "no update is in progress" in lab.ok(lab.hosts[0], "update", "status").out
    return done


def test_a_rolling_update_cut_short_and_gone_on_with(lab):
    """One host and its canary; `make faults` does all three, killed at every point."""
    since = len(lab.lines())
    assert rolling(lab, ["3-after", "2-before", "2-after"], "--order", "host2") == ["host2"]
    ops = [each["op"] for each in lab.events(since)]
    assert "created" not in ops  # every domU came through alive
    assert "fence" not in ops


@pytest.mark.thorough
@pytest.mark.parametrize("point", ["none", *POINTS])
def test_a_rolling_update_killed_at_every_change(lab, point):
    dc = lab.mon().find("summary/current_dc").get("name")
    since = len(lab.lines())
    done = rolling(lab, [point])
    assert sorted(done) == lab.hosts
    assert point != "none" or done[-1] == dc
    assert "created" not in [each["op"] for each in lab.events(since)]


@pytest.mark.thorough
def test_the_return_of_a_host_is_waited_for_and_what_failed_stops_the_update(lab):
    lab.ok("host2", "update", "start", "--watch", "20", "--canary", "vm3", "--order", "host3,host2")
    lab.tool("host3", "service", "pacemaker", "stop")
    lab.switch("off", "host3")
    lab.until("it is off", lambda: lab.node("host3", lab.mon("host1"))["online"] == "false")
    waiting = lab.start("host1", "hxm", "update", "next")
    lab.switch("on", "host3")
    ran = waiting.wait()
    assert ran.status == 0, ran
    assert "host3 is active again" in ran.out

    tried = lab.start("host2", "hxm", "update", "next", "--timeout", "60")
    lab.until("the canary is there", lambda: lab.nodes_of("vm3") == ["host3"])
    lab.run("host3", "xl", "destroy", "vm3")
    ran = tried.wait()
    assert ran.status == 1, ran
    calm(lab)
    assert stage(lab, "host1")["step"] == "try"  # it stays where it is
    lab.ok("host1", "cleanup", "vm3")
    ran = lab.ok("host1", "update", "abort")
    assert "through with it: host3; not: host2" in ran.out
    calm(lab)
    assert lab.configuration() == lab.first


# Drills


def drilled(lab, host, *words, **options):
    """A drill that passes: how long each domU was away, and nothing is left of it."""
    ran = lab.ok(host, "drill", *words, "--yes", "-o", "json", **options).json
    assert (ran["verdict"], ran["left"]) == ("pass", [])
    lab.until("the cluster is at rest", lab.idle)
    assert lab.configuration() == lab.first
    assert lab.mon().find("failures/failure") is None
    never_twice(lab)
    return {each["name"]: each for each in ran["away"]}


def test_a_domu_that_is_killed_comes_back(lab):
    here = lab.where("vm3")
    asked = lab.hxm(here, "drill", "kill", "vm3")
    assert (asked.status, "its monitor, which runs every 10s" in asked.err) == (107, True)
    away = drilled(lab, lab.other(here), "kill", "vm3")["vm3"]
    print(away)
    assert away["seconds"] >= away["noticed"] > 0
    assert "not running" not in lab.ok(here, "status").out


CLONE = """<clone id="everywhere"><primitive id="dummy" class="ocf" provider="pacemaker"
type="Dummy"/></clone>"""


@pytest.fixture
def cloned(lab, monkeypatch):
    """The lab with a clone, which leaves a node last and comes back to it first."""
    lab.tool(lab.hosts[0], "cibadmin", "-C", "-o", "resources", "-X", CLONE)
    lab.until("it runs", lambda: len(lab.nodes_of("dummy")) == len(lab.hosts) and lab.idle())
    monkeypatch.setattr(lab, "first", lab.configuration())
    return lab


def test_a_node_is_drained_and_taken_back(cloned):
    lab = cloned
    here = lab.where("nfs")
    away = drilled(lab, here, "standby", here)
    print(away)
    assert away["nfs"]["seconds"] < 1  # it migrates


@pytest.mark.thorough
def test_another_node_becomes_the_dc(cloned):
    lab = cloned
    dc = lab.mon().find("summary/current_dc").get("name")
    if lab.where("nfs") != dc:
        lab.ok(dc, "migrate", "nfs", dc)
    refused = lab.hxm(dc, "drill", "dc", "--yes")
    assert (refused.status, f"this is {dc} itself" in refused.err) == (107, True)
    print(drilled(lab, lab.other(dc), "dc"))
    assert lab.mon().find("summary/current_dc").get("name") != dc


@pytest.mark.thorough
def test_a_node_that_is_fenced(lab):
    here = lab.where("nfs")
    drill = lab.start(lab.other(here), "hxm", "drill", "fence", here, "--yes", "-o", "json")
    with suppress(AssertionError):
        lab.until("it is off", lambda: lab.switch("state", here) == "off", 30)
    # switched on before the others have lost it, it would not be let in
    lab.until("it is fenced and gone", lambda: lab.node(here)["online"] == "false", 60)
    lab.until("nobody waits for it", lambda: lab.node(here)["unclean"] == "false", 60)
    lab.switch("on", here)
    ran = drill.wait()
    assert ran.status == 0, ran
    print(ran.json["away"])
    assert all(each["seconds"] > 0 for each in ran.json["away"])
    lab.until("the cluster is at rest", lab.idle)
    assert lab.configuration() == lab.first
    never_twice(lab)


PING = """<clone id="pingd"><primitive id="ping" class="ocf" provider="pacemaker" type="ping">
<instance_attributes id="ping-params"><nvpair id="p1" name="host_list" value="10.99.0.254"/>
<nvpair id="p2" name="dampen" value="1s"/><nvpair id="p3" name="attempts" value="1"/>
<nvpair id="p4" name="timeout" value="1"/></instance_attributes>
<operations><op id="ping-mon" name="monitor" interval="3s" timeout="20s"/>
<op id="ping-start" name="start" interval="0" timeout="30s"/></operations></primitive></clone>"""
RULE = """<rsc_location id="pinged-{name}" rsc="{name}"><rule id="pinged-{name}-rule"
score="-INFINITY" boolean-op="or"><expression id="pinged-{name}-1" attribute="pingd"
operation="not_defined"/><expression id="pinged-{name}-2" attribute="pingd" operation="lte"
value="0"/></rule></rsc_location>"""


@pytest.mark.thorough
@pytest.mark.skipif(os.getuid() != 0, reason="ping takes root in the lab")
def test_a_node_that_is_cut_off_from_what_it_pings(lab, monkeypatch):
    here = lab.where("nfs")
    asker = lab.other(here)
    refused = lab.hxm(asker, "drill", "ping", here, "--yes")
    assert (refused.status, "has a host_list" in refused.err) == (107, True)
    lab.tool(here, "cibadmin", "-C", "-o", "resources", "-X", PING)
    known = 'name="pingd" value="1"'
    lab.until("it pings", lambda: lab.tool(here, "cibadmin", "-Q").count(known) == 3)
    refused = lab.hxm(asker, "drill", "ping", here, "--yes")
    assert (refused.status, "the scheduler would not" in refused.err) == (107, True), refused
    for name in lab.domains:
        lab.tool(here, "cibadmin", "-C", "-o", "constraints", "-X", RULE.format(name=name))
    lab.until("the rules have been taken in", lab.idle)
    monkeypatch.setattr(lab, "first", lab.configuration())
    print(drilled(lab, asker, "ping", here))
    assert lab.where("nfs") != here
    assert "unreachable" not in lab.tool(here, "ip", "route")
