"""What was left behind is named with the command that removes it, and nothing else is."""

from __future__ import annotations

import pytest
from factories import ban, cluster, domain, failure, node, primitive, told

from hxm.commands.list import concerning
from hxm.model import Resource
from hxm.output.tables import flags, resources_table
from hxm.policy import typed
from hxm.policy.guards import ignored
from hxm.policy.orders import placement
from hxm.policy.reasons.facts import Facts
from hxm.policy.reasons.why import ask
from hxm.policy.relations import Relations
from hxm.policy.state.findings import failed_domus, findings, leftovers, of_nodes
from hxm.policy.state.node_remedy import first_node_remedy, node_remedy
from hxm.policy.state.running_twice import on_two_nodes

NFS = domain("nfs", "host1")
# Each row: own meta options, inherited ones; what is said of them
LEFT = {
    "nothing": ({}, {}, []),
    "stopped": ({"target-role": "Stopped"}, {}, ["hxm start nfs"]),
    "stopped, in small letters": ({"target-role": "stopped"}, {}, ["hxm start nfs"]),
    "started for nothing": ({"target-role": "started"}, {}, []),
    "started against the default": ({"target-role": "Started"}, {"target-role": "Stopped"}, []),
    "unmanaged": ({"is-managed": "no"}, {}, ["hxm manage nfs"]),
    "managed for nothing": ({"is-managed": "true"}, {}, []),
    "managed against the default": ({"is-managed": "true"}, {"is-managed": "false"}, []),
    "maintenance": ({"maintenance": "true"}, {}, ["hxm maintenance off nfs"]),
    "no maintenance for nothing": ({"maintenance": "false"}, {}, []),
    "no maintenance against its group's": ({"maintenance": "off"}, {"maintenance": "on"}, []),
}


@pytest.mark.parametrize(("own", "inherited", "commands"), LEFT.values(), ids=LEFT)
def test_a_meta_option_is_named_if_something_can_be_done_about_it(own, inherited, commands):
    seen = cluster(NFS, primitive("nfs", inherited, own=own))
    assert [finding.do for finding in leftovers(seen)] == commands


def test_standby_and_maintenance_are_left_behind_too():
    seen = cluster(
        node("host1", standby=True), node("host2", maintenance=True), NFS, maintenance=True
    )
    assert [finding.do for finding in leftovers(seen)] == [
        "hxm maintenance off",
        "hxm active host1",
        "hxm maintenance off host2",
    ]
    assert list(leftovers(seen, only=["nfs"])) == []


def test_two_resources_for_one_domu_are_found():
    seen = cluster(domain("nfs", "host1", resource="a"), domain("nfs", resource="b"))
    assert "a, b are all the domU nfs" in next(iter(findings(seen))).what


# Each row: an option that nfs inherits, what gives it; the codes of what is said of the cluster
WIDE = {
    "told to stop": ("target-role", "Stopped", ("rsc_defaults", "set", ""), ["all-stopped"]),
    "told to run": ("target-role", "Started", ("rsc_defaults", "set", ""), []),
    "told to stop by its group": ("target-role", "Stopped", ("group", "", ""), []),
    "unmanaged": ("is-managed", "no", ("rsc_defaults", "set", ""), ["all-unmanaged"]),
    "managed": ("is-managed", "true", ("rsc_defaults", "set", ""), []),
    "in maintenance": ("maintenance", "on", ("rsc_defaults", "set", ""), ["all-unmanaged"]),
}


@pytest.mark.parametrize(("option", "value", "place", "codes"), WIDE.values(), ids=WIDE)
def test_what_the_defaults_make_of_all_is_named_with_what_removes_it(option, value, place, codes):
    given = primitive("nfs", {option: value}, inherited_from={option: place})
    seen = cluster(domain("nfs", target_role="Stopped"), given)
    found = list(findings(seen))
    assert [finding.code for finding in found] == codes
    assert list(of_nodes(seen, {})) == found
    assert all(f"rsc_defaults has {option}={value}: nfs is " in each.what for each in found)
    assert all(each.do == "hxm why nfs" for each in found)  # what else would move is not known
    command = (
        f"cibadmin --delete --xpath=\"//meta_attributes[@id='set']//nvpair[@name='{option}']\""
    )
    known = seen._replace(effects={command: "db may stop on host1"})
    first = "if db may stop on host1, and hxm check finds no shared disk"
    assert all(each.do == f"{first}: {command}" for each in findings(known))


