"""What a resource needs, followed to the causes."""

from __future__ import annotations

import pytest
from factories import cluster, domain, node, primitive

from hxm.model import Resource
from hxm.policy.reasons import dependencies, why
from hxm.policy.reasons.dependencies import against
from hxm.policy.reasons.elements import likeliest_first
from hxm.policy.reasons.facts import Change, Facts, Reason, subject_of
from hxm.policy.reasons.weightiest import weightiest
from hxm.policy.relations import INFINITY, Colocation, Location, Order, Relations


def test_a_cause_that_many_paths_lead_to_is_followed_once():
    """Each of 40 starts after the two before it, and with them: 4 ways down from each."""
    pairs = [(n, m) for n in range(40) for m in (n - 1, n - 2) if m >= 0]
    relations = Relations(
        orders=tuple(Order(f"o{n}-{m}", f"vm{m}", f"vm{n}") for n, m in pairs),
        colocations=tuple(Colocation(f"c{n}-{m}", f"vm{n}", f"vm{m}", INFINITY) for n, m in pairs),
    )
    stopped = primitive("vm0", own={"target-role": "Stopped"})
    others = [primitive(f"vm{n}") for n in range(1, 40)]
    seen = cluster(node("host1"), stopped, *others, *(domain(f"vm{n}") for n in range(40)))
    reasons = [*against(Facts(seen, relations), subject_of(seen, "vm39"), seen.nodes[0])]
    causes = [reason.do for reason in reasons if reason.absolute]
    assert causes == ["hxm start vm0"] * 4
    assert all(reason.what.endswith("vm0 is told to stop") for reason in reasons)


HOSTS = tuple(node(f"host{n}") for n in range(8))
DOMUS = tuple(domain(f"vm{n}") for n in range(6))
OFF = tuple(Location(f"off{n}", "pool", -INFINITY, f"host{n}") for n in range(8))
FIRST = tuple(Order(f"o{n}", "pool", f"vm{n}") for n in range(6))
IDLE = Resource("pool", "ocf:heartbeat:Dummy", "Stopped")


def _of_all(facts: Facts) -> list[list[Reason]]:
    seen = facts.cluster
    subjects = [subject_of(seen, one.resource) for one in DOMUS]
    return [[*against(facts, one, host)] for one in subjects for host in seen.nodes]


def test_what_many_domus_wait_for_is_followed_once_for_each_node(monkeypatch):
    asked = []

    def counted(facts, subject):
        asked.append(subject.id)
        return ()

    monkeypatch.setattr(dependencies, "everywhere", counted)
    seen = cluster(*HOSTS, *DOMUS, primitive("pool"), IDLE)
    facts = Facts(seen, Relations(orders=FIRST, locations=OFF), causes={})
    assert all(_of_all(facts))
    once = len(HOSTS)
    assert len(asked) == once + len(DOMUS) * len(HOSTS)  # and once for what is everywhere


def test_what_must_start_first_is_weighed_once_for_all_that_wait(monkeypatch):
    weighed = []

    def counted(facts, host, subject):
        weighed.append(subject.id)
        return ()

    seen = cluster(*HOSTS, *DOMUS, primitive("pool"), IDLE)
    relations = Relations(orders=FIRST, locations=OFF)
    plain = _of_all(Facts(seen, relations))
    assert _of_all(Facts(seen, relations, causes={}, memory={})) == plain
    monkeypatch.setattr(dependencies, "kept_empty", counted)
    _of_all(Facts(seen, relations, causes={}, memory={}))
    assert weighed.count("pool") == len(HOSTS)


