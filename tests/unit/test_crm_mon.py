"""What crm_mon said, captured from six generations and from a live cluster, as the model."""

from __future__ import annotations

import grp
import os
from contextlib import suppress
from typing import Any
from xml.etree import ElementTree

import pytest
from factories import DATA
from hypothesis import given
from hypothesis import strategies as st

from hxm.errors import CannotAsk
from hxm.host import programs
from hxm.model import Failure, Operation, Resource
from hxm.pacemaker import cannot_ask
from hxm.pacemaker.crm_mon import as_migrations, parse_status
from hxm.pacemaker.status import Status

GENERATIONS = ("2.0.3", "2.0.5", "2.1.5", "2.1.6", "3.0.0", "3.0.3")
FORMS = ("output-as-xml", "as-xml")
LAB = DATA / "pacemaker-2.1.5-lab"


def lab(name: str) -> Status:
    return parse_status((LAB / f"{name}.xml").read_bytes())


def captured(generation: str, name: str, form: str = "output-as-xml") -> bytes:
    return (DATA / f"pacemaker-{generation}" / f"{name}.{form}.xml").read_bytes()


# A live cluster. Each row: sample, domU, its role, its nodes, and what is special about it

ROLES = {
    "running": ("01-running", "nfs", "Started", ("host2",), {}),
    "migrating, with the target not yet listed": (
        "02-migrating",
        "nfs",
        "Migrating",
        ("host2",),
        {},
    ),
    "migrating, both nodes": ("02-migrating", "sles", "Stopping", ("host2", "host3"), {}),
    "drained": ("06-standby-draining", "nfs", "Migrating", ("host3",), {}),
    "starting": ("07-starting", "nfs", "Starting", ("host2",), {"target_role": "Started"}),
    "stopped": ("07-stopped", "nfs", "Stopped", (), {"target_role": "Stopped"}),
    "stopping": ("13-shutdown-hangs", "nfs", "Stopping", ("host2",), {"target_role": "Stopped"}),
    "maintenance of the cluster": (
        "08-maintenance",
        "nfs",
        "Started",
        ("host2",),
        {"managed": False},
    ),
    "maintenance of its node": (
        "08-node-maintenance",
        "nfs",
        "Started",
        ("host1",),
        {"managed": False},
    ),
    "maintenance of another node": ("08-node-maintenance", "sles", "Started", ("host2",), {}),
    "unmanaged and gone": ("09-unmanaged-failed", "nfs", "Stopped", (), {"managed": False}),
    "failed": ("12-monitor-failed-0", "nfs", "Stopping", ("host2",), {"failed": True}),
    "on a lost node": ("20-kill-unclean", "nfs", "Started", ("host2",), {}),
}
USUAL = {"managed": True, "failed": False, "blocked": False, "orphaned": False, "target_role": None}


@pytest.mark.parametrize(("sample", "one", "role", "nodes", "special"), ROLES.values(), ids=ROLES)
def test_a_domu_never_looks_better_than_it_is(sample, one, role, nodes, special):
    (found,) = (each for each in lab(sample).resources if each.id == one)
    assert (found.role, set(found.nodes)) == (role, set(nodes))
    for name, value in (USUAL | special).items():
        assert getattr(found, name) == value, name


CONDITIONS = {
    "01-running": {},
    "06-standby": {"host3": "standby"},
    "06-standby-draining": {"host3": "standby"},
    "08-node-maintenance": {"host1": "maintenance"},
    "20-kill-unclean": {"host2": "UNCLEAN (offline)"},
    "21-fencing-fails": {"host2": "UNCLEAN (offline)"},
    "22-splitbrain-minority": {"host1": "OFFLINE", "host3": "OFFLINE"},
    "30-booting-no-dc": dict.fromkeys(("host1", "host2", "host3"), "UNCLEAN (offline)"),
    "31-shutdown-done": {"host2": "pending"},
    "32-no-quorum": {"host2": "OFFLINE", "host3": "UNCLEAN (offline)"},
}


@pytest.mark.parametrize(("sample", "expected"), CONDITIONS.items(), ids=CONDITIONS)
def test_a_node_never_looks_usable_that_is_not(sample, expected):
    nodes = lab(sample).nodes
    assert {each.name: each.condition for each in nodes if each.condition != "online"} == expected
    assert {each.name for each in nodes if not each.usable} == set(expected)