def test_an_option_of_its_own_stands_against_the_defaults():
    own, given = {"target-role": "Stopped"}, {"target-role": ("rsc_defaults", "set", "")}
    nfs = primitive("nfs", {"target-role": "Stopped"}, own=own, inherited_from=given)
    assert [each.do for each in findings(cluster(NFS, nfs))] == ["hxm start nfs"]


def test_what_no_location_allows_is_named_once_and_before_all_else():
    seen = cluster(domain("nfs"), disallowed=("nfs", "STONITH"))
    (found,) = findings(seen)
    assert "no location allows nfs, STONITH on any node" in found.what
    assert (found.do, found.code) == (
        "if hxm check finds no shared disk: crm_attribute --name=symmetric-cluster --delete",
        "all-stopped",
    )


NO_WATCHDOG = {"properties": {"have-watchdog": "false", "stonith-watchdog-timeout": "0"}}
ILO = primitive("ilo", agent="stonith:riloe", params={"hostlist": "host1"})
STOPPED = Resource("ilo", "stonith:riloe", "Stopped")
AWAY = (node("host1"), node("host2", standby=True))
# Each row: parts of a cluster with a device for host1; whether it can fence
DEVICES = {
    "it runs": ((ILO, STOPPED._replace(nodes=("host2",))), True),
    "nothing is known of it": ((ILO,), True),
    "it may run nowhere": ((ILO, STOPPED), False),
    "its node is in standby": ((ILO, STOPPED, *AWAY), True),
    "it is banned, and the other node is in standby": ((ILO, STOPPED, *AWAY, ban("ilo")), False),
    "it has failed": ((ILO, STOPPED, failure(resource="ilo")), True),
    "told to stop": ((ILO._replace(meta={"target-role": "Stopped"}), STOPPED), False),
    "so does another": ((ILO, STOPPED, primitive("ssh", agent="stonith:ssh")), True),
}


@pytest.mark.parametrize(("parts", "able"), DEVICES.values(), ids=DEVICES)
def test_a_host_that_nothing_can_fence_is_named(parts, able):
    seen = cluster(*parts, ILO._replace(id="ilo2", params={"hostlist": "host2"}), **NO_WATCHDOG)
    found = [each for each in findings(seen) if each.code == "no-fencing"]
    expected = [] if able else [("nothing can fence host1: ilo may not run", "hxm why ilo")]
    assert [(each.what, each.do) for each in found] == expected


NO_DEVICE = "fencing is on, and no fencing resource is there: a lost node's domUs start nowhere"
NO_WATCHDOG_RUNS = "stonith-watchdog-timeout is set, and no node has a watchdog: nothing can fence"
WITHOUT = {
    "nothing": ((), {}, [NO_DEVICE]),
    "fencing is off": ((), {"stonith-enabled": "false"}, ["fencing is disabled"]),
    "watchdogs": ((), {"have-watchdog": "true", "stonith-watchdog-timeout": "-1"}, []),
    "no watchdogs": ((), {"stonith-watchdog-timeout": "10s"}, [NO_WATCHDOG_RUNS]),
    "watchdogs that do not count": (
        (),
        {"have-watchdog": "true", "stonith-watchdog-timeout": "0s"},
        [NO_DEVICE],
    ),
    "no watchdogs, by a time of none": ((), {"stonith-watchdog-timeout": " 0min"}, [NO_DEVICE]),
    "one node has no device": ((ILO,), {}, ["no fencing resource is for host2"]),
    "it is asked which": ((ILO._replace(params={}),), {}, []),
    "its watchdog does": ((ILO,), {"have-watchdog": "1", "stonith-watchdog-timeout": "10"}, []),
}


