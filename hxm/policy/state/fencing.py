"""What fences each host, and whether it can."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hxm.model import Cluster, Primitive
from hxm.plan import Objection
from hxm.policy import keeps_stopped, listed
from hxm.policy.state.cluster_wide import outermost, settings

_HOSTS = ("pcmk_host_list", "hostlist", "hostname", "pcmk_host_map")


def fenced_by(parameters: Mapping[str, str]) -> tuple[str, ...]:
    """The nodes that a fencing device says it is for; none: it is asked at run time."""
    text = next((parameters[name] for name in _HOSTS if parameters.get(name)), "")
    words = text.replace(",", " ").replace(";", " ").split()
    return tuple(word.partition(":")[0] for word in words)


def can_fence(cluster: Cluster) -> bool:
    """Whether anything is configured that fences: a device, or the nodes' watchdogs."""
    watchdog = cluster.properties.get("stonith-watchdog-timeout")
    return bool(watchdog or _devices(cluster))


def remedy(cluster: Cluster) -> str:
    """What switches fencing on."""
    first = "" if can_fence(cluster) else "add a fencing resource for each node, then: "
    return f"{first}crm_attribute -n stonith-enabled -v true"


def _devices(cluster: Cluster) -> list[Primitive]:
    return [p for p in cluster.primitives.values() if p.agent.startswith("stonith:")]


def unfenceable(cluster: Cluster) -> Iterator[tuple[str, Objection]]:
    """The hosts whose devices are all stopped, and not for what is said of the whole cluster.

    A device need not run to fence, but one that is told to stop, or may run nowhere, does not.
    """
    if not (cluster.fencing and cluster.dc and cluster.quorum) or any(settings(cluster)):
        return
    devices = _devices(cluster)
    hosts = {device.id: fenced_by(device.params) for device in devices}
    for host in cluster.hosts:
        able = [p for p in devices if not hosts[p.id] or host.name in hosts[p.id]]
        if able and not any(_usable(cluster, device) for device in able):
            names = outermost(able)
            what = f"nothing can fence {host.name}: {listed(names, 4)} may not run"
            yield host.name, Objection(what, f"hxm why {names[0]}")


def _usable(cluster: Cluster, device: Primitive) -> bool:
    """Whether it runs, or its failure or the state of a node may be why it does not."""
    if keeps_stopped(device.meta):
        return False
    states = [state for state in cluster.resources if state.id.partition(":")[0] == device.id]
    failures = [
        failure for failure in cluster.failures if failure.resource.partition(":")[0] == device.id
    ]
    if not states or failures or any(state.nodes for state in states):
        return True
    bans = [ban for ban in cluster.constraints if ban.kind == "ban" and not ban.expired]
    banned = any(ban.resource in (device.id, device.parent, device.clone) for ban in bans)
    return not banned and not all(host.usable for host in cluster.hosts)
