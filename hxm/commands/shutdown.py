"""hxm shutdown: stop domUs cleanly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm import change
from hxm.decide import Decision, lifecycle
from hxm.errors import UsageError
from hxm.model import Cluster

if TYPE_CHECKING:
    from hxm.options import All, Order, SomeDomains


def run(order: Order, domains: SomeDomains = None, everything: All = False) -> int:
    """Stop domUs cleanly, and keep them stopped until `hxm start`.

    The cluster asks the guest to shut down, and destroys it if it does not within the agent's
    time. `-a` means every running domU of the cluster, and asks first.
    """
    if not everything:
        return change.on_domains(order, domains, lifecycle.shutdown)
    if domains:
        raise UsageError("shutdown takes the names of domUs, or -a", "hxm list shows them")

    def decide(cluster: Cluster) -> Decision:
        running = [domain for domain in cluster.managed_domains if domain.running]
        return lifecycle.shutdown(cluster, running, everything=True)

    return change.carry_out(order, decide)
