"""What crm_mon -1 printed, from Heartbeat 2.1.3 to Pacemaker 3.0.3, as the one model."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import pytest
from factories import DATA
from generations import GENERATIONS, HEARTBEAT, cib_of, seen
from hypothesis import given
from hypothesis import strategies as st

from hxm.errors import CannotAsk
from hxm.model import Failure, Resource
from hxm.pacemaker.cib import parse_configuration
from hxm.pacemaker.crm_mon import parse_status
from hxm.pacemaker.status import TEXT, Status
from hxm.pacemaker.status_from_cib import complete

SAMPLES = sorted(
    path
    for path in DATA.glob("*/*.txt")
    if path.parent.name.startswith(("heartbeat", "pacemaker"))
    and path.name not in ("steps.txt", "usage-mon.txt", "nocluster.mon-1.txt")
)
OLD = ("pacemaker-1.0.8", "pacemaker-1.1.14", "pacemaker-1.1.24")
NEW = tuple(each for each in GENERATIONS if each not in HEARTBEAT)


def ids(path):
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", SAMPLES, ids=ids)
def test_every_sample_is_understood(path):
    status = parse_status(path.read_bytes())
    assert status.form == TEXT
    assert status.nodes
    assert status.resources


def reference(cluster: str) -> Status:
    return parse_status((DATA / "pacemaker-3.0.3" / f"{cluster}.output-as-xml.xml").read_bytes())


def compared(status: Status, agent: bool = True) -> dict[str, Any]:
    """What must be the same in every generation."""
    return {
        "nodes": [(each.name, each.condition, each.dc) for each in status.nodes],
        "resources": sorted(
            each._replace(id=each.id.split(":")[0], agent=each.agent if agent else "")
            for each in map(without_place_under_way, status.resources)
        ),
        "failures": [each[:3] for each in status.failures],
        "pending": sorted(each[:3] for each in status.history if each.pending),
        "cluster": (status.dc, status.quorum, status.maintenance, status.fencing),
    }


def without_place_under_way(resource: Resource) -> Resource:
    """A migration without a running instance: XML names no node then, text the history's."""
    return resource._replace(nodes=()) if resource.id == "vm_mig" else resource


@pytest.mark.parametrize("generation", NEW)
def test_no_text_ever_shows_another_cluster_than_the_xml(generation):
    expected, found = (
        compared(reference("states")),
        compared(seen(generation, "states", "mon-1r.txt")),
    )
    if generation == "pacemaker-1.0.8":  # knows no maintenance of a node or of a resource
        unknown = {"vm_maint", "vm_multi"}
        for each in (expected, found):
            each["resources"] = [one for one in each["resources"] if one.id not in unknown]
            each["nodes"] = [one for one in each["nodes"] if one[0] != "host3"]
    assert found == expected


@pytest.mark.parametrize("generation", NEW)
def test_no_text_ever_shows_another_healthy_cluster(generation):
    expected, found = compared(reference("base")), compared(seen(generation, "base", "mon-1r.txt"))
    if generation == "pacemaker-1.0.8":  # takes another failed monitor for a present one
        found["resources"] = sorted(one._replace(failed=False) for one in found["resources"])
    assert found == expected


@pytest.mark.parametrize("form", ["mon-1r.txt", "as-xml.xml"])
@pytest.mark.parametrize("generation", ["pacemaker-1.1.14", "pacemaker-1.1.24"])
@pytest.mark.parametrize("cluster", ["base", "states"])
def test_the_xml_of_before_2_0_and_its_text_are_one(cluster, generation, form):
    assert compared(seen(generation, cluster, form)) == compared(reference(cluster))


