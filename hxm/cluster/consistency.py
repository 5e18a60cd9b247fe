"""Whether crm_mon and the CIB speak of the same cluster."""

from __future__ import annotations

from hxm.errors import CannotAsk
from hxm.model import ManagedDomain, Primitive
from hxm.pacemaker.cib import Configuration
from hxm.pacemaker.status import Status
from hxm.policy import is_false, is_true, listed


def left_out(
    configuration: Configuration, status: Status, domains: list[ManagedDomain]
) -> tuple[str, ...]:
    """Half an answer must not pass for a small cluster: crm_mon must know what the CIB knows.

    The domUs of unmanaged groups, which it leaves out where a node is off (Pacemaker PR 3842).
    Raises CannotAsk if anything else is missing.
    """
    nodes = {node.name for node in status.nodes}
    resources = {resource.id.split(":")[0] for resource in status.resources}
    unknown = [name for name in configuration.node_attributes if name not in nodes]
    missing = [domain.resource or "" for domain in domains if domain.resource not in resources]
    known = configuration.primitives
    absent = tuple(name for name in missing if _may_be(known[name], configuration, status))
    unknown += [name for name in missing if name not in absent]
    if unknown:
        raise CannotAsk(
            f"the CIB has {listed(unknown)}, but crm_mon does not list it: is the cluster running?",
            "try again: it may be new",
        )
    return absent


def _may_be(primitive: Primitive, configuration: Configuration, status: Status) -> bool:
    off = any(not node.online for node in status.nodes)
    alone = (
        configuration.maintenance
        or is_false(primitive.meta.get("is-managed", ""))
        or is_true(primitive.meta.get("maintenance", ""))
    )
    return off and bool(primitive.parent) and alone
