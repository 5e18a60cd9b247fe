"""Backup, undo, restore and history on a real cluster: what was is again, what happened is told."""

from __future__ import annotations

import json

import pytest


def everybody(lab):
    return [name for host in lab.hosts for name in lab.xl(host)]


def test_undo_takes_back_what_hxm_changed_and_nothing_else(lab):
    here = lab.where("nfs")
    before = lab.tool(here, "cibadmin", "--query", "--scope=configuration")
    number = str(lab.ok(here, "backup", "-o", "json").json["number"])
    lab.ok(here, "standby", lab.other(here, lab.where("sles")))
    assert lab.configuration() != lab.first
    lab.ok(here, "undo", "--yes")
    assert lab.tool(here, "cibadmin", "--query", "--scope=configuration") == before
    lab.ok(here, "unmanage", "nfs")
    lab.tool(here, "crm_attribute", "--name=batch-limit", "--update=7")
    ran = lab.hxm(here, "undo", "--yes")
    assert (ran.status, "batch-limit is 7" in ran.err) == (107, True), ran
    assert "batch-limit is 7" in lab.ok(here, "diff").out
    lab.ok(here, "restore", number, "--yes")
    assert lab.configuration() == lab.first


@pytest.mark.thorough
def test_every_change_is_taken_back(lab):
    here = lab.where("nfs")
    there = lab.other(here)
    for words in (
        "shutdown nfs",
        f"migrate sles {here} --keep --yes",
        "unmanage nfs",
        "maintenance on",
        f"maintenance on {there}",
    ):
        before = lab.tool(here, "cibadmin", "--query", "--scope=configuration")
        lab.hxm(here, *words.split())
        assert lab.configuration() != lab.first, words
        lab.ok(here, "undo", "--yes")
        after = lab.tool(here, "cibadmin", "--query", "--scope=configuration")
        assert after == before, words
    assert lab.nodes_of("nfs")


@pytest.mark.thorough
def test_damage_done_by_hand_is_restored(lab):
    here = lab.alive()[0]
    number = str(lab.ok(here, "backup", "-o", "json").json["number"])
    lab.tool(here, "cibadmin", "--delete", "--xpath=//primitive[@id='vm3']")
    lab.tool(here, "crm_attribute", "--name=no-quorum-policy", "--update=ignore")
    lab.until("vm3 is stopped", lambda: lab.idle() and "vm3" not in everybody(lab))
    ran = lab.ok(here, "restore", number, "--yes")
    assert "domU vm3 was added" in ran.out
    assert "vm3: started on" in ran.out
    assert lab.configuration() == lab.first
    assert everybody(lab).count("vm3") == 1


def test_history_is_what_the_domus_and_the_power_switch_have_seen(lab):
    """From the DC's saved transitions, which another node asks for: it must not be the lost one."""
    dc = lab.mon().find("summary/current_dc").get("name")
    if lab.where("sles") == dc:
        lab.ok(dc, "migrate", "sles", lab.other(dc))
    here = lab.where("nfs")
    there = lab.other(here)
    since = len(lab.lines())
    lab.ok(here, "migrate", "nfs", there, "--reason", "a noisy fan")
    with lab.knob("migrate", rc=1, msg="refused"):
        assert lab.hxm(there, "migrate", "nfs", here, "--yes").status == 1
    lost = lab.where("sles")
    asked = lab.other(lost)
    lab.switch("off", lost)
    lab.until("it runs again", lambda: lab.where("sles") not in ("", lost))
    lab.until("it is idle", lambda: lab.idle(asked))
    events = [
        (each["what"].partition(" (")[0], each["where"], each["domain"] or each["subject"])
        for each in lab.ok(asked, "history", "--since", "1h", "--everywhere", "-o", "json").json[
            "events"
        ]
        if each["source"] != "journal"
    ]
    told = {(what, where) for what, where, who in events[-12:] if who in ("nfs", "sles", lost)}
    assert told >= {
        ("moved live", f"{here} -> {there}"),
        ("live move failed", f"{there} -> {here}"),
        ("lost with its node", lost),
    }, json.dumps(events[-20:], indent=1)
    assert any(what == "was fenced" and who == lost for what, _, who in events)
    seen = [each for each in lab.events(since) if each["op"] in ("created", "arrived", "fence")]
    begun = [each for each in events if each[0] in ("started", "moved live", "was fenced")]
    own = {"created": "started", "arrived": "moved live", "fence": "was fenced"}
    # sorted, for the times of actions are whole seconds
    assert sorted((own[each["op"]], each["name"]) for each in seen) == sorted(
        (what, who) for what, _, who in begun[-len(seen) :]
    ), json.dumps(events, indent=1)
