"""Every verb on a real cluster: the outcome by the cluster's own tools and by the domUs' events."""

from __future__ import annotations

import re

import pytest


def ops(lab, since, name):
    """What happened to a domU, by the stand-in's word."""
    return [each["op"] for each in lab.events(since) if each["name"] == name]


def gather(lab, host):
    """Bring every domU to one node, by the cluster's own tools."""
    for name in lab.domains:
        if lab.where(name) != host:
            lab.tool(host, "crm_resource", "--move", f"--resource={name}", f"--node={host}")
    lab.until("all are there", lambda: {lab.where(each) for each in lab.domains} == {host})
    lab.until("it is idle", lambda: lab.idle(host))
    for name in lab.domains:
        lab.tool(host, "crm_resource", "--clear", f"--resource={name}")
    lab.until("it is idle", lambda: lab.idle(host))


def test_migrate_is_live_and_leaves_nothing(lab):
    here = lab.where("nfs")
    there = lab.other(here)
    since = len(lab.lines())
    ran = lab.ok(here, "migrate", "nfs", there, "-o", "json")
    (moved,) = ran.json["domains"]
    assert (moved["name"], moved["how"], moved["after"]) == ("nfs", "live", [there])
    assert ran.json["left"] == []
    assert lab.where("nfs") == there
    assert ops(lab, since, "nfs") == ["migrate", "arrived", "migrated"]
    assert lab.xl(there).count("nfs") == 1
    assert lab.configuration() == lab.first


def test_migrate_from_a_third_node_and_back(lab):
    here = lab.where("sles")
    there = lab.other(here)
    third = lab.other(here, there)
    assert "live" in lab.ok(third, "migrate", "sles", there).out
    assert "live" in lab.ok(third, "migrate", "sles", here).out
    assert lab.where("sles") == here
    assert lab.configuration() == lab.first


def test_standby_drains_every_domu_and_active_takes_it_back(lab):
    host = lab.where("nfs")
    gather(lab, host)
    since = len(lab.lines())
    ran = lab.ok(lab.other(host), "standby", host)
    assert "safe to power off" in ran.out
    for name in lab.domains:
        assert lab.where(name) != host
        assert f"{name}: {host} -> " in ran.out
        assert "migrated" in ops(lab, since, name)
        assert "created" not in ops(lab, since, name)
    assert lab.xl(host) == []
    assert lab.node(host)["standby"] == "true"
    assert host in lab.ok(host, "status").out
    lab.ok(host, "active", host)
    assert lab.node(host)["standby"] == "false"
    assert lab.configuration() == lab.first


def test_the_progress_of_a_drain_is_told(lab):
    host = lab.where("nfs")
    gather(lab, host)
    drain = lab.start(host, "script", "-qec", f"hxm standby {host}", "/dev/null")
    ran = drain.wait()
    assert ran.status == 0, ran
    assert "migrating" in ran.out
    assert "safe to power off" in ran.out


def test_how_far_a_live_migration_is_is_told(lab):
    here = lab.where("nfs")
    lab.turn("migrate.nfs", copying=8)
    order = f"hxm migrate nfs {lab.other(here)}"
    ran = lab.start(here, "script", "-qec", order, "/dev/null").wait()
    assert ran.status == 0, ran
    arrived = [int(mib) for mib in re.findall("([0-9]+) of 512 MiB", ran.out)]
    assert arrived, ran.out
    assert arrived == sorted(arrived)


def test_shutdown_start_and_reboot(lab):
    here = lab.where("nfs")
    since = len(lab.lines())
    assert f"stopped, was on {here}" in lab.ok(here, "shutdown", "nfs").out
    assert lab.nodes_of("nfs") == []
    assert "nfs" not in lab.xl(here)
    left = lab.ok(here, "list").err
    assert "target-role=Stopped" in left
    assert "hxm start nfs" in left
    lab.ok(lab.other(here), "start", "nfs")
    lab.ok(lab.other(here), "reboot", "nfs")
    assert len(lab.nodes_of("nfs")) == 1
    seen = ops(lab, since, "nfs")
    assert [each for each in seen if each in ("shutdown", "created")] == [
        "shutdown",
        "created",
        "shutdown",
        "created",
    ]
    assert lab.configuration() == lab.first


def test_destroy_pulls_the_plug_where_the_domu_runs(lab):
    here = lab.where("sles")
    since = len(lab.lines())
    ran = lab.ok(lab.other(here), "destroy", "sles")
    assert "stopped" in ran.out
    assert not ran.err.count("cannot destroy")
    seen = ops(lab, since, "sles")
    assert "destroy" in seen  # the cluster has been told first, and may have begun to shut it down
    assert "created" not in seen
    assert "sles" not in lab.xl(here)
    lab.ok(here, "start", "sles")
    assert lab.configuration() == lab.first


def test_destroy_here(lab):
    here = lab.where("vm3")
    lab.ok(here, "destroy", "vm3")
    assert lab.nodes_of("vm3") == []
    lab.ok(here, "create", "vm3")
    assert lab.configuration() == lab.first


