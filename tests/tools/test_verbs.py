"""Every verb on the real tools; each outcome is checked with crm_mon and cibadmin themselves."""

from __future__ import annotations

import json
import re

import pytest


def test_a_new_sandbox_is_at_rest_and_runs_everything(sandbox):
    graph = sandbox.folder / "graph"
    sandbox.tool("crm_simulate", "--simulate", f"-x{sandbox.file}", f"--save-graph={graph}")
    assert "<synapse" not in graph.read_text()
    sandbox.tool("crm_verify", f"--xml-file={sandbox.file}", "-V")
    assert (sandbox.nodes_of("nfs"), sandbox.nodes_of("sles")) == (["host1"], ["host2"])
    assert sandbox.nodes_of("pingd-child") == ["host1", "host2"]
    assert sandbox.nodes_of("STONITH-iLO-host1") == ["host2"]


def test_a_sandbox_is_never_overwritten(sandbox):
    before = sandbox.file.read_bytes()
    assert sandbox.hxm("sandbox", "new", str(sandbox.file.parent)).status == 107
    assert sandbox.file.read_bytes() == before


def test_a_larger_sandbox_is_at_rest_too(bare):
    bare.make("--nodes", "5", "--domains", "12")
    assert bare.ok("status").out.count("ocf:heartbeat:Xen") == 12
    assert "Nothing needs attention" in bare.ok("status").out


@pytest.mark.parametrize("stickiness", ["INFINITY", "1000"])
def test_migrate_goes_there_live_and_leaves_nothing(sandbox, stickiness):
    sandbox.replace(
        'name="resource-stickiness" value="INFINITY"',
        f'name="resource-stickiness" value="{stickiness}"',
    )
    before = sandbox.configuration()
    ran = sandbox.ok("migrate", "nfs", "host2")
    assert sandbox.nodes_of("nfs") == ["host2"]
    assert "nfs: host1 -> host2, live" in ran.out
    assert sandbox.configuration() == before


def test_a_constraint_whose_absence_would_send_the_domu_back_is_kept_and_named(sandbox):
    sandbox.replace(
        'name="resource-stickiness" value="INFINITY"', 'name="resource-stickiness" value="0"'
    )
    sandbox.tool(
        "cibadmin",
        "--create",
        "--scope=constraints",
        '--xml-text=<rsc_location id="home" rsc="nfs" node="host1" score="100"/>',
    )
    before = sandbox.configuration()
    ran = sandbox.ok("migrate", "nfs", "host2", "--yes")
    assert sandbox.nodes_of("nfs") == ["host2"]
    assert "hxm unmigrate nfs" in ran.err
    ran = sandbox.hxm("unmigrate")
    assert ran.status == 107
    assert "nfs would move host2 -> host1, live" in ran.err
    assert sandbox.nodes_of("nfs") == ["host2"]
    sandbox.ok("unmigrate", "--yes")
    assert sandbox.nodes_of("nfs") == ["host1"]
    assert sandbox.configuration() == before


def test_migrate_that_would_not_be_live_is_asked_about(sandbox):
    sandbox.replace('name="allow-migrate" value="true"', 'name="allow-migrate" value="false"')
    before = sandbox.file.read_bytes()
    ran = sandbox.hxm("migrate", "nfs", "host2")
    assert ran.status == 107
    assert "not live (allow-migrate is false)" in ran.err
    assert sandbox.file.read_bytes() == before
    ran = sandbox.ok("migrate", "nfs", "host2", "--yes")
    assert "stopped and started" in ran.out
    assert sandbox.nodes_of("nfs") == ["host2"]


def test_migrate_to_where_the_ping_rule_forbids_it_is_refused(sandbox):
    sandbox.ok("sandbox", "lose-network", "host2")
    before = sandbox.file.read_bytes()
    ran = sandbox.hxm("migrate", "nfs", "host2")
    assert ran.status == 107
    assert "the scheduler would not migrate nfs to host2" in ran.err
    assert sandbox.file.read_bytes() == before


def test_what_keep_leaves_never_keeps_the_domu_down_when_its_node_is_lost(sandbox):
    assert (
        "left in place: cli-prefer-nfs"
        in sandbox.ok("migrate", "nfs", "host2", "--keep", "--dry-run").out
    )
    left = sandbox.ok("migrate", "nfs", "host2", "--keep").err
    assert "cli-prefer-nfs" in left
    assert "cli-ban" not in left
    sandbox.ok("sandbox", "fail", "host2")
    assert sandbox.nodes_of("nfs") == ["host1"]


