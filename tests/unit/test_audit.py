"""What hxm check makes of a cluster, of files and of other nodes: cases as data."""

from __future__ import annotations

import re

import pytest
from factories import cluster, domain, failure, local, node, prefer, primitive

from hxm.model import Resource
from hxm.policy.audit import CODES, ERROR, chosen, severity_of, still_found
from hxm.policy.audit.clones import of_clones
from hxm.policy.audit.configured import (
    FailCount,
    Named,
    Rules,
    fencing,
    of_missing_agents,
    of_rules,
)
from hxm.policy.audit.files import Read, clashing, of_autostart, of_copies, of_files, of_refusals
from hxm.policy.audit.nodes import ABSENT, UNREADABLE, BootLink, Ring, Survey, of_rings, of_surveys
from hxm.policy.audit.running import of_cluster, of_expired
from hxm.policy.guards.conflicts import Clash
from hxm.policy.relations import Order, Relations
from hxm.policy.state.findings import Finding

FENCED = primitive("fence", agent="stonith:fence_ipmilan")
NFS = domain("nfs", "host1")
FINE = (NFS, FENCED)
STICKY = {"default-resource-stickiness": "1000"}
DOES = re.compile(
    r"\b(hxm|crm_\w+|cibadmin|stonith_admin|xl|ssh|rm|uuidgen|corosync-cfgtool|systemctl)\b|\w\(\d\)"
)
"""Every finding says which command, or which man page, helps."""


def codes(problems) -> list[str]:
    """The codes, of findings that are all as they should be."""
    found = list(problems)
    for each in found:
        assert DOES.search(each.do), each
        assert each.code in CODES[severity_of(each)]
        assert "\n" not in each.what + each.do
    return [each.code for each in found]


SEEN = {
    "all is well": (FINE, {}, []),
    "no fencing": (FINE, {"fencing": False}, ["no-fencing"]),
    "the toolstack is silent": (FINE, {"toolstack": "xl", "toolstack_fault": "x"},
                                ["toolstack-silent"]),
    "on two nodes": ((domain("nfs", "host1", "host2"), FENCED), {}, ["runs-twice"]),
    "a stray": ((domain("nfs", stray="host2", target_role="Stopped"), FENCED), {},
                ["runs-unknown"]),
    "paused": ((domain("nfs", "host1", state="--p---"), FENCED), {}, ["not-alive"]),
    "crashed": ((domain("nfs", "host1", state="----c-"), FENCED), {}, ["not-alive"]),
    "blocked by the guest's disk": ((domain("nfs", "host1", state="-b----"), FENCED), {}, []),
    "paused while it moves": ((domain("nfs", "host1", role="Migrating", state="--p---"), FENCED),
                              {}, []),
    "to run and does not": ((domain("nfs"), FENCED), {}, ["not-running"]),
    "told to stop": ((domain("nfs", target_role="Stopped"), FENCED), {}, []),
    "blocked": ((domain("nfs", blocked=True), FENCED), {}, ["blocked"]),
    "half migrated": ((*FINE, local("nfs--incoming")), {}, ["half-migrated"]),
    "migrating": ((domain("nfs", "host1", role="Migrating"), FENCED, local("nfs--incoming")),
                  {}, []),
    "left behind": ((*FINE, prefer()), {}, ["left-behind"]),
    "failed": ((*FINE, failure()), {}, ["failed"]),
    "no DC": (FINE, {"dc": None}, ["no-dc"]),
    "no quorum": (FINE, {"quorum": False}, ["no-quorum"]),
    "lost": ((*FINE, node("host1"), node("host2", online=False, unclean=True)), {}, ["node-lost"]),
    "away": ((*FINE, node("host1"), node("host2", online=False)), {}, ["node-away"]),
    "standby": ((*FINE, node("host1"), node("host2", standby=True)), {}, ["left-behind"]),
    "stop-all": (FINE, {"properties": {"stop-all-resources": "true"}}, ["all-stopped"]),
    "mixed": (FINE, {"mixed": "host2 is 1.1"}, ["mixed"]),
    "two of one": ((domain("nfs", "host1", resource="a"), domain("nfs", "host1", resource="b")),
                   {}, ["name-shared"]),
}  # fmt: skip


