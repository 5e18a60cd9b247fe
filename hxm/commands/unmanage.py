"""hxm unmanage: tell the cluster to leave domUs alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.orders import pipeline
from hxm.policy import hygiene

if TYPE_CHECKING:
    from hxm.arguments.options import ManagedDomains, Order


def run(order: Order, domains: ManagedDomains = None) -> int:
    """Tell the cluster to leave domUs alone: it looks, and starts, stops and moves nothing.

    Commands that hxm refuses for a managed domU pass while it is unmanaged. `hxm manage` ends it.

    Example: `hxm unmanage nfs --reason 'disk check from dom0'`.
    """
    return pipeline.on_managed(order, domains, hygiene.unmanage)