@pytest.mark.parametrize(("parts", "properties", "said"), WITHOUT.values(), ids=WITHOUT)
def test_fencing_without_a_device_is_named(parts, properties, said):
    properties = NO_WATCHDOG["properties"] | properties
    on = "stonith-enabled" not in properties
    found = findings(cluster(*parts, fencing=on, properties=properties))
    whats = [each.what for each in found if each.code == "no-fencing"]
    assert len(whats) == len(said)
    assert all(what.startswith(start) for what, start in zip(whats, said, strict=True))


SWITCH = "crm_attribute -n stonith-enabled -v true"
SWITCHED_ON = {
    "all is well": ((), SWITCH),
    "a node is off": (
        (node("host1"), node("host2", online=False)),
        f"if host2 may be fenced at once: {SWITCH}",
    ),
    "nodes are lost, and a stop has failed": (
        (node("host1"), node("host2", unclean=True), failure("stop", where="host1")),
        f"if host1, host2 may be fenced at once: {SWITCH}",
    ),
    "a start has failed": ((failure("start"),), SWITCH),
    "a guest node is off": ((node("host1"), node("g1", online=False, kind="guest")), SWITCH),
}


@pytest.mark.parametrize(("parts", "do"), SWITCHED_ON.values(), ids=SWITCHED_ON)
def test_whom_fencing_would_meet_at_once_is_said_before(parts, do):
    found = [each.do for each in findings(cluster(*parts, fencing=False))]
    assert do in found


@pytest.mark.parametrize(
    ("failed", "what", "do"),
    [
        (True, "g1 is OFFLINE: vm3, its domU, has failed", "hxm why vm3"),
        (False, "g1 is OFFLINE, although vm3 runs", "start pacemaker_remote in vm3"),
    ],
)
def test_a_guest_node_that_is_off_is_what_its_domu_is(failed, what, do):
    guest = node("g1", kind="guest", container="vm3", online=False)
    seen = cluster(node("host1"), guest, domain("vm3", "host1", failed=failed))
    (finding,) = (each for each in findings(seen) if each.code == "node-away")
    assert (finding.what, finding.do.partition(":")[0]) == (what, do)


def test_a_domu_in_a_guest_node_is_named_with_what_keeps_it_off():
    guest = node("g1", kind="guest", container="vm3")
    seen = cluster(node("host1"), guest, domain("nfs", "g1"), domain("sles", "host1"))
    (finding,) = (each for each in findings(seen) if each.code == "in-guest")
    assert "nfs is active on g1: g1 is a guest node" in finding.what
    assert 'id="nfs-not-on-g1" rsc="nfs" node="g1" score="-INFINITY"' in finding.do
    assert [flags(seen, each) for each in seen.domains] == ["in-guest", ""]
    (reason, *_) = ask(Facts(seen, Relations()), seen.domains[0]).reasons
    assert (reason.what, reason.do) == (finding.what, finding.do)
    remote = cluster(node("host1"), node("g1", kind="remote"), domain("nfs", "g1"))
    assert "in-guest" not in [each.code for each in findings(remote)]


def test_what_is_unmanaged_and_told_to_stop_is_started_before_it_is_managed():
    own = {"target-role": "Stopped", "is-managed": "false"}
    assert [each.do for each in leftovers(cluster(NFS, primitive("nfs", own=own)))] == [
        "to let it run: hxm start nfs --force --yes, then hxm manage nfs"
    ]


