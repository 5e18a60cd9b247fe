"""hxm destroy: force domUs off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.orders import pipeline
from hxm.policy.orders import lifecycle

if TYPE_CHECKING:
    from hxm.arguments.options import Order, SomeDomains


def run(order: Order, domains: SomeDomains = None) -> int:
    """Force domUs off immediately, without a clean shutdown, and keep them stopped.

    hxm first tells the cluster not to start them again, then destroys them on the node where they
    run. `hxm start` brings them back.

    Example: `hxm destroy nfs --reason 'it hangs'`.
    """
    return pipeline.on_domains(order, domains, lifecycle.destroy)
