"""What a copy of the CIB is without an element that others refer to."""

from __future__ import annotations

from lxml import etree

from hxm.pacemaker.changed_cib import make_in
from hxm.policy.reasons.facts import Change

CIB = """
<cib><configuration><constraints>
  <rsc_location id="l1" rsc="a"><rule id="r" score="-INFINITY">
    <expression id="e" attribute="x" operation="defined"/></rule></rsc_location>
  <rsc_location id="l2" rsc="b"><rule id-ref="r"/></rsc_location>
  <rsc_location id="l3" rsc="c"><rule id="s"><expression id-ref="e"/></rule></rsc_location>
</constraints><resources><primitive id="a"><meta_attributes id="m">
  <nvpair id="p" name="target-role" value="Stopped"/></meta_attributes></primitive>
<primitive id="b"><meta_attributes id="n"><nvpair id-ref="p" name="role"/></meta_attributes>
</primitive></resources></configuration></cib>
"""


def without(change: Change) -> etree._ElementTree:
    tree = etree.ElementTree(etree.fromstring(CIB))
    make_in(tree, [change])
    return tree


def test_what_goes_stands_once_where_others_referred_to_it():
    tree = without(Change("drop", "l1"))
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert tree.xpath("//rsc_location[@id='l2']/rule/@id") == ["r"]
    assert tree.xpath("//rsc_location[@id='l3']//expression/@id-ref") == ["e"]


def test_what_is_lent_under_another_name_keeps_that():
    tree = without(Change("unset", "m", "target-role"))
    assert tree.xpath("//meta_attributes[@id='n']/nvpair/@name") == ["role"]
