"""hxm capacity, held against the real scheduler on a cluster in a file."""

from __future__ import annotations

import os
import shutil
from typing import Any

import pytest


@pytest.fixture
def three(bare):
    """Three hosts with room for two domUs each; nfs and vm4 on host1, sles and vm3 elsewhere."""
    sandbox = bare.make("--nodes", "3", "--domains", "4")
    rooms(sandbox, 1100, 1100, 1100)
    return sandbox


def rooms(sandbox, *sizes: int) -> None:
    """What is for domUs on host1, host2, ..., in MiB."""
    for number, size in enumerate(sizes, 1):
        node = f'name="hv_memory" value="{size}"'
        head, mark, tail = sandbox.file.read_text().partition(f'<nvpair id="nodes-{number}-hv_')
        old = tail[: tail.index("/>")]
        sandbox.file.write_text(head + mark + f'memory" {node}' + tail[len(old) :])


def put(sandbox, section: str, text: str) -> None:
    sandbox.tool("cibadmin", "--create", f"--scope={section}", f"--xml-text={text}")


def without(sandbox, node: str, status: int) -> dict[str, Any]:
    ran = sandbox.hxm("capacity", "--without", node, "-o", "json")
    assert ran.status == status, ran
    (loss,) = ran.json["losses"]
    return loss


def test_everything_fits_and_how_many_more(three):
    before = three.file.read_bytes()
    ran = three.hxm("capacity", "--add", "0.5G")
    assert ran.status == 2, ran  # all six places are taken when two hosts carry four domUs
    assert ran.out.count("everything fits") == 3
    assert "0 more of 512 MiB would run if any one node fails, 2 while none does" in ran.out
    rooms(three, 3000, 3000, 3000)
    ran = three.ok("capacity", "--add", "512")
    assert "6 more of 512 MiB would run if any one node fails, 11 while" in ran.out
    rooms(three, 1100, 1100, 1100)
    assert three.file.read_bytes() == before


def test_what_the_scheduler_does_is_what_capacity_said(three):
    """The forecast of a loss against the loss itself, where memory is no matter."""
    said = without(three, "host1", 0)
    comes = {name: each["host"] for each in said["places"] for name in each["comes"]}
    assert set(comes) == {"nfs", "vm4"}
    three.ok("sandbox", "fail", "host1")
    for name, host in comes.items():
        assert three.nodes_of(name) == [host]


def test_what_does_not_fit_is_tried_elsewhere_as_the_cluster_would(three):
    rooms(three, 1100, 700, 2000)
    loss = without(three, "host1", 0)
    assert {each["host"]: len(each["comes"]) for each in loss["places"]} == {"host2": 0, "host3": 2}
    rooms(three, 1100, 700, 1100)
    loss = without(three, "host1", 2)
    assert len(loss["nowhere"]) == 1
    ran = three.hxm("capacity")
    assert "takes 520 MiB; there would be" in ran.out
    assert three.hxm("capacity", "--nagios").out.startswith("HXM CRITICAL: without host1: ")


def test_a_constraint_counts_though_there_is_memory(three):
    rule = '<rsc_location id="only-host1" rsc="nfs" node="{}" score="-INFINITY"/>'
    put(three, "constraints", rule.format("host2"))
    rooms(three, 1100, 3000, 1100)
    assert "nfs" in without(three, "host1", 0)["places"][1]["comes"]
    put(three, "constraints", rule.format("host3").replace("only", "never"))
    assert without(three, "host1", 2)["nowhere"] == ["nfs"]
    assert "no other node may run nfs: hxm why nfs" in three.hxm("capacity").out


def test_priority_decides_who_stays_without_a_place(three):
    rooms(three, 1100, 600, 1100)
    three.tool("crm_resource", "-r", "vm4", "--meta", "-p", "priority", "-v", "10")
    put(three, "constraints", '<rsc_location id="n" rsc="nfs" node="host2" score="-INFINITY"/>')
    put(three, "constraints", '<rsc_location id="v" rsc="vm4" node="host2" score="-INFINITY"/>')
    assert without(three, "host1", 2)["nowhere"] == ["nfs"]


