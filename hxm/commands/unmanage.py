"""hxm unmanage: tell the cluster to leave domUs alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.orders import pipeline
from hxm.policy.orders import hygiene

if TYPE_CHECKING:
    from hxm.arguments.options import ManagedDomains, Order


def run(order: Order, domains: ManagedDomains = None) -> int:
    """Tell the cluster to leave domUs alone: monitor them, but never start, stop or move them.

    Commands that hxm refuses for a managed domU pass while it is unmanaged. `hxm manage` ends this.

    Example: `hxm unmanage nfs --reason 'disk check from dom0'`.
    """
    return pipeline.on_managed(order, domains, hygiene.unmanage)