@pytest.mark.parametrize("case", SEEN.values(), ids=SEEN)
def test_of_a_cluster(case):
    parts, known, expected = case
    assert codes(of_cluster(cluster(*parts, **known))) == expected


def test_what_was_left_says_whose_it_is_and_how_old():
    stopped = primitive("nfs", own={"target-role": "Stopped"})
    seen = cluster(domain("nfs", target_role="Stopped"), stopped, FENCED)
    (found,) = of_cluster(seen, {"nfs:target-role": "by root, 3 days ago: shutdown nfs"})
    assert found.what == "nfs: target-role=Stopped (by root, 3 days ago: shutdown nfs)"
    assert (found.do, found.subject) == ("hxm start nfs", "nfs")


def test_an_expired_constraint_is_told_from_one_that_holds():
    ended = prefer(expires="2026-11-23 21:45:44Z")
    seen = cluster(*FINE, ended)
    (found,) = of_expired(seen, [ended])
    assert codes([found]) == ["expired"]
    assert found.what == "cli-prefer-nfs of nfs ended 2026-11-23 21:45:44Z"
    assert found.do == "hxm unmigrate nfs"


HEARD = {"heard": ("host1", "host2")}
ELSEWHERE = {
    "it is there": (domain("nfs", "host1", seen=("host1",)), HEARD, []),
    "it is not": (NFS, HEARD, ["not-there"]),
    "its node was not asked": (NFS, {"heard": ("host2",)}, []),
    "on its way": (domain("nfs", "host1", role="Migrating"), HEARD, []),
    "perhaps on its way": (NFS, HEARD | {"idle": False}, []),
    "stopped": (domain("nfs", target_role="Stopped"), HEARD, []),
    "there and on another": (domain("nfs", "host1", seen=("host1", "host2"), stray="host2"),
                             HEARD, ["runs-twice"]),
    "on another, perhaps alone": (domain("nfs", "host1", seen=("host2",), stray="host2"),
                                  {"heard": ("host2",)}, ["runs-twice"]),
    "on another alone": (domain("nfs", "host1", seen=("host2",), stray="host2"), HEARD,
                         ["runs-elsewhere"]),
    "under another of its names": (domain("nfs", "host1", seen=("host1",), also=("server",)),
                                   HEARD, []),
}  # fmt: skip


@pytest.mark.parametrize("case", ELSEWHERE.values(), ids=ELSEWHERE)
def test_where_it_really_runs(case):
    seen, heard, expected = case
    assert codes(of_cluster(cluster(seen, FENCED, **heard))) == expected


def test_a_stranger_that_may_be_a_managed_domu():
    named = domain("nfs", "host1", also=("server",), seen=("host1",))
    assert codes(of_cluster(cluster(named, FENCED, local("server")))) == ["runs-unknown"]
    assert codes(of_cluster(cluster(named, FENCED, local("other")))) == []


WATCHED = Rules(watched=frozenset({"nfs"}), fences={"fence": ()})
ASKED = {"ocf:heartbeat:Xen": {"start": 60.0, "stop": 40.0, "migrate_to": 120.0, "monitor": 30.0}}
LONG = {"": 20.0, "start": 60.0, "stop": 90.0, "migrate_to": 120.0, "monitor": 30.0}


def with_params(**params: str):
    return (domain("nfs", "host1"), FENCED, primitive("nfs", params=params))


def rules(**known) -> Rules:
    return WATCHED._replace(**known)