def test_unmigrate_is_refused_while_a_migration_is_in_flight(lab):
    here = lab.where("nfs")
    there = lab.other(here)
    lab.turn("migrate.nfs", copying=4)
    lab.ok(here, "migrate", "--no-wait", "nfs", there)
    lab.until("it migrates", lambda: "migrate" in ops(lab, 0, "nfs"))
    ran = lab.hxm(lab.other(here, there), "unmigrate", "nfs")
    assert ran.status == 107, ran
    assert "is being migrated at this moment" in ran.err
    lab.until("it has arrived", lambda: lab.nodes_of("nfs") == [there] and lab.idle())
    assert "cli-prefer-nfs" in lab.ok(here, "list").err
    lab.ok(here, "unmigrate", "nfs")
    assert lab.where("nfs") == there
    assert lab.configuration() == lab.first


LONG = pytest.param(["migrate"], 25, marks=pytest.mark.thorough, id="beyond a renewal")
UNWAITED = pytest.param(["migrate", "--no-wait"], 5, id="not waited for")


def aborts(lab) -> str:
    """The lines of the cluster's log about a transition under way that hxm's lock has aborted."""
    logs = lab.folder.glob("nodes/*/log/pacemaker/pacemaker.log")
    lines = "".join(log.read_text(errors="replace") for log in logs).splitlines(keepends=True)
    words = ("Transition", " aborted by ", "hxm-lock", "complete=false")
    return "".join(line for line in lines if all(word in line for word in words))


@pytest.mark.parametrize(("words", "seconds"), [LONG, UNWAITED])
def test_the_lock_never_disturbs_a_migration(lab, words, seconds):
    """What aborts a transition may double a domU: neither a renewal nor a release does."""
    here = lab.where("nfs")
    there = lab.other(here)
    lab.turn("migrate.nfs", copying=seconds)
    before = aborts(lab)
    lab.ok(here, *words, "nfs", there)
    lab.until("it has arrived", lambda: lab.nodes_of("nfs") == [there] and lab.idle(), 60)
    assert aborts(lab) == before
    lab.ok(here, "unmigrate", "nfs")
    assert lab.configuration() == lab.first


def test_an_order_waits_for_the_migration_of_another(lab):
    """It is planned anew afterwards, and aborts no transition in which a domU is half moved."""
    here = lab.where("nfs")
    there = lab.other(here)
    since = len(lab.lines())
    lab.turn("migrate.nfs", copying=6)
    lab.run(here, "crm_resource", "--move", "--resource=nfs", f"--node={there}", "--force")
    lab.until("it migrates", lambda: "migrate" in ops(lab, since, "nfs"))
    ran = lab.ok(here, "shutdown", "sles")
    assert "waiting for the end of the migration of nfs" in ran.err
    events = [(each["op"], each["name"]) for each in lab.events(since)]
    assert events.index(("arrived", "nfs")) < events.index(("shutdown", "sles"))
    assert lab.where("nfs") == there
    lab.ok(here, "start", "sles")
    lab.ok(here, "unmigrate", "nfs")
    assert lab.configuration() == lab.first


@pytest.mark.parametrize("level", ["cluster", "node", "domain"])
def test_maintenance_at_every_level(lab, level):
    here = lab.where("nfs")
    subject = {"cluster": [], "node": [here], "domain": ["nfs"]}[level]
    lab.ok(here, "maintenance", "on", *subject)
    root = lab.mon()
    managed = {each.get("id"): each.get("managed") for each in root.iterfind("resources//resource")}
    assert managed["nfs"] == "false"
    beside = level == "node" and lab.where("sles") == here
    assert managed["sles"] == ("false" if level == "cluster" or beside else "true")
    assert lab.hxm(here, "migrate", "nfs", lab.other(here)).status == 107
    assert "hxm maintenance off" in lab.ok(here, "status").out
    lab.ok(here, "maintenance", "off", *subject)
    assert lab.configuration() == lab.first


def test_a_domu_under_maintenance_may_vanish_and_nobody_minds(lab):
    here = lab.where("vm3")
    lab.ok(here, "unmanage", "vm3")
    since = len(lab.lines())
    lab.tool(here, "xl", "destroy", "vm3")
    lab.until("it is noticed", lambda: lab.nodes_of("vm3") == [], 30)
    assert "created" not in ops(lab, since, "vm3")
    assert "hxm manage vm3" in lab.ok(here, "list").err
    asked = lab.hxm(here, "manage", "vm3")  # it would be started again: is that meant?
    assert asked.status == 107, asked
    assert "vm3 would restart on" in asked.err
    lab.ok(here, "manage", "vm3", "--yes")
    lab.until("it runs again", lambda: len(lab.nodes_of("vm3")) == 1)
    assert lab.configuration() == lab.first