def test_what_keep_leaves_is_named_until_unmigrate(sandbox):
    before = sandbox.configuration()
    assert "hxm unmigrate nfs" in sandbox.ok("migrate", "nfs", "host2", "--keep").err
    for reading in ("list", "status"):
        ran = repr(sandbox.ok(reading))
        assert re.search(r"cli-prefer-nfs: .* \(by \S+, \d+ s ago: migrate nfs to host2\)", ran)
        assert "hxm unmigrate nfs" in ran
    assert sandbox.ok("list", "-o", "json").json["domains"][0]["interim"]
    assert " s ago: migrate nfs to host2" in sandbox.ok("unmigrate", "nfs").out
    assert sandbox.configuration() == before
    assert "no leftover moves or bans" in sandbox.ok("unmigrate").out


def test_another_admins_ban_is_neither_taken_away_nor_called_hxms(bare):
    sandbox = bare.make("--nodes", "3")
    sandbox.tool("crm_resource", "--ban", "--resource=nfs", "--node=host3")
    before = sandbox.configuration()
    sandbox.ok("migrate", "nfs", "host2")
    assert sandbox.configuration() == before
    assert "cli-ban-nfs-on-host3: nfs must not run on host3 (not set" in sandbox.ok("list").err
    text = '<rsc_location id="cli-prefer-nfs" rsc="nfs" node="host2" score="INFINITY"/>'
    sandbox.tool("cibadmin", "--create", "--scope=constraints", f"--xml-text={text}")
    ran = sandbox.hxm("migrate", "nfs", "host1")
    assert (ran.status, "would be replaced" in ran.err) == (107, True), ran


def test_old_and_foreign_constraints_are_swept_too(sandbox):
    before = sandbox.configuration()
    for text in (
        '<rsc_location id="cli-standby-nfs" rsc="nfs" node="host2" score="-INFINITY"/>',
        '<rsc_location id="cli-ban-sles-on-host1" rsc="sles" node="host1" score="-INFINITY"/>',
    ):
        sandbox.tool("cibadmin", "--create", "--scope=constraints", f"--xml-text={text}")
    assert "cli-standby-nfs" in sandbox.ok("list").err
    sandbox.ok("unmigrate", "all")
    assert sandbox.configuration() == before


def test_shutdown_start_reboot(sandbox):
    before = sandbox.configuration()
    assert "hxm start nfs" in sandbox.ok("shutdown", "nfs").err
    assert sandbox.nodes_of("nfs") == []
    assert "target-role=Stopped" in sandbox.ok("list").err
    assert "stopped already" in sandbox.ok("shutdown", "nfs").out
    sandbox.ok("start", "nfs")
    assert sandbox.nodes_of("nfs")
    assert sandbox.configuration() == before
    sandbox.ok("reboot", "nfs", "sles")
    assert sandbox.nodes_of("nfs")
    assert sandbox.configuration() == before


def test_reboot_keeps_a_target_role_that_was_there(sandbox):
    sandbox.tool("crm_resource", "-r", "nfs", "-m", "-p", "target-role", "-v", "Started")
    before = sandbox.configuration()
    sandbox.ok("reboot", "nfs")
    assert sandbox.configuration() == before


def test_start_writes_started_only_where_the_default_is_stopped(sandbox):
    sandbox.replace(
        '<nvpair id="rsc-options-resource-stickiness"',
        '<nvpair id="d" name="target-role" value="Stopped"/>'
        '<nvpair id="rsc-options-resource-stickiness"',
    )
    sandbox.ok("start", "nfs", "--yes")
    assert (sandbox.nodes_of("nfs"), sandbox.nodes_of("sles")) == (["host1"], [])
    assert 'name="target-role" value="Started"' in sandbox.configuration()


def test_destroy_stops_and_keeps_stopped(sandbox):
    sandbox.ok("destroy", "sles")
    assert sandbox.nodes_of("sles") == []
    sandbox.ok("default", "sles", "--yes")
    assert sandbox.nodes_of("sles")


def test_shutdown_of_all_asks_first(sandbox):
    before = sandbox.file.read_bytes()
    assert sandbox.hxm("shutdown", "-a").status == 107
    assert sandbox.file.read_bytes() == before
    sandbox.ok("shutdown", "-a", "--yes")
    assert sandbox.nodes_of("nfs") + sandbox.nodes_of("sles") == []


