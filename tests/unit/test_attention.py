"""What needs attention: that nothing which was ordered and still stands goes unnamed."""

from __future__ import annotations

import pytest
from factories import cluster, node, told

from hxm.decide import placement
from hxm.decide.attention import findings


@pytest.mark.parametrize("lost", [{"online": False}, {"online": False, "unclean": True}])
@pytest.mark.parametrize(
    ("attribute", "way"),
    [("standby", "hxm active host2"), ("maintenance", "hxm maintenance off host2")],
)
def test_what_was_set_at_a_node_that_was_then_lost_is_still_named(lost, attribute, way):
    """Found on a live cluster: a drain whose node was cut off, fenced and left in standby."""
    seen = cluster(
        node("host1"),
        node("host2", **lost, **{attribute: True}),
        node_attributes={"host2": {attribute: "true" if attribute == "maintenance" else "on"}},
    )
    assert way in [finding.do for finding in findings(seen)]


def test_a_lost_node_without_orders_is_named_once():
    found = list(findings(cluster(node("host1"), node("host2", online=False))))
    assert [finding.what for finding in found] == ["host2 is OFFLINE"]


def test_standby_is_taken_from_a_node_that_is_off():
    """crm_mon need not show it as in standby: the attribute is what counts."""
    seen = cluster(
        node("host1"), node("host2", online=False), node_attributes={"host2": {"standby": "on"}}
    )
    assert told(placement.active(seen, seen.nodes[1])) == ["clear-standby host2"]