SUMMARY = {
    "01-running": ("host3", True, False, True),
    "08-maintenance": ("host3", True, True, True),
    "22-splitbrain-minority": ("host2", False, False, False),
    "30-booting-no-dc": (None, False, False, True),
    "32-no-quorum": ("host1", False, False, True),
}


@pytest.mark.parametrize(("sample", "expected"), SUMMARY.items(), ids=SUMMARY)
def test_a_cluster_never_looks_able_that_is_not(sample, expected):
    status = lab(sample)
    assert (status.dc, status.quorum, status.maintenance, status.fencing) == expected


FAILURES = {
    "01-running": (),
    "10-start-failed": (Failure("nfs", "start", "host2", "error", "2026-11-23 21:08:58Z"),),
    "11-migrate-failed": (Failure("nfs", "migrate_to", "host1", "error", "2026-11-23 21:09:15Z"),),
    "12-monitor-failed-0": (
        Failure("nfs", "monitor", "host2", "not running", "2026-11-23 21:09:59Z"),
    ),
}


@pytest.mark.parametrize(("sample", "expected"), FAILURES.items(), ids=FAILURES)
def test_a_failure_is_never_lost_nor_laid_to_another(sample, expected):
    assert lab(sample).failures == expected


PENDING = {
    "01-running": [],
    "02-migrating": [("host2", "nfs", "migrate_to"), ("host3", "sles", "stop")],
    "07-starting": [("host2", "nfs", "start")],
    "13-shutdown-hangs": [("host2", "nfs", "stop")],
}


@pytest.mark.parametrize(("sample", "expected"), PENDING.items(), ids=PENDING)
def test_an_action_under_way_is_never_taken_for_done(sample, expected):
    pending = [each for each in lab(sample).history if each.pending]
    assert [(each.node, each.resource, each.task) for each in pending] == expected


def test_history_tells_a_live_arrival_from_a_start():
    history = lab("03-moved").history
    assert Operation("host3", "nfs", "migrate_from", 18, 0) in [
        each._replace(call=18) for each in history if each.task == "migrate_from"
    ]


def test_fencing_under_way_is_never_overlooked():
    assert lab("21-fencing-fails").pending_fencing == ("host2",)
    assert lab("20-kill-unclean").pending_fencing == ()


# Six generations on the same cluster

GENERATION = pytest.mark.parametrize("generation", GENERATIONS)
FORM = pytest.mark.parametrize("form", FORMS)


@FORM
@GENERATION
def test_no_generation_ever_shows_another_small_cluster(generation, form):
    reference = parse_status(captured("3.0.3", "base"))
    assert _cluster(parse_status(captured(generation, "base", form))) == _cluster(reference)
    assert [each.name for each in reference.nodes] == ["host1", "host2"]


@FORM
@GENERATION
def test_no_generation_ever_shows_another_troubled_cluster(generation, form):
    """2.0.3 lists what is stopped only if asked with --inactive, as hxm does."""
    reference = parse_status(captured("3.0.3", "states"))
    status = parse_status(captured(generation, "states", form))
    if generation == "2.0.3":
        running = tuple(each for each in reference.resources if each.nodes)
        reference = reference._replace(resources=running)
    assert _cluster(status) == _cluster(reference)


def _cluster(status: Status) -> Status:
    """Without what the document says of itself, and what 2.1 and newer list beside attributes."""
    transient = {
        node: {name: value for name, value in known.items() if name != "probe_complete"}
        for node, known in status.transient.items()
    }
    return status._replace(form="", tools="", feature_sets=(), transient=transient)


STATES: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {
    "vm_off": ("Stopped", (), {"target_role": "Stopped"}),
    "vm_unm": ("Started", ("host1",), {"managed": False}),
    "vm_maint": ("Started", ("host1",), {"managed": False}),
    "vm_fail": ("Started", ("host1",), {"failed": True}),
    "vm_block": ("Started", ("host1",), {"failed": True, "blocked": True, "managed": False}),
    "vm_multi": ("Started", ("host1", "host3"), {"managed": False}),
    "vm_mig": ("Migrating", (), {}),
    "vm_start": ("Starting", ("host1",), {}),
    "vm_disabled": ("Started", ("host1",), {"target_role": "Stopped"}),
    "vm_orphan": ("Started", ("host1",), {"orphaned": True}),
}


