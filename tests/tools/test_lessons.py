"""The nights to learn from: each is wrong at first, can be mended with hxm, and is over then."""

from __future__ import annotations

import pytest

from hxm.orders.lessons import LESSONS

SOLUTIONS = (
    ["start sles"],
    ["unmigrate nfs"],
    ["active host1"],
    ["maintenance off --yes", "cleanup nfs"],
    ["maintenance off host2"],
    ["manage nfs --yes", "cleanup nfs"],
    ["cleanup sles"],
    ["unmigrate nfs --yes", "cleanup nfs"],
    ["sandbox recover host1"],
    ["sandbox recover host1"],
    ["sandbox regain-quorum"],
    ["maintenance off --yes", "start sles", "active host2"],
)


def test_there_is_a_solution_for_each_night(bare):
    assert len(SOLUTIONS) == len(LESSONS) == 12
    listed = bare.ok("sandbox", "lesson").out.splitlines()
    assert [line.split(maxsplit=1)[1] for line in listed] == [night.title for night in LESSONS]


@pytest.mark.parametrize("number", range(1, len(SOLUTIONS) + 1))
def test_a_night_is_wrong_until_it_is_mended(bare, number):
    story = bare.ok("sandbox", "lesson", str(number), str(bare.file.parent)).err
    assert f"Night {number}, " in story
    ran = bare.hxm("sandbox", "lesson", "--check")
    assert (ran.status, "not over: " in ran.out) == (1, True), ran
    for line in SOLUTIONS[number - 1]:
        bare.ok(*line.split())
    assert "the night is over" in bare.ok("sandbox", "lesson", "--check").out


def test_a_night_needs_its_number_and_a_new_folder(sandbox):
    for words, said in (
        (["13", "x"], "there is no night"),
        (["1"], "needs a new folder"),
        (["1", str(sandbox.file.parent)], "exists already"),
    ):
        ran = sandbox.hxm("sandbox", "lesson", *words)
        assert ran.status in (2, 107)
        assert said in ran.err


def test_what_pacemakers_own_tools_change_takes_effect(sandbox):
    sandbox.tool("crm_resource", "-r", "nfs", "--meta", "-p", "target-role", "-v", "Stopped")
    assert sandbox.nodes_of("nfs") == ["host1"]
    assert "nfs: stop on host1" in sandbox.ok("sandbox", "settle").out
    assert not sandbox.nodes_of("nfs")


def test_a_live_migration_fails(sandbox):
    sandbox.ok("sandbox", "fail", "nfs", "--operation", "migrate")
    assert "migrate_to of nfs failed on host1" in sandbox.ok("status").out
