"""Which lost nodes something can fence, and which orders the refusal about them lets through."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from factories import cluster, domain, node, primitive

from hxm.pacemaker.topology import topology_of
from hxm.policy.guards import whole_cluster
from hxm.policy.orders.hygiene import maintenance
from hxm.policy.reasons.facts import Facts
from hxm.policy.reasons.why import ask
from hxm.policy.relations import Relations
from hxm.policy.state.fencing import brings_fencing_back, faulty_levels, fenced_by, unfenceable

NODES = node("host1", dc=True), node("host2", online=False, unclean=True)
NO_WATCHDOG = {"have-watchdog": "false"}
STOPPED = {"target-role": "Stopped"}
FENCED_BY = [
    ({"pcmk_host_list": "host1,host2"}, ("host1", "host2")),
    ({"pcmk_host_list": "host1", "pcmk_host_map": "host2:7;host1:6"}, ("host1", "host2")),
    ({"pcmk_host_list": "host1", "pcmk_host_check": "none"}, ()),
    ({"pcmk_host_list": "host1", "pcmk_host_check": "dynamic-list"}, ()),
    ({"pcmk_host_list": "host1", "pcmk_host_check": "static-list"}, ("host1",)),
    ({"hostname": "host2"}, ("host2",)),
]
"""As Pacemaker's fenced reads the parameters: build_device_from_xml, can_fence_host_with_device."""


def device(name: str, hosts: str, **meta: str):
    return primitive(name, own=meta, agent="stonith:external/ipmi", params={"hostlist": hosts})


@pytest.mark.parametrize(("parameters", "hosts"), FENCED_BY, ids=str)
def test_the_nodes_that_a_device_is_for(parameters, hosts):
    assert fenced_by(parameters) == hosts


def test_names_of_nodes_count_in_letters_of_either_case():
    assert not list(
        unfenceable(
            cluster(*NODES, device("ilo", "HOST1 Host2"), properties=NO_WATCHDOG, fencing=True)
        )
    )


SHARED = [
    (
        {"pcmk_host_list": "host1,host3"},
        'if ilo can fence host2: crm_resource -r ilo -p pcmk_host_list -v "host1 host3 host2"',
    ),
    ({"pcmk_host_list": "host1 $(id)"}, "add one; these agents are installed: "),
    ({"pcmk_host_list": "host1"}, "add one; these agents are installed: "),
    ({"pcmk_host_map": "host1:6;host3:7"}, "add one; these agents are installed: "),
]
"""A device for several by its list may be for one more; a map would need the port."""


@pytest.mark.parametrize(("parameters", "expected"), SHARED, ids=str)
def test_a_host_is_added_to_the_list_of_a_device_for_several(parameters, expected):
    shared = primitive("ilo", agent="stonith:fence_ipmilan", params=parameters)
    seen = cluster(*NODES, shared, properties=NO_WATCHDOG, fencing=True)
    advised = dict(unfenceable(seen))["host2"].do
    assert advised.startswith(expected)


LEVELS = {
    "a device that is not there": ((("l1", ("of9",)),), "l1 of host2 names of9, which does not"),
    "one that is for another": ((("l1", ("of1",)),), "l1 of host2 names of1, which is not"),
    "one that is stopped": ((("l1", ("of3",)),), "l1 of host2 names of3, which may not run"),
    "one of two of a level": ((("l1", ("of2", "of9")),), "l1 of host2 names of9, which does not"),
    "all is well": ((("l1", ("of2",)),), ""),
}


@pytest.mark.parametrize("name", LEVELS)
def test_where_there_are_levels_only_their_devices_count(name):
    levels, fault = LEVELS[name]
    devices = device("of1", "host1"), device("of2", "host2"), device("of3", "host2", **STOPPED)
    seen = cluster(*NODES, *devices, properties=NO_WATCHDOG, fencing=True)
    assert not list(unfenceable(seen))
    at = seen._replace(topology={"host2": levels})
    assert [fault in one.what for _, one in unfenceable(at)] == ([True] if fault else [])
    two = seen._replace(topology={"host2": (*levels, ("l2", ("of2",)))})
    assert not list(unfenceable(two))
    assert [fault in one.what for _, one in faulty_levels(two)] == ([True] if fault else [])


TARGETS = """<configuration><fencing-topology>
<fencing-level id="p" target-pattern="^host[12]$" index="1" devices="a, b"/>
<fencing-level id="n2" target="HOST1" index="2" devices="d"/>
<fencing-level id="n1" target="HOST1" index="1" devices="c"/>
<fencing-level id="r" target-attribute="rack" target-value="7" index="1" devices="e"/>
<fencing-level id="bad" target-pattern="(" index="1" devices="f"/>
</fencing-topology></configuration>"""


def test_the_levels_of_a_node_by_name_pattern_and_attribute():
    nodes = {"host1": {}, "host2": {}, "host3": {"rack": "7"}, "host4": {"rack": "8"}}
    assert topology_of(fromstring(TARGETS), nodes) == {
        "host1": (("n1", ("c",)), ("n2", ("d",))),
        "host2": (("p", ("a", "b")),),
        "host3": (("r", ("e",)),),
    }