@pytest.mark.parametrize("generation", HEARTBEAT)
def test_heartbeats_text_ever_shows_the_same_states(generation):
    found = {each.id: each for each in seen(generation, "states", "mon-1r.txt").resources}
    expected = {each.id: each for each in reference("states").resources}
    for name in set(found) & set(expected) - {"pingd-child", "vm_multi", "vm_mig"}:
        assert found[name] == expected[name], name
    assert found["vm_multi"].nodes == ("host1", "host3")
    assert {each.split(":")[0] for each in found} >= set(expected) - {
        *("vm_maint", "vm_mig", "vm_nfail")  # not in Heartbeat's CIB
    }


@pytest.mark.parametrize("generation", GENERATIONS)
def test_what_a_node_pings_is_known_by_text_and_by_xml(generation):
    forms = [path.name.removeprefix("base.") for path in (DATA / generation).glob("base.*")]
    for form in forms:
        transient = seen(generation, "base", form).transient
        assert [transient[each]["pingd"] for each in ("host1", "host2")] == ["100", "100"], form


CONDITIONS = {
    "states": ["online", "standby", "online", "OFFLINE", "OFFLINE", "OFFLINE"],
    "nodc": ["online", "OFFLINE"],
    "base": ["online", "online"],
}


@pytest.mark.parametrize("generation", HEARTBEAT)
@pytest.mark.parametrize("cluster", CONDITIONS)
def test_heartbeats_nodes_never_look_better_than_they_are(generation, cluster):
    status = seen(generation, cluster, "mon-1r.txt")
    assert [each.condition for each in status.nodes] == CONDITIONS[cluster]
    assert not status.quorum  # there is no DC in these samples
    assert not status.fencing


@pytest.mark.parametrize("said", ["on", "y", "Yes"])
def test_a_standby_that_heartbeat_does_not_show_is_found_in_the_cib(said):
    """Real: crm_standby -l reboot, with crm_mon still saying online."""
    text = (DATA / "heartbeat-2.1.3" / "mon-standby-reboot.txt").read_bytes()
    pair = f'<nvpair id="x" name="standby" value="{said}"/><nvpair id="status-91275fec'.encode()
    cib = cib_of("heartbeat-2.1.3", "base").replace(b'<nvpair id="status-91275fec', pair, 1)
    status = complete(parse_status(text), parse_configuration(cib))
    assert [each.standby for each in status.nodes] == [True, False]


def test_what_a_node_had_in_hand_when_it_left_is_never_under_way_for_ever():
    """But of a node that is lost and not yet fenced nobody knows."""
    before, _, after = cib_of("pacemaker-1.0.8", "states").partition(b'"vm_unclean_start_0"')
    pending = after.replace(b'op-status="0"', b'op-status="-1"', 1)
    configuration = parse_configuration(before + b'"vm_unclean_start_0"' + pending)
    text = (DATA / "pacemaker-1.0.8" / "states.mon-1r.txt").read_bytes()
    lost = text.replace(
        b"OFFLINE: [ host4 host5", b"Node host5: UNCLEAN (offline)\nOFFLINE: [ host4"
    )
    for said, nodes in ((text, {"host1"}), (lost, {"host1", "host5"})):
        status = complete(parse_status(said), configuration)
        assert {each.node for each in status.history if each.pending} == nodes


def test_a_lost_node_is_unclean_where_heartbeat_only_calls_it_offline():
    cib = cib_of("heartbeat-2.1.3", "states").replace(
        b'name="stonith-enabled" value="false"', b'name="stonith-enabled" value="true"'
    )
    text = (DATA / "heartbeat-2.1.3" / "states.mon-1r.txt").read_bytes()
    status = complete(parse_status(text), parse_configuration(cib))
    assert [each.name for each in status.nodes if each.unclean] == ["host5"]


GUIDE = (DATA / "heartbeat-2.1.4" / "guide.mon-1.txt").read_bytes()


