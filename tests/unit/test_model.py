"""What the model says of itself."""

import itertools

import pytest

from hxm.model import Domain, Node

FLAGS = [
    dict(zip(("online", "unclean", "pending"), values, strict=True))
    for values in itertools.product((True, False), repeat=3)
]


@pytest.mark.parametrize("flags", FLAGS, ids=str)
def test_reachable_member_and_away_are_three_things(flags):
    node = Node("host1", **flags)
    assert node.reachable == (flags["online"] and not flags["unclean"])
    assert node.member == (node.reachable and not flags["pending"])
    assert node.away == (not flags["online"] or flags["pending"])
    assert node.usable == node.member


def test_what_xend_lists_without_an_id_has_no_instance():
    assert not Domain("nfs", memory=512).has_instance
    assert Domain("nfs", memory=512, id=3).has_instance
    assert Domain("nfs").has_instance
