"""What operators fear: lost nodes, lost quorum, crashes, failed starts; and what hxm says then."""

from __future__ import annotations

import shlex
from xml.etree import ElementTree

import pytest


def test_a_lost_node_is_fenced_and_its_domus_run_elsewhere(sandbox):
    sandbox.ok("sandbox", "fail", "host1")
    assert sandbox.nodes_of("nfs") == ["host2"]
    assert "OFFLINE" in sandbox.ok("nodes").out
    assert "host1 is OFFLINE: hxm status" in sandbox.ok("list").err
    ran = sandbox.hxm("migrate", "nfs", "host1")
    assert ran.status == 107
    assert "OFFLINE" in ran.err
    sandbox.ok("sandbox", "recover", "host1")
    sandbox.ok("migrate", "nfs", "host1")
    assert sandbox.nodes_of("nfs") == ["host1"]


def test_a_host_that_comes_back_has_not_what_migrated_to_it_before_it_was_lost(sandbox):
    """As the scheduler of Pacemaker 3.0 sees it, records of two nodes must name their nodes."""
    sandbox.ok("migrate", "nfs", "host2")
    root = ElementTree.parse(sandbox.file).getroot()
    for state in root.iterfind("status/node_state"):
        records = [*state.iter("lrm_rsc_op")]
        assert {record.get("on_node") for record in records} == {state.get("uname")}
    sandbox.ok("sandbox", "fail", "host2")
    sandbox.ok("sandbox", "recover", "host2")
    assert sandbox.nodes_of("nfs") == ["host1"]


@pytest.mark.parametrize(
    "words",
    [
        "start nfs",
        "shutdown sles",
        "reboot sles",
        "destroy sles",
        "migrate sles host1",
        "standby host2",
        "active host2",
        "unmigrate",
        "unmanage sles",
    ],
)
def test_before_a_lost_node_is_fenced_nothing_is_changed(sandbox, words):
    sandbox.ok("sandbox", "fail", "host1", "--unfenced")
    sandbox.tool(
        "cibadmin",
        "--create",
        "--scope=constraints",
        '--xml-text=<rsc_location id="cli-ban-sles-on-host1" rsc="sles" node="host1"'
        ' score="-INFINITY"/>',
    )
    if words.startswith("active"):
        sandbox.tool("crm_attribute", "-N", "host2", "-n", "standby", "-v", "on")
    assert "UNCLEAN" in sandbox.ok("list").out
    before = sandbox.file.read_bytes()
    ran = sandbox.hxm(*words.split())
    assert ran.status == 107, ran
    assert "not yet fenced" in ran.err
    assert sandbox.file.read_bytes() == before


def test_a_domu_on_an_unclean_node_does_not_count_as_running(sandbox):
    sandbox.ok("sandbox", "fail", "host1", "--unfenced")
    assert "already" not in repr(sandbox.hxm("start", "nfs"))


def test_without_quorum_everything_stops_and_orders_are_refused(sandbox):
    sandbox.ok("sandbox", "lose-quorum")
    assert sandbox.nodes_of("nfs") == []
    before = sandbox.file.read_bytes()
    for words in ("start nfs", "migrate nfs host2", "standby host1", "unmanage nfs"):
        assert sandbox.hxm(*words.split()).status == 106, words
    assert sandbox.file.read_bytes() == before
    assert "no quorum" in sandbox.ok("status").out
    ran = sandbox.ok("list")
    assert "there is no quorum: hxm status" in ran.err
    header, *rows = ran.out.splitlines()
    assert {row.index("Stopped") for row in rows} == {header.expandtabs().index("Role")}
    sandbox.ok("sandbox", "regain-quorum")
    assert sandbox.nodes_of("nfs")


def test_a_crash_is_recovered_and_cleaned_up(sandbox):
    before = sandbox.configuration()
    sandbox.ok("sandbox", "fail", "nfs")
    assert sandbox.nodes_of("nfs") == ["host1"]
    assert "hxm cleanup nfs" in sandbox.ok("status").out
    assert "nothing moves" in sandbox.ok("cleanup", "nfs", "--dry-run").out
    sandbox.ok("cleanup", "nfs")
    assert "Nothing needs attention" in sandbox.ok("status").out
    assert "fail-count" not in sandbox.file.read_text()
    assert sandbox.configuration() == before


def test_a_failed_start_goes_elsewhere_as_in_a_real_cluster(sandbox):
    sandbox.ok("sandbox", "fail", "nfs", "--operation", "start")
    assert sandbox.nodes_of("nfs") == ["host2"]
    refused = sandbox.hxm("migrate", "nfs", "host1")
    assert refused.status == 107  # the fail count is in the way
    sandbox.ok("cleanup", "nfs", "host1")
    sandbox.ok("migrate", "nfs", "host1")


def test_a_start_that_fails_everywhere_is_not_called_running(sandbox):
    for _ in range(2):
        sandbox.hxm("sandbox", "fail", "nfs", "--operation", "start")
    assert sandbox.nodes_of("nfs") == []
    ran = sandbox.hxm("start", "nfs")
    assert ran.status == 107
    assert "hxm cleanup nfs" in ran.err
    sandbox.ok("cleanup")
    assert sandbox.nodes_of("nfs")


