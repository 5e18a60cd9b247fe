"""hxm unmigrate: remove the constraints that moves and bans left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.cluster.running_twice import asked_where_in_doubt
from hxm.model import Cluster
from hxm.orders import pipeline
from hxm.plan import Decision
from hxm.policy.orders import placement
from hxm.records.authors import origins

if TYPE_CHECKING:
    from hxm.arguments.options import MaybeDomains, Order


def run(order: Order, domains: MaybeDomains = None) -> int:
    """Remove the interim constraints of some domUs, or of everything.

    Removes cli-prefer, cli-ban and the old cli-standby constraints, whoever set them, and says who
    set them and how old they are. Refused while a migration is in flight; asks if the scheduler
    would then move anything. The id of any other resource is accepted as well.

    Example: `hxm unmigrate all --dry-run`.
    """

    def decide(cluster: Cluster) -> Decision:
        cluster = asked_where_in_doubt(cluster, order.config)
        wanted = pipeline.named_resources(cluster, domains)
        return placement.unmigrate(cluster, wanted, origins(cluster, order.config))

    return pipeline.carry_out(order, decide)
