"""hxm reboot: stop and start domUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.orders import pipeline
from hxm.policy.orders import lifecycle
from hxm.terminal.until import until_guests_answer

if TYPE_CHECKING:
    from hxm.arguments.options import All, Order, SomeDomains, Until


def run(
    order: Order, domains: SomeDomains = None, everything: All = False, until: Until = ""
) -> int:
    """Stop domUs cleanly and start them again, through the cluster.

    Monitoring does not report a failure, and the configuration file is read again. The domU starts
    on the node that the cluster prefers, which may be another one: hxm warns of that, and --dry-run
    shows it. A reboot from within the guest needs no hxm. `-a` means every running domU of the
    cluster, and asks first.

    Example: `hxm reboot nfs --reason 'new kernel'`.
    """
    return pipeline.on_domains(
        order,
        domains,
        lifecycle.reboot,
        everything=everything,
        then=until_guests_answer(order, domains, until),
    )
