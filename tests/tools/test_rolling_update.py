"""The rolling update on the real tools: three hosts in a file, from the plan to the last."""

from __future__ import annotations

import pytest


@pytest.fixture
def three(bare):
    return bare.make("--nodes", "3", "--domains", "4")


def test_a_plan_foresees_every_drain_and_changes_nothing(three):
    before = three.file.read_bytes()
    ran = three.ok("update", "plan", "--canary", "sles")
    assert ran.out.splitlines()[0].split() == ["1", "drain", "host2"]  # the DC is host1
    assert "sles: move host2 -> host1, live" in ran.out
    assert "move sles to host2 as the canary" in ran.out
    assert "\nafterwards: " in ran.out
    begun = three.ok("update", "start", "--dry-run").out
    assert "  write down in the cluster how far the update is\n" in begun
    assert "cluster_property_set" not in begun
    assert "crm_attribute --node=host2 --name=standby" in begun
    assert three.file.read_bytes() == before
    found = three.ok("update", "plan", "--order", "host3,host1", "-o", "json").json
    assert (found["order"], found["objections"]) == (["host3", "host1"], [])
    assert [each["step"] for each in found["steps"]].count("drain") == 2


def test_what_is_wrong_is_told_before_anything_begins(three):
    three.ok("standby", "host3")
    ran = three.hxm("update", "plan", env={"HXM_LOG": "stderr"})
    assert ran.status == 107
    assert "refused (unless --force): host3 is in standby: nobody is to spare" in ran.out
    assert "not simulated: it is refused as things are" in ran.out
    assert "crm_mon" in ran.err and "crm_simulate" not in ran.err
    rows = three.hxm("update", "plan", "-o", "csv").out.splitlines()
    assert {row.rpartition(",")[2] for row in rows} == {"Moves", "?"}
    forced = three.hxm("update", "plan", "--force")
    assert forced.status == 107
    assert "move host2 -> host1, live" in forced.out
    ran = three.hxm("update", "start")
    assert ran.status == 107
    assert three.hxm("update", "start", "--order", "host9").status == 105
    three.ok("active", "host3")
    assert three.hxm("update", "start", "--no-wait").status == 2
    assert "no update is in progress" in three.ok("update", "status").out


def test_from_the_first_host_to_the_last(three):
    before = three.configuration()
    ran = three.ok("update", "start", "--canary", "vm4")
    assert "then patch and reboot host2, and: hxm update next" in ran.out
    assert three.tool("crm_verify", f"--xml-file={three.file}", "-V") == ""
    (left, *_) = three.ok("list", "-o", "json").json["left"]
    assert "host2 is drained" in left["what"]
    assert left["do"] == "hxm update next, or hxm update abort"
    assert "hxm active" not in three.ok("list").err
    assert three.hxm("update", "start").status == 107
    unsure = three.hxm("update", "next")
    assert (unsure.status, "whether host2 was rebooted cannot be told" in unsure.err) == (107, True)
    three.ok("update", "next", "--yes")
    assert "vm4: host1 -> host2, live" in three.ok("update", "next").out
    shown = three.ok("update", "status", "-o", "json").json
    assert (shown["host"], shown["step"]) == ("host3", "drain")
    for _ in range(2):
        three.ok("update", "next")
        three.ok("update", "next", "--yes")
    assert three.configuration() == before
    assert three.ok("update", "status", "-o", "json").json["under_way"] is False
    whats = three.file.with_name("journal").read_text().splitlines()
    assert sum("for its update" in each for each in whats) == 6  # begun and done


@pytest.mark.parametrize("steps", [0, 1])
def test_abort_leaves_nothing(three, steps):
    before = three.configuration()
    three.ok("update", "start")
    for _ in range(steps):
        three.ok("update", "next", "--yes")
    ran = three.ok("update", "abort")
    standby = ", and with it the standby of host2" * (steps == 0)
    through = "host2" if steps else "none"
    assert f"the update has ended{standby}; through with it: {through}" in ran.out
    assert three.configuration() == before
    assert "no update is under way" in three.ok("update", "abort").out


def test_a_standby_of_somebody_else_is_left_alone(three):
    three.ok("update", "start")
    for _ in range(2):
        three.ok("update", "next", "--yes")
    three.ok("standby", "host3", "--reason", "broken RAM")
    ran = three.hxm("update", "next")
    assert ran.status == 107
    assert "host3 is in standby, and not by the update" in ran.err
    ran = three.ok("update", "abort")
    assert "host3 stays in standby, it is not the update's" in ran.out
    nodes = three.ok("status", "-o", "json").json["nodes"]
    assert [each["name"] for each in nodes if each["standby"]] == ["host3"]


def test_a_host_that_is_away_stays_in_standby(three):
    three.ok("update", "start")
    three.ok("sandbox", "fail", "host2")
    assert "host2 stays in standby, it is " in three.ok("update", "abort", "--force").out
    assert "hxm active host2" in three.ok("list").err


def test_a_plan_and_a_start_say_the_same_of_a_canary(three):
    for word in ("plan", "start"):
        assert three.hxm("update", word, "--canary", "nobody").status == 105
        assert three.hxm("update", word, "--canary", "all").status == 2
    three.ok("shutdown", "vm4")
    for words in (("plan",), ("start", "--force")):
        ran = three.hxm("update", *words, "--canary", "vm4")
        assert (ran.status, "vm4 does not run" in ran.out + ran.err) == (107, True)


def test_a_state_that_cannot_be_understood_is_named_and_can_be_ended(three):
    before = three.configuration()
    text = '<cluster_property_set id="hxm-update"><nvpair id="u" name="hxm-update" value="?"/>'
    argv = ("cibadmin", "-C", "-o", "crm_config", "-X", text + "</cluster_property_set>")
    three.tool(*argv)
    assert "cannot be understood" in three.ok("list").err
    ran = three.hxm("update", "next")
    assert (ran.status, "hxm update abort" in ran.err) == (107, True)
    three.ok("update", "abort")
    assert three.configuration() == before
