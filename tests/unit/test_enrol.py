"""What stands against an enrolment, its timings, and the XML that it would load."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest
from factories import cluster, domain, local, node, primitive

from hxm.catalog import BY_HAND
from hxm.commands import enrol as command
from hxm.config import Config
from hxm.errors import Refused
from hxm.model import ENROLLING, WITHDRAWING, Domain, Operation
from hxm.pacemaker import enrolment_xml
from hxm.plan import Goal, Objection, Plan, Step
from hxm.policy.audit.nodes import BootLink
from hxm.policy.forecast.goal_kinds import reached
from hxm.policy.guards.conflicts import Claim, DiskClaim
from hxm.policy.orders import enrol, readiness
from hxm.policy.orders.enrol import EnrolmentSteps, Newcomer, RemovalSteps
from hxm.policy.orders.passthrough import judge
from hxm.policy.orders.readiness import Readiness
from hxm.policy.timings import Timed, timings
from hxm.toolstack import Toolstack
from hxm.toolstack.host_facts import HostFacts

PATH = "/etc/xen/vm/web.xm"


def web(*places: str, **known) -> Newcomer:
    usual = {"memory": 512, "faults": {}, "unknown": {}}
    return Newcomer("web", "web", PATH, places, **usual | known)


def against(seen, new: Newcomer, mine: Claim | None = None, *others: Claim):
    """The objections as `what (what lifts it)`."""
    found = enrol.against(seen, new, mine or Claim("web", "web"), others, [])
    return [each.what + f" ({each.lifted_by})" * bool(each.lifted_by) for each in found]


HEALTHY = cluster(domain("nfs", "host1"))


def test_nothing_stands_against_a_good_one():
    assert against(HEALTHY, web("host1")) == []


def test_on_two_nodes_it_is_refused():
    seen = cluster(domain("nfs", "host1"), local("web"), Domain("web", nodes=("host2",), id=4))
    assert against(seen, web("host1", "host2")) == ["web runs on host1, host2 at once"]


def test_where_it_runs_its_file_must_be():
    missing = {"host2": "cannot be read (No such file or directory)"}
    said = f"{PATH} cannot be read (No such file or directory) on host2"
    assert against(HEALTHY, web("host2", faults=missing)) == [f"{said}, where it runs"]
    assert against(HEALTHY, web("host1", faults=missing)) == [f"{said} (--force)"]
    differs = {"host2": "differs from this host's"}
    assert against(HEALTHY, web(faults=differs)) == [f"{PATH} differs from this host's on host2"]


DISK = "/dev/san2/web"
LACKING = {
    "all have it": ((), {"host1": [], "host2": []}, False),
    "one has it": ((), {"host1": [DISK], "host2": []}, False),
    "none has it": ((), {"host1": [DISK], "host2": [DISK]}, True),
    "each lacks another": ((), {"host1": [DISK], "host2": ["/dev/san2/swap"]}, True),
    "it runs, whatever ls says": (("host1",), {"host1": [DISK], "host2": [DISK]}, False),
    "a sandbox has no disks": ((), {}, False),
}


@pytest.mark.parametrize(("places", "lacking", "asked"), LACKING.values(), ids=LACKING)
def test_what_would_start_without_its_disks_is_asked_about(places, lacking, asked):
    found = list(readiness.without_disks(web(*places), lacking))
    assert [each.lifted_by for each in found] == ["--yes"] * asked
    assert all(DISK in each.what for each in found)
    lacks = [node for node, disks in lacking.items() if disks]
    assert [line.rpartition(" ")[2] for line in readiness.disk_warnings(lacking)] == lacks


def test_a_node_that_cannot_be_asked_may_run_it():
    found = against(HEALTHY, web(unknown={"host2": "no sshd there"}))
    assert found == [
        "host2 cannot be asked: no sshd there; the domU may run or be started there (--force)"
    ]


def test_this_host_is_looked_at_and_the_others_are_asked(monkeypatch, tmp_path):
    disk = DiskClaim("", str(tmp_path), writes=True, path=str(tmp_path))
    none = DiskClaim("", "vg/none", writes=True, path="/dev/vg/none")
    scripted = DiskClaim("block-iscsi a", "a", writes=True)
    mine = Claim("web", "web", disks=(disk, none, scripted))
    monkeypatch.setattr(command, "autostarted", lambda: [("/etc/xen/auto/x", "web")])
    monkeypatch.setattr(command, "local_toolstack", lambda config, sandbox: Toolstack("xl", ""))
    facts = HostFacts({PATH: "Invalid domain type linux."}, moves_pv_live=False)
    monkeypatch.setattr(command, "read_facts", lambda program, files, timeout: facts)
    asked: list[object] = []

    def readiness(program, nodes, *about):
        asked.extend(about[1:3])
        return dict.fromkeys(nodes, "no answer")

    monkeypatch.setattr(command, "read_readiness", readiness)
    seen = cluster(domain("nfs", "host1"), local_node="host1")
    found = command._readiness(mine, PATH, seen, ["host2"], Config())
    links = (BootLink("/etc/xen/auto/x", "/etc/xen/auto/x", ("web",)),)
    refusal = "Invalid domain type linux."
    assert found["host1"] == Readiness(links, ("/dev/vg/none",), refusal, moves_pv_live=False)
    assert asked == [PATH, [str(tmp_path), "/dev/vg/none"]]


AUTO = "/etc/xen/auto/x"
BOOT = f"{AUTO} of host2 starts web at boot, beside the cluster"
ANSWERS = {
    "a link to its file": (Readiness((BootLink(AUTO, PATH),), ()), (BOOT, "")),
    "a copy": (Readiness((BootLink(AUTO, AUTO, ("web",)),), ()), (BOOT, "")),
    "another's": (Readiness((BootLink(AUTO, "/etc/xen/vm/x", ("x",)),), ()), None),
    "nothing": (Readiness((), (DISK,)), None),
    "silence": (
        "no sshd there",
        (
            "whether host2 starts web at boot, and has its disks, cannot be told: no sshd there",
            "--force",
        ),
    ),
}


@pytest.mark.parametrize(("answer", "said"), ANSWERS.values(), ids=ANSWERS)
def test_no_node_may_start_it_at_boot(answer, said):
    by_node = {"host1": Readiness((), ()), "host2": answer}
    found = list(readiness.started_at_boot(web("host1"), by_node))
    assert [(each.what, each.lifted_by) for each in found] == [said] * bool(said)


def test_a_file_that_a_toolstack_would_not_start_is_refused():
    own, there = Readiness((), ()), Readiness((), (), "Invalid domain type linux.")
    (found,) = readiness.refused(web(), {"host1": own, "host2": there, "host3": "no sshd there"})
    assert found.what == f"host2 would not start {PATH}: Invalid domain type linux."
    assert found.lifted_by == "--force"


def test_what_is_odd_is_warned_of():
    able, unable = Readiness((), ()), Readiness((), (), moves_pv_live=False)
    found = {"host1": able, "host2": unable, "host3": "no sshd there"}
    assert list(readiness.file_warnings(web(), found)) == []
    (said,) = readiness.file_warnings(web(pv=True), found)
    assert said.startswith("web cannot be migrated live from host2: it is a PV domU")
    (said,) = readiness.file_warnings(web(preserved=("on_crash", "on_poweroff")), found)
    assert said.startswith(f'{PATH}: on_crash, on_poweroff = "preserve" keeps the domU listed')


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (Domain("web--incoming", nodes=("host2",), id=3), "web is being migrated at this moment"),
        (Domain("web", id=3), "web runs on this host, which is no node of the cluster"),
        (Domain("web", nodes=("host2",), memory=512), None),  # xend knows it, and it does not run
    ],
)
def test_what_a_toolstack_says(row, said):
    found = against(cluster(domain("nfs", "host1"), row), web())
    assert found == ([said] if said else [])


def test_a_node_that_would_not_keep_it():
    seen = cluster(node("host1"), node("host2", standby=True), domain("nfs", "host1"))
    (found,) = against(seen, web("host2"))
    assert found.startswith("web runs on host2, which is in standby")


def test_a_shared_disk_is_never_lifted_and_a_shared_address_is():
    disk = DiskClaim("device 8:1", "/dev/sda1", writes=True)
    mine = Claim("web", "web", macs=("00:16:3e:00:00:01",), disks=(disk,))
    found = against(HEALTHY, web(), mine, Claim("nfs", "nfs", disks=(disk,)))
    assert found == ["web and nfs share /dev/sda1"]
    found = against(HEALTHY, web(), mine, Claim("nfs", "nfs", macs=mine.macs))
    assert found == ["web and nfs have one MAC address, 00:16:3e:00:00:01 (--force)"]
    assert against(HEALTHY, web("host1"), mine, Claim("web", None, disks=(disk,))) == []


def test_a_slip_of_the_finger_is_said():
    (found,) = against(HEALTHY, web(slips=("memroy is no setting: is memory meant?",)))
    assert found == f"{PATH}: memroy is no setting: is memory meant? (--force)"


# The order of things

STEP = Step("load-xml", "load web, unmanaged", {"xml": "<configuration/>", "resource": "web"})
WAY = EnrolmentSteps(STEP, STEP, RemovalSteps(STEP, STEP, STEP))


def test_it_is_handed_over_only_where_it_was_found():
    plan = enrol.enrol(HEALTHY, web("host2"), WAY, [], [], [])
    assert [phase.leaves for phase in plan.phases] == ["web", "web"]
    assert plan.phases[0].goals == (Goal("healthy", "web", "host2"),)
    assert plan.phases[1].goals == (Goal("managed", "web"), Goal("running", "web", "host2"))
    assert plan.expects == frozenset()
    assert len(plan.rollback_phases) == 3


def test_what_runs_nowhere_may_only_start():
    plan = enrol.enrol(HEALTHY, web(), WAY, [], [], [])
    assert [phase.leaves for phase in plan.phases] == ["web", None]
    assert plan.phases[0].goals == (Goal("absent", "web"),)
    assert plan.expects == {"start"}


def watched(*history: Operation, **known):
    return cluster(domain("web", "host2", **known), primitive("web"), *history)


@pytest.mark.parametrize(
    ("seen", "healthy"),
    [
        (watched(Operation("host2", "web", "probe", 5, 0)), False),
        (watched(Operation("host2", "web", "monitor", 6, 0)), True),
        (watched(Operation("host2", "web", "monitor", 6, 0), failed=True), False),
        (
            watched(
                Operation("host2", "web", "monitor", 6, 0),
                Operation("host1", "web", "probe", -1, 193),
            ),
            False,
        ),
        (cluster(domain("web", "host1", "host2"), primitive("web")), False),
        (cluster(domain("web"), primitive("web")), False),
    ],
)
def test_healthy_is_what_its_own_monitor_has_seen(seen, healthy):
    assert reached(seen, Goal("healthy", "web", "host2")) == healthy


def test_half_in_or_half_out_it_is_the_clusters_and_nobody_elses():
    for marker, what in ((ENROLLING, "enrolment"), (WITHDRAWING, "withdrawal")):
        own = {"is-managed": "false", marker: "true"}
        seen = cluster(domain("web", "host2", managed=False), primitive("web", own=own))
        with pytest.raises(Refused) as refusal:
            judge(BY_HAND["destroy"], ["web"], seen)
        assert f"the {what} of web is not finished" in refusal.value.message
        assert refusal.value.hint.endswith("hxm withdraw web")
        found = enrol.already(seen, "web", PATH)
        assert isinstance(found, Objection)


def test_a_withdrawal_of_what_is_in_a_group_is_refused():
    seen = cluster(domain("web", "host2"), primitive("web", parent="all"))
    plan = enrol.withdraw(seen, seen.domains[0], WAY.out, [], [("b_after_web", "b")])
    assert isinstance(plan, Plan)
    assert [each.what for each in plan.objections] == [
        "web is in all, which hxm does not take apart",
        "b would lose b_after_web",
    ]


@pytest.mark.parametrize(
    ("own", "known", "unmanaged_first"),
    [
        ({}, {}, True),
        ({"is-managed": "false"}, {"managed": False}, False),
        ({"is-managed": "true"}, {"managed": False}, True),  # the cluster is in maintenance
        ({"is-managed": "Off"}, {"managed": False}, False),
        ({"maintenance": "true"}, {"managed": False}, True),
    ],
)
def test_what_is_withdrawn_is_unmanaged_whatever_hides_that_it_is_not(own, known, unmanaged_first):
    seen = cluster(domain("web", "host2", **known), primitive("web", own=own))
    plan = enrol.withdraw(seen, seen.domains[0], WAY.out, [], [])
    steps = [step.kind for step in plan.phases[0].steps]
    assert steps == ["set-meta"] * unmanaged_first


# Timings


def timed(like=(), wanted=None, memory=512, shutdown=None):
    found = timings(like, {}, wanted or {}, memory=memory, shutdown_timeout=shutdown)
    return {each["name"]: each["timeout"] for each in found}


def test_the_longest_counts_and_the_configuration_most_of_all():
    usual = timed()
    assert usual["stop"] == "40s"
    assert timed([Timed("stop", 0, 90)])["stop"] == "90s"
    assert timed(shutdown=120)["stop"] == "150s"
    assert timed(memory=16384)["migrate_to"] == "387s"
    assert timed(wanted={"stop": 5}, shutdown=120)["stop"] == "5s"


def test_staggering_is_said_and_never_set():
    delayed = ({"name": "start", "start-delay": "10s"},)
    seen = cluster(domain("nfs", "host1"), primitive("nfs", operations=delayed))
    found = list(enrol.staggering(seen, web(), [seen.domains[0]]))
    assert found[0].startswith("nfs waits 10s")
    assert "migration-limit=2" in found[1]
    limited = seen._replace(properties={"migration-limit": "2"})
    assert len(list(enrol.staggering(limited, web(), [seen.domains[0]]))) == 1


# The XML

CIB = fromstring(
    """<cib><configuration><resources><primitive id="nfs"/></resources><constraints>
    <rsc_order id="nfs_depends_pool" first="pool" then="nfs" score="0"/>
    <rsc_location id="odd" rsc="nfs"><rule id="odd-rule" score="-INFINITY">
      <expression id="nfs:e1" attribute="pingd" operation="not_defined"/></rule></rsc_location>
    <rsc_location id="cli-prefer-nfs" rsc="nfs" node="host1" score="INFINITY"/>
    <rsc_location id="nfs-home" rsc="nfs" node="host1" score="100"/>
    <rsc_order id="sles_after_nfs" first="nfs" then="sles"/>
    </constraints><tags><tag id="t"><obj_ref id="nfs"/></tag></tags></configuration></cib>"""
)
SPEC = enrolment_xml.Spec(
    "web", "ocf:heartbeat:Xen", {"xmfile": PATH, "name": "web"}, {"allow-migrate": "true"}, (), {}
)


def loaded():
    step = enrolment_xml.load_step("web", SPEC, list(enrolment_xml.binding(CIB, {"nfs"})), CIB)
    return step, fromstring(step.values["xml"])


def test_what_binds_the_neighbour_binds_the_newcomer_under_ids_of_its_own():
    step, root = loaded()
    assert enrolment_xml.loaded_constraints(step) == ["web_depends_pool", "web-odd", "web-home"]
    assert [each.get("id") for each in root.iter("expression")] == ["web:e1"]
    assert "nfs" not in step.values["xml"]


def test_a_taken_id_is_refused():
    tagged = fromstring('<cib><configuration><tags><tag id="web"/></tags></configuration></cib>')
    with pytest.raises(Refused, match="the id web is taken"):
        enrolment_xml.load_step("web", SPEC, [], tagged)


@pytest.mark.parametrize(
    ("name", "expected"), [("web", "web"), ("42", "domU-42"), ("a b:c", "a-b-c"), ("ä", "domU--")]
)
def test_ids_are_ncnames(name, expected):
    assert enrolment_xml.ncname(name) == expected


def test_who_else_is_concerned():
    assert enrolment_xml.others_bound(CIB, "nfs") == [("sles_after_nfs", "sles")]
    assert enrolment_xml.indirect(CIB, ["nfs"]) == ["t"]
    assert "cli-prefer-nfs" in enrolment_xml.own_constraints(CIB, "nfs")
    bound = {each.element.get("id"): each.of_a_node for each in enrolment_xml.binding(CIB, {"nfs"})}
    assert bound == {"nfs_depends_pool": False, "odd": False, "nfs-home": True}