LOST = node("host1", online=False)
ONCE_BACK = {
    "a lost node": (LOST, {}, "on host1: systemctl start pacemaker"),
    "a remote node": (LOST._replace(kind="remote"), {}, "systemctl start pacemaker_remote"),
    "one that is leaving": (node("host1", leaving=True), {}, "when it has left, on host1: system"),
    "one to be fenced": (LOST._replace(unclean=True), {}, "stonith_admin --confirm host1"),
    "no quorum": (LOST, {"sandbox": "cib.xml", "quorum": False}, "hxm sandbox regain-quorum"),
    "in a sandbox": (LOST, {"sandbox": "cib.xml"}, "hxm sandbox recover host1"),
}


@pytest.mark.parametrize("name", ONCE_BACK)
@pytest.mark.parametrize("down", [True, False])
def test_what_lets_domus_start_that_no_order_judges_says_what_comes_before(name, down):
    host, known, do = ONCE_BACK[name]
    nfs = domain("nfs", *([] if down else ["host2"]))
    seen = cluster(host, node("host2"), nfs, **known)
    asked = first_node_remedy(seen) if name == "no quorum" else node_remedy(seen, host)
    before, _, command = asked.rpartition("hxm check finds no shared disk: ")
    assert do in command
    first = "if host1 is off for certain, and " if host.unclean else "if "
    assert before == (first if down else "")


OWN_ENDS = {
    "unmanaged": ("is-managed", "false", {}, "if nfs may stop: hxm manage nfs"),
    "in maintenance": ("maintenance", "true", {}, "if nfs may stop: hxm maintenance off nfs"),
    "told to stop in maintenance": (
        "maintenance",
        "true",
        {"target-role": "Stopped"},
        "to let it run: hxm start nfs --force --yes, then hxm maintenance off nfs",
    ),
}


@pytest.mark.parametrize("name", OWN_ENDS)
def test_what_would_stop_once_it_is_no_longer_left_alone_is_said(name):
    option, value, role, do = OWN_ENDS[name]
    nfs = domain("nfs", "host1", managed=False, target_role=role.get("target-role"))
    seen = cluster(
        nfs,
        primitive("nfs", own={option: value, **role}),
        taken_along=() if role else ("nfs",),
    )
    assert do in [finding.do for finding in leftovers(seen)]


def test_so_does_the_refusal_of_its_start():
    nfs = domain("nfs", "host1", managed=False, target_role="Stopped")
    (refused,) = ignored(cluster(nfs), [nfs])
    assert "hxm start nfs --force --yes, then hxm manage nfs" in refused.do


VIP = (primitive("vip", parent="front"), primitive("web", parent="front"))
DOWN = tuple(Resource(name, "ocf:heartbeat:Dummy", "Stopped") for name in ("vip", "web"))
UP = DOWN[1]._replace(role="Started", nodes=("host1",))
TOLD = VIP[0]._replace(meta={"target-role": "Stopped"})
# Each row: parts of a cluster with services that are no domUs; what is said of those
SERVICES = {
    "a group that runs nowhere": ((*VIP, *DOWN), ["front should run, and does not"]),
    "a half of it": ((*VIP, DOWN[0], UP), ["front should run, and does not"]),
    "what runs": ((VIP[1], UP), []),
    "what is about to start": ((VIP[1], DOWN[1]._replace(role="Starting")), []),
    "told to stop": ((TOLD, DOWN[0]), []),
    "the connection of a remote node": ((VIP[0], DOWN[0], node("vip", kind="remote")), []),
    "nothing is known of it": (VIP, []),
    "one instance of a clone runs": (
        (VIP[0]._replace(clone="vips"), DOWN[0], UP._replace(id="vip:1")),
        [],
    ),
}


@pytest.mark.parametrize(("parts", "said"), SERVICES.values(), ids=SERVICES)
def test_what_is_no_domu_and_does_not_run_is_named(parts, said):
    found = [each for each in findings(cluster(*parts)) if each.code == "not-running"]
    assert [each.what for each in found] == said
    assert {each.do for each in found} <= {"hxm why front"}