def test_the_guides_own_sample_is_understood():
    status = parse_status(GUIDE)
    assert (status.dc, [each.condition for each in status.nodes]) == ("host1", ["online"] * 2)
    assert [(each.id, each.agent, each.nodes, each.clone) for each in status.resources] == [
        ("STONITH-child:0", "stonith:external/ssh", ("host1",), "STONITH"),
        ("STONITH-child:1", "stonith:external/ssh", ("host2",), "STONITH"),
        ("STONITH-iLO-host1", "stonith:external/riloe", ("host2",), None),
        ("STONITH-iLO-host2", "stonith:external/riloe", ("host1",), None),
        ("pingd-child:0", "ocf:heartbeat:pingd", ("host1",), "pingd"),
        ("pingd-child:1", "ocf:heartbeat:pingd", ("host2",), "pingd"),
    ]


LAB = sorted((DATA / "pacemaker-2.1.5-lab").glob("*.txt"))


@pytest.mark.parametrize("path", LAB, ids=ids)
def test_the_text_of_a_live_cluster_is_what_its_xml_is(path):
    text = parse_status(path.read_bytes())
    xml = parse_status(path.with_suffix(".xml").read_bytes())
    assert [each.condition for each in text.nodes] == [
        # "standby" of one that is pending is not shown
        each.condition
        for each in xml.nodes
    ]
    for ours, theirs in zip(text.resources, xml.resources, strict=True):
        role = ours.role if theirs.failed else theirs.role  # FAILED stands in its place
        assert (ours.id, ours.role, set(ours.nodes)) == (theirs.id, role, set(theirs.nodes))
        assert (ours.managed, ours.failed) == (theirs.managed, theirs.failed)
    assert [each[:3] for each in text.failures] == [each[:3] for each in xml.failures]
    assert (text.dc, text.quorum, text.maintenance) == (xml.dc, xml.quorum, xml.maintenance)
    assert (text.mixed, text.pending_fencing) == (xml.mixed, xml.pending_fencing)


# Lines of releases that are not among the samples, by the printf formats of their sources

HEAD = """============
Last updated: Mon Nov 23 21:49:25 2026
Stack: openais
Current DC: host1 - partition with quorum
Version: 1.1.7-ee0730e13d124c3d58f00016c3376a1de5323cff
2 Nodes configured, 2 expected votes
1 Resources configured.
============

Online: [ host1 host2 ]

Full list of resources:

"""
VM = Resource("vm", "ocf:heartbeat:Xen", "Started", nodes=("host1",))
LINES = {
    " vm\t(ocf::heartbeat:Xen):\tStarted host1": VM,
    "vm\t(heartbeat::ocf:Xen):\tStarted host1": VM,
    "vm (ocf::heartbeat:Xen): Started host1": VM,
    "  * vm\t(ocf:heartbeat:Xen):\t Started host1": VM,
    " vm\t(ocf::heartbeat:Xen):\tStarted host1 (unmanaged) FAILED": VM._replace(
        managed=False, failed=True
    ),
    " vm\t(ocf::heartbeat:Xen):\tStarted FAILED": None,
    " vm\t(ocf::heartbeat:Xen):\tStopped FAILED": VM._replace(
        role="Stopped", failed=True, nodes=()
    ),
    " vm\t(ocf::heartbeat:Xen):\tFAILED": VM._replace(role="Stopped", failed=True, nodes=()),
    " vm\t(ocf::heartbeat:Xen):\tFAILED host1 (blocked)": VM._replace(
        failed=True, managed=False, blocked=True
    ),
    "  * vm\t(ocf:heartbeat:Xen):\t FAILED Promoted host1 (UNCLEAN, unmanaged)": VM._replace(
        failed=True, managed=False, role="Promoted"
    ),
    " vm\t(ocf::heartbeat:Xen):\t(target-role:Stopped) Started host1": VM._replace(
        target_role="Stopped"
    ),
    " vm\t(ocf::heartbeat:Xen):\tStarted (unmanaged)[ host1 host2 ]": VM._replace(
        managed=False, nodes=("host1", "host2")
    ),
    " vm\t(ocf::heartbeat:Xen) Started [\thost1\thost2 ]": VM._replace(nodes=("host1", "host2")),
    " vm\t(ocf::heartbeat:Xen)[\thost1\thost2 ]": VM._replace(nodes=("host1", "host2")),
    "  * vm\t(ocf:heartbeat:Xen):\t Migrating host1 (disabled, blocked)": VM._replace(
        role="Migrating", target_role="Stopped", managed=False, blocked=True
    ),
    " vm\t(ocf::heartbeat:Xen ORPHANED):\tStarted host1": VM._replace(orphaned=True),
    " vm\t(ocf::heartbeat:Xen):\t ORPHANED Started host1 (LOCKED)": VM._replace(orphaned=True),
    "  * vm\t(ocf:heartbeat:Xen):\t REMOVED Started host1": VM._replace(orphaned=True),
    "  * vm\t(ocf:heartbeat:Xen):\t Stopped (not installed)": VM._replace(role="Stopped", nodes=()),
    " vm\t(ocf::heartbeat:Xen):\tStarted host9": None,
    " vm\t(ocf::heartbeat:Xen):\tStarted host1 host2": None,
    " vm\t(ocf::heartbeat:Xen):\tRunning host1": None,
    " vm\t(ocf::heartbeat:Xen):\tStarted [ host1 host2": None,
    " vm is somewhere": None,
    " 1/1\t(ocf::heartbeat:Xen):\tActive host1": None,
    "Some New Section:": None,
}


