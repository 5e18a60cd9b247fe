"""What the status page draws in addition to the snapshot: memory, and the past."""

from __future__ import annotations

import time

from hxm.cluster import capacity
from hxm.config import Config
from hxm.model import Cluster
from hxm.policy.past.stays import first_change, rows
from hxm.policy.past.timeline import history
from hxm.records.past import joined_by_others, known_here
from hxm.web.snapshot import Picture

_PAST = 86400.0
"""Seconds of the past that are drawn."""


def paint(cluster: Cluster, config: Config, *, local: bool = True) -> Picture:
    """The hosts' memory, and who was where; with ask_nodes of the other nodes, too.

    `local` asks the toolstack of this host. Raises CannotAsk.
    """
    now = time.time()
    needs = capacity.read_needs(cluster)
    asked = [node.name for node in cluster.hosts] if config.ask_nodes else []
    cib = capacity.read_cib(config)
    hosts = capacity.read_hosts(cluster, config, needs, cib, asked, local=local)
    known = known_here(config, now - _PAST, [])
    if config.ask_nodes:
        known = joined_by_others(known, cluster, config, now - _PAST, [])
    events = history(known)
    since = first_change(events, now - _PAST, now)
    drawn = rows(events, cluster.managed_domains, since, now)
    recent = [event for event in events if event.at >= now - _PAST]
    return Picture(now, since, hosts, needs, drawn, recent)
