"""hxm default: remove what was set in passing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.orders import pipeline
from hxm.policy import hygiene

if TYPE_CHECKING:
    from hxm.arguments.options import ManagedDomains, Order


def run(order: Order, domains: ManagedDomains = None) -> int:
    """Remove target-role, is-managed and maintenance from domUs, so that the defaults hold again.

    Tools set these in passing and leave them. `all` means every managed domU. If the cluster would
    start, stop or move anything then, you are asked first.

    Example: `hxm default nfs`, or `hxm default all --dry-run`.
    """
    return pipeline.on_managed(order, domains, hygiene.default)