def test_reboot_of_all_asks_first_and_leaves_nothing_behind(sandbox):
    before = sandbox.configuration()
    assert sandbox.hxm("reboot", "-a").status == 107
    ran = sandbox.ok("reboot", "-a", "--yes", "-o", "json")
    assert {(each["name"], each["how"]) for each in ran.json["domains"]} == {
        ("nfs", "restarted"),
        ("sles", "restarted"),
    }
    assert sandbox.configuration() == before


def test_standby_drains_and_active_takes_back(sandbox):
    before = sandbox.configuration()
    ran = sandbox.ok("standby", "host1")
    assert "safe to power off" in ran.out
    assert "nfs: host1 -> host2, live" in ran.out
    for resource in ("nfs", "pingd-child", "evms-child", "STONITH-child"):
        assert "host1" not in sandbox.nodes_of(resource)
    assert sandbox.hxm("standby", "host2").status == 107
    sandbox.ok("active", "host1")
    assert "host1" in sandbox.nodes_of("pingd-child")
    assert sandbox.configuration() == before


def test_standby_of_the_last_node_takes_force(sandbox):
    sandbox.ok("standby", "host1")
    ran = sandbox.hxm("standby", "host2", "--force", "--yes")
    assert ran.status == 0
    assert sandbox.nodes_of("nfs") == []


def test_standby_until_reboot_is_ended_by_active_too(sandbox):
    before = sandbox.configuration()
    sandbox.tool("crm_attribute", "-N", "host1", "-n", "standby", "-v", "on", "-l", "reboot")
    assert "standby" in sandbox.ok("nodes").out
    sandbox.ok("active", "host1")
    assert "standby" not in sandbox.ok("nodes").out
    assert sandbox.configuration() == before


def test_unmanage_manage_default(sandbox):
    before = sandbox.configuration()
    sandbox.ok("unmanage", "nfs")
    assert sandbox.hxm("shutdown", "nfs").status == 107
    assert "is-managed=false" in sandbox.ok("list").err
    sandbox.ok("manage", "nfs")
    assert sandbox.configuration() == before
    sandbox.ok("unmanage", "nfs", "sles")
    sandbox.ok("default", "all")
    assert sandbox.configuration() == before


@pytest.mark.parametrize("subject", [(), ("host1",), ("nfs",)])
def test_maintenance_and_back(sandbox, subject):
    before = sandbox.configuration()
    sandbox.ok("maintenance", "on", *subject)
    assert sandbox.hxm("shutdown", "nfs").status == 107
    assert "maintenance" in sandbox.ok("status").out
    sandbox.ok("maintenance", "off", *subject)
    assert sandbox.configuration() == before
    sandbox.ok("shutdown", "nfs")


def test_an_order_in_maintenance_can_be_written_down_for_later(sandbox):
    sandbox.ok("maintenance", "on")
    ran = sandbox.hxm("shutdown", "nfs", "--force")
    assert ran.status == 1  # it was not reached, and that is said
    assert sandbox.nodes_of("nfs") == ["host1"]
    assert "target-role=Stopped" in sandbox.ok("list").err
    sandbox.ok("maintenance", "off", "--yes")
    assert sandbox.nodes_of("nfs") == []


@pytest.mark.parametrize(
    "verb",
    [
        "migrate nfs host2",
        "shutdown nfs",
        "reboot nfs",
        "destroy nfs",
        "standby host1",
        "unmanage nfs",
        "maintenance on",
    ],
)
def test_a_dry_run_shows_commands_and_changes_nothing(sandbox, verb):
    before = sandbox.file.read_bytes()
    ran = sandbox.ok(*verb.split(), "--dry-run")
    assert "crm_" in ran.out
    assert ran.out.endswith("nothing was changed\n")
    planned = sandbox.ok(*verb.split(), "--dry-run", "-o", "json").json
    assert planned["result"] == "planned"
    assert planned["commands"]
    assert sandbox.file.read_bytes() == before
    assert not (sandbox.file.parent / "journal").exists()


def test_the_commands_of_a_plan_are_those_that_are_run(sandbox):
    planned = sandbox.ok("migrate", "nfs", "host2", "--dry-run", "-o", "json").json["commands"]
    done = sandbox.ok("migrate", "nfs", "host2", "-o", "json").json["commands"]
    assert planned == done