CONFIGURED = {
    "all is well": (FINE, WATCHED, []),
    "no monitor": (FINE, rules(watched=frozenset()), ["no-monitor"]),
    "not live": ((domain("nfs", "host1", live=False), FENCED), WATCHED, ["not-live"]),
    "live, in another spelling": (
        (domain("nfs", "host1", live=False), FENCED),
        rules(misspelt={"nfs": {"allow_migrate": "allow-migrate"}}), ["misspelt"]),
    "live, in another spelling of Heartbeat's": (
        (domain("nfs", "host1", live=False), FENCED),
        rules(misspelt={"nfs": {"allow-migrate": "allow_migrate"}}), ["misspelt"]),
    "balloons": (with_params(allow_mem_management="1"), WATCHED, ["mem-management"]),
    "does not balloon": (with_params(allow_mem_management="0"), WATCHED, []),
    "long enough": (FINE, rules(timeouts={"nfs": LONG}), []),
    "too short": (FINE, rules(timeouts={"nfs": LONG | {"migrate_to": 90.0}}), ["short-timeout"]),
    "by default": (FINE, rules(timeouts={"nfs": {"": 20.0}}), ["short-timeout"]),
    "by a long default": (FINE, rules(timeouts={"nfs": {"": 120.0}}), []),
    "never moved live": ((domain("nfs", "host1", live=False), FENCED),
                         rules(timeouts={"nfs": LONG | {"migrate_to": 9.0}}), ["not-live"]),
    "the plug in time": (with_params(shutdown_timeout="60"), rules(timeouts={"nfs": LONG}), []),
    "the plug too late": (with_params(shutdown_timeout="85"), rules(timeouts={"nfs": LONG}),
                          ["stop-too-short"]),
    "the plug at once": (with_params(shutdown_timeout="0"), rules(timeouts={"nfs": LONG}), []),
    "a stop that may fail": (FINE, rules(ignored_stops={"nfs": "op_defaults"}), ["stop-ignored"]),
    "fencing is off": ((*FINE,), rules(fences={"a": ("host1",)}), []),
    "each node is fenced": (FINE, rules(fences={"a": ("host1", "host2")}), []),
    "one device is asked": (FINE, rules(fences={"a": ("host1", "host3"), "b": ()}), []),
    "on what it fences": (FINE, rules(fences={"a": ("host1",), "b": ()}), ["fences-itself"]),
    "elsewhere": (FINE, rules(fences={"a": ("host1",), "b": ()}, kept_off={"a": {"host1"}}), []),
    "names nobody": (FINE, rules(named={"l": Named(("HOST1", "hots2"))}), ["no-such-node"]),
    "names nodes": (FINE, rules(named={"l": Named(("host2", "HOST1"))}), []),
    "failed often": (FINE, rules(fail_counts=(FailCount("nfs", "host1", "3"),)), ["fail-count"]),
    "failed for good": (FINE, rules(fail_counts=(FailCount("nfs", "host1", "INFINITY"),)),
                        ["fail-count"]),
    "failed, as is shown": ((*FINE, failure()), rules(
        fail_counts=(FailCount("nfs", "host1", "3"),)), []),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIGURED)
def test_of_rules(name):
    parts, known, expected = CONFIGURED[name]
    seen = cluster(*parts, fencing=name != "fencing is off", properties=STICKY)
    assert codes(of_rules(seen, known, ASKED)) == expected


def test_a_node_that_was_never_seen_is_to_be_fenced():
    seen = cluster(*FINE, properties={**STICKY, "startup-fencing": "no"})
    (found,) = of_rules(seen, WATCHED, ASKED)
    assert (found.code, found.do) == ("never-seen", "crm_attribute -n startup-fencing -D")
    away = seen._replace(nodes=(*seen.nodes, node("host9", online=False)))
    (found,) = of_rules(away, WATCHED, ASKED)
    assert found.do.startswith("if host9 may be fenced at once: ")
    assert not list(of_rules(seen._replace(fencing=False), WATCHED, ASKED))


def test_each_domu_of_an_agent_that_is_missing_is_kept_away():
    names = ("nfs", "sles", "vm3")
    seen = cluster(*(domain(name, "host2") for name in names), local_node="host1")
    known = rules(kept_off={"nfs": frozenset({"host1"})})
    (found,) = of_missing_agents(seen, known, {})
    assert [name for name in names if f'rsc="{name}"' in found.do] == ["sles", "vm3"]
    assert list(of_missing_agents(seen, known, {"ocf:heartbeat:Xen": {}})) == []


