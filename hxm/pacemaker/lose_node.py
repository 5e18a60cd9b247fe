"""A lost node, and a node on which a domU has no place, written into a copy of a CIB.

Works on the layouts of all generations, for crm_simulate and for ptest, which can inject nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from hxm.pacemaker.sandbox import child, parse


def lose(path: str, node: str, *, quorate: bool) -> None:
    """Let the node be gone and not yet fenced, as `crm_simulate --node-fail` does."""
    tree = parse(path)
    for state in tree.xpath("/cib/status/node_state[@uname=$node]", node=node):
        state.set("in_ccm", "false")
        if "ha" in state.attrib:  # Heartbeat's
            state.set("ha", "dead")
            state.set("crmd", "offline")
    if not quorate:
        root = tree.getroot()
        root.set("have_quorum" if "have_quorum" in root.attrib else "have-quorum", "false")
    tree.write(path)


def forbid(path: str, pairs: Iterable[tuple[str, str]]) -> None:
    """Keep resources from nodes, as a failed start there would; pairs of the two."""
    tree = parse(path)
    (constraints,) = tree.xpath("/cib/configuration/constraints")[:1]
    for resource, node in pairs:
        name = f"hxm-no-room-{resource}-{node}"
        location = child(constraints, "rsc_location", name)
        location.set("rsc", resource)
        rule = child(location, "rule", f"{name}-rule")
        rule.set("score", "-INFINITY")
        expression = child(rule, "expression", f"{name}-expression")
        for key, value in {"attribute": "#uname", "operation": "eq", "value": node}.items():
            expression.set(key, value)
    tree.write(path)