def test_default_removes_what_was_set_in_passing(lab):
    here = lab.where("nfs")
    lab.tool(here, "crm_resource", "-r", "nfs", "--meta", "-p", "is-managed", "-v", "false")
    lab.tool(here, "crm_resource", "-r", "nfs", "--meta", "-p", "target-role", "-v", "Started")
    lab.ok(here, "default", "nfs")
    assert lab.configuration() == lab.first


def test_a_failed_migration_is_told_as_the_restart_that_it_was(lab):
    here = lab.where("nfs")
    there = lab.other(here)
    lab.turn(f"migrate.nfs@{here}", rc=1, msg="Migration failed, failed to suspend at sender.")
    since = len(lab.lines())
    ran = lab.hxm(here, "migrate", "nfs", there)
    assert ran.status == 1, ran
    assert "nfs: restarted, not live (migrate_to failed" in ran.err
    assert lab.where("nfs") == there
    assert "created" in ops(lab, since, "nfs")
    lab.ok(here, "cleanup", "nfs")
    assert lab.mon().find("failures/failure") is None
    assert lab.configuration() == lab.first


def test_lost_at_both_ends_is_told_as_well(lab):
    here = lab.where("nfs")
    there = lab.other(here)
    lab.turn("receive.nfs", late=True)
    ran = lab.hxm(there, "migrate", "nfs", there)
    assert ran.status == 1, ran
    assert "restarted, not live" in ran.err
    assert lab.nodes_of("nfs") == [there]


def test_a_start_that_fails_everywhere(lab):
    here = lab.where("nfs")
    lab.ok(here, "shutdown", "nfs")
    lab.turn("create.nfs", rc=3, msg="xc: error: panic: Out of memory")
    ran = lab.hxm(here, "start", "nfs")
    assert ran.status == 1, ran
    assert (
        "start nfs: the cluster did not reach the goal: nfs does not run (start failed on"
        in ran.err
    )
    assert lab.nodes_of("nfs") == []
    shown = lab.ok(here, "status").out
    assert shown.count("start of nfs failed on") == 3
    (lab.shared / "knobs" / "create.nfs").unlink()
    assert "hxm cleanup nfs" in shown
    lab.ok(here, "cleanup", "nfs")
    lab.until("it runs", lambda: len(lab.nodes_of("nfs")) == 1)
    assert lab.configuration() == lab.first


def test_a_stop_that_hangs_is_fenced_and_told(lab):
    here = lab.where("nfs")
    asker = lab.other(here)
    lab.turn(f"shutdown.nfs@{here}", hang=True)
    lab.turn(f"destroy.nfs@{here}", hang=True)
    ran = lab.hxm(asker, "shutdown", "nfs")
    assert ran.status == 0, ran
    assert f"nfs: stopped, was on {here}" in ran.out
    assert lab.switch("state", here) == "off"
    assert lab.nodes_of("nfs") == []


def test_a_timeout_names_what_is_left(lab):
    here = lab.where("nfs")
    there = lab.other(here)
    lab.turn("migrate.nfs", copying=5)
    ran = lab.hxm(here, "migrate", "nfs", there, "--timeout", "1")
    assert ran.status == 124, ran
    assert "hxm unmigrate" in ran.err
    assert "cli-prefer-nfs" in ran.err
    assert "cli-prefer-nfs" in lab.ok(here, "list").err
    lab.until("it has arrived", lambda: lab.nodes_of("nfs") == [there] and lab.idle())
    lab.ok(here, "unmigrate")
    assert lab.configuration() == lab.first


def test_what_is_not_managed_goes_to_xl(lab):
    (lab.shared / "xen/vm/other").write_text('name = "other"\nmemory = 64\n')
    lab.ok("host1", "create", "/etc/xen/vm/other")
    assert "other" in lab.xl("host1")
    assert "other" in lab.ok("host1", "list").out
    lab.ok("host1", "destroy", "other")
    assert "other" not in lab.xl("host1")


def test_behind_the_clusters_back_is_refused(lab):
    here = lab.where("nfs")
    for words in ("pause nfs", "save nfs /dev/null", "rename nfs other", "block-attach nfs x"):
        assert lab.hxm(here, *words.split()).status == 107
    assert "nfs" in lab.xl(here)


def test_a_dry_run_changes_nothing_and_foresees_it(lab):
    here = lab.where("nfs")
    there = lab.other(here)
    since = len(lab.lines())
    ran = lab.ok(here, "migrate", "nfs", there, "--dry-run")
    assert f"nfs: move {here} -> {there}, live" in ran.out
    assert lab.events(since) == []
    assert lab.configuration() == lab.first


def test_two_nodes_are_enough(pair):
    here = pair.where("nfs")
    there = pair.other(here)
    assert "live" in pair.ok(here, "migrate", "nfs", there).out
    pair.ok(here, "standby", here)
    ran = pair.hxm(here, "standby", there)
    assert ran.status == 107, ran
    assert "last usable node" in ran.err
    pair.ok(here, "active", here)
    assert pair.configuration() == pair.first
