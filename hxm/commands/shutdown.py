"""hxm shutdown: stop domUs cleanly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.orders import pipeline
from hxm.policy.orders import lifecycle

if TYPE_CHECKING:
    from hxm.arguments.options import All, Order, SomeDomains


def run(order: Order, domains: SomeDomains = None, everything: All = False) -> int:
    """Stop domUs cleanly, and keep them stopped until `hxm start`.

    The cluster asks the guest to shut down, and destroys it if the agent's timeout expires. `-a`
    means every running domU of the cluster, and asks first.

    Example: `hxm shutdown nfs sles --no-wait`.
    """
    return pipeline.on_domains(order, domains, lifecycle.shutdown, everything=everything)
