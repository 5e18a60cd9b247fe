"""Situations of real clusters, one CIB each: what hxm says of them, and what it refuses."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

SITUATIONS = Path(__file__).parents[1] / "data" / "situations"


@pytest.fixture
def situation(bare):
    """Makes the sandbox one of these situations."""

    def of(name: str):
        bare.file.parent.mkdir(parents=True)
        shutil.copyfile(SITUATIONS / f"{name}.xml", bare.file)
        return bare

    return of


def test_guest_nodes_have_no_vote(situation):
    ran = situation("guests-as-voters").hxm("standby", "alpha")
    assert ran.status == 107
    assert "with alpha off, 1 of 3 nodes would have no quorum" in ran.err


def test_the_quorum_after_a_loss_counts_no_guests(situation):
    losses = situation("guests-as-voters").hxm("capacity", "-o", "json").json["losses"]
    assert {each["node"]: each["quorum"] for each in losses} == {"alpha": False, "beta": False}


def test_a_guest_node_needs_no_fencing_device(situation):
    found = situation("guest-node").hxm("check", "-o", "json").json["findings"]
    assert "no-fencing" not in [each["code"] for each in found]


def test_a_guest_node_is_no_host(situation):
    sandbox = situation("guest-update")
    assert "g1" not in sandbox.hxm("update", "plan").out
    hosts = sandbox.hxm("capacity", "-o", "json").json["hosts"]
    assert [each["name"] for each in hosts] == ["alpha", "beta"]


@pytest.mark.parametrize(
    ("name", "condition", "command"),
    [
        ("on-fail-standby", "standby (on-fail)", "hxm cleanup web alpha"),
        ("health", "unhealthy (red)", "what its #health attributes say"),
    ],
)
def test_what_keeps_everything_off_a_node_is_shown(situation, name, condition, command):
    sandbox = situation(name)
    assert condition in sandbox.ok("nodes").out
    attention = sandbox.ok("status").out.partition("Needs attention:")[2]
    assert command in attention
    assert "hxm active" not in attention


def test_the_failure_is_what_ends_a_standby_by_on_fail(situation):
    sandbox = situation("on-fail-standby")
    sandbox.ok("cleanup", "web", "alpha")
    assert "on-fail" not in sandbox.ok("nodes").out
