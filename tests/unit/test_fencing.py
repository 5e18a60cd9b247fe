"""Which lost nodes something can fence, and which orders the refusal about them lets through."""

from __future__ import annotations

import pytest
from factories import cluster, domain, node, primitive

from hxm.policy.guards import whole_cluster
from hxm.policy.reasons.facts import Facts
from hxm.policy.reasons.why import ask
from hxm.policy.relations import Relations
from hxm.policy.state.fencing import brings_fencing_back, fenced_by, unfenceable

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


BACK = {
    "the lost one's device": ({"of2"}, (), True),
    "another node's device": ({"of1"}, (), False),
    "with a domU": ({"of2", "nfs"}, (), False),
    "beside a lost one that can be fenced": ({"of2"}, (node("host3", unclean=True),), True),
    "one of two that wait": ({"of2"}, (node("host4", unclean=True),), True),
}


@pytest.mark.parametrize("name", BACK)
def test_an_order_on_a_device_is_let_through_only_for_the_node_that_waits_for_it(name):
    subjects, more, expected = BACK[name]
    devices = device("of1", "host1"), device("of2", "host2", **STOPPED), device("of3", "host3")
    seen = cluster(*NODES, *more, *devices, primitive("nfs"), properties=NO_WATCHDOG, fencing=True)
    assert brings_fencing_back(seen, subjects) is expected
    refused = [one.what for one in whole_cluster(seen, subjects) if "not yet fenced" in one.what]
    assert bool(refused) is not expected


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