def test_with_utilization_the_scheduler_itself_counts(three):
    for number in (1, 2, 3):
        three.tool("crm_attribute", "-N", f"host{number}", "-z", "-n", "hv_memory", "-v", "1100")
    for name in ("nfs", "sles", "vm3", "vm4"):
        three.tool("crm_resource", "-r", name, "-z", "-p", "hv_memory", "-v", "520")
    three.tool("crm_attribute", "-n", "placement-strategy", "-v", "balanced")
    assert without(three, "host1", 0)["fits"] is True
    three.tool("crm_resource", "-r", "vm3", "-z", "-d", "hv_memory")
    ran = three.hxm("capacity")
    assert ran.status == 1
    assert "and not for vm3: to the scheduler these take nothing" in ran.out


def test_utilization_that_decides_is_counted_and_leads_in_no_circle(three):
    """Four domUs for three hosts, each of which has room for one: so says utilization."""
    three.tool("crm_attribute", "-n", "placement-strategy", "-v", "utilization")
    for number in (1, 2, 3):
        three.tool("crm_attribute", "-N", f"host{number}", "-z", "-n", "hv_memory", "-v", "2048")
    for name in ("nfs", "sles", "vm3", "vm4"):
        three.tool("crm_resource", "-r", name, "-z", "-p", "hv_memory", "-v", "2048")
    three.hxm("sandbox", "settle")
    (down,) = (name for name in ("nfs", "sles", "vm3", "vm4") if not three.nodes_of(name))
    ran = three.hxm("capacity")
    assert ran.out.count("0 of 2048") == 3
    assert f"{down} should run and cannot: it asks for hv_memory 2048, and no host has more" in (
        ran.out
    )
    assert ran.out.count("no other node has room for") == 3
    assert "may not run it: the node has too little hv_memory" in three.ok("why", "nfs").out
    assert "crm_attribute -N NODE -z -n hv_memory -v NUMBER" in ran.out
    three.tool("crm_attribute", "-N", "host1", "-z", "-n", "hv_memory", "-v", "4096")
    three.hxm("sandbox", "settle")
    assert three.nodes_of(down) == ["host1"]


def test_the_unknown_is_said_and_never_guessed(three):
    rooms(three, 3000, 3000, 3000)
    three.tool("crm_attribute", "-N", "host2", "-n", "hv_memory", "-D")
    ran = three.hxm("capacity", "--add", "1G")
    assert ran.status == 3
    assert "  host2: no hv_memory in the CIB" in ran.out
    assert "it is unknown how many more of 1 GiB would run" in ran.out
    (three.file.parent / "nfs.xm").unlink()
    ran = three.hxm("capacity")
    assert "nfs: its memory is unknown" in ran.out
    ran = three.ok("standby", "host1", "--yes")  # its memory is unknown, and nothing is against it
    assert "memory" not in ran.err


def test_without_a_quorum_nothing_has_a_place(bare):
    four = bare.make("--nodes", "4")
    four.ok("sandbox", "fail", "host4")
    loss = without(four, "host3", 2)
    assert (loss["quorum"], set(loss["nowhere"])) == (False, {"nfs", "sles"})


def test_what_nothing_can_fence_may_start_nowhere(three):
    """A start waits for every fencing: without a device the scheduler starts nothing."""
    for name in ("STONITH", *(f"STONITH-iLO-host{number}" for number in (1, 2, 3))):
        three.tool("crm_resource", "-r", name, "-m", "-p", "target-role", "-v", "Stopped")
    ran = three.hxm("capacity")
    assert ran.status == 3, ran
    assert ran.out.count("not fenced") == 3
    assert "whether the domUs of host1 would start elsewhere: nothing can fence host1" in ran.out
    assert "HXM UNKNOWN: whether the domUs" in three.hxm("capacity", "--nagios").out
    assert "nothing can fence host1" in without(three, "host1", 3)["unfenced"]
    three.ok("sandbox", "fail", "host1", "--unfenced")
    assert not three.nodes_of("nfs") or three.nodes_of("nfs") == ["host1"]


def test_what_should_run_counts_whether_it_runs_or_not(three):
    three.ok("shutdown", "vm3")  # this one should not
    three.ok("sandbox", "lose-quorum")
    ran = three.hxm("capacity", "--nagios")
    assert ran.status == 3
    assert ran.out.startswith("HXM UNKNOWN: there is no quorum, and nothing is started")
    assert "nfs, sles, vm4 should run and cannot: hxm why nfs" in ran.out
    ran = three.hxm("capacity", "--add", "512")
    assert ran.status == 3
    assert "fits" not in ran.out
    assert "0 more of 512 MiB would run if any one node fails, 0 while none does" in ran.out