@pytest.mark.parametrize(
    ("online", "do"),
    [(False, "stonith_admin --confirm host2"), (True, "stonith_admin --reboot host2")],
)
def test_nobody_confirms_that_a_node_is_off_that_still_answers(online, do):
    pools = [
        Resource("pool", "", "Started", nodes=(at,), clone="pools") for at in ("host1", "host2")
    ]
    there = [domain("nfs", "host2"), *pools]
    lost = cluster(node("host1"), node("host2", online=online, unclean=True), *there)
    (found,) = (each for each in findings(lost) if each.code == "node-lost")
    assert do in found.do
    (found,) = (each for each in findings(lost) if each.code == "node-lost")
    (failed,) = failed_domus(lost._replace(failures=(failure("stop", where="host2"),)))
    assert failed.do == found.do, "a cleanup would be refused before that"
    assert ("whether nfs still runs there is not known" in found.what) != online
    rows = {row[0]: row[4] for row in resources_table(lost).rows}
    assert rows == {"nfs": "UNCLEAN", "pools": "UNCLEAN-on-host2"}


def test_a_clone_is_shown_by_its_promoted_instance():
    drbd = [
        Resource("r0", "ocf:linbit:drbd", role, nodes=(node,), clone="ms-r0")
        for role, node in (("Unpromoted", "host1"), ("Promoted", "host2"))
    ]
    (row,) = resources_table(cluster(resources=drbd)).rows
    assert row[2:4] == ("Promoted", "host2 host1")


CLONE = primitive("pool", clone="pools", agent="ocf:heartbeat:Filesystem")


@pytest.mark.parametrize("name", ["pool", "pools"])
def test_a_clone_is_no_domu_that_runs_twice(name):
    assert not list(on_two_nodes(cluster(CLONE), [domain(name, "host1", "host2")]))
    assert list(on_two_nodes(cluster(), [domain(name, "host1", "host2")]))


TYPED = {
    "nfs": "nfs",
    "web-1.example_2": "web-1.example_2",
    "-rf": "id",
    "a;b": "id",
    "42": "id",
    "all": "id",
    "naïve": "id",
    "": "id",
}


@pytest.mark.parametrize(("name", "word"), TYPED.items(), ids=repr)
def test_a_command_that_is_suggested_can_be_typed(name, word):
    assert typed(domain(name, resource="id")) == word


@pytest.mark.parametrize("lost", [{"online": False}, {"online": False, "unclean": True}])
@pytest.mark.parametrize(
    ("attribute", "way"),
    [("standby", "hxm active host2"), ("maintenance", "hxm maintenance off host2")],
)
def test_what_was_set_at_a_node_that_was_then_lost_is_still_named(lost, attribute, way):
    """Found on a live cluster: a drain whose node was cut off, fenced and left in standby."""
    seen = cluster(
        node("host1"),
        node("host2", **lost, **{attribute: True}),
        node_attributes={"host2": {attribute: "true" if attribute == "maintenance" else "on"}},
    )
    assert way in [finding.do for finding in findings(seen)]


KEPT_DOWN = {"target-role": "Stopped"}
CONNECTIONS = {
    "told to stop": ({"kind": "remote"}, primitive("rem1", KEPT_DOWN), "hxm start rem1"),
    "not told": (
        {"kind": "remote"},
        primitive("rem1"),
        "on rem1: systemctl start pacemaker_remote",
    ),
    "a guest's domU": (
        {"kind": "guest", "container": "vm1"},
        primitive("vm1", KEPT_DOWN),
        "hxm start vm1",
    ),
}


@pytest.mark.parametrize(("known", "connection", "do"), CONNECTIONS.values(), ids=CONNECTIONS)
def test_a_node_that_a_resource_makes_comes_back_with_that(known, connection, do):
    seen = cluster(node("host1"), node("rem1", online=False, **known), connection)
    assert node_remedy(seen, seen.nodes[1]) == do


def test_a_lost_node_without_orders_is_named_once():
    found = list(findings(cluster(node("host1"), node("host2", online=False))))
    assert [finding.what for finding in found] == ["host2 is OFFLINE"]