def test_a_failed_stop_ends_in_fencing(sandbox):
    ran = sandbox.ok("sandbox", "fail", "nfs", "--operation", "stop")
    assert "host1: fenced" in ran.out
    assert sandbox.nodes_of("nfs") == ["host2"]


def test_standby_that_would_stop_a_domu_takes_force(sandbox):
    sandbox.tool(
        "cibadmin",
        "--create",
        "--scope=constraints",
        '--xml-text=<rsc_location id="only-host1" rsc="nfs" node="host2" score="-INFINITY"/>',
    )
    before = sandbox.file.read_bytes()
    ran = sandbox.hxm("standby", "host1", "--yes")
    assert ran.status == 107
    assert "nfs would have no place" in ran.err
    assert sandbox.file.read_bytes() == before
    sandbox.ok("standby", "host1", "--yes", "--force")
    assert sandbox.nodes_of("nfs") == []


def test_what_else_would_stop_is_asked_about(sandbox):
    sandbox.tool(
        "cibadmin",
        "--create",
        "--scope=constraints",
        '--xml-text=<rsc_order id="o" first="nfs" then="sles" kind="Mandatory"/>',
    )
    sandbox.ok("status")
    before = sandbox.file.read_bytes()
    ran = sandbox.hxm("shutdown", "nfs")
    assert ran.status == 107
    assert "sles would stop" in ran.err
    assert sandbox.file.read_bytes() == before
    sandbox.ok("shutdown", "nfs", "--yes")
    assert sandbox.nodes_of("sles") == []


def test_disabled_fencing_is_warned_of_on_every_change(sandbox):
    sandbox.replace('name="stonith-enabled" value="true"', 'name="stonith-enabled" value="false"')
    assert "fencing is disabled" in sandbox.ok("migrate", "nfs", "host2").err
    assert "fencing is disabled" in sandbox.ok("status").out


_STOPPED = '<nvpair id="d-stopped" name="target-role" value="Stopped"/>'
_DEFAULTS = f'<rsc_defaults><meta_attributes id="d">{_STOPPED}</meta_attributes></rsc_defaults>'
# How a setting of the whole cluster is made, and the words that name it
OF_ALL = {
    "stopped by default": (
        ("cibadmin", "--modify", "--allow-create", "--scope=rsc_defaults", "-X", _DEFAULTS),
        "rsc_defaults has target-role=Stopped",
    ),
    "opt-in": (("crm_attribute", "-n", "symmetric-cluster", "-v", "false"), "no location allows"),
}


@pytest.mark.parametrize(("command", "words"), OF_ALL.values(), ids=OF_ALL)
def test_what_stops_everything_is_said_everywhere_with_what_ends_it(sandbox, command, words):
    sandbox.tool(*command)
    sandbox.ok("sandbox", "settle")
    assert words in sandbox.ok("list").err
    assert words in sandbox.ok("nodes").err
    finding, *others = sandbox.ok("status", "-o", "json").json["findings"]
    assert words in finding["what"]
    assert all("nothing can fence" in other["what"] for other in others)
    sandbox.tool(*shlex.split(finding["do"].rpartition("disk: ")[2]))
    sandbox.ok("sandbox", "settle")
    assert "Nothing needs attention" in sandbox.ok("status").out


def test_without_a_sandbox_it_is_said_how_to_name_one(sandbox):
    ran = sandbox.hxm("sandbox", "fail", "host1", env={"CIB_file": ""})
    assert ran.status == 107
    assert "export CIB_file=DIR/cib.xml" in ran.err


def test_troubles_are_for_sandboxes_only(sandbox):
    env = {"CIB_file": ""}
    assert sandbox.hxm("sandbox", "fail", "host1", env=env).status in (102, 107)


def test_a_host_that_can_take_no_domu_is_shown(sandbox):
    sandbox.tool("crm_attribute", "-N", "host2", "-n", "pingd", "-D", "-l", "reboot")
    sandbox.tool("crm_simulate", "-x", str(sandbox.file), "-SX")
    assert "takes no domU" in sandbox.ok("nodes").out
    assert "no domU may come to host2: the node has no ping path" in sandbox.ok("status").out
    found = sandbox.hxm("check", "-o", "json").json["findings"]
    assert ("host-barred", "host2") in [(each["code"], each["subject"]) for each in found]


UNFENCING = (
    '<primitive id="fence-scsi" class="stonith" type="fence_scsi"><meta_attributes id="m"><nvpair '
    'id="p" name="provides" value="unfencing"/></meta_attributes><instance_attributes id="i">'
    '<nvpair id="h" name="pcmk_host_list" value="host1 host2"/></instance_attributes></primitive>'
)


def test_a_node_that_gets_its_access_again_is_not_fenced(sandbox):
    sandbox.tool("cibadmin", "-C", "-o", "resources", "-X", UNFENCING)
    settled = sandbox.ok("sandbox", "settle").out
    assert "fence-scsi: start on host" in settled
    assert "fenced" not in settled
    assert sandbox.ok("sandbox", "settle").out == "nothing moves\n"