@GENERATION
@pytest.mark.parametrize("one", STATES)
def test_no_generation_ever_hides_a_state(generation, one):
    role, nodes, special = STATES[one]
    found = {each.id: each for each in parse_status(captured(generation, "states")).resources}
    if generation == "2.0.3" and not nodes:
        assert one not in found
        return
    assert (found[one].role, found[one].nodes) == (role, nodes)
    for name, value in (USUAL | special).items():
        assert getattr(found[one], name) == value, name


@GENERATION
def test_a_clones_instances_are_never_one(generation):
    found = parse_status(captured(generation, "base")).resources
    instances = [each for each in found if each.id == "pingd-child"]
    assert [(each.clone, each.nodes) for each in instances] == [
        ("pingd", ("host1",)),
        ("pingd", ("host2",)),
    ]
    assert [each.clone for each in found if each.id in ("d1", "nfs")] == [None, None]


@GENERATION
def test_the_reason_of_a_failure_is_the_agents_if_it_gave_one(generation):
    failures = parse_status(captured(generation, "states")).failures
    assert [(each.resource, each.operation, each.reason) for each in failures] == [
        ("vm_fail", "monitor", "none"),
        ("vm_block", "stop", "xm shutdown: timed out"),
    ]


def test_what_an_agent_said_is_escaped_once_more_in_some_versions():
    whole = captured("2.1.5", "states").replace(
        b"xm shutdown: timed out", b"a &amp;amp;lt; b&amp;apos;s"
    )
    assert whole != captured("2.1.5", "states")
    assert parse_status(whole).failures[-1].reason == "a &lt; b's"


# What is no answer

NO_ANSWER = {
    "nothing": (b"", "no complete XML"),
    "another document": (b"<cib/>", "<cib>"),
    "no cluster, 3.0.3": (captured("3.0.3", "nocluster"), "Connection to cluster failed"),
    "no cluster, 2.0.3": (captured("2.0.3", "nocluster", "as-xml"), "no summary or no nodes"),
    "nodes without a summary": (b"<crm_mon><nodes/></crm_mon>", "no summary or no nodes"),
    "a summary without nodes": (b"<crm_mon><summary/></crm_mon>", "no summary or no nodes"),
    "an encoding that nobody knows": (b'<?xml version="1.0" encoding="x"?><crm_mon/>', "XML"),
}


@pytest.mark.parametrize(("document", "said"), NO_ANSWER.values(), ids=NO_ANSWER)
def test_no_answer_is_never_a_small_cluster(document, said):
    with pytest.raises(CannotAsk) as raised:
        parse_status(document)
    assert raised.value.status == 102
    assert said in raised.value.message


WHOLE = {
    "02-migrating": (LAB / "02-migrating.xml").read_bytes(),
    "2.0.3": captured("2.0.3", "states", "as-xml"),
    "3.0.3": captured("3.0.3", "states"),
}


@pytest.mark.parametrize("document", WHOLE.values(), ids=WHOLE)
def test_half_an_answer_is_never_a_smaller_cluster(document):
    parse_status(document)
    for end in range(0, len(document.rstrip()), 50):
        with pytest.raises(CannotAsk):
            parse_status(document[:end])


WARNINGS = {
    "a warning": b"warning: something else\n",
    "a warning with a sign of XML": b"crm_mon: warning: <node> is deprecated\n",
    "XSLT, where stderr is mixed in": b"DEBUG: Cluster node: host1 (id=1): keeping type\n",
    "another language": "crm_mon: Warnung: veraltete Option --inactive \u00fcbergangen\n".encode(),
}


@pytest.mark.parametrize("warning", WARNINGS.values(), ids=WARNINGS)
def test_a_warning_before_the_document_is_never_the_end_of_it(warning):
    document = WHOLE["02-migrating"]
    assert parse_status(warning + document) == parse_status(document)
    text = (LAB / "02-migrating.txt").read_bytes()
    assert parse_status(warning + text) == parse_status(text)


@given(st.binary())
def test_no_bytes_ever_do_worse_than_cannot_ask(document):
    _status_or_cannot_ask(document)


ELEMENTS = [
    (number, name)
    for number, element in enumerate(ElementTree.fromstring(WHOLE["02-migrating"]).iter())
    for name in (*element.attrib, None)
]