def test_a_failure_is_told_with_what_follows_and_one_remedy_for_all_nodes():
    start, monitor = failure("start", where="host2"), failure("monitor", where="host1")
    seen = cluster(NFS, start, monitor, failure("start", "evms:0", "host2"))
    assert [(each.what, each.do) for each in failed_domus(seen)] == [
        ("start of nfs failed on host2: error; nfs may not run on host2", "hxm cleanup nfs"),
        ("monitor of nfs failed on host1: error", "hxm cleanup nfs"),
    ]
    assert flags(seen, NFS) == "failed-on-host2"
    assert "hxm cleanup evms:0 host2" in [each.do for each in findings(seen)]


def test_a_file_that_cannot_be_read_is_named_once_and_mended_first():
    here = NFS._replace(file_fault="/etc/xen/vm/nfs: cannot be read: No such file or directory")
    seen = cluster(here, failure("start", where="host2"), failure("start", where="host1"))
    first, second = failed_domus(seen)
    assert first.what.endswith(f"; on this host: {here.file_fault}")
    assert second.what == "start of nfs failed on host1: error"
    assert {first.do, second.do} == {"mend its file, then: hxm cleanup nfs"}


def test_a_start_that_may_be_tried_again_bars_nothing():
    seen = cluster(NFS, failure(where="host2"), properties={"start-failure-is-fatal": "false"})
    assert [each.what for each in failed_domus(seen)] == ["start of nfs failed on host2: error"]


def test_standby_is_taken_from_a_node_that_is_off():
    """crm_mon need not show it as in standby: the attribute is what counts."""
    seen = cluster(
        node("host1"), node("host2", online=False), node_attributes={"host2": {"standby": "on"}}
    )
    assert told(placement.active(seen, seen.nodes[1])) == ["clear-standby host2"]


def test_of_an_expired_ban_nothing_must_be():
    over = ban("nfs")._replace(expires="2026-11-23 21:45:44Z", expired=True)
    (finding,) = leftovers(cluster(NFS, over))
    assert "nfs was not to run on host1 until 2026-11-23" in finding.what


@pytest.mark.parametrize(
    ("option", "value"),
    [("target-role", "Stopped"), ("is-managed", "false"), ("maintenance", "true")],
)
def test_what_is_set_above_the_domus_is_about_its_resource(option, value):
    seen = cluster(domain("nfs", "host1"), own_meta={"evms": {option: value}})
    (found,) = leftovers(seen)
    assert (found.what, found.subject) == (f"evms: {option}={value}", "evms")
    assert concerning(seen, [found], {"host1", "nfs"}) == [found]
    of_nfs = found._replace(subject="nfs host1")
    assert concerning(seen, [of_nfs], {"host2"}) == []


STORE = primitive("store", clone="stores", agent="ocf:heartbeat:Dummy")
ELSEWHERE = Resource("store", "ocf:heartbeat:Dummy", "Started", nodes=("host2",), clone="stores")
RED = {
    "custom": ({"node-health-red": "-10"}, {}, ["stores left host1 for its health, and nfs stays"]),
    "enough instances": ({"node-health-red": "-10"}, {"clone-max": "1"}, ["prefers other nodes"]),
    "never": ({"node-health-red": "-INFINITY"}, {}, []),
    "not counted": ({"node-health-strategy": "none"}, {}, []),
}
"""By the options of the cluster and of a clone: what is said of host1, whose health is red."""


@pytest.mark.parametrize(("options", "meta", "ends"), RED.values(), ids=RED)
def test_a_health_that_counts_is_named_and_what_left_for_it(options, meta, ends):
    seen = cluster(
        NFS,
        STORE._replace(meta=meta),
        ELSEWHERE,
        properties={"node-health-strategy": "custom"} | options,
        transient={"host1": {"#health-disk": "red"}},
    )
    unwell = [f.what for f in findings(seen) if f.code == "node-unhealthy"]
    assert len(unwell) == len(ends)
    assert all(end in what for end, what in zip(ends, unwell, strict=True))