def test_the_journal_tells_who_what_why(sandbox):
    sandbox.ok("standby", "host1", "--reason", "new kernel")
    begun, entry = map(json.loads, (sandbox.file.parent / "journal").read_text().splitlines())
    assert (begun["what"], begun["outcome"], begun["pid"]) == ("drain host1", "begun", entry["pid"])
    assert (entry["what"], entry["why"], entry["status"]) == ("drain host1", "new kernel", 0)
    assert (sandbox.file.parent / "journal").stat().st_mode & 0o77 == 0


def test_no_secret_is_ever_printed(sandbox):
    for words in (["status"], ["status", "-o", "json"], ["list", "--long"], ["list", "-o", "json"]):
        assert "not-a-real-one" not in repr(sandbox.ok(*words))
    sandbox.ok("migrate", "nfs", "host2")
    assert "not-a-real-one" not in (sandbox.file.parent / "journal").read_text()


def test_cleanup_clears_a_fail_count_that_stands_alone(sandbox):
    words = ("-N", "host2", "-n", "fail-count-nfs#start_0", "-v", "INFINITY", "-l", "reboot")
    sandbox.tool("crm_attribute", *words)
    assert sandbox.hxm("migrate", "nfs", "host2").status == 107
    assert "nfs: no failure is remembered" in sandbox.ok("cleanup", "nfs").out
    sandbox.ok("migrate", "nfs", "host2")


def test_cleanup_and_unmigrate_take_any_resource(sandbox):
    before = sandbox.configuration()
    sandbox.tool("crm_resource", "--ban", "--resource=evms", "--node=host1")
    sandbox.tool("crm_simulate", "-SX", f"--xml-file={sandbox.file}")
    assert "hxm unmigrate evms" in sandbox.ok("status").out
    sandbox.ok("unmigrate", "evms", "--yes")
    assert sandbox.configuration() == before
    nothing_kept = sandbox.ok("cleanup", "evms-child", "host1").out
    assert "evms-child: no failure is remembered" in nothing_kept
    assert "no failure on host1" in sandbox.ok("cleanup", "host1").out


@pytest.mark.parametrize("lifetime", ["forever", "reboot"])
def test_standby_and_maintenance_end_however_they_were_set(sandbox, lifetime):
    before = sandbox.configuration()
    for name, back in (("standby", ["active"]), ("maintenance", ["maintenance", "off"])):
        sandbox.tool("crm_attribute", "-N", "host1", "-n", name, "-v", "true", "-l", lifetime)
        assert f"host1 is in {name}" in sandbox.ok("list").err
        sandbox.ok(*back, "host1")
        assert sandbox.configuration() == before
        assert "host1 is in" not in sandbox.ok("list").err


def test_active_of_a_node_that_is_not_in_standby_does_not_succeed(sandbox):
    sandbox.ok("sandbox", "fail", "host1")
    assert sandbox.hxm("active", "host1").status == 107


def test_a_domu_comes_out_of_a_maintenance_that_it_inherits(sandbox):
    words = ("-t", "rsc_defaults", "-N", "host1", "-n", "maintenance", "-v", "true")
    sandbox.tool("crm_attribute", *words)
    end = sandbox.hxm("shutdown", "nfs").err.splitlines()[-1].partition(" first;")[0]
    assert end in sandbox.hxm("maintenance", "off", "nfs").err
    sandbox.tool("sh", "-c", end)
    sandbox.ok("shutdown", "nfs")


def test_suggested_commands_can_be_pasted(sandbox):
    sandbox.replace('name="name" value="nfs"', 'name="name" value="a;b $(id)"')
    ran = sandbox.ok("shutdown", "nfs")
    assert "hxm start nfs" in ran.err
    assert "hxm start a;b" not in ran.err


def test_a_move_that_is_live_anyway_may_be_asked_to_be(sandbox):
    assert "has no effect" not in sandbox.ok("migrate", "--live", "nfs", "host2", "--yes").err
    assert "--ssl has no effect" in sandbox.ok("migrate", "--ssl", "nfs", "host1", "--yes").err


def test_nothing_is_said_twice_and_status_does_not_begin_with_versions(sandbox):
    ran = sandbox.ok("unmanage", "nfs")
    assert (ran.out + ran.err).count("hxm manage nfs") == 1
    assert "version" not in sandbox.ok("status").out.splitlines()[1]