def test_the_scheduler_is_asked_once_for_each_node(three):
    real = shutil.which("crm_simulate", path=three.env["PATH"])
    three.program("crm_simulate", f'echo >> {three.folder}/asked\nexec {real} "$@"')
    rooms(three, 3000, 3000, 3000)
    three.ok("capacity")
    assert len((three.folder / "asked").read_text().splitlines()) == 3


def test_a_named_loss_is_named_in_the_answer(three):
    rooms(three, 3000, 3000, 3000)
    ran = three.ok("capacity", "--add", "512", "--without", "host1")
    assert "more of 512 MiB would run without host1, 11 with it (520 MiB each)" in ran.out


@pytest.mark.parametrize("words", ["standby host1", "migrate nfs host2", "start nfs"])
def test_no_change_puts_a_domu_where_it_is_known_not_to_fit(three, words):
    rooms(three, 1100, 700, 700)
    if words.startswith("start"):
        three.ok("shutdown", "nfs")
        rooms(three, 700, 700, 700)
    before = three.file.read_bytes()
    ran = three.hxm(*words.split())
    assert ran.status == 107, ran
    assert "would not fit on" in ran.err
    assert three.file.read_bytes() == before
    three.ok(*words.split(), "--force", "--yes")


def test_a_plan_of_an_update_knows_which_of_its_drains_has_no_room(three):
    rooms(three, 1100, 700, 700)
    ran = three.hxm("update", "plan", "--order", "host3,host1")  # host3 has nothing to lose
    assert ran.status == 107, ran
    assert "would not fit on" in ran.out


SIZES = ("0", "-1", "x", "2X", "", "1e3", "9999999T")


@pytest.mark.parametrize("size", SIZES)
def test_a_size_that_is_none_is_said(sandbox, size):
    ran = sandbox.hxm("capacity", f"--add={size}")
    assert ran.status == 2
    assert "is no size of a domU" in ran.err.replace("\n", " ")
    assert "Traceback" not in ran.err


INFO = """
case "$1" in
info) printf 'total_memory : 4096\\nfree_memory : 1000\\n';;
list) printf 'Name                                        ID   Mem VCPUs\\tState\\tTime(s)\\n'
      printf '%-40s %5d %5d %5d     %s  %8.1f\\n' Domain-0 0 768 1 r----- 2.4 \\
          nfs 3 2048 1 -b---- 7.5;;
esac
"""


def test_this_host_is_known_by_its_toolstack(three):
    here = os.uname().nodename.split(".")[0]
    three.replace("host1", here)
    three.program("xl", INFO)
    three.env["HXM_TEST_CIB"] = str(three.file)
    found = three.hxm("capacity", "-o", "json").json
    hosts = {each["name"]: each for each in found["hosts"]}
    known = {"total": 4096, "dom0": 768, "free": 1000, "source": "info"}
    assert hosts[here] == hosts[here] | known
    assert hosts["host2"]["source"] == "hv_memory"
    assert found["domains"][0]["memory"] == 2048  # what runs is more than what its file says
    assert without(three, here, 2)["nowhere"] == ["nfs"]
    assert "online    4096   768" in three.hxm("capacity").out


def test_a_dom0_that_gives_memory_away_says_nothing_of_what_is_free(three):
    """Xen without dom0_mem: xl takes from dom0 what a domU needs."""
    here = os.uname().nodename.split(".")[0]
    three.replace("host1", here)
    elastic = INFO.replace("free_memory : 1000", "free_memory : 0\\nxen_commandline : x")
    three.program("xl", elastic.replace("nfs 3 2048", "nfs 3 512"))
    three.env["HXM_TEST_CIB"] = str(three.file)
    rooms(three, 4000, 1100, 1100)

    def told() -> dict[str, Any]:
        hosts = three.hxm("capacity", "-o", "json").json["hosts"]
        return next(each for each in hosts if each["name"] == here)

    assert told()["source"] == "hv_memory"
    three.tool("crm_attribute", "-N", here, "-n", "hv_memory", "-D")
    assert told()["free"] is None
    assert "dom0 has no fixed memory (dom0_mem)" in told()["why"]