def test_a_circle_is_told_alike_whoever_asked_before():
    circle = (*FIRST, Order("back", "vm0", "pool"))
    with_it = tuple(Colocation(f"c{n}", f"vm{n}", "pool", INFINITY) for n in range(3))
    seen = cluster(*HOSTS, *DOMUS, primitive("pool"), IDLE)
    for colocations in ((), with_it):
        relations = Relations(orders=circle, colocations=colocations, locations=OFF[:4])
        alone = _of_all(Facts(seen, relations))
        assert _of_all(Facts(seen, relations, causes={})) == alone
        assert _of_all(Facts(seen, relations, causes={}, memory={})) == alone


THERE = "its monitor failed there"
CHAIN = "it must run where pool does: on host4; pool's start failed there"
OF_SEVERAL = {
    "each node": (THERE, 2, "its monitor failed on host1, host2", "hxm cleanup nfs"),
    "behind another node": (
        CHAIN,
        3,
        f"not on host1, host2: {CHAIN[:-5]}on host1, host2; not on host3 for other reasons",
        "hxm cleanup nfs",
    ),
}


@pytest.mark.parametrize(("what", "hosts", "said", "do"), OF_SEVERAL.values(), ids=OF_SEVERAL)
def test_what_failed_on_several_nodes_names_them_and_one_command_for_all(what, hosts, said, do):
    failed = [
        Reason(what, do=f"hxm cleanup nfs {host}", absolute=True).of_nodes([host], every=False)
        for host in ("host1", "host2")
    ]
    off = Reason("the node is OFFLINE", absolute=True).of_nodes(["host3"], every=False)
    found = weightiest([*failed, *[off] * (hosts - 2)])
    assert found
    assert (found.what, found.do) == (said, do)


NFS, SLES = primitive("nfs"), primitive("sles")
RACKS = {"host1": {"rack": "R1"}, "host2": {"rack": "r1"}, "host3": {"rack": "r2"}, "host4": {}}
NODES = tuple(node(name) for name in RACKS)
BY_RACK = {
    INFINITY: {"host3": "it must run where sles does by rack", "host4": "it must run where sles"},
    -INFINITY: {
        "host1": "it is to keep away from sles, which has the same rack",
        "host2": "it is to keep away from sles, which has the same rack",
    },
}
"""What is against nfs on each node, by the score of its colocation with sles, on host2."""


@pytest.mark.parametrize("score", BY_RACK)
def test_a_colocation_by_an_attribute_counts_every_node_with_the_same_value(score):
    """In letters of either case, as in pcmk__apply_coloc_to_scores."""
    relations = Relations(
        colocations=(Colocation("by-rack", "nfs", "sles", score, by="rack"),), attributes=RACKS
    )
    running = Resource("sles", "ocf:heartbeat:Xen", "Started", nodes=("host2",))
    seen = cluster(*NODES, NFS, SLES, running, domain("nfs"), domain("sles", "host2"))
    found = {
        each.name: [*against(Facts(seen, relations), subject_of(seen, "nfs"), each)]
        for each in seen.nodes
    }
    assert set(BY_RACK[score]) == {name for name, reasons in found.items() if reasons}
    for name, said in BY_RACK[score].items():
        assert found[name][0].what.startswith(said)


def test_of_elements_those_come_first_that_need_what_ails():
    """A rule that says nothing of the node is the last: it cannot be the reason."""
    relations = Relations(
        orders=(Order("o-up", "sles", "nfs"), Order("o-down", "store", "nfs")),
        colocations=(Colocation("c-up", "nfs", "sles", INFINITY),),
        locations=(Location("silent", "nfs", -INFINITY, "host2"),),
    )
    running = Resource("sles", "ocf:heartbeat:Xen", "Started", nodes=("host1",))
    seen = cluster(*NODES, NFS, SLES, primitive("store"), running, domain("sles", "host1"))
    names = ("silent", "o-up", "c-up", "unheard-of", "o-down")
    elements = [Reason(name, do="look at it", change=Change("drop", name)) for name in names]
    ordered = likeliest_first(Facts(seen, relations), subject_of(seen, "nfs"), elements, "host1")
    assert [reason.change.subject for reason in ordered] == [
        *("o-down", "unheard-of", "o-up", "c-up", "silent")
    ]
    dos = ["hxm why store", "look at it", "hxm why sles", "hxm why sles host1", "look at it"]
    assert [reason.do for reason in ordered] == dos
    assert ordered[0].what == "it needs store (rsc_order o-down): the scheduler says so"


