"""hxm reboot: stop and start domUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm import change
from hxm.commands._until import answering
from hxm.decide import lifecycle

if TYPE_CHECKING:
    from hxm.options import All, Order, SomeDomains, Until


def run(
    order: Order, domains: SomeDomains = None, everything: All = False, until: Until = ""
) -> int:
    """Stop domUs cleanly and start them again, through the cluster.

    No monitor takes it for a failure, and the configuration file is read anew. Once stopped, a
    domU starts where the cluster likes best, which may be another node: that is warned of, and
    --dry-run shows it. A reboot from within the guest needs no hxm. `-a` means every running domU
    of the cluster, and asks first.

    Example: `hxm reboot nfs --reason 'new kernel'`.
    """
    return change.on_domains(
        order,
        domains,
        lifecycle.reboot,
        everything=everything,
        then=answering(order, domains, until),
    )