def test_a_short_timeout_is_named_with_what_the_agent_asks_for():
    known = rules(timeouts={"nfs": LONG | {"migrate_to": 90.0}})
    (found,) = of_rules(cluster(*FINE, properties=STICKY), known, ASKED)
    assert found.what.endswith("less time than its agent asks for: migrate_to 90 of 120 s")
    assert (
        list(of_rules(cluster(*FINE, properties=STICKY), known, {})) == []
    )  # an agent that nobody knows


POOL, OTHER = frozenset({"pool"}), frozenset({"pool", "evms"})
BARE: frozenset[str] = frozenset()
NEIGHBOURS = {
    "all alike": ([POOL] * 4, []),
    "one without": ([POOL, POOL, POOL, BARE], ["vm4"]),
    "half without": ([POOL, POOL, POOL, BARE, BARE, BARE], ["vm4", "vm5", "vm6"]),
    "most without": ([POOL, POOL, POOL, BARE, BARE, BARE, BARE], []),
    "one of another kind": ([POOL, POOL, POOL, frozenset({"san"})], []),
    "one with more": ([POOL, POOL, POOL, OTHER], []),
    "one with less": ([OTHER, OTHER, OTHER, POOL], ["vm4"]),
    "alone": ([POOL], []),
    "after each other": ([POOL, POOL, POOL, frozenset({"nfs", "pool"})], []),
}
FEW = [[POOL, BARE], [POOL, POOL, BARE]]
CASES = [
    *((*case, code, code) for case in NEIGHBOURS.values() for code in ("after", "attributes")),
    *((sets, [], code, code) for sets in FEW for code in ("after", "attributes")),
]


@pytest.mark.parametrize(("sets", "expected", "key", "_"), CASES)
def test_what_the_neighbours_have(sets, expected, key, _):
    code = {"after": "no-order", "attributes": "no-ping-rule"}[key]
    names = ["nfs", "sles", "vm3", "vm4", "vm5", "vm6", "vm7"][: len(sets)]
    known = rules(watched=frozenset(names), **{key: dict(zip(names, sets, strict=True))})
    seen = cluster(*(domain(name, "host1") for name in names), FENCED)
    found = [each for each in of_rules(seen, known, {}) if each.code == code]
    assert [each.subject for each in found] == expected
    assert set(codes(found)) <= {code}


@pytest.mark.parametrize(
    ("nodes", "where", "condition"),
    [
        ((), ("host1",), "vm4 needs pool, and may stop at once (pool does not run)"),
        ((), (), "vm4 needs pool"),
        (("host1",), ("host1",), "vm4 needs pool"),
    ],
)
def test_an_order_that_stops_what_runs_says_so(nodes, where, condition):
    names = ["nfs", "sles", "vm3", "vm4"]
    known = rules(watched=frozenset(names), after=dict.fromkeys(names[:3], POOL))
    resources = [
        *(domain(name, *where) for name in names),
        Resource("pool", "x", "Started", nodes=nodes),
    ]
    seen = cluster(*resources, primitive("pool", agent="ocf:heartbeat:Filesystem"), FENCED)
    (found,) = (each for each in of_rules(seen, known, {}) if each.code == "no-order")
    assert found.do.partition(": cibadmin ")[0] == f"if {condition}"


def test_what_serves_one_group_is_no_habit():
    names = ["nfs", "sles", "vm3", "vm4"]
    known = rules(watched=frozenset(names), after=dict.fromkeys(names[:3], POOL))
    inside = primitive("pool", agent="ocf:heartbeat:IPaddr2", parent="g")
    seen = cluster(*(domain(name, "host1") for name in names), inside, FENCED)
    assert not [each for each in of_rules(seen, known, {}) if each.code == "no-order"]