@pytest.mark.parametrize(
    ("own", "votes", "says", "do"),
    [
        ({}, {}, "store is nowhere promoted: store's agent gives no node", "shows the attributes"),
        (
            {},
            {"master-store": "100"},
            "store must be promoted before it, and is nowhere",
            "hxm why",
        ),
        ({"target-role": "Slave"}, {}, "store is told not to be promoted", "hxm default store"),
    ],
    ids=str,
)
def test_what_needs_a_promoted_one_is_told_why_nobody_is(own, votes, says, do):
    relations = Relations(
        orders=(Order("o", "store", "nfs", first_action="promote"),),
        attributes={"host1": votes},
    )
    store = primitive("store", {"promotable": "true"}, own=own, parent="c", clone="c")
    active = Resource("store", "ocf:linbit:drbd", "Unpromoted", nodes=("host1",), clone="c")
    seen = cluster(node("host1"), NFS, store, active)
    (reason,) = against(Facts(seen, relations), subject_of(seen, "nfs"), seen.nodes[0])
    assert says in reason.what
    assert do in reason.do


def test_the_longest_chain_is_followed_as_far_as_it_is_read():
    chain = range(600)
    orders = tuple(Order("boot", f"vm{n}", f"vm{n + 1}") for n in chain)
    stopped = primitive("vm0", own={"target-role": "Stopped"})
    seen = cluster(HOSTS[0], stopped, *(domain(f"vm{n}") for n in range(601)))
    for domu, end in (("vm60", "hxm start vm0"), ("vm600", "hxm why vm519")):
        reasons = against(Facts(seen, Relations(orders)), subject_of(seen, domu), seen.nodes[0])
        assert [reason.do for reason in reasons if reason.absolute] == [end], domu


@pytest.mark.parametrize("number", [4, 10])
def test_of_many_nodes_those_with_a_lasting_rule_are_told_of_that_alone(number):
    full = Reason("the node is full", absolute=True, change=Change("up"))
    rule = Reason("a rule", absolute=True, change=Change("drop", "r"), lasting=True)
    by_node = {f"host{n}": [full, rule] if n else [full] for n in range(number)}
    shown = [reason.what for reason in why._together(Facts(cluster(), Relations()), by_node)]
    if number > 4:
        assert shown[0] == "not on host0: the node is full"
    else:
        assert shown[0] == "each node is full"
    assert shown[1].endswith(": a rule")


ALLOWS = {"allow-unhealthy-nodes": "true"}
HEALTH = {
    "it minds": ({}, True),
    "it does not": ({"own": ALLOWS}, False),
    "its group does": ({"own": ALLOWS, "parent": "g"}, True),
    "its group does not": ({"inherited": ALLOWS, "parent": "g"}, False),
}


@pytest.mark.parametrize("name", HEALTH)
def test_a_bad_health_keeps_off_what_minds_it(name):
    known, keeps_off = HEALTH[name]
    host, web = node("host1", health="red"), primitive("web", **known)
    seen = cluster(host, web, domain("web"))
    scored = {"node-health-strategy": "custom", "node-health-yellow": "-5"}
    sick = seen._replace(nodes=(node("host1"),), properties=scored)
    relations = Relations(attributes={"host1": {"#health-disk": "yellow"}})
    for facts in (Facts(seen, Relations()), Facts(sick, relations)):
        (at,) = facts.cluster.nodes
        reasons = [*against(facts, subject_of(facts.cluster, "web"), at)]
        assert any("health" in reason.what for reason in reasons) is keeps_off
