"""What is left of a resource's history on a node when its failures are forgotten."""

from __future__ import annotations

import pytest
from lxml import etree

from hxm.pacemaker.sandbox import drop_failures

GONE, KEPT, FOUND = "asked anew", "still known to run", "found to run when it is asked anew"
START, MONITOR = ("start", 5, 0, 0), ("monitor", 6, 0, 0)
CRASH = ("monitor", 3, 7, 0)
CASES = {
    "crashed and started again there": ([START, MONITOR, CRASH], KEPT),
    "crashed, and started elsewhere": ([("stop", 5, 0, 0), CRASH], GONE),
    "crashed a moment ago": ([START, ("monitor", 7, 7, 0)], GONE),
    "its monitor fails, and it runs": ([START, ("monitor", 7, 1, 0)], KEPT),
    "its monitor failed and works again": ([START, MONITOR, ("monitor", 3, 1, 0)], KEPT),
    "its start failed": ([("start", 5, 1, 0)], GONE),
    "its start failed and worked then": ([("start", 5, 0, 0), ("start", 3, 1, 0)], KEPT),
    "its stop failed": ([("stop", 8, 1, 0)], FOUND),
    "its stop failed behind a good monitor": ([("stop", 8, 1, 0), MONITOR], KEPT),
    "its migration away failed": ([("migrate_to", 8, 1, 0)], FOUND),
    "its migration to here failed": ([("migrate_from", 8, 1, 0)], GONE),
    "it was found to run by the first look": ([("monitor", 1, 0, 7)], FOUND),
    "nothing failed": ([START, MONITOR], KEPT),
}


def _cib(actions):
    records = "".join(
        f'<lrm_rsc_op id="a{number}" operation="{operation}" call-id="{call}" rc-code="{result}" '
        f'transition-key="1:2:{expected}:x"/>'
        for number, (operation, call, result, expected) in enumerate(actions)
    )
    return etree.ElementTree(
        etree.fromstring(
            '<cib><status><node_state uname="host1"><lrm><lrm_resources>'
            f'<lrm_resource id="vm4">{records}</lrm_resource>'
            "</lrm_resources></lrm></node_state></status></cib>"
        )
    )


@pytest.mark.parametrize(("actions", "outcome"), CASES.values(), ids=CASES)
def test_what_a_node_knows_when_failures_are_forgotten(actions, outcome):
    tree = _cib(actions)
    told = drop_failures(tree, "vm4", None)
    kept = bool(tree.xpath("//lrm_resource"))
    assert (told, kept) == (
        ([("vm4", "host1")] if outcome == FOUND else []),
        outcome == KEPT,
    )


def test_what_is_forgotten_of_a_group_is_forgotten_of_its_members():
    tree = etree.ElementTree(
        etree.fromstring(
            '<cib><configuration><resources><group id="g"><primitive id="a"/><primitive id="b"/>'
            '</group></resources></configuration><status><node_state uname="host1">'
            '<transient_attributes><instance_attributes><nvpair name="fail-count-b#start_0"/>'
            '<nvpair name="fail-count-c#start_0"/></instance_attributes></transient_attributes>'
            "</node_state></status></cib>"
        )
    )
    drop_failures(tree, "g", "host1")
    assert tree.xpath("//nvpair/@name") == ["fail-count-c#start_0"]