@given(st.lists(st.tuples(st.sampled_from(ELEMENTS), st.none() | st.text(max_size=9)), max_size=4))
def test_no_value_of_an_attribute_ever_does_worse_than_cannot_ask(changes):
    """Each change sets an attribute, takes it away, or renames its element."""
    root = ElementTree.fromstring(WHOLE["02-migrating"])
    elements = list(root.iter())
    for (number, name), value in changes:
        if name is None:
            elements[number].tag = "other"
        elif value is None:
            elements[number].attrib.pop(name, None)
        else:
            elements[number].set(name, value)
    _status_or_cannot_ask(ElementTree.tostring(root, "utf-8"))


NUMBERS = ("", "x", "1.5", "9" * 5000, "٣")


@pytest.mark.parametrize("attribute", ["call", "rc"])
@pytest.mark.parametrize("value", NUMBERS, ids=lambda value: value[:5] or "empty")
def test_no_number_that_is_none_ever_does_worse_than_cannot_ask(attribute, value):
    root = ElementTree.fromstring(WHOLE["02-migrating"])
    root.find(".//operation_history").set(attribute, value)
    _status_or_cannot_ask(ElementTree.tostring(root, "utf-8"))


def _status_or_cannot_ask(document: bytes) -> None:
    with suppress(CannotAsk):
        assert isinstance(parse_status(document), Status)


def test_the_stop_that_ends_a_live_migration_is_part_of_it():
    found = lab("02-migrating")
    told = {each.id: each for each in as_migrations(found.resources, found.history)}
    assert (told["sles"].role, told["sles"].nodes) == ("Migrating", ("host3", "host2"))
    assert (told["nfs"].role, told["nfs"].nodes) == ("Migrating", ("host2",))
    twice = as_migrations(found.resources, [])
    assert ("Stopping", ("host2", "host3")) in {(each.role, each.nodes) for each in twice}


@pytest.mark.parametrize("shown", [("host1", "host2"), ("host2", "host1")])
def test_a_migration_goes_to_where_it_is_about_to_arrive(shown):
    nfs = Resource("nfs", "ocf:heartbeat:Xen", "Migrating", nodes=shown)
    before = Operation("host2", "nfs", "migrate_from", 20, 0)  # it had come to host2 by another
    arriving = Operation("host1", "nfs", "migrate_from", -1, 193)
    (told,) = as_migrations([nfs], [before, arriving])
    assert told.nodes == ("host2", "host1")


SENT = Operation("host1", "nfs", "migrate_to", 15, 0)
BETWEEN = {
    "not yet probed": ([SENT], True),
    "not there before": ([SENT, Operation("host2", "nfs", "monitor", 9, 7)], True),
    "arrived": ([SENT, Operation("host2", "nfs", "migrate_from", 30, 0)], True),
    "failed to arrive": ([SENT, Operation("host2", "nfs", "migrate_from", 30, 1)], False),
    "started there": ([SENT, Operation("host2", "nfs", "start", 30, 0)], False),
    "runs there": ([SENT, Operation("host2", "nfs", "monitor", 30, 0)], False),
    "still runs here": ([SENT, Operation("host1", "nfs", "monitor", 16, 0)], False),
    "not sent": ([SENT._replace(rc=1)], False),
}


@pytest.mark.parametrize(("history", "migrates"), BETWEEN.values(), ids=BETWEEN)
def test_between_its_halves_a_migration_is_no_second_instance(history, migrates):
    nfs = Resource("nfs", "ocf:heartbeat:Xen", "Started", nodes=("host2", "host1"))
    (told,) = as_migrations([nfs], history)
    assert told == (nfs._replace(role="Migrating", nodes=("host1", "host2")) if migrates else nfs)


@pytest.mark.parametrize(
    ("user", "groups", "hint"),
    [
        (0, [0], "is Pacemaker running on this node?"),
        (65534, [65534], "you are nobody: only root and the group haclient may ask"),
        (65534, [90], "is Pacemaker running on this node?"),
        (4242, [4242], "is Pacemaker running on this node?"),  # who is that?
    ],
)
def test_who_may_not_ask_is_told_so(user, groups, hint, monkeypatch):
    monkeypatch.delenv("CIB_file", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(os, "getegid", lambda: groups[0])
    monkeypatch.setattr(os, "getgroups", lambda: groups)
    monkeypatch.setattr(grp, "getgrnam", lambda _: grp.struct_group(("haclient", "x", 90, [])))
    refused = programs.Result(("cibadmin",), 102, b"", "Could not connect to the CIB")
    assert cannot_ask(refused).hint.startswith(hint)