@pytest.mark.parametrize(("line", "expected"), LINES.items(), ids=LINES)
def test_no_line_that_may_be_a_resource_is_ever_skipped(line, expected):
    if expected is None:
        with pytest.raises(CannotAsk):
            parse_status((HEAD + line + "\n").encode())
        return
    (found,) = parse_status((HEAD + line + "\n").encode()).resources
    assert found == expected


CLONES = {
    "1.0": (" Clone Set: c\n     Started: [ host1 ]\n     Stopped: [ x:1 ]\n", "c"),
    "1.1": (" Clone Set: c [x] (unique)\n     Started: [ host1 ]\n     Stopped: [ host2 ]\n", "x"),
    "2.0": (
        "  * Clone Set: c [x] (promotable):\n    * Started: [ host1 ]\n    * Stopped: [ host2 ]\n",
        "x",
    ),
    "disabled": (
        "  * Clone Set: c [x]:\n    * Started: [ host1 ]\n    * Stopped (disabled): [ host2 ]\n",
        "x",
    ),
}


@pytest.mark.parametrize(("text", "name"), CLONES.values(), ids=CLONES)
def test_a_clones_instances_are_never_lost(text, name):
    found = parse_status((HEAD.replace("1 Resources", "2 Resources") + text).encode()).resources
    assert [(each.id, each.clone, each.role, each.nodes) for each in found] == [
        (name, "c", "Started", ("host1",)),
        (name, "c", "Stopped", ()),
    ]


def test_a_master_a_group_and_a_bundle_are_understood():
    text = """ Master/Slave Set: ms [x]
     Masters: [ host1 ]
     Slaves: [ host2 ]
 Clone Set: c [g]
     Resource Group: g:0
         a\t(ocf::heartbeat:Xen):\tStarted host1
 Container bundle: b [image]
   b-0 (192.168.122.131)\t(ocf::heartbeat:apache):\tStarted host1
 vm\t(ocf::heartbeat:Xen):\tStarted host2
"""
    found = parse_status((HEAD + text).encode()).resources
    assert [(each.id, each.role, each.nodes, each.clone) for each in found] == [
        ("x", "Master", ("host1",), "ms"),
        ("x", "Slave", ("host2",), "ms"),
        ("a", "Started", ("host1",), "c"),
        ("b-0", "Started", ("host1",), None),
        ("vm", "Started", ("host2",), None),
    ]


