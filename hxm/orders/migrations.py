"""Waits until no migration is in flight anywhere in the cluster.

Every change of the CIB aborts the transition that is under way, and the scheduler decides anew
where a half-migrated domU belongs (ClusterLabs/pacemaker#2739; seen with 2.1.5 as well).
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from hxm.cluster.read import read_cluster
from hxm.config import Config
from hxm.errors import Refused, TimedOut
from hxm.model import Cluster
from hxm.output import render
from hxm.plan import Forecast
from hxm.policy import listed
from hxm.policy.guards import migrating_names


def wait_for_their_end(cluster: Cluster, config: Config, deadline: float) -> bool:
    """Whether there was a migration to wait for, so that the cluster has to be read anew.

    `deadline` is a moment of time.monotonic(). Raises TimedOut if one is in flight after it, and
    Refused in a sandbox, where nothing moves meanwhile.
    """
    names = migrating_names(cluster)
    if not names:
        return False
    if cluster.sandbox:
        raise Refused(
            f"{listed(names)} is being migrated at this moment",
            "wait for its end: hxm status; --force does not wait",
        )
    render.note(f"waiting for the end of the migration of {listed(names)}")
    while names:
        if time.monotonic() > deadline:
            raise TimedOut(
                f"nothing was ordered: {listed(names)} is still being migrated",
                "hxm status; --force does not wait",
            )
        time.sleep(config.poll)
        names = migrating_names(read_cluster(config))
    return True


def moved_live(cluster: Cluster, predicted: Forecast) -> Iterator[str]:
    """The domUs whose migration is foreseen."""
    for movement in predicted.movements:
        domain = cluster.domain_of(movement.resource)
        if movement.kind == "live" and domain:
            yield domain.name
