"""What hxm writes of a transition and of a step, against what Pacemaker's own tools write."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

import pytest
from transitions import both_ways, disturb, told_and_seen

from hxm.errors import CannotAsk
from hxm.pacemaker.cib_edit import edit
from hxm.pacemaker.dialect import DIALECTS
from hxm.pacemaker.sandbox import forget_monitors
from hxm.pacemaker.simulate import Scratch
from hxm.plan import Step

DATA = Path(__file__).parents[1] / "data"
CIBS = [*sorted((DATA / "situations").glob("*.xml")), *sorted((DATA / "scheduler").glob("*.xml"))]
WHOLE = sorted((Path(__file__).parents[2] / ".cache" / "scheduler").glob("*.xml"))
"""All of Pacemaker's CIBs, where .ci/corpus has fetched them."""


@pytest.mark.parametrize("cib", CIBS, ids=[path.stem for path in CIBS])
def test_the_results_of_a_transition_are_those_of_crm_simulate(cib, tmp_path):
    ours, actions = both_ways(cib, tmp_path)
    assert ours != any(action.operation == "fence" for action in actions)  # left to the tool
    told, seen = told_and_seen(cib, tmp_path)
    assert told == seen


@pytest.mark.thorough
@pytest.mark.parametrize("cib", WHOLE, ids=[path.stem for path in WHOLE])
def test_so_they_are_in_all_scheduler_tests_of_pacemaker(cib, tmp_path):
    with suppress(CannotAsk):  # the scheduler, or crm_mon, takes it for no CIB
        both_ways(cib, tmp_path)
        told, seen = told_and_seen(cib, tmp_path)
        assert told == seen


@pytest.mark.parametrize("seed", range(12))
def test_the_results_are_the_same_on_random_clusters(bare, seed, tmp_path):
    cib = bare.make("--nodes", "4", "--domains", "12").file
    disturb(cib, seed)
    ours, actions = both_ways(cib, tmp_path)
    assert ours
    assert actions
    told, seen = told_and_seen(cib, tmp_path)
    assert told == seen


OF_OLD = """
<lrm_resource id="evms-child:0" class="ocf" provider="heartbeat" type="Dummy">
  <lrm_rsc_op id="evms-child:0_monitor_10000" operation="monitor" interval="10000" call-id="2"/>
</lrm_resource>"""


def test_an_ended_monitor_is_gone_under_whichever_name(tmp_path):
    """Instances of an anonymous clone were recorded with a number before Pacemaker 1.1.8."""
    cib = tmp_path / "cib.xml"
    cib.write_text(f'<cib><status><node_state uname="host1">{OF_OLD}</node_state></status></cib>')
    forget_monitors(str(cib), {("evms-child", "host1")})
    assert not ElementTree.parse(cib).findall(".//lrm_rsc_op")


def test_a_parameter_whose_name_xml_does_not_allow_is_left_to_the_tool(sandbox, tmp_path):
    sandbox.replace('name="xmfile"', 'name="1"')
    sandbox.replace('id="nodes-1">', 'id="nodes-1"><nvpair id="s" name="standby" value="on"/>')
    assert not both_ways(sandbox.file, tmp_path)[0]


def step(kind: str, **values: str) -> Step:
    return Step(kind, "do it", values)


NFS, TO = {"resource": "nfs"}, {"resource": "nfs", "node": "host2"}
HOST, STOP = {"node": "host1"}, {"resource": "nfs", "name": "target-role", "value": "Stopped"}
CLEAR = {"resource": "nfs", "name": "target-role"}
ON, OFF = step("maintenance"), step("clear-maintenance")
EDITS = {
    "set an option": [step("set-meta", **STOP)],
    "set it anew": [step("set-meta", **STOP), step("set-meta", **(STOP | {"value": "Started"}))],
    "clear an option": [step("set-meta", **STOP), step("clear-meta", **CLEAR)],
    "clear the only option": [step("clear-meta", resource="nfs", name="allow-migrate")],
    "clear none": [step("clear-meta", **CLEAR)],
    "move": [step("move", **TO)],
    "move and ban": [step("move-and-ban", **TO)],
    "take a move back": [
        step("move-and-ban", **TO),
        step("unmove", **NFS),
        step("unban", resource="nfs", source="host1"),
    ],
    "clear a move": [step("move-and-ban", **TO), step("clear", **NFS)],
    "clear nothing": [step("clear", **NFS)],
    "move twice": [step("move", **TO), step("move-and-ban", **TO)],
    "delete a constraint": [
        step("move", **TO),
        step("delete-constraint", constraint="cli-prefer-nfs"),
    ],
    "standby": [step("standby", **HOST)],
    "active": [step("standby", **HOST), step("clear-standby", **HOST)],
    "active already": [step("clear-standby", **HOST)],
    "maintenance of a node": [step("node-maintenance", **HOST)],
    "its end": [step("node-maintenance", **HOST), step("clear-node-maintenance", **HOST)],
    "maintenance": [ON],
    "end of maintenance": [ON, OFF],
    "end of none": [OFF],
}
COUNTERS = ("epoch", "num_updates", "cib-last-written", "update-origin", "update-client")


def canonical(path: Path) -> str:
    root = ElementTree.parse(path).getroot()
    for name in (*COUNTERS, "update-user"):
        root.attrib.pop(name, None)
    return ElementTree.canonicalize(ElementTree.tostring(root), strip_text=True)


@pytest.mark.parametrize("steps", EDITS.values(), ids=EDITS)
def test_an_edit_of_a_copy_is_what_the_tools_would_write(sandbox, steps, tmp_path):
    theirs, ours = tmp_path / "theirs.xml", tmp_path / "ours.xml"
    shutil.copy(sandbox.file, theirs)
    shutil.copy(sandbox.file, ours)
    (dialect,) = [each for each in DIALECTS if each.key == "2.1"]
    for one in steps:
        Scratch(str(theirs)).apply(dialect, [one])
    assert edit(str(ours), steps)
    assert canonical(ours) == canonical(theirs)


@pytest.mark.parametrize("name", ["set an option", "active", "maintenance", "clear an option"])
def test_so_is_one_of_a_cib_whose_sets_have_other_names(sandbox, name, tmp_path):
    """Those of other tools, or of an upgrade; the tools then make a set of their own."""
    for suffix in ("-meta_attributes", "nodes-1", "nodes-2", "cib-bootstrap-options"):
        sandbox.replace(f'{suffix}">', f'{suffix}-x">')
    test_an_edit_of_a_copy_is_what_the_tools_would_write(sandbox, EDITS[name], tmp_path)


UNSURE = {
    "in a clone": ("evms-child", [step("set-meta", **(STOP | {"resource": "evms-child"}))]),
    "moved to where it runs": ("nfs", [step("move", **(TO | {"node": "host1"}))]),
    "not there": ("nobody", [step("move", **(TO | {"resource": "nobody"}))]),
    "no such node": ("nfs", [step("standby", node="host9")]),
    "another kind of step": ("nfs", [step("forget", **NFS)]),
}


@pytest.mark.parametrize(("about", "steps"), UNSURE.values(), ids=UNSURE)
def test_what_is_not_known_is_left_to_the_tools(sandbox, about, steps, tmp_path):
    copy = tmp_path / "cib.xml"
    shutil.copy(sandbox.file, copy)
    assert not edit(str(copy), steps)
    assert copy.read_bytes() == sandbox.file.read_bytes()
    assert about
