"""Several domUs in one order: one plan, one question, and an answer that mentions each of them."""

from __future__ import annotations

import pytest


@pytest.fixture
def four(bare):
    """Four hosts with three domUs each."""
    return bare.make("--nodes", "4", "--domains", "12")


def test_several_move_at_once_and_leave_nothing(four):
    ran = four.ok("migrate", "vm3", "vm4", "host1")
    assert "vm3: host3 -> host1, live" in ran.out
    assert "vm4: host4 -> host1, live" in ran.out
    assert four.nodes_of("vm3") == four.nodes_of("vm4") == ["host1"]
    assert "cli-" not in four.configuration()


def test_the_one_that_is_there_already_is_mentioned(four):
    ran = four.ok("migrate", "nfs", "vm3", "host1", "-o", "json").json
    assert {domain["name"]: domain["how"] for domain in ran["domains"]} == {
        "nfs": "unchanged",
        "vm3": "live",
    }
    assert ran["notes"] == ["nfs runs on host1 already"]


@pytest.mark.parametrize(("verb", "how"), [("start", "started"), ("shutdown", "stopped")])
def test_the_one_that_needs_nothing_is_mentioned(sandbox, verb, how):
    sandbox.ok("shutdown", "nfs")
    if verb == "shutdown":
        sandbox.ok("start", "nfs")
        sandbox.ok("shutdown", "sles")
    answer = sandbox.ok(verb, "nfs", "sles", "-o", "json").json
    assert {domain["how"] for domain in answer["domains"]} == {how, "unchanged"}
    assert "sles" in answer["notes"][0]


def test_without_a_node_the_scheduler_chooses_and_is_asked_about(four):
    before = four.file.read_bytes()
    ran = four.hxm("migrate", "vm3", "vm7")
    assert (ran.status, "the scheduler chooses" in ran.err) == (107, True), ran
    assert four.file.read_bytes() == before
    four.ok("migrate", "vm3", "vm7", "--yes")
    assert "host3" not in four.nodes_of("vm3") + four.nodes_of("vm7")
    assert "cli-" not in four.configuration()
    assert "hxm-elsewhere" not in four.file.read_text()


def test_there_is_no_other_node(sandbox):
    sandbox.ok("standby", "host2")
    ran = sandbox.hxm("migrate", "nfs", "--yes")
    assert ran.status == 107
    said = "the scheduler finds no other node for nfs: host2 may not run it: the node is in standby"
    assert f"{said}\n     hxm active host2; to see why: hxm why nfs" in ran.err


def test_all_are_refused_if_one_may_not_move(four):
    before = four.file.read_bytes()
    four.ok("shutdown", "vm4")
    before = four.file.read_bytes()
    ran = four.hxm("migrate", "vm3", "vm4", "host1", "--yes")
    assert (ran.status, "vm4" in ran.err) == (107, True), ran
    assert four.file.read_bytes() == before


def test_a_pattern_is_shown_and_asked_about(four):
    ran = four.hxm("shutdown", "vm1*")
    assert (ran.status, "vm1* means 3 domUs: vm10, vm11, vm12" in ran.err) == (107, True), ran
    four.ok("shutdown", "vm1*", "--yes")
    assert not any(map(four.nodes_of, ("vm10", "vm11", "vm12")))
    assert four.nodes_of("nfs") == ["host1"]
    four.ok("start", "-a", "--yes")
    assert all(map(four.nodes_of, ("vm10", "vm11", "vm12")))


def test_the_drained_come_home(four):
    there = ["nfs", "vm5", "vm9"]
    four.ok("standby", "host1", "--yes")
    assert "nfs, vm5, vm9 ran here before the drain" in four.ok("active", "host1").out
    four.ok("standby", "host1", "--yes")
    four.ok("active", "host1", "--home")
    assert [four.nodes_of(name) for name in there] == [["host1"]] * 3, "an empty drain ends nothing"
    four.ok("standby", "host1", "--yes")
    ran = four.ok("active", "host1", "--home", "-o", "json").json
    assert {domain["name"]: domain["how"] for domain in ran["domains"]} == dict.fromkeys(
        there, "live"
    )
    assert "cli-" not in four.configuration()


def test_balance_shows_and_then_moves_one_by_one(four):
    four.ok("standby", "host1", "--yes")
    four.ok("standby", "host2", "--yes")
    four.ok("active", "host1")
    four.ok("active", "host2")
    before = four.file.read_bytes()
    ran = four.hxm("balance")
    assert (ran.status, "would move, one after the other" in ran.err) == (107, True), ran
    assert four.file.read_bytes() == before
    shown = four.ok("balance", "--yes", "-o", "json").json["memory"]
    assert len({host["then"] for host in shown}) == 1
    assert len({host["left"] for host in shown}) == 1
    counts = [
        len(four.ok("list", "--node", f"host{n}", "-o", "json").json["domains"])
        for n in (1, 2, 3, 4)
    ]
    assert counts == [3, 3, 3, 3]
    assert "as evenly" in four.ok("balance").out
    assert "cli-" not in four.configuration()