BACK = {
    "the lost one's device": ({"of2"}, (), True),
    "another node's device": ({"of1"}, (), False),
    "with a domU": ({"of2", "nfs"}, (), False),
    "a group with a domU": ({"g"}, (), False),
    "beside a lost one that can be fenced": ({"of2"}, (node("host3", unclean=True),), True),
    "one of two that wait": ({"of2"}, (node("host4", unclean=True),), True),
}


@pytest.mark.parametrize("name", BACK)
def test_an_order_on_a_device_is_let_through_only_for_the_node_that_waits_for_it(name):
    subjects, more, expected = BACK[name]
    devices = device("of1", "host1"), device("of2", "host2", **STOPPED), device("of3", "host3")
    group = device("of4", "host2", **STOPPED)._replace(parent="g"), primitive("web", parent="g")
    seen = cluster(
        *NODES, *more, *devices, *group, primitive("nfs"), properties=NO_WATCHDOG, fencing=True
    )
    assert brings_fencing_back(seen, subjects) is expected
    refused = [one.what for one in whole_cluster(seen, subjects) if "not yet fenced" in one.what]
    assert bool(refused) is not expected


LOST = node("host2", online=False, unclean=True)
BY_MAINTENANCE: dict[str, tuple[bool, Any, dict[str, Any], bool]] = {
    "off, of the whole cluster": (False, None, {}, False),
    "on": (True, None, {"maintenance": False}, True),
    "off, of a node": (False, node("host1", maintenance=True), {}, True),
    "off, of a domU": (False, domain("nfs"), {}, True),
    "off, and nothing can fence it": (False, None, {"properties": NO_WATCHDOG}, True),
    "off, and fencing is disabled": (False, None, {"fencing": False}, True),
}


@pytest.mark.parametrize("name", BY_MAINTENANCE)
def test_the_end_of_the_maintenance_in_which_nothing_is_fenced_is_let_through(name):
    on, subject, known, refused = BY_MAINTENANCE[name]
    asleep = {"maintenance": True, "fencing": True}
    nfs = primitive("nfs", own={"maintenance": "true"})
    seen = cluster(node("host1"), LOST, domain("nfs"), nfs, **asleep | known)
    plan = maintenance(seen, on, subject)
    assert any("not yet fenced" in one.what for one in plan.objections) is refused


def test_in_maintenance_nobody_is_told_to_wait_for_the_fencing():
    seen = cluster(node("host1"), LOST, fencing=True, maintenance=True)
    (refused,) = whole_cluster(seen)
    assert refused.do == "hxm maintenance off"
    assert "in maintenance nothing is fenced" in refused.what


WAITS = {
    "it is to start": (domain("nfs"), {}, True),
    "it ran on a node that can be fenced": (domain("nfs", "host3"), {}, True),
    "it runs": (domain("nfs", "host1"), {}, False),
    "it is told to stop": (domain("nfs", target_role="Stopped"), {}, False),
    "it needs no fencing": (domain("nfs"), {"requires": "quorum"}, False),
}


@pytest.mark.parametrize("name", WAITS)
def test_what_nothing_can_fence_keeps_every_domu_from_starting(name):
    nfs, meta, waits = WAITS[name]
    nodes = (*NODES, node("host3", online=False, unclean=True))
    devices = device("of1", "host1 host3"), device("of2", "host2", **STOPPED)
    parts = *nodes, *devices, nfs, primitive("nfs", own=meta)
    seen = cluster(*parts, properties=NO_WATCHDOG, fencing=True)
    told = [reason.what for reason in ask(Facts(seen, Relations()), nfs).reasons]
    assert (
        any(what.startswith("host2 is lost") and "nothing starts" in what for what in told) is waits
    )
    assert not any(what.startswith("host3 is lost") and "nothing starts" in what for what in told)


BY_LEVELS = {
    "the device of a level": ({"of2"}, (("l", ("of2",)),), True),
    "a device of no level": ({"of2"}, (("l", ("of4",)),), False),
    "one of two that are stopped": ({"of2"}, (("l", ("of2", "of4")),), False),
    "both of them": ({"of2", "of4"}, (("l", ("of2", "of4")),), True),
    "beside one that is usable": ({"of2"}, (("l", ("of2", "of5")),), True),
    "beside one for another node": ({"of2"}, (("l", ("of2", "of1")),), False),
    "the second level": ({"of4"}, (("l", ("of2",)), ("k", ("of4",))), True),
}


@pytest.mark.parametrize("name", BY_LEVELS)
def test_of_a_topology_the_devices_of_a_whole_level_bring_fencing_back(name):
    subjects, levels, expected = BY_LEVELS[name]
    stopped = [device(of, "host2", **STOPPED) for of in ("of2", "of4")]
    devices = device("of1", "host1"), *stopped, device("of5", "host2")
    on = {"properties": NO_WATCHDOG, "fencing": True, "topology": {"host2": levels}}
    seen = cluster(*NODES, *devices, **on)
    assert brings_fencing_back(seen, subjects) is expected
