"""The nights to learn from: each is wrong until what the tutorial says is typed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from docutils import nodes
from docutils.core import publish_doctree

from hxm.orders.lessons import LESSONS
from hxm.pacemaker import sandbox_past
from hxm.plan import Action

TUTORIAL = Path(__file__).parents[2] / "man" / "hxm-tutorial.7.rst"
READS = ("why", "status", "update status")


def told() -> dict[str, list[str]]:
    """What the tutorial has typed to end each night, by its number and title."""
    page = publish_doctree(TUTORIAL.read_text(), settings_overrides={"halt_level": 2})
    return {
        item.next_node(nodes.term).astext(): [
            line
            for literal in item.findall(nodes.literal)
            if (line := literal.astext().removeprefix("hxm ")) != literal.astext()
            and not line.startswith(READS)
        ]
        for item in page.findall(nodes.definition_list_item)
    }


SOLUTIONS = told()


def test_the_tutorial_goes_through_all_nights(bare):
    named = [f"{number}, {night.title}" for number, night in enumerate(LESSONS, 1)]
    assert [*SOLUTIONS] == named
    assert len(named) >= 12
    listed = bare.ok("sandbox", "lesson").out.splitlines()
    assert [", ".join(line.split(maxsplit=1)) for line in listed] == named


@pytest.mark.parametrize("number", range(1, len(LESSONS) + 1))
def test_a_night_is_wrong_until_it_is_mended(bare, number):
    story = bare.ok("sandbox", "lesson", str(number), str(bare.file.parent)).err
    assert f"Night {number}, " in story
    ran = bare.hxm("sandbox", "lesson", "--check")
    assert (ran.status, "not over: " in ran.out) == (1, True), ran
    for line in [*SOLUTIONS.values()][number - 1]:
        bare.ok(*line.split())
    assert "the night is over" in bare.ok("sandbox", "lesson", "--check").out


def test_a_night_needs_its_number_and_a_new_folder(sandbox):
    for words, said in (
        (["99", "x"], "there is no night"),
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


def test_a_list_says_that_nothing_has_reacted_yet(sandbox):
    hint = "another tool has changed the sandbox: hxm sandbox settle"
    assert hint not in sandbox.ok("list").err
    sandbox.tool("crm_resource", "-r", "nfs", "--meta", "-p", "target-role", "-v", "Stopped")
    assert hint in sandbox.ok("list").err
    assert hint in sandbox.ok("status").err
    sandbox.ok("sandbox", "settle")
    assert hint not in sandbox.ok("list").err


def test_a_sandbox_remembers_what_happened(sandbox):
    """Also what later actions overwrite in the CIB, whose times are whole seconds."""
    sandbox.ok("migrate", "nfs", "host2")
    for words in (["fail", "nfs"], ["fail", "host2"], ["recover", "host2"]):
        time.sleep(1.0)
        sandbox.ok("sandbox", *words)
    rows = sandbox.ok("history", "-o", "json").json["events"]
    told = [f"{row['subject']} {row['what']} {row['where']}".strip() for row in rows]
    assert [line.removeprefix("nfs ") for line in told if line.startswith("nfs ")] == [
        "moved live host1 -> host2",
        "found not running host2",
        "started host2",
        "lost with its node host2",
        "started host1",
    ]
    others = {"host2 was lost", "host2 was fenced", "host2 joined", "sles started host1"}
    assert others <= {*told}
    folder = sandbox.file.with_name("cib.xml.past")
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_sandbox_does_not_remember_for_ever(sandbox, monkeypatch):
    monkeypatch.setattr(sandbox_past, "MOST", 2)
    monkeypatch.setenv("PATH", sandbox.env["PATH"])
    past = sandbox_past.Past(str(sandbox.file))
    for _ in range(3):
        past.see(str(sandbox.file), [Action("fence", "", "host1")])
    past.keep()
    past.keep()
    folder = sandbox.file.with_name("cib.xml.past")
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["fencing.xml", "pe-input-000000007.gz", "pe-input-000000008.gz", "settled"]


def test_a_live_migration_fails(sandbox):
    sandbox.ok("sandbox", "fail", "nfs", "--operation", "migrate")
    assert "migrate_to of nfs failed on host1" in sandbox.ok("status").out
