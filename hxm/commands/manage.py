"""hxm manage: let the cluster manage domUs again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.orders import pipeline
from hxm.policy.orders import hygiene

if TYPE_CHECKING:
    from hxm.arguments.options import ManagedDomains, Order


def run(order: Order, domains: ManagedDomains = None) -> int:
    """Let the cluster manage domUs again; it then brings them to their target role.

    hxm first shows what the cluster would do at once, and asks.

    Example: `hxm manage nfs`.
    """
    return pipeline.on_managed(order, domains, hygiene.manage)