NODES = {
    "Node: h (u-1): online": "online",
    "Node: h (u-1): OFFLINE (standby)": "OFFLINE",
    "Node: h (u-1): OFFLINE(standby)": "OFFLINE",
    "Node h (u-1): UNCLEAN (offline)": "UNCLEAN (offline)",
    "Node h (u-1): UNCLEAN (pending)": "UNCLEAN (online)",
    "Node h: UNCLEAN (online)": "UNCLEAN (online)",
    "Node h: standby (on-fail)": "standby (on-fail)",
    "Node h: pending": "pending",
    "  * Node h: standby (with active resources)": "standby",
    "  * Node h (1): online, feature set <3.15.1": "online",
    "  * Node h: maintenance": "maintenance",
    "  * Node h: online (health is RED)": "online",
    "  * RemoteNode h: online": "online",
    "OFFLINE: [ h ]": "OFFLINE",
    "  * GuestOnline: [ h@host1 ]": "online",
    "  * GuestNode h@host1: online": "online",
    "RemoteOFFLINE: [ h ]": "OFFLINE",
    "  * Node h: on fire": None,
    "Nodes: h": None,
}


@pytest.mark.parametrize(("line", "expected"), NODES.items(), ids=NODES)
def test_no_line_that_may_be_a_node_is_ever_skipped(line, expected):
    text = HEAD.replace("Online:", f"{line}\nOnline:").replace("1 Resources", "0 Resources")
    if expected is None:
        with pytest.raises(CannotAsk):
            parse_status(text.encode())
        return
    (found,) = (each for each in parse_status(text.encode()).nodes if each.name == "h")
    assert found.condition == expected


DC = {
    "NONE": (None, "", False, False),
    "host1": ("host1", "", False, False),
    "host1 (91275fec-a9f4)": ("host1", "", False, False),
    "host1 (1) (version 1.1.14-7) - partition with quorum": ("host1", "1.1.14-7", True, False),
    "host1 (version 2.1.9-7) - partition WITHOUT quorum": ("host1", "2.1.9-7", False, False),
    "host1 (version 2.1.9-7) - MIXED-VERSION partition with quorum": (
        *("host1", "2.1.9-7", True, True),
    ),
}


@pytest.mark.parametrize(("line", "expected"), DC.items(), ids=DC)
def test_the_dc_and_the_quorum_are_never_better_than_said(line, expected):
    text = re.sub(r"Current DC: .*\nVersion: .*", f"Current DC: {line}", HEAD)
    status = parse_status(text.replace("1 Resources", "0 Resources").encode())
    assert (status.dc, status.version, status.quorum, status.mixed) == expected


FAILED = {
    "    vm_start_0 (node=host1, call=3, rc=1): Error": ("vm", "start", "host1", "Error, rc=1"),
    "    vm_migrate_to_0 (node=host1, call=3, rc=1, status=complete): unknown error": (
        *("vm", "migrate_to", "host1", "unknown error"),
    ),
    "    vm_start_0 on host1 'unknown error' (1): call=3, status=complete, last-rc-change='x'": (
        *("vm", "start", "host1", "unknown error"),
    ),
    "* vm_stop_0 on host1 'not running' (7): call=3, status=complete, exitreason='it''s gone',": (
        *("vm", "stop", "host1", "it''s gone"),
    ),
    "  * vm start on host1 returned 'error' because 'no (memory) left' at Mon after 20ms": (
        *("vm", "start", "host1", "no (memory) left"),
    ),
    "  * vm 10s-interval monitor on host1 could not be executed (Timed Out: in 20s) at Mon": (
        *("vm", "monitor", "host1", "Timed Out: in 20s"),
    ),
    "  * vm probe on host1 returned 'Not installed' (no file) at Mon": (
        *("vm", "probe", "host1", "no file"),
    ),
    "  * something new": ("something", "an action", "?", "something new"),
}


@pytest.mark.parametrize("title", ["Failed actions", "Failed Actions", "Failed Resource Actions"])
@pytest.mark.parametrize(("line", "expected"), FAILED.items(), ids=FAILED)
def test_a_failure_is_never_lost(title, line, expected):
    text = HEAD.replace("1 Resources", "0 Resources") + f"\n{title}:\n{line}\n"
    (found,) = parse_status(text.encode()).failures
    assert found[:4] == expected
    assert isinstance(found, Failure)


