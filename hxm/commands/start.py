"""hxm start: let the cluster run domUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.orders import pipeline
from hxm.policy.orders import lifecycle
from hxm.terminal.until import until_guests_answer

if TYPE_CHECKING:
    from hxm.arguments.options import AllStopped, Order, SomeDomains, Until


def run(
    order: Order, domains: SomeDomains = None, everything: AllStopped = False, until: Until = ""
) -> int:
    """Start domUs, and wait until they run.

    hxm removes the target-role that keeps a domU stopped, so that nothing interim stays in the
    cluster; it writes Started only where the configured default is Stopped. `-a` means every domU
    of the cluster that does not run, and asks first.

    With --until hxm also waits for the guests: each must print text that matches the regular
    expression on its console within --timeout seconds; otherwise the status is 124. If a guest
    prints nothing for five seconds, hxm sends one Enter, because its prompt may be there already;
    once the guest has printed anything, hxm sends nothing.

    Example: `hxm start nfs sles --timeout 120`.
    """
    return pipeline.on_domains(
        order,
        domains,
        lifecycle.start,
        everything=everything,
        then=until_guests_answer(order, domains, until),
    )