FILES = {
    "as it should be": (Read(NFS, own="nfs", agents="nfs"), {}, []),
    "the id is the name": (Read(NFS, own="nfs", agents=None), {}, []),
    "the agent falls back": (Read(NFS, own="server", agents=None), {}, ["name-differs"]),
    "it reads too much": (Read(NFS, own="nfs", agents="nfs;"), {}, ["name-differs"]),
    "the parameter counts": (Read(NFS, own="nfs", agents="x"), {"nfs": "nfs"}, []),
    "the parameter differs": (Read(NFS, own="nfs", agents="nfs"), {"nfs": "y"}, ["name-differs"]),
    "unreadable": (Read(NFS, "nfs:1:2: x"), {}, ["file-unreadable"]),
    "kept after its end": (Read(NFS, "", "nfs", "nfs", ("on_crash",)), {}, ["preserved"]),
}


@pytest.mark.parametrize("case", FILES.values(), ids=FILES)
def test_of_files(case):
    file, called, expected = case
    assert codes(of_files([file], called)) == expected


PATH = NFS.xmfile
COPIES = {
    "the same": (("a", "a", "a"), {}, []),
    "another on one": (("a", "b", "a"), {}, ["file-differs"]),
    "missing on one": (("a", ABSENT, "a"), {}, ["file-missing"]),
    "unreadable on one": (("a", UNREADABLE, "a"), {}, ["file-missing"]),
    "missing where it never runs": (("a", ABSENT, "a"), {"nfs": frozenset({"host2"})}, []),
    "another where it never runs": (("a", "b", "a"), {"nfs": frozenset({"host2"})}, []),
    "missing where nothing may run now": (("a", "a", ABSENT), {}, []),
    "another where nothing may run now": (("a", "a", "b"), {}, ["file-differs"]),
    "not asked": (("a", "", "a"), {}, []),
}


@pytest.mark.parametrize(("sums", "kept_off", "expected"), COPIES.values(), ids=COPIES)
def test_of_copies(sums, kept_off, expected):
    hosts = ("host1", "host2", "host3")
    surveys = {
        host: Survey({PATH: each} if each else {}) for host, each in zip(hosts, sums, strict=True)
    }
    seen = cluster(NFS, FENCED, node("host1"), node("host2"), node("host3", standby=True))
    found = list(of_copies(seen, surveys, kept_off))
    assert codes(found) == expected
    if expected:
        assert found[0].subject in ("nfs host2", "nfs host3")


def test_of_refusals():
    refusals = {"host1": {PATH: "Invalid domain type linux."}, "host2": {PATH: "x"}, "host3": {}}
    kept_off = {"nfs": frozenset({"host2"})}
    (found,) = of_refusals(cluster(NFS, FENCED), refusals, kept_off)
    assert codes([found]) == ["file-refused"]
    assert found.what == f"host1 would not start nfs: {PATH}: Invalid domain type linux."
    assert found.subject == "nfs host1"
    libvirts = primitive("nfs", agent="ocf:heartbeat:VirtualDomain")
    assert list(of_refusals(cluster(NFS, libvirts), refusals, {})) == []


SURVEYS = {
    "all is well": (Survey({}, {"/usr/sbin/xl": "guarded"}), []),
    "ahead": (Survey({}, ahead=2.5), ["clock"]),
    "behind": (Survey({}, ahead=-90.0), ["clock"]),
    "nearly right": (Survey({}, ahead=-0.9), []),
    "not guarded": (Survey({}, {"/usr/sbin/xl": "not guarded"}), ["guard"]),
    "started at boot": (Survey({}, auto=(BootLink("/etc/xen/auto/n", PATH),)), ["auto-start"]),
    "a copy of its file is": (
        Survey(auto=(BootLink("/etc/xen/auto/n", "/root/n", ("nfs",)),)),
        ["auto-start"],
    ),
    "by libvirt": (
        Survey(auto=(BootLink("/etc/libvirt/libxl/autostart/nfs.xml", "/x/nfs.xml"),)),
        ["auto-start"],
    ),
    "another is": (Survey({}, auto=(BootLink("/etc/xen/auto/o", "/etc/xen/vm/other"),)), []),
    "another is that is called by its name": (
        Survey({}, auto=(BootLink("/etc/xen/auto/nfs", "/etc/xen/vm/other", ("other",)),)),
        [],
    ),
}


