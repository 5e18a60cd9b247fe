"""Situations of real clusters, one CIB each: what hxm says of them, and what it refuses."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime, timedelta
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


def test_a_health_that_is_one_score_of_many_keeps_nothing_off(situation):
    sandbox = situation("health")
    sandbox.tool("crm_attribute", "--name=node-health-strategy", "--update=custom")
    sandbox.tool("crm_attribute", "--name=node-health-red", "--update=-100")
    assert "unhealthy" not in sandbox.ok("nodes").out
    assert "the health of alpha counts -100" in sandbox.ok("why", "alpha").out
    assert "it would move beta -> alpha, live" in sandbox.ok("why", "web", "alpha").out
    assert "web: beta -> alpha" in sandbox.ok("migrate", "web", "alpha", "--yes").out


def test_a_guest_node_is_no_host(situation):
    sandbox = situation("guest-update")
    assert "g1" not in sandbox.hxm("update", "plan").out
    hosts = sandbox.hxm("capacity", "-o", "json").json["hosts"]
    assert [each["name"] for each in hosts] == ["alpha", "beta"]


@pytest.mark.parametrize(
    ("name", "condition", "command"),
    [
        ("on-fail-standby", "standby (on-fail)", "hxm cleanup web alpha"),
        ("health", "unhealthy (red)", "crm_mon -1 -A shows its #health attributes; mend alpha"),
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
    sandbox.ok("cleanup", "web", "alpha", "--yes")
    assert "on-fail" not in sandbox.ok("nodes").out


CAUSES = {
    "storage-clone-failed": (
        "web beta",
        "store-clone failed there too often",
        "cleanup store beta",
    ),
    "ban-on-dependency": ("web beta", "a ban keeps fsx away", "unmigrate fsx"),
    "half-a-group": ("web", "base is told to stop", "start base"),
    "half-a-clone": ("web", "base-clone is told to stop", "start base-clone"),
    "tag": ("web beta", "a constraint keeps it away", "l-tag"),
    "node-case": ("web beta", "a constraint keeps it away", "l-web"),
    "date": ("report beta", "a rule that depends on the time keeps it away", "l-h"),
    "nested-rule": ("web beta", "a rule that depends on the time keeps it away", "l-n"),
    "health": ("web alpha", "the node is unhealthy (red)", "#health"),
    "discovery-exclusive": ("web gamma", "may run only on nodes that constraints name", "x1"),
    "version-rule": ("web beta", "rsc_location l-v: the scheduler says so", "l-v"),
    "kind-attribute": ("web rem1", "a constraint keeps it away", "l-k"),
    "order-after-stop": ("web", "a constraint keeps it away", "no-alpha"),
    "require-all-false": ("web", "a constraint keeps it away", "na"),
    "cli-prefer-minus": ("web beta", "a ban keeps it away", "unmigrate web"),
    "clone-max": ("web gamma", "it must run where ms-r0 is promoted", "why ms-r0 gamma"),
    "blocked": ("web beta", "web is blocked by a failure", "cleanup web"),
    "maintenance": ("web beta", "the whole cluster is in maintenance", "maintenance off"),
    "nobody-promoted": ("vm1", "ms-vm1 is told not to be promoted", "default ms-vm1"),
    "order-promote": ("vm1", "ms-vm1 must be promoted before it", "ms-vm1"),
    "ticket": ("web", "the cluster does not hold the ticket ticketA", "ticketA"),
    "on-fail-stop": ("web", "its monitor failed on alpha", "cleanup web alpha"),
    "tag-ban": ("web", "a constraint keeps it away", "l-tag-a"),
    "tag-order": ("web", "fs must start before it; fs is told to stop", "start fs"),
    "template-order": ("vm1", "fs must start before it; fs is told to stop", "start fs"),
    "two-sets": ("vm3", "it is told to stop", "id='vm3-night']//nvpair[@name='target-role']"),
    "soft-hides-hard": ("web", "not on alpha: it failed there too often", "cleanup web alpha"),
    "group-stopped": ("web", "it is told to stop", "start g1"),
    "lasting-location": ("web", "not on gamma: the node is OFFLINE", "sandbox recover gamma"),
    "drbd-outdated": ("web", "not on alpha: the node is OFFLINE", "sandbox recover alpha"),
    "guest-stopped": ("app", "not on g1: the node is OFFLINE: vm1 is told to stop", "start vm1"),
    "pattern-not": ("web beta", "a constraint keeps it away", "l-pat"),
    "apart-set": ("c", "not on alpha: it is to keep away from a, which runs there", "apart"),
    "set-not-sequential": ("web beta", "store-clone's start failed there", "cleanup store beta"),
    "group-banned": ("web", "not on alpha: a ban keeps it away", "unmigrate web"),
    "group-unmanaged": ("web", "the cluster leaves it alone: web is unmanaged", "default g"),
    "ticket-standby": ("web", "the ticket T is in standby", "crm_ticket --ticket=T --activate"),
    "drbd-standby": ("web", "not on alpha: the node is in standby", "active alpha"),
    "role-location": (
        "web beta",
        "a constraint keeps drbd-clone from being promoted",
        "l-promoted",
    ),
    "remote-failed": (
        "web",
        "not on rem1: the node is OFFLINE: rem1 does not",
        "cleanup rem1 alpha",
    ),
    "stopped-chain": ("web", "db must start before it; mail must start", "start mail"),
    "opt-in-standby": ("web", "not on beta: the node is in standby", "active beta"),
    "date-standby": ("web beta", "the node is in standby", "active beta"),
    "allowed-until": (
        "batch",
        "not on host2: batch-window allowed it there until 2020-11-29",
        "if it is to run there still",
    ),
    "allowed-from": (
        "batch",
        "not on host2: batch-window allows it there only from 2126-01-01 on",
        "if it is to run there before",
    ),
    "bundle-told-to-stop": (
        "registry",
        "it is told to stop",
        "start registry",
    ),
    "ban-until": ("web alpha", "a ban keeps it away until 2036-12-31", "unmigrate web"),
    "clone-node-max": ("web", "sc runs 0 instances on a node at most", "clone-node-max"),
    "promoted-max": (
        "web",
        "ms must be promoted before it; ms may promote no instance",
        "if one may be, and hxm check finds no shared disk: crm_resource --resource=ms --meta",
    ),
    "clone-min": (
        "web",
        "1 more instance of sc must run before it (clone-min); it can run on 2",
        "clone-min",
    ),
    "clone-min-unique": (
        "web",
        "1 more instance of sc must run before it (clone-min); sc runs 1 instance on a node",
        "if a node may run 2 at once, and hxm check finds no shared disk: crm_resource",
    ),
    "clone-min-over-max": ("web", "(clone-min); sc runs 1 instance at most: on", "clone-max"),
    "ping-threshold": ("web", "the node has lost its ping path", "sandbox recover alpha"),
    "order-loop": ("web", "a loop of orders: web before a, a before b, b before web", "id='o1'"),
    "order-loop-below": ("web", "b must start before it; a loop of orders: b before a", "id='o1'"),
    "order-loop-in-group": ("web", "a loop of orders: web before a, a before web", "id='o1'"),
    "require-all-sets": (
        "web",
        "one of c, d must start before it; one of a, b must start before c; a is told to stop",
        "start a",
    ),
    "require-all-second": ("web", "one of c, d must start before it; c is told to", "start c"),
    "maintenance-of-a-node": (
        "web",
        "it may not run on beta: fs must start before it; fs is on alpha, which is in maintenance",
        "maintenance off alpha",
    ),
    "maintenance-told-to-stop": (
        "db",
        "the whole cluster is in maintenance",
        "if web may stop: hxm maintenance off",
    ),
    "shutdown-lock": ("db", "it is locked to host3", "sandbox recover host3"),
    "ping-stopped": ("web", "has no ping path: ping-clone is told to stop", "start ping-clone"),
}
"""What is asked of each situation, the cause, and what the command that ends it says."""


@pytest.mark.parametrize("name", CAUSES)
def test_the_first_reason_is_the_cause_and_the_scheduler_has_confirmed_it(situation, name):
    words, cause, command = CAUSES[name]
    answer = situation(name).ok("why", *words.split(), "-o", "json").json
    first = answer["reasons"][0]
    assert cause in first["what"]
    assert command in first["do"]
    assert first["confirmed"]
    assert answer["simulations"] <= 5


NOTHING_FORBIDS = {
    "change-places": "web beta",
    "bundle-first": "web alpha",
    "expired-ban": "web beta",
    "expired-failure": "web alpha",
    "drbd-promoted": "vm1 beta",
    "template": "vm1 beta",
    "dependent-banned": "web beta",
    "drawn-along": "web beta",
    "with-sticky": "web beta",
    "names-no-node": "web beta",
}


MOVES_ALL_THE_SAME = {
    "dependent-banned": (
        "its score there is -INFINITY, and yet a move brings it there, and stops vip"
    ),
    "change-places": "a move to beta makes room for it there",
}
"""Where what it runs with may not come, or another makes room."""


@pytest.mark.parametrize("name", NOTHING_FORBIDS)
def test_what_nothing_forbids_is_offered_and_can_be_done(situation, name):
    sandbox = situation(name)
    domain, node = NOTHING_FORBIDS[name].split()
    before = where_domus_run(sandbox)
    answer = sandbox.ok("why", domain, node, "-o", "json").json
    *_, last = answer["reasons"]
    assert last["what"] == MOVES_ALL_THE_SAME.get(name, f"nothing forbids {node}")
    assert answer["simulations"] <= 5
    sandbox.ok(*last["do"].split()[1:], "--yes")
    assert sandbox.nodes_of(domain) == [node]
    after = where_domus_run(sandbox)
    moved = {each for each in before if each != domain and before[each] != after[each]}
    assert {each.partition(" ")[0] for each in answer["also"]} & before.keys() == moved


APPLIED = (
    "storage-clone-failed",
    "ban-on-dependency",
    "half-a-group",
    "half-a-clone",
    "tag",
    "node-case",
    "date",
    "nested-rule",
    "cli-prefer-minus",
    "blocked",
    "maintenance",
    "order-after-stop",
    "require-all-false",
    "on-fail-stop",
    "tag-ban",
    "tag-order",
    "template-order",
    "soft-hides-hard",
    "two-sets",
    "group-stopped",
    "ticket",
    "nobody-promoted",
    "order-promote",
    "guest-stopped",
    "pattern-not",
    "group-banned",
    "group-unmanaged",
    "lasting-location",
    "discovery-exclusive",
    "apart-set",
    "set-not-sequential",
    "ticket-standby",
    "remote-failed",
    "stopped-chain",
    "opt-in-standby",
    "maintenance-told-to-stop",
    "ban-until",
    "clone-node-max",
    "promoted-max",
    "clone-min",
    "clone-min-unique",
    "clone-min-over-max",
    "ping-threshold",
    "order-loop",
    "order-loop-below",
    "order-loop-in-group",
    "require-all-sets",
    "require-all-second",
    "shutdown-lock",
)


def alternatives(reasons) -> list[list[str]]:
    """The commands to type together: those for one node, and those for all."""
    told = [(each["what"], each["command"]) for each in reasons if each["confirmed"] and each["do"]]
    of_nodes = {
        what: what.partition(": ")[0].removeprefix("not on ").split(", ")
        for what, _ in told
        if what.startswith("not on ")
    }
    return [
        [do for what, do in told if node in of_nodes.get(what, [node])]
        for node in sorted({node for nodes in of_nodes.values() for node in nodes}) or [""]
    ]


def where_domus_run(sandbox) -> dict[str, str]:
    domus = sandbox.ok("list", "-o", "json").json["domains"]
    return {each["resource"]: " ".join(each["nodes"]) for each in domus}


@pytest.mark.parametrize("name", APPLIED)
def test_what_is_advised_does_what_was_asked_and_moves_nothing_unmentioned(situation, name):
    """Each alternative is typed alone; then the domU runs, or may come to the node."""
    sandbox = situation(name)
    domain, *node = CAUSES[name][0].split()
    before = where_domus_run(sandbox)
    answer = sandbox.ok("why", domain, *node, "-o", "json").json
    for commands in alternatives(answer["reasons"]):
        assert commands
        shutil.copyfile(SITUATIONS / f"{name}.xml", sandbox.file)
        for line in commands:
            if line.startswith("hxm sandbox "):
                sandbox.ok(*line.split()[1:])
            elif line.startswith("hxm "):
                sandbox.ok(*line.split()[1:], "--yes")
            else:
                sandbox.tool("sh", "-c", line)
        if node:
            sandbox.ok("migrate", domain, *node, "--yes")
            assert sandbox.nodes_of(domain) == node
        else:
            sandbox.tool("crm_simulate", "-x", str(sandbox.file), "-SX")
            assert len(sandbox.nodes_of(domain)) == 1
        after = where_domus_run(sandbox)
        moved = {each for each in before if each != domain and before[each] != after[each]}
        assert moved <= {each.partition(" ")[0] for each in answer["also"]}


def test_what_drbd_forbids_is_never_offered_for_deletion(situation):
    """Its data there is outdated: whoever deletes the constraint uses it all the same."""
    sandbox = situation("drbd-outdated")
    for words in ("why web", "why web beta", "why drbd-clone", "why beta", "status", "check"):
        assert "cibadmin --delete" not in sandbox.hxm(*words.split()).out
    assert "DRBD keeps drbd-clone from being promoted" in sandbox.ok("why", "web").out


def test_every_reason_is_confirmed_where_there_are_more_than_runs(situation):
    reasons = situation("stopped-chain").ok("why", "web", "-o", "json").json["reasons"]
    assert len(reasons) == 5
    assert all(each["confirmed"] for each in reasons)


SAID = {
    "apart-standby": (
        "why dc3 host3",
        "dc3 does not run on host3\n  the node is in standby\n      hxm active host3\n  scores",
    ),
    "two-rules": ("why tw host1", "cibadmin --delete --xpath=\"//constraints//rule[@id='r2']\""),
    "between-halves": ("why mg", "mg is Migrating on host1, host2\n  an action on it is under way"),
    "apart-set": ("why c", "if it is not meant for a, b, c, and"),
    "banned-from-its-data": (
        "why sql",
        "sql does not run\n  not on host2: a constraint keeps it away",
    ),
    "promotion-ruled-out": (
        "status",
        "not on host1, host2: r0-ms must be promoted before it; a constraint keeps r0-ms from",
    ),
    "storage-not-allowed": (
        "why v3",
        "v3 does not run\n  not on host3, host4: it must run where gfs-clone does: on host1, host2",
    ),
    "guest-domu-fails": (
        "status",
        "db should run, and does not: not on g1: the node is OFFLINE: cont does not run on host1",
    ),
    "lost-and-no-place": (
        "why a",
        "then it has no place: host2 may not run it: it is to keep away from b, which runs there",
    ),
    "instance-leaves": ("why pin", "  with that also: gfs would stop on host1\n"),
    "promoted-for-a-move": (
        "why sql host2",
        "host1\n  r0-ms would be promoted there, and demoted on host1\n      c-sql-r0-ms; without",
    ),
    "yields-by-priority": ("status", "vip should run, and does not: a constraint keeps it away"),
    "storage-failed-everywhere": (
        "why ff",
        "ff does not run\n  san must start before it\n    san's monitor failed on host3\n",
    ),
    "ticket-of-the-promoted": (
        "why sqlA",
        "r0-ms must be promoted before it\n    the cluster does not hold the ticket west",
    ),
    "sixteen-by-opt-in": (
        "why v9",
        "v9 runs on host10\n  host9 is preferred (20): it must run where",
    ),
    "sent-to-a-lost-host": (
        "status",
        "back must run on host3: it goes there once host3 is no longer OFFLINE",
    ),
    "nobody-offers": ("status", "huge should run, and does not: no host offers cpus: 4 wanted"),
    "neither-of-two": ("status", "one of lb1, lb2 must start before it; lb1 is told to stop lb1:"),
    "allowed-where-no-node-is": (
        "why oldpin",
        "nothing allows it there\n    l-oldpin-xen1 allows it on xen1, and that is no node\n",
    ),
    "one-rack": ("why front host3", "  nothing forbids host3: the cluster chose the other\n"),
    "tag-banned-everywhere": ("status", "k2, k3 should run, and do not: a constraint keeps it"),
    "clone-failed-below": (
        "why clvm-clone host3",
        "\n  it must run where dlm-clone does: on host1, host2, host4\n    dlm-clone's start",
    ),
    "partner-told-to-stop": (
        "status",
        "b is about to stop on host1: it must run where a does; a is told to stop",
    ),
    "partner-comes": ("why m2", "it is to keep away from m1, which comes there\n"),
    "storage-banned": (
        "status",
        "it must run where st-clone does: on host2, host3; a ban keeps st-clone away",
    ),
    "ticket-demotes": (
        "status",
        (
            "sqlA is about to stop on host1: r0-ms must be promoted before it; "
            "the cluster does not hold the ticket west\n"
        ),
    ),
    "gives-its-room": (
        "status",
        (
            "low is about to stop on host1: "
            "it gives its room to what has a higher priority: vip (100); no other node may run it\n"
        ),
    ),
    "partner-takes-its-place": ("why s", "host2: it is to keep away from p, which comes there\n"),
    "partner-leaves": (
        "status",
        "pair is about to stop on host1: the node is in standby; no other node may run it\n",
    ),
    "partner-in-maintenance": (
        "status",
        "w2 is about to stop on host2: it must run where w1 does; w1 is in maintenance\n",
    ),
    "no-interleave-joins": (
        "why vm1",
        (
            "vm1 runs on host1\n  clvm-clone, which starts before it, restarts on host1\n"
            "    an instance of dlm-clone starts on host4, and clvm-clone has no interleave\n"
        ),
    ),
    "definition-changed": (
        "status",
        (
            "dep is about to restart on host2: chg, which starts before it, restarts on host2; "
            "chg's configuration has changed since it was started\n"
        ),
    ),
    "storage-recovers": (
        "status",
        (
            "u1 is about to restart on host1: "
            "st-clone, which starts before it, restarts on host1: st's monitor failed there\n"
        ),
    ),
    "partner-is-there": (
        "why z",
        "z runs on host1\n  y, with which it is to run, is on host2 (near: 100)\n",
    ),
    "offline-in-standby": (
        "why q host3",
        (
            "the node is OFFLINE\n      if hxm check finds no shared disk: hxm sandbox recover "
            "host3\n  the node will be in standby when it is back\n      hxm active host3\n"
        ),
    ),
    "storage-failed-below": (
        "why host1",
        (
            "host1 runs a, b, cold\n  a, b are about to move live from host1: each must run where "
            "gfs-clone does: on host2, host3, host4; gfs-clone's monitor failed there\n"
        ),
    ),
    "goes-home": (
        "why soon host1",
        (
            "soon does not run on host1, but on host2\n"
            "  host1 is preferred: score 500 (l-soon-host1)\n"
        ),
    ),
    "shutting-down-pinned": (
        "status",
        "host1 is shutting down: the cluster moves or stops what runs on it",
    ),
    "probe-failed-elsewhere": (
        "status",
        (
            "a probe failed on host2: the cluster supposes pf on host1, host2; "
            "whether it runs twice is not known\n"
        ),
    ),
    "started-twice": ("why dup", "act: it would stop on host1, host2, and start on host1\n"),
    "migration-failed-standby": (
        "status",
        "mt is about to stop on host2, host1, and start on host3\n      hxm why mt\n",
    ),
    "one-of-two": (
        "why crm2",
        "pB is told to stop\n      o-any; target-role=Stopped, at pB\n      hxm start pB\n",
    ),
    "larger-than-all": ("capacity", "it asks for hv_memory 20480, and no host is that large"),
    "ping-score": (
        "why proxy",
        (
            "host2 is preferred by its pingd: score 2000\n"
            "      pingd is 1000 on host1, 2000 on host2, host3; proxy-ping\n"
            "      look at the network of host1, and at the ping resource"
        ),
    ),
    "sticky-at-times": ("why ma", "its stickiness is INFINITY, by a rule (hours 0-23)"),
    "allowed-for-now": (
        "why j1",
        "j1 runs on host2\n  l-j1 allows it on host2 only until 2126-12-01T06:00:00Z\n",
    ),
    "another-unclean": (
        "why vdi host3",
        (
            "host9 is preferred now, by a rule with dates: score 1000 (l-vdi: hours 0-23)\n"
            "      if it is not meant: cibadmin --delete --xpath=\"//constraints/*[@id='l-vdi']\"\n"
            "  it stays where it is: its stickiness is 100\n"
            "  hxm changes nothing before this ends: host16 is UNCLEAN"
        ),
    ),
    "apart-by-hosts": ("why lun", "lun does not run\n  not on host1: a constraint keeps it away"),
    "ticket-preempts": (
        "status",
        "if low may stop on host1, and hxm check finds no shared disk: crm_ticket --ticket=T",
    ),
    "template-preempts": ("list", "which counts for vip\n      hxm why vip\n"),
    "default-leaves-alone": (
        "check",
        "if keepme may stop on host2 and stuck may stop on host1, and hxm check finds no shared",
    ),
    "default-by-rule-moves": (
        "status",
        "if it is not meant, and t2 may move host2 -> host3, live, and hxm check finds no shared",
    ),
    "default-unmanaged-moves": ("status", "if k1 may move host1 -> host3, live, and hxm check"),
    "ban-on-its-own-host": (
        "why ipmi2 host2",
        "only node that it fences (l-ipmi2-host2)\n  scores",
    ),
    "allowed-on-one": (
        "why solo",
        "host1 is preferred: score 100, and nothing else allows it there (l-solo-host1)\n  host2",
    ),
    "bans-of-two-hosts": (
        "why vip",
        "with that for host1 also: low would stop on host1\n",
    ),
    "bans-of-a-group": (
        "why gv2",
        "for host2 also: gfs would move host1 -> host2, stopped and started, not live, gv1 would",
    ),
    "default-maintenance": (
        "why v1",
        "nothing happens to it before that ends\n    then it would stop on host1\n",
    ),
    "found-gone": (
        "why blk",
        "blk does not run: its monitor on host2 found it gone, and on-fail=block leaves it",
    ),
    "start-ignored": (
        "why vm",
        "start of fs failed on host1\n    the cluster ignores that (on-fail=ignore): whether fs",
    ),
    "rule-borrowed": (
        "why w1 host1",
        "if it is not meant for w1, w2, w3, and ftp-in-dmz has a rule",
    ),
    "in-standby-nowhere-else": (
        "why vm",
        "fs starts before it in the group g\n    fs is unmanaged",
    ),
    "standby-by-failure": ("why web", "standby (on-fail)\n      monitor of db failed"),
    "partner-banned": ("why vm1", "vm2 must run where it does: a constraint keeps vm2 away"),
    "partner-moves": ("why part", "mate, with which it is to run, comes to host2"),
    "gives-way": ("why test", "it gives its room to what has a higher priority: web (50)"),
    "health-progressive": ("why web", "the health of host1 counts -50"),
    "remote-unclean": ("why vmB", "hxm sandbox settle\n      then hxm cleanup xen2 ctl1"),
    "probe-failed": ("why erp", "whether erp runs on host1 is not known: its probe failed"),
    "guest-banned": ("why httpd", "not on host2: a constraint keeps it away (l-httpd-host2"),
    "unfenceable": ("why new", "is lost and not yet fenced: before that nothing starts"),
    "no-promotion-score": ("why drbd-clone", "its agent gives no node a promotion score"),
    "set-location": (
        "why web",
        "if it is not meant for web, db, and db may move alpha -> beta, live: cibadmin",
    ),
    "date-spec-over": ("why web", "the cluster is about to start it"),
    "stopped-chain": ("start web", "mail is told to stop\n     hxm start mail"),
    "version-rules": ("why web beta", "no reason was found\n    without some of these elements"),
    "template-stopped": (
        "why vm1",
        "hxm start vm1\n  the cluster is about to act: it would stop on alpha",
    ),
    "lasting-location": ("status", "not on gamma: the node is OFFLINE"),
    "guest-stopped": ("why app", "app does not run\n"),
    "maintenance-failed": (
        "why web",
        "nothing happens to it before that ends\n    then it would restart on alpha",
    ),
    "clone-min-unique": ("why sc", "2 of its 4 instances do not run: a node runs 1 at most"),
    "promoted": (
        "why ms",
        "and runs on beta, gamma\n  1 instance may be promoted: on alpha (promoted-max=1)",
    ),
    "twice-blocked": (
        "why fs",
        "web on beta may use it\n      on each of these nodes but the one to keep, once nothing",
    ),
    "names-no-node": ("check", "the constraint l names gamma, which is no node of the cluster"),
    "maintenance-told-to-stop": ("status", "if web may stop: hxm maintenance off"),
    "maintenance-storage-stopped": ("status", "if vm2 may stop: hxm maintenance off"),
    "unmigrate-moves-two": (
        "why crm1",
        "with that also: crm1 would move host3 -> host1, live, crmweb would move host3",
    ),
    "managed-again-moves": ("why legacy", "then it would move host2 -> host3, live"),
    "stop-failed-fencing": ("why web", "because the stop of db failed there, and not yet fenced"),
    "on-fail-fence": ("status", "monitor of db failed there (on-fail=fence); that kills db, web"),
    "orphan-runs": ("why oldvm", "runs on host2, and no configuration has it"),
    "shutdown-lock": ("start db", "it is locked to host3, which was shut down cleanly"),
    "shutdown-lock-leaving": ("why db", "host3 is shutting down, and it waits until it is back"),
    "target-lost": (
        "why db",
        "from host1 to host2, which is UNCLEAN (offline): whether it has arrived there is not",
    ),
    "two-sets": (
        "start vm3",
        "set vm3-night, by a rule (operation gt, start 2026-11-01), and in vm3-norm: crm_resource",
    ),
    "monitor-ignored": (
        "why web",
        "(on-fail=ignore): whether web runs on host1 is not known\n      not running, 2026-11-30",
    ),
    "stop-ignored": ("start web", "web may still run on host1, and be started twice"),
    "fencing-level": (
        "why db",
        "the fencing level fl1 of host2 names ipmi-host2, which does not exist: nothing can fence",
    ),
    "failures-behind": (
        "why vm",
        "on host1, where it has failed 2 times and is given up after 3 (migration-threshold)",
    ),
    "stop-all-unmanaged": (
        "why db",
        "managed again it would stop (stop-all-resources)\n      if db may stop: hxm manage db",
    ),
    "source-lost": ("why db", "to host2: on which of them it runs is not known"),
    "target-lost-failed": ("status", "db was migrating to host2: whether it has arrived"),
    "target-fenced": ("migrate db host3 --force", "which is OFFLINE: whether it has arrived there"),
    "ping-lost": (
        "status",
        (
            "c3 is about to stop on host3: the node has lost its ping path; "
            "no other node may run it\n      hxm why c3\n  c2"
        ),
    ),
    "clone-moves": (
        "status",
        "a1 is about to move host1 -> host3, stopped and started, not live: ocfs-clone, with",
    ),
    "maintenance-moves": ("status", "the end of the maintenance would move p1, p2, p3"),
    "storage-lost": ("status", "v2 runs on host2, where nfs-clone does not run (nfsm's monitor"),
    "storage-reversed": (
        "status",
        "erp9 is about to move host2 -> host3, live: lv must run where it does: lv's start failed",
    ),
    "last-failure": (
        "check",
        "with 3 it leaves host1 (migration-threshold), and no other host may run it: the next",
    ),
}
"""What is asked of a situation, and what is said then."""


@pytest.mark.parametrize("name", SAID)
def test_what_is_said_of_a_situation(situation, name):
    question, said = SAID[name]
    ran = situation(name).hxm(*question.split())
    assert said in ran.out + ran.err or said in " ".join((ran.out + ran.err).split())
    assert "no domU may come" not in ran.out


def test_what_has_failed_in_maintenance_is_told_as_what_the_next_waits_for(situation):
    """The scheduler announces a start that never begins, before as after it has stopped it."""
    sandbox = situation("maintenance-failed-below")
    for state in ("web runs on alpha", "web does not run"):
        answer = sandbox.ok("why", "web", "-o", "json").json
        assert answer["says"] == state
        (cause, *_) = answer["reasons"]
        assert cause["what"].endswith(
            "fs must start before it; fs is in maintenance, and has failed"
        )
        assert cause["confirmed"]
        sandbox.ok("sandbox", "settle")
    assert "monitor of fs failed on alpha" in sandbox.ok("status").out
    sandbox.ok(*cause["do"].split()[1:], "--yes")
    sandbox.ok("sandbox", "settle")
    assert sandbox.nodes_of("web") == ["alpha"]


def test_a_domu_without_a_configuration_is_listed_and_kept_from_being_forgotten(situation):
    sandbox = situation("orphan-runs")
    (row,) = [line for line in sandbox.ok("list").out.splitlines() if "oldvm" in line]
    assert row.split()[-3:] == ["host2", "Started", "orphaned"]
    shown = " ".join(sandbox.ok("status").out.split())
    assert "a cleanup or refresh makes the cluster forget it" in shown
    assert "crm_resource --cleanup --resource=oldvm" not in shown
    assert "oldvm would stay on host2" in sandbox.hxm("standby", "host2", "--dry-run").out


def test_what_the_cluster_ignores_is_flagged(situation):
    sandbox = situation("monitor-ignored")
    (row,) = [line for line in sandbox.ok("list").out.splitlines() if line.startswith("web")]
    assert row.split()[-2:] == ["Started", "failure-ignored"]
    shown = " ".join(sandbox.ok("status").out.split())
    assert "look first: hxm list web --everywhere; then " in shown


def test_of_several_that_are_told_to_stop_the_deepest_is_started_first(situation):
    reasons = situation("stopped-chain").ok("why", "web", "-o", "json").json["reasons"]
    starts = [each["do"] for each in reasons if each["do"].startswith("hxm start")]
    assert starts == ["hxm start mail", "hxm start db", "hxm start web"]


def test_a_guest_node_cannot_run_itself(situation):
    (reason,) = situation("guest-update").ok("why", "guest1", "g1", "-o", "json").json["reasons"]
    assert reason["what"] == "g1 is a guest node: it runs inside guest1, and takes no domU"


@pytest.mark.parametrize("name", ["defaults-with-rule", "defaults-by-agent"])
def test_options_whose_rule_does_not_hold_have_no_effect(situation, name):
    reasons = situation(name).ok("why", "web", "-o", "json").json["reasons"]
    assert "it is told to stop" not in [reason["what"] for reason in reasons]


ATTENTION = {
    "not-installed": [
        "no domU may come to host4: its agent says of host4: not installed",
        "if that is mended: crm_resource --refresh --resource=s1 --node=host4",
    ],
    "larger-than-all": [
        "huge should run, and does not: no host is that large: 20480 hv_memory wanted, 16384 at"
    ],
    "apart-by-hosts": [
        "erp should run, and does not: not on host1, host2: lun must start before it; a constraint",
        "not on host3, host4 for other reasons",
    ],
    "stop-all-unmanaged": [
        "db: is-managed=false, without which it would stop (stop-all-resources)",
        "if db may stop: hxm manage db",
        "if mail may stop: hxm maintenance off mail",
    ],
    "soft-hides-hard": ["web should run, and does not: not on", "hxm cleanup web alpha"],
    "half-a-group": [
        "web should run, and does not: base must start before it; base is told to stop",
        "hxm start base",
    ],
    "group-stopped": ["g1: target-role=Stopped", "hxm start g1"],
    "group-maintenance": ["g1: maintenance=true", "hxm default g1"],
    "cloned": ["web is in the clone c-web", "clone-max"],
    "cloned-stopped": ["web is in the clone c-web", "clone-max"],
    "clone-max": ["Nothing needs attention."],
    "several-banned": [
        "no domU may come to alpha: a ban keeps it away",
        "no domU may come to beta: a ban keeps it away",
        "web, db, mail should run, and do not: a ban keeps it away",
    ],
    "twice-blocked": ["fs is active on alpha, beta at once, and blocked hxm why fs"],
    "several-causes": ["the cluster does not hold the ticket T; and 2 more: hxm why"],
    "several-causes-on-a-node": ["web should run, and does not: a ban keeps it away cli-ban"],
    "health-left": [
        "the health of alpha counts -1000 (#health-disk=red): the cluster prefers other nodes",
        "; store-clone left alpha for its health, and web stays there",
        "mend alpha",
    ],
    "health-allowed": [
        "alpha is unhealthy (yellow): the cluster moves or stops what runs on it",
        "store-clone left alpha for its health, and web stays there",
    ],
    "guest-on-lost-host": ["Needs attention: host2 is UNCLEAN (offline): it waits to be"],
    "remote-unclean": ["refused hxm sandbox settle; then hxm cleanup xen2 ctl2"],
    "unmanaged-group-offline": ["does not say where web is", "hxm default g1"],
}


@pytest.mark.parametrize("name", ATTENTION)
def test_status_gives_the_same_reason(situation, name):
    shown = " ".join(situation(name).ok("status").out.split())
    for expected in ATTENTION[name]:
        assert expected in shown


@pytest.mark.parametrize("words", ["start web", "shutdown web", "reboot web", "destroy web"])
def test_what_the_cluster_does_not_list_is_not_changed(situation, words):
    sandbox = situation("unmanaged-group-offline")
    sandbox.ok("list")
    before = sandbox.file.read_bytes()
    ran = sandbox.hxm(*words.split(), "--yes", "--force")
    assert ran.status == 102
    assert "does not say where web is" in ran.err
    assert sandbox.file.read_bytes() == before


def test_a_domu_in_a_clone_is_not_started(situation):
    ran = situation("cloned-stopped").hxm("start", "web", "--yes")
    assert ran.status == 107
    assert "web is in the clone c-web" in ran.err


@pytest.mark.parametrize("name", ["group-stopped", "group-maintenance"])
def test_what_was_set_at_a_group_is_taken_back(situation, name):
    sandbox = situation(name)
    command = ATTENTION[name][1].split()[1:]
    sandbox.ok(*command, "--yes")
    assert ATTENTION[name][0] not in sandbox.ok("status").out
    assert sandbox.nodes_of("web")


@pytest.mark.parametrize("option", ["maintenance", "is-managed", "target-role"])
def test_what_stands_at_a_group_goes_whatever_its_members_say(situation, option):
    sandbox, value = situation("group-banned"), "Started" if option == "target-role" else "false"
    for resource in ("web", "g"):
        sandbox.tool("crm_resource", "-r", resource, "-m", "-p", option, "-v", value, "--force")
    sandbox.ok("default", "g", "--yes")
    assert f'name="{option}"' not in sandbox.configuration()


def test_capacity_in_maintenance_is_that_after_it(situation):
    sandbox = situation("maintenance")
    before = sandbox.hxm("capacity", "-o", "json").json
    assert [loss["nowhere"] for loss in before["losses"]] == [[], []]
    assert "when it is over" in sandbox.hxm("capacity").out


def test_what_was_active_twice_and_is_stopped_by_hand_needs_no_attention(situation):
    sandbox = situation("twice-blocked")
    assert "hxm why fs" not in sandbox.ok("why", "fs").out
    files = (f"--xml-file={sandbox.file}", f"--save-output={sandbox.file}")
    sandbox.tool("crm_simulate", *files, "--op-inject=fs_monitor_0@beta=7")
    assert "fs runs on alpha" in sandbox.ok("why", "fs").out
    assert "Nothing needs attention." in sandbox.ok("status").out


@pytest.mark.parametrize("name", ["health-left", "health-allowed"])
def test_a_host_that_is_mended_needs_no_attention(situation, name):
    sandbox = situation(name)
    sandbox.tool("crm_attribute", "-N", "alpha", "-n", "#health-disk", "-v", "green")
    sandbox.ok("sandbox", "settle")
    assert "Nothing needs attention." in sandbox.ok("status").out


def test_a_move_to_a_host_that_is_away_is_told_once(situation):
    (first, second) = (
        situation("sent-to-a-lost-host").ok("why", "back", "-o", "json").json["reasons"]
    )
    assert (
        first["what"] == "a move prefers host3, and it goes there once host3 is no longer OFFLINE"
    )
    assert "stays" in second["what"]


def test_what_differs_in_names_alone_is_told_once(situation):
    sandbox = situation("sixteen-by-opt-in")
    for question in ("why v8", "why v9"):
        assert sandbox.ok(*question.split()).out.count("nothing allows it there") == 1
    of_host = sandbox.ok("why", "host9").out
    assert "cannot come to it: v8, v9, v24, v25\n" in of_host
    assert of_host.count("cannot come to it") == 2


HOSTS = {
    "soft-hides-hard": ("alpha", "coming", "it failed there too often", "hxm cleanup web alpha"),
    "health": ("alpha", "coming", "the node is unhealthy (red)", "#health"),
    "tag": ("beta", "coming", "a constraint keeps it away", "l-tag"),
    "node-case": ("alpha", "leaving", "not on beta: a constraint keeps it away", "l-web"),
}
"""Of each situation a host, what it cannot give or take, the reason, and what to type."""


@pytest.mark.parametrize("name", HOSTS)
def test_why_of_a_host_says_what_cannot_leave_and_what_cannot_come(situation, name):
    host, where, cause, command = HOSTS[name]
    sandbox = situation(name)
    reasons = sandbox.ok("why", host, "-o", "json").json[where]["web"]
    assert any(cause in reason["what"] and command in reason["do"] for reason in reasons)
    assert cause in sandbox.ok("why", host).out


def test_a_host_that_gives_and_takes_everything_is_told_as_that(situation):
    assert "nothing keeps a domU" in situation("expired-ban").ok("why", "beta").out


def test_a_host_that_no_domu_may_come_to_is_marked_in_json(sandbox):
    sandbox.tool("crm_attribute", "-N", "host2", "-n", "pingd", "-D", "-l", "reboot")
    sandbox.tool("crm_simulate", "-x", str(sandbox.file), "-SX")
    nodes = sandbox.ok("nodes", "-o", "json").json["nodes"]
    barred = {node["name"]: node["barred"] for node in nodes}
    assert "has no ping path" in barred["host2"]


def test_list_leads_to_the_reason_of_what_should_run(situation):
    assert "web, db should run, and do not: hxm why web" in situation("tag-ban").ok("list").err


def test_a_failure_that_will_be_forgotten_is_shown_as_that(sandbox):
    sandbox.ok("sandbox", "fail", "nfs")
    options = "--resource=nfs --meta --set-parameter=failure-timeout --parameter-value=1h"
    sandbox.tool("crm_resource", *options.split())
    assert "forgotten after 1h" in " ".join(sandbox.ok("status").out.split())


def test_a_failure_that_is_over_bars_no_host(situation):
    sandbox = situation("expired-failure")
    assert "Nothing needs attention." in sandbox.ok("status").out
    assert not any(node["barred"] for node in sandbox.ok("nodes", "-o", "json").json["nodes"])


def test_what_has_ended_is_named_with_its_end(situation):
    sandbox = situation("allowed-until")
    check = sandbox.hxm("check").out
    assert "the constraint batch-window ended 2020-11-29 [expired]" in check
    assert "if it is not to be given another end: cibadmin --delete" in check
    sandbox.replace('end="2020-11-29"', 'end="2126-11-29"')
    assert "[expired]" not in sandbox.hxm("check").out


def test_a_bundle_is_followed_and_taken_where_other_resources_are(situation):
    sandbox = situation("bundle-told-to-stop")
    why = sandbox.ok("why", "front").out
    assert "registry is told to stop" in why
    assert "hxm start registry" in why
    assert "hxm migrate" not in sandbox.ok("why", "registry", "host1").out
    assert "target-role=Stopped, at registry" in sandbox.ok("why", "registry").out
    assert "these take it: hxm why, start, default" in sandbox.hxm("shutdown", "registry").err
    sandbox.ok("start", "registry", "--yes")
    assert "registry: nothing was set in passing" in sandbox.ok("default", "registry").out
    assert "registry runs on" in sandbox.ok("why", "registry").out


def test_one_domus_failure_is_not_the_hosts_and_no_preference_keeps_off_what_starts(situation):
    sandbox = situation("one-failed-elsewhere")
    why = sandbox.ok("why", "erp17", "host1").out
    assert "the cluster is about to start it on host1" in why
    assert "prefers" not in why
    assert "no domU may come" not in sandbox.ok("status").out
    assert "takes no domU" not in sandbox.ok("nodes").out


def test_a_score_below_zero_is_what_keeps_a_domu_from_leaving(situation):
    why = situation("below-zero").ok("why", "host1").out
    assert "  not on host3: a constraint is against the node (l-free-host3: -100)" in why
    assert "no reason was found" not in why


def test_what_is_not_critical_moves_no_group(situation):
    sandbox = situation("not-critical")
    stays = "fs is on host1, and does not move for it (g: critical=false of vm)"
    assert stays in sandbox.ok("why", "vm", "host2").out
    assert "fs is on host1, and does not move for vm" in sandbox.ok("why", "log", "host2").out


def test_where_nobody_can_be_asked_all_that_would_be_asked_is_named(situation):
    refused = situation("unmigrate-moves-two").hxm("unmigrate", "crm1")
    assert refused.status == 107
    assert "no /etc/xen/vm/crm1.xm; crmweb could not start again on host1" in refused.err


def test_a_rule_with_dates_that_are_not_now_prefers_nothing(situation):
    sandbox = situation("another-unclean")
    sandbox.replace('hours="0-23"', 'years="2020"')
    assert "preferred" not in sandbox.ok("why", "vdi").out


def test_what_lets_a_domu_run_is_named_before_it_ends(situation):
    sandbox = situation("allowed-for-now")
    assert "[expired]" not in sandbox.hxm("check").out
    soon = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}"
    sandbox.replace("2126-12-01", soon)
    check = sandbox.hxm("check").out
    assert f"l-j1 ends {soon}T06:00:00Z: from then on it allows j1 nowhere [expired]" in check
    assert "if j1 is to run longer: hxm why j1" in check
    for_good = '<rsc_location id="for-good" rsc="j1" node="host2" score="0"/></constraints>'
    sandbox.replace("</constraints>", for_good)
    assert "[expired]" not in sandbox.hxm("check").out


def findings_of(sandbox, code) -> list[str]:
    """The domUs of each finding with the code."""
    findings = sandbox.ok("status", "-o", "json").json["findings"]
    return [each["subject"] for each in findings if each["code"] == code]


def test_what_is_about_to_happen_is_told_until_it_has_happened(situation):
    sandbox = situation("ping-lost")
    assert findings_of(sandbox, "about-to-stop") == ["c3"]
    assert findings_of(sandbox, "about-to-move") == ["c2"]
    check = sandbox.hxm("check").out
    assert "error: c3 is about to stop on host3" in check
    assert "warning: c2 is about to move host2 -> host1, live" in check
    sandbox.ok("sandbox", "settle")
    assert sandbox.nodes_of("c2") == ["host1"]
    assert "about to" not in sandbox.ok("status").out + sandbox.hxm("check").out


def test_the_end_of_a_maintenance_moves_what_was_told_and_nothing_else(situation):
    sandbox = situation("maintenance-moves")
    before = where_domus_run(sandbox)
    assert findings_of(sandbox, "about-to-move") == ["p1 p2 p3"]
    sandbox.ok("maintenance", "off", "--yes")
    after = where_domus_run(sandbox)
    assert {each for each in before if before[each] != after[each]} == {"p1", "p2", "p3"}
    assert not findings_of(sandbox, "about-to-move")


def test_a_sandbox_at_rest_is_not_asked_what_it_is_about_to_do(sandbox, tmp_path):
    sandbox.env["HXM_LOG"] = str(tmp_path / "log")
    sandbox.ok("status")
    assert "crm_simulate" not in (tmp_path / "log").read_text()


def test_a_live_cluster_acts_at_once_and_is_only_asked_while_something_is_under_way(situation):
    sandbox = situation("ping-lost")
    sandbox.as_if_live()
    assert not findings_of(sandbox, "about-to-stop")
    call = 'operation_key="c1_monitor_10000"'
    pending = re.sub(f'({call}.*?)rc-code="0"', r'\1rc-code="193"', sandbox.file.read_text())
    sandbox.file.write_text(pending)
    assert findings_of(sandbox, "about-to-stop") == ["c3"]


def test_a_domu_without_its_storage_is_told_before_what_keeps_it_there(situation):
    sandbox = situation("storage-lost")
    first, second = sandbox.ok("why", "v2", "-o", "json").json["reasons"]
    assert first["what"] == (
        "nfs-clone, which starts before it, does not run on host2: nfsm's monitor failed there"
    )
    assert first["do"] == "hxm cleanup nfsm host2"
    assert second["what"] == "it stays where it is: its stickiness is 2000"
    assert "does not run" not in sandbox.ok("why", "v1").out
    sandbox.as_if_live()
    assert findings_of(sandbox, "unsupported") == ["v2"]


def test_a_domu_that_has_its_storage_again_needs_no_attention(situation):
    sandbox = situation("storage-lost")
    sandbox.ok("cleanup", "nfsm", "host2", "--yes")
    assert "Nothing needs attention." in sandbox.ok("status").out


def test_storage_that_failed_everywhere_is_why_those_that_run_will_stop(situation):
    status = " ".join(situation("storage-failed-everywhere").ok("status").out.split())
    assert "b is about to stop on host2: san must start before it; san's start failed" in status
