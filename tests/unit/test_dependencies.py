"""What a resource needs, followed to the causes."""

from __future__ import annotations

import pytest
from factories import cluster, domain, node, primitive

from hxm.policy.reasons.dependencies import against
from hxm.policy.reasons.facts import Facts, Reason, subject_of
from hxm.policy.reasons.weightiest import weightiest
from hxm.policy.relations import INFINITY, Colocation, Order, Relations


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
