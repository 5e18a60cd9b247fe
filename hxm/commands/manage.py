"""hxm manage: hand domUs back to the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.orders import pipeline
from hxm.policy import hygiene

if TYPE_CHECKING:
    from hxm.arguments.options import ManagedDomains, Order


def run(order: Order, domains: ManagedDomains = None) -> int:
    """Hand domUs back to the cluster, which then sees to it that they are as they should be.

    What the cluster would do at once is shown, and asked about, first.

    Example: `hxm manage nfs`.
    """
    return pipeline.on_managed(order, domains, hygiene.manage)