@pytest.mark.parametrize(("survey", "expected"), SURVEYS.values(), ids=SURVEYS)
def test_of_surveys(survey, expected):
    found = list(of_surveys(cluster(*FINE), {"host2": survey}, "guarded"))
    assert codes(found) == expected
    assert all("host2" in each.subject.split() for each in found)


def test_a_node_that_was_asked_and_is_silent_is_not_clean():
    hosts = (node("host1"), node("host2"), node("host3", online=False))
    said = {"host2": "no sshd there", "host3": "OFFLINE"}
    found = list(of_surveys(cluster(*FINE, *hosts, unreachable=said), {}, "guarded"))
    assert codes(found) == ["node-silent"]  # that host3 is offline is said anyway
    assert found[0].what == "host2 was asked and gave no answer: no sshd there"


RINGS = {
    "none to be asked": ((), []),
    "two": ((Ring("ring 0", True), Ring("ring 1", True)), []),
    "one": ((Ring("ring 0", True),), ["one-ring"]),
    "one on a bond": ((Ring("ring 0", True, bonded=True),), []),
    "one of two is down": ((Ring("ring 0", True), Ring("ring 1", False)), ["ring-down"]),
}


@pytest.mark.parametrize(("rings", "expected"), RINGS.values(), ids=RINGS)
def test_of_rings(rings, expected):
    assert codes(of_rings(rings)) == expected


def test_of_autostart():
    links = [("/etc/xen/auto/a", "nfs"), ("/etc/xen/auto/b", "other")]
    (found,) = of_autostart(links, cluster(NFS))
    assert codes([found]) == ["auto-start"]
    assert found.do == "rm /etc/xen/auto/a"


@pytest.mark.parametrize("kind", ["disk-shared", "uuid-shared", "mac-shared", "name-shared"])
def test_clashes(kind):
    assert codes(clashing([(("nfs", "sles"), Clash(kind, "x"))])) == [kind]


def test_what_is_meant_is_left_out_and_errors_come_first():
    one = Finding("w", "d", "not-live", "nfs")
    two = Finding("w", "d", "disk-shared", "nfs sles")
    assert chosen([one, one, two], [], None) == [two, one]
    assert chosen([one, two], ["not-live"], None) == [two]
    assert chosen([one, two], ["disk-shared:sles"], None) == [one]
    assert chosen([one, two], [], "sles") == [two]
    assert chosen([one, two], ["not-live:sles"], "nfs") == [two, one]


def test_what_passes_must_be_seen_twice():
    gone = Finding("w", "d", "not-there", "nfs host1")
    other = Finding("w", "d", "not-live", "nfs")
    assert still_found([], [gone, other]) == [other]
    assert still_found([gone._replace(what="since 1 s")], [gone, other]) == [gone, other]
    assert still_found([gone, other], []) == []


LAST_FAILURES = {
    "enough left": ("1", {}, {}, "nfs has failed once on host1"),
    "host2 takes it": ("2", {}, {}, "; with 3 it leaves host1 (migration-threshold)"),
    "host2 may not": ("2", {}, {"kept_off": {"nfs": {"host2"}}}, "the next failure stops it"),
    "host2 is in standby": ("2", {"standby": True}, {}, "the next failure stops it"),
    "given up on host2": (
        "2",
        {},
        {"fail_counts": (FailCount("nfs", "host1", "2"), FailCount("nfs", "host2", "3"))},
        "the next failure stops it",
    ),
    "failed less on host2": (
        "2",
        {},
        {"fail_counts": (FailCount("nfs", "host1", "2"), FailCount("nfs", "host2", "2"))},
        "; with 3 it leaves host1 (migration-threshold)",
    ),
}


