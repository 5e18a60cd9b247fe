"""hxm destroy: stop domUs at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.orders import pipeline
from hxm.policy import lifecycle

if TYPE_CHECKING:
    from hxm.arguments.options import Order, SomeDomains


def run(order: Order, domains: SomeDomains = None) -> int:
    """Stop domUs at once, as if their plug were pulled, and keep them stopped.

    The cluster is told first, so that it does not start them again; then they are destroyed on
    the node where they run. `hxm start` brings them back.

    Example: `hxm destroy nfs --reason 'it hangs'`.
    """
    return pipeline.on_domains(order, domains, lifecycle.destroy)
