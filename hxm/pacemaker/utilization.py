"""Reads utilization attributes (Pacemaker 1.1 and newer) from a CIB."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from hxm.policy.utilization import Utilization


def utilization_in(cib: Element) -> Utilization:
    """What the nodes offer and the primitives ask for, and whether the scheduler heeds it."""
    root = cib if cib.tag == "configuration" else cib.find("configuration")
    if root is None:
        return Utilization({}, {})
    templates = {template.get("id"): template for template in root.iterfind("resources/template")}
    strategy = (
        pair.get("value", "")
        for pair in root.iterfind("crm_config/cluster_property_set/nvpair")
        if pair.get("name") == "placement-strategy"
    )
    return Utilization(
        {node.get("uname", ""): _pairs(node) for node in root.iterfind("nodes/node")},
        {
            primitive.get("id", ""): _pairs(templates.get(primitive.get("template")))
            | _pairs(primitive)
            for primitive in root.iterfind("resources//primitive")
        },
        next(strategy, "default"),
    )


def _pairs(element: Element | None) -> dict[str, str]:
    pairs = [] if element is None else element.iterfind("utilization/nvpair")
    return {pair.get("name", ""): pair.get("value", "") for pair in pairs}