@pytest.mark.parametrize(
    ("times", "of_host2", "known", "end"), LAST_FAILURES.values(), ids=LAST_FAILURES
)
def test_the_last_failure_before_a_host_is_given_up(times, of_host2, known, end):
    limited = primitive("nfs", {"migration-threshold": "3"})
    seen = cluster(node("host1"), node("host2", **of_host2), NFS, limited, FENCED)
    counts = {"fail_counts": (FailCount("nfs", "host1", times),)}
    findings = of_rules(seen, rules(**counts | known), {})
    first = next(one for one in findings if one.code == "fail-count")
    assert first.what.endswith(end)


def test_a_failure_that_is_shown_is_told_again_only_if_the_next_one_stops_the_domu():
    limited = primitive("nfs", {"migration-threshold": "3"})
    seen = cluster(NFS, limited, FENCED, failure("monitor"))
    counts = rules(fail_counts=(FailCount("nfs", "host1", "2"),))
    assert "fail-count" not in codes(of_rules(seen, counts, {}))
    alone = counts._replace(kept_off={"nfs": frozenset({"host2"})})
    assert "fail-count" in codes(of_rules(seen, alone, {}))


@pytest.mark.parametrize("effect", ["block", "ignore", "fence", "standby"])
def test_a_threshold_counts_only_where_a_failed_monitor_leads_to_a_restart(effect):
    limited = primitive("nfs", {"migration-threshold": "3"}, on_fail={"monitor": effect})
    counts = rules(fail_counts=(FailCount("nfs", "host1", "2"),))
    (first,) = (f for f in of_rules(cluster(NFS, limited), counts, {}) if f.code == "fail-count")
    assert first.what == "nfs has failed 2 times on host1"


def test_a_code_stands_for_one_severity():
    assert not CODES[ERROR].keys() & CODES["warning"].keys()


STICKINESS = {
    "nowhere": ({}, {}, ["no-stickiness"]),
    "0 by default": ({}, {"default-resource-stickiness": "0"}, ["no-stickiness"]),
    "by default": ({}, {"default-resource-stickiness": "INFINITY"}, []),
    "at the domU": ({"resource-stickiness": "100"}, {}, []),
    "0 at the domU": ({"resource-stickiness": "0"}, STICKY, ["no-stickiness"]),
}


@pytest.mark.parametrize(("meta", "properties", "expected"), STICKINESS.values(), ids=STICKINESS)
def test_a_domu_that_any_change_may_move_is_found(meta, properties, expected):
    seen = cluster(NFS, FENCED, primitive("nfs", own=meta), properties=properties)
    assert codes(of_rules(seen, WATCHED, ASKED)) == expected


@pytest.mark.parametrize(
    ("named", "deleted"),
    [
        (Named(("hots2",)), True),
        (Named(("hots2", "host3")), True),
        (Named(("hots2", "host1")), False),
        (Named(("hots2",), only=False), False),
    ],
)
def test_a_constraint_that_counts_elsewhere_too_is_never_to_be_deleted(named, deleted):
    (finding,) = of_rules(cluster(), rules(named={"l": named}), {})
    assert ("--delete" in finding.do) is deleted


def test_a_device_is_never_banned_from_the_only_node_that_it_may_run_on():
    for off, banned in ((frozenset(), True), (frozenset({"host2"}), False)):
        known = rules(fences={"a": ("host1",)}, kept_off={"a": off})
        (finding,) = fencing(cluster(FENCED, fencing=True), known)
        assert ("score" in finding.do) is banned


@pytest.mark.parametrize(
    ("meta", "order", "expected"),
    [
        ({}, Order("o", "dlm", "gfs"), ["gfs"]),
        ({"interleave": "true"}, Order("o", "dlm", "gfs"), []),
        ({}, Order("o", "dlm", "gfs", mandatory=False), []),
        ({}, Order("o", "dlm", "nfs"), []),
        ({}, Order("o", "nfs", "gfs"), []),
    ],
)
def test_clones_that_restart_as_a_whole(meta, order, expected):
    dlm = primitive("dlm-child", {"interleave": "true"}, clone="dlm")
    seen = cluster(domain("nfs"), dlm, primitive("gfs-child", meta, clone="gfs"))
    assert [one.subject for one in of_clones(seen, Relations((order,)))] == expected