# What is no answer

NO_ANSWER = {
    "Heartbeat 2.1.3": ((DATA / "heartbeat-2.1.3/nocluster.mon-1.txt").read_bytes(), "to the CIB"),
    "1.0.8": ((DATA / "pacemaker-1.0.8/nocluster.mon-1.txt").read_bytes(), "connection failed"),
    "help": ((DATA / "pacemaker-1.0.8/usage-mon.txt").read_bytes(), "does not know"),
    "simple status": (b"CLUSTER OK: 2 nodes online, 6 resource instances configured", "not know"),
    "only the head": (b"Cluster Summary:\n  * Stack: corosync\n", "lists 0"),
}


@pytest.mark.parametrize(("text", "said"), NO_ANSWER.values(), ids=NO_ANSWER)
def test_a_form_that_is_not_known_is_never_an_empty_cluster(text, said):
    with pytest.raises(CannotAsk) as raised:
        parse_status(text)
    assert said in raised.value.message


CUT = {
    generation: (DATA / generation / "states.mon-1r.txt").read_bytes()
    for generation in (*HEARTBEAT[:1], *OLD, "pacemaker-2.0.3", "pacemaker-3.0.3")
}


def known(status: Status) -> set[object]:
    return {each.name for each in status.nodes} | {
        (each.id, node) for each in status.resources for node in each.nodes
    }


@pytest.mark.parametrize("generation", CUT)
def test_half_a_text_is_never_a_smaller_cluster(generation):
    """A killed crm_mon: up to the last resource nothing less than the whole is taken."""
    text, configuration = CUT[generation], parse_configuration(cib_of(generation, "states"))
    whole = complete(parse_status(text), configuration)
    for end in range(len(text)):
        with suppress(CannotAsk):
            half = complete(parse_status(text[:end]), configuration)
            lost = known(whole) - known(half)
            # what the CIB cannot miss: the end of the last resource's line
            assert lost <= {("vm_orphan", "host1"), ("vm_disabled", "host1")}, text[end - 30 : end]


@given(st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "replace")))
def test_no_text_ever_does_worse_than_cannot_ask(text):
    for whole in (text, HEAD + text):
        with suppress(CannotAsk):
            assert isinstance(parse_status(whole.encode("utf-8", "replace")), Status)


TOKENS = st.sampled_from(
    [
        *(" ", "\t", "  * ", "\n", "vm", "host1", "host2", "(ocf::heartbeat:Xen)", ":", "[", "]"),
        *("Started", "Stopped", "FAILED", "(unmanaged)", "Clone Set: c [x]", "ORPHANED", "Node"),
        *("Resource Group: g", "Online: [ host1 ]", "Failed actions:\n", "(1)", "{", "Masters"),
    ]
)


@given(st.lists(TOKENS, max_size=20).map("".join))
def test_no_resource_line_is_ever_lost_silently(text):
    """Whatever stands around it, a line with an agent is in the model, or there is an error."""
    line = "\n marked\t(ocf::heartbeat:Xen):\tStarted host1\n"
    with suppress(CannotAsk):
        status = parse_status((HEAD + text + line).encode())
        failed = any(
            "marked" in each.reason or each.resource == "marked" for each in status.failures
        )
        assert failed or "marked" in {each.id for each in status.resources}


@given(
    st.sampled_from(sorted(CUT)),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=3),
)
def test_lines_in_another_order_never_do_worse_than_cannot_ask(generation, swaps):
    lines = CUT[generation].decode().splitlines()
    for one, other in swaps:
        if max(one, other) < len(lines):
            lines[one], lines[other] = lines[other], lines[one]
    with suppress(CannotAsk):
        assert isinstance(parse_status("\n".join(lines).encode()), Status)
