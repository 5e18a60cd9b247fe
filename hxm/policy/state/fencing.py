"""What fences each host, and whether it can."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from hxm.model import Cluster, Node, Primitive
from hxm.plan import Objection
from hxm.policy import is_false, is_true, keeps_stopped, lasts, listed, outermost, stops_everything
from hxm.policy.indexed import remembered
from hxm.policy.unjudged import on_condition

_HOSTS = ("pcmk_host_list", "hostlist", "hostname", "pcmk_host_map")
_ASKED_AT_RUN_TIME = ("dynamic-list", "status", "none")


def fenced_by(parameters: Mapping[str, str]) -> tuple[str, ...]:
    """The nodes that a fencing device says it is for; none: it is asked at run time, or fences any.

    All that name nodes count together (build_device_from_xml in Pacemaker's fenced).
    """
    if parameters.get("pcmk_host_check", "").lower() in _ASKED_AT_RUN_TIME:
        return ()
    text = " ".join(parameters.get(name, "") for name in _HOSTS)
    words = text.replace(",", " ").replace(";", " ").split()
    return tuple(dict.fromkeys(word.partition(":")[0] for word in words))


def fences_only(primitive: Primitive, node: str) -> bool:
    """Whether it is a fencing device for this node alone, which could not fence itself."""
    device = primitive.agent.startswith("stonith:")
    return device and [name.lower() for name in fenced_by(primitive.params)] == [node.lower()]


def _is_for(device: Primitive, node: str) -> bool:
    """Whether it may fence the node, whose name counts in letters of either case."""
    names = [name.lower() for name in fenced_by(device.params)]
    return not names or node.lower() in names


def _watchdogs_count(cluster: Cluster) -> bool:
    """Whether the others take a lost node for reset by its watchdog (sbd without a disk)."""
    return lasts(cluster.properties.get("stonith-watchdog-timeout", "0"))


def remedy(cluster: Cluster) -> str:
    """What switches fencing on; where it would be used at once, with those that it would meet."""
    first = "" if _devices(cluster) or _has_watchdogs(cluster) else f"{_ADD}, then: "
    return first + _where_fenced(cluster) + cluster.advice("fencing-on")


def startup_remedy(cluster: Cluster) -> str:
    """What has nodes fenced that were never seen; first, what that would do at once."""
    return _where_fenced(cluster) + cluster.advice("startup-fencing")


def _where_fenced(cluster: Cluster) -> str:
    met = list(_would_be_fenced(cluster))
    return f"if {listed(met)} may be fenced at once: " if met else ""


def _has_watchdogs(cluster: Cluster) -> bool:
    return is_true(cluster.properties.get("have-watchdog", ""))


def _would_be_fenced(cluster: Cluster) -> Iterator[str]:
    """The nodes that may have left without being shut down, and where a stop has failed."""
    not_stopped = {failure.node for failure in cluster.failures if failure.operation == "stop"}
    for host in cluster.hosts:
        if host.away or host.unclean or host.name in not_stopped:
            yield host.name


_ADD, _INSTALLED = "add a fencing resource for each node", "these agents are installed"


def _devices(cluster: Cluster) -> list[Primitive]:
    return [p for p in cluster.primitives.values() if p.agent.startswith("stonith:")]


@remembered
def unfenceable(cluster: Cluster) -> tuple[tuple[str, Objection], ...]:
    """As `_unfenceable` finds them."""
    return tuple(_unfenceable(cluster))


def _unfenceable(cluster: Cluster) -> Iterator[tuple[str, Objection]]:
    """The hosts that nothing can fence although fencing is on; no host: none of them.

    A device need not run to fence, but one that is told to stop, or may run nowhere, does not
    (cib_device_update in Pacemaker's fenced).
    """
    if not cluster.fencing or (_has_watchdogs(cluster) and _watchdogs_count(cluster)):
        return
    devices, agents = _devices(cluster), f"{_INSTALLED}: {cluster.advice('agents')}"
    if not devices and not cluster.topology:
        what = "fencing is on, and no fencing resource is there: a lost node's domUs start nowhere"
        if _watchdogs_count(cluster):
            what = "stonith-watchdog-timeout is set, and no node has a watchdog: nothing can fence"
        yield "", Objection(what, f"{_ADD}; {agents}")
        return
    for host in cluster.hosts:
        if host.name in cluster.topology:
            faults = list(_faults(cluster, host.name))
            if len(faults) == len(cluster.topology[host.name]):
                what = f"{faults[0].what}: nothing can fence {host.name}"
                yield host.name, faults[0]._replace(what=what)
            continue
        able = [device for device in devices if _is_for(device, host.name)]
        if not able:
            what = f"no fencing resource is for {host.name}: if it is lost its domUs start nowhere"
            yield host.name, Objection(what, _named_too(cluster, host) or f"add one; {agents}")
        elif not any(_usable(cluster, device) for device in able):
            names = outermost(able)
            what = f"nothing can fence {host.name}: {listed(names, 4)} may not run"
            yield host.name, Objection(what, f"hxm why {names[0]}")


_IN_NAMES = str.maketrans("", "", " .-_")
"""What no shell stumbles at, between quotation marks."""


def _named_too(cluster: Cluster, host: Node) -> str:
    """What adds a host to the list of a device that is for several; empty: there is no such one."""
    for device in _devices(cluster):
        names, listing = fenced_by(device.params), device.params.get(_HOSTS[0], "")
        value = " ".join((*names, host.name))
        plain = value.translate(_IN_NAMES).isalnum()
        if plain and names[1:] and fenced_by({_HOSTS[0]: listing}) == names:
            command = cluster.advice("parameter", resource=device.id, name=_HOSTS[0], value=value)
            return on_condition(f"{device.id} can fence {host.name}", command)
    return ""


def _faults(cluster: Cluster, host: str) -> Iterator[Objection]:
    """What is wrong with each of a host's fencing levels of which a device cannot fence it.

    Where there are levels for a node only they count, and of a level all devices.
    """
    devices = {device.id: device for device in _devices(cluster)}
    for level, names in cluster.topology[host]:
        at = f"the fencing level {level} of {host}"
        for name in names:
            device = devices.get(name)
            if not device:
                what, do = f"{at} names {name}, which does not exist", cluster.advice("agents")
                do = f"add it: {do}; or change the level: {cluster.advice('level', level=level)}"
            elif not _is_for(device, host):
                what, do = f"{at} names {name}, which is not for {host}", f"hxm why {name}"
            elif not _usable(cluster, device):
                what, do = f"{at} names {name}, which may not run", f"hxm why {name}"
            else:
                continue
            yield Objection(what, do)
            break


def faulty_levels(cluster: Cluster) -> Iterator[tuple[str, Objection]]:
    """The fencing levels that cannot fence their host, where another level can."""
    for host in cluster.topology if cluster.fencing else ():
        faults = list(_faults(cluster, host))
        if len(faults) < len(cluster.topology[host]):
            yield from ((host, fault) for fault in faults)


def terminating(cluster: Cluster, node: Node) -> str:
    """How long an attribute stands that has the node fenced: until reboot, or forever; or empty.

    It is true, or a time (determine_online_status_fencing in Pacemaker's scheduler).
    """
    places = {"reboot": cluster.transient, "forever": cluster.node_attributes}
    for lifetime, place in places.items() if node.unclean else ():
        value = place.get(node.name, {}).get("terminate", "")
        if is_true(value) or (value[:1].isdigit() and value[0] != "0"):
            return lifetime
    return ""


def _alone(cluster: Cluster, device: Primitive) -> bool:
    """Whether the cluster leaves it alone, so that its state tells nothing."""
    unmanaged = is_false(device.meta.get("is-managed", ""))
    return cluster.maintenance or unmanaged or is_true(device.meta.get("maintenance", ""))


def helpless(cluster: Cluster) -> dict[str, Objection]:
    """What there is to say of each lost node that nothing can fence."""
    lost = [node.name for node in cluster.nodes if node.unclean]
    if not lost:
        return {}
    by_host = dict(unfenceable(cluster))
    known = {name: by_host.get(name, by_host.get("")) for name in lost}
    return {name: objection for name, objection in known.items() if objection}


def never_starts(cluster: Cluster, node: str) -> Objection | None:
    """Why a domU of the node would start nowhere if that were lost: it, or another, is not fenced.

    None: it would be fenced, or no domU that runs there waits for that.
    """
    domains = [domain for domain in cluster.managed_domains if node in domain.nodes]
    if not any(is_required(cluster, d.resource) and not d.told_to_stop for d in domains):
        return None
    by_host, lost = dict(unfenceable(cluster)), helpless(cluster)
    return by_host.get(node) or by_host.get("") or next(iter(lost.values()), None)


def is_required(cluster: Cluster, resource: str) -> bool:
    """Whether a start of the resource waits until every lost node is fenced."""
    primitive = cluster.primitives.get(resource)
    requires = primitive.meta.get("requires", "fencing") if primitive and cluster.fencing else ""
    return requires.lower() in ("fencing", "unfencing")


MAINTENANCE = "maintenance-mode"
"""The property by which the whole cluster is in maintenance."""


def withheld(cluster: Cluster) -> str:
    """Why no node is fenced at present; or empty.

    Pacemaker fences nothing while it has nothing to manage (any_managed_resources).
    """
    return "in maintenance nothing is fenced" if cluster.maintenance and cluster.fencing else ""


def brings_fencing_back(cluster: Cluster, subjects: Collection[str | None]) -> bool:
    """Whether the resources are all devices that a lost node waits for, which nothing else fences.

    Or the subject is the maintenance of the whole cluster, and ends. What is fenced then is asked
    about.
    """
    waiting, devices = helpless(cluster), _devices(cluster)
    if MAINTENANCE in subjects and withheld(cluster):
        return any(node.unclean and node.name not in waiting for node in cluster.nodes)
    named = [
        [p for p in cluster.primitives.values() if name in (p.id, p.parent, p.clone)]
        for name in subjects
    ]
    every = [part for parts in named for part in parts]
    return bool(waiting and named) and all(
        all(part in devices for part in parts)
        and any(_completes(cluster, part, every, node) for part in parts for node in waiting)
        for parts in named
    )


def _completes(
    cluster: Cluster, device: Primitive, started: Collection[Primitive], node: str
) -> bool:
    """Whether the device fences the node, where these are started; of a level it takes all."""
    if node not in cluster.topology:
        return _is_for(device, node)
    able = {
        one.id
        for one in _devices(cluster)
        if _is_for(one, node) and (one in started or _usable(cluster, one))
    }
    return any(device.id in names and able.issuperset(names) for _, names in cluster.topology[node])


def _usable(cluster: Cluster, device: Primitive) -> bool:
    """Whether it runs, or its failure, a node or the whole cluster may be why it does not."""
    if keeps_stopped(device.meta):
        return False
    if not cluster.dc or not cluster.quorum or stops_everything(cluster) or _alone(cluster, device):
        return True
    states = [state for state in cluster.resources if state.id.partition(":")[0] == device.id]
    failures = [
        failure for failure in cluster.failures if failure.resource.partition(":")[0] == device.id
    ]
    if not states or failures or any(state.nodes for state in states):
        return True
    bans = [ban for ban in cluster.constraints if ban.kind == "ban" and not ban.expired]
    ids = device.id, device.parent, device.clone
    banned = [(ban.node or "").lower() for ban in bans if ban.resource in ids]
    ready = [host.name for host in cluster.hosts if host.usable]
    free = [name for name in ready if name.lower() not in banned]
    return bool(free) and len(ready) < len(cluster.hosts)
