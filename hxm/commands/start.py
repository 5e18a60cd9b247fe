"""hxm start: let the cluster run domUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.orders import pipeline
from hxm.policy import lifecycle
from hxm.terminal.until import answering

if TYPE_CHECKING:
    from hxm.arguments.options import Order, SomeDomains, Until


def run(order: Order, domains: SomeDomains = None, until: Until = "") -> int:
    """Start domUs, and wait until they run.

    The target-role that keeps a domU stopped is removed, so that nothing interim stays in the
    cluster; Started is written only where the configured default is Stopped.

    With --until they are started only when their guests say so: each must show the regular
    expression on its console within --timeout seconds, or the status is 124. A guest that
    shows nothing at all for five seconds is sent one Enter, as its prompt may stand there already;
    once it has shown anything it is sent nothing.

    Example: `hxm start nfs sles --timeout 120`.
    """
    return pipeline.on_domains(
        order, domains, lifecycle.start, then=answering(order, domains, until)
    )
