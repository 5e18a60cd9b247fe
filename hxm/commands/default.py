"""hxm default: reset temporary settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.orders import pipeline
from hxm.policy.orders import hygiene

if TYPE_CHECKING:
    from hxm.arguments.options import ManagedDomains, Order


def run(order: Order, domains: ManagedDomains = None) -> int:
    """Remove target-role, is-managed and maintenance from domUs, so that the defaults apply again.

    Tools set these temporarily and often leave them. `all` means every managed domU. hxm asks first
    if the cluster would then start, stop or move anything.

    Example: `hxm default nfs`, or `hxm default all --dry-run`.
    """
    return pipeline.on_managed(order, domains, hygiene.default)
