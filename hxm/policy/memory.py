"""Memory: what each host has left, what each domU takes, and what of it fits where.

Unknown is neither enough nor too little: what rests on an unknown figure is unknown itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from hxm.model import Cluster, ManagedDomain
from hxm.plan import Objection, Shift
from hxm.policy import called, is_true, listed, typed
from hxm.policy.guards import FORCE
from hxm.policy.state.node_remedy import first_node_remedy
from hxm.policy.state.quorum import acts_without_quorum
from hxm.policy.utilization import UNHEEDED, Utilization, active_on, shortage

ATTRIBUTES = ("hv_memory", "memory")
"""What a host's memory for domUs is called in the CIB, in MiB: as ocf:heartbeat:Xen and
ocf:heartbeat:NodeUtilization call it, or for short."""


class Host(NamedTuple):
    """The memory of a host, in MiB; None is unknown, and `why` says why."""

    name: str
    free: int | None = None
    """What no domain has now."""
    total: int | None = None
    dom0: int | None = None
    source: str = ""
    """Where this is known from."""
    why: str = ""


class Need(NamedTuple):
    """The memory of a managed domU, in MiB; None is unknown."""

    domain: ManagedDomain
    memory: int | None = None
    """What it has, or would start with: the larger, if its file says something else meanwhile."""
    most: int | None = None
    """What it may be ballooned up to (maxmem)."""
    vcpus: int = 1

    @property
    def taken(self) -> int | None:
        """What a host must have free for it."""
        return None if self.memory is None else with_overhead(self.memory, self.most, self.vcpus)


Needs = Mapping[str, Need]
"""By the domUs' resources."""


def with_overhead(memory: int, most: int | None = None, vcpus: int = 1) -> int:
    """What xl wants to be free for a domU, in MiB: its own tables, and an even number.

    (libxl_get_required_shadow_memory and libxl__domain_need_memory_calculate of Xen 4.17: 1 MiB a
    vcpu, 8 KiB a MiB, 2 MiB.)
    """
    kib = memory * 1024 + 4 * (256 * vcpus + 2 * max(memory, most or 0)) + 2048
    return -(-kib // 2048) * 2


def free_now(host: Host, needs: Needs, cluster: Cluster) -> int | None:
    """MiB free on a host that was asked when the domUs of `needs` were where these say."""
    free = host.free
    for need in needs.values():
        domain = cluster.domain_of(need.domain.resource)
        came = host.name in (domain.nodes if domain else ())
        if free is not None and came != (host.name in need.domain.nodes):
            taken = need.taken
            free = None if taken is None else free - taken if came else free + taken
    return None if free is None else max(free, 0)


class Arrivals(NamedTuple):
    """Who would come to a host, in the order in which they are let in, and what stays free."""

    host: Host
    fit: tuple[Need, ...] = ()
    too_many: tuple[Need, ...] = ()
    """Those that do not fit behind the others."""
    at_most: int | None = None
    """What is free at most when those that fit have come, in MiB."""

    @property
    def left(self) -> int | None:
        """What is free when those that fit have come, in MiB; None if that is unknown."""
        return self.at_most if all(need.taken is not None for need in self.fit) else None


def arrivals(
    cluster: Cluster, hosts: Sequence[Host], needs: Needs, before: Cluster, after: Cluster
) -> tuple[Arrivals, ...]:
    """What would come to each host between two states of the cluster.

    DomUs of higher priority are let in first, and those of one priority in the order of the CIB:
    the cluster itself starts them side by side. A domU that leaves frees the memory that is listed
    for it.
    """
    by_host = []
    for host in hosts:
        coming = sorted(_moved(needs, before, after, host.name), key=lambda n: -_rank(cluster, n))
        going = [need.memory or 0 for need in _moved(needs, after, before, host.name)]
        left = None if host.free is None else host.free + sum(going)
        fit, too_many = [], []
        for need in coming:
            if left is not None and need.taken is not None and need.taken > left:
                too_many.append(need)
                continue
            fit.append(need)
            if need.taken is not None and left is not None:
                left -= need.taken
        by_host.append(Arrivals(host, tuple(fit), tuple(too_many), left))
    return tuple(by_host)


def _moved(needs: Needs, before: Cluster, after: Cluster, node: str) -> Iterator[Need]:
    """The domUs that are on the node afterwards and were not before."""
    were = {domain.name for domain in before.domains if node in domain.nodes}
    for domain in after.managed_domains:
        need = needs.get(domain.resource)
        if need and node in domain.nodes and domain.name not in were:
            yield need


def _rank(cluster: Cluster, need: Need) -> int:
    primitive = cluster.primitives.get(need.domain.resource)
    priority = primitive.meta.get("priority", "0") if primitive else "0"
    sign, digits = (-1 if priority[:1] == "-" else 1), priority.lstrip("+-")
    if digits.upper() == "INFINITY":
        return sign * 1000000
    return sign * int(digits) if digits.isdecimal() else 0


def without_room(by_host: Iterable[Arrivals]) -> Iterator[Objection]:
    """Hosts that are known to have too little memory for what would come to them."""
    for arrivals in by_host:
        if arrivals.too_many:
            names = called([need.domain for need in arrivals.too_many])
            wanted = sum(need.taken or 0 for need in arrivals.too_many)
            yield Objection(
                f"{names} would not fit on {arrivals.host.name}: "
                f"{wanted} MiB wanted, {arrivals.at_most} free",
                "hxm capacity shows the memory of all; use --force to do it anyway",
                lifted_by=FORCE,
            )


def shifts(
    hosts: Iterable[Host], needs: Needs, targets: Mapping[str, Sequence[str]]
) -> Iterator[Shift]:
    """What the moves make of the hosts' memory; `targets` are nodes by resource.

    A domU whose memory is unknown counts as nothing, and what is free where it is, as unknown.
    """
    for host in hosts:
        now = [need for need in needs.values() if host.name in need.domain.nodes]
        then = [
            need
            for need in needs.values()
            if host.name in targets.get(need.domain.resource, need.domain.nodes)
        ]
        used, later = (sum(need.taken or 0 for need in there) for there in (now, then))
        known = all(need.taken is not None for need in (*now, *then))
        yield Shift(host.name, used, later, host.free if known else None)


class Refusal(NamedTuple):
    """A host on which a domU did not fit, and what was free there, in MiB."""

    need: Need
    host: str
    left: int | None


class Loss(NamedTuple):
    """What becomes of the domUs when a node is lost."""

    node: str
    places: tuple[Arrivals, ...]
    """Of the other hosts."""
    refused: tuple[Refusal, ...]
    nowhere: tuple[ManagedDomain, ...]
    """Those that should run and would run nowhere."""
    quorate: bool = True
    unfenced: Objection | None = None
    """What keeps a node from being fenced, before which nothing of it starts elsewhere."""

    @property
    def unknown(self) -> tuple[str, ...]:
        """Whose memory would have to be known to be sure: hosts and domUs that come to one."""
        crowded = [place for place in self.places if place.fit]
        hosts = [place.host.name for place in crowded if place.host.free is None]
        domains = [n.domain.name for place in crowded for n in place.fit if n.taken is None]
        return (*hosts, *domains)

    @property
    def fits(self) -> bool | None:
        """Whether everything that should run would run; None: that is unknown."""
        return False if self.nowhere else None if self.unknown or self.unfenced else True

    def room_for(self, taken: int, among: Collection[str]) -> int | None:
        """How many more domUs of that many MiB would run on these hosts; None: unknown."""
        if self.nowhere:
            return 0
        if self.unfenced:
            return None
        return how_many([place.left for place in self.places if place.host.name in among], taken)


def wanted(cluster: Cluster) -> Iterator[ManagedDomain]:
    """The domUs that should run, whether they do or not; what is unmanaged stays as it is."""
    for domain in cluster.managed_domains:
        if not domain.told_to_stop and (domain.running or domain.managed):
            yield domain


def can_start(cluster: Cluster) -> bool:
    """Whether the cluster starts anything at all."""
    return cluster.quorum or acts_without_quorum(cluster)


def amiss(cluster: Cluster, losses: Sequence[Loss], used: Utilization = UNHEEDED) -> Iterator[str]:
    """What has no place although nothing is lost yet, in sentences."""
    if not any(node.usable for node in cluster.hosts):
        yield f"no node can run anything: {first_node_remedy(cluster)}"
    if not can_start(cluster):
        yield f"there is no quorum, and nothing is started: {first_node_remedy(cluster)}"
    there = {node.name: active_on(cluster, node.name) for node in cluster.hosts if node.usable}
    together: dict[str, list[ManagedDomain]] = {}
    for domain in without_place(cluster, losses):
        together.setdefault(shortage(used, domain.resource, there), []).append(domain)
    for short, domains in together.items():
        subject = "each" if len(domains) > 1 else "it"
        why = f"{subject} {short}" if short else f"hxm why {typed(domains[0])}"
        yield f"{called(domains)} should run and cannot: {why}"


def not_fenced(losses: Sequence[Loss]) -> Iterator[str]:
    """The hosts whose domUs would wait for a fencing that does not come, in sentences."""
    together: dict[Objection, list[str]] = {}
    for loss in losses:
        if loss.unfenced:
            together.setdefault(loss.unfenced, []).append(loss.node)
    for objection, nodes in together.items():
        what = f"whether the domUs of {listed(nodes)} would start elsewhere: {objection.what}"
        yield f"{what}; {objection.do}"


def without_place(cluster: Cluster, losses: Sequence[Loss]) -> list[ManagedDomain]:
    """The domUs that should run, do not, and would not whatever is lost."""
    down = (domain for domain in wanted(cluster) if not domain.running)
    return [domain for domain in down if all(domain in loss.nowhere for loss in losses)]


def how_many(left: Iterable[int | None], taken: int) -> int | None:
    """How often that many MiB fit into what is left on each host; None if any is unknown."""
    known = list(left)
    if any(free is None for free in known):
        return None
    return sum(max(0, free or 0) // taken for free in known)


# Utilization


def one_sided(
    cluster: Cluster, used: Utilization, needs: Needs, hosts: Sequence[Host]
) -> Iterator[str]:
    """Utilization that the scheduler does not heed, or heeds on one side only; in sentences.

    (resource-agents #1220: domUs with a utilization on nodes without one run nowhere.)
    """
    wanted = {
        name: {**used.resources.get(name, {}), **_set_by_agent(cluster, name)} for name in needs
    }
    heeded = used.strategy != "default"
    names = {key for attributes in (*wanted.values(), *used.nodes.values()) for key in attributes}
    if names and not heeded:
        yield (
            f"{listed(sorted(names))}: the scheduler heeds no utilization, because "
            "placement-strategy is not set (utilization, minimal or balanced)"
        )
    for key in sorted(names):
        asking = [needs[name].domain for name in needs if key in wanted[name]]
        silent = [needs[name].domain for name in needs if key not in wanted[name]]
        giving = [node.name for node in cluster.hosts if key in used.nodes.get(node.name, {})]
        mute = [node.name for node in cluster.hosts if node.name not in giving]
        if asking and mute:
            end = "none of these may run there" if heeded else "none of these could run there"
            yield f"{key} is set for {called(asking)} and not for {listed(mute)}: {end}"
        if giving and silent:
            yield (
                f"{key} is set for {listed(giving)} and not for {called(silent)}: to the "
                "scheduler these take nothing"
            )
    yield from _wrong_amounts(used, wanted, needs, hosts)


def _wrong_amounts(
    used: Utilization, wanted: Mapping[str, Mapping[str, str]], needs: Needs, hosts: Sequence[Host]
) -> Iterator[str]:
    """DomUs whose utilization is too small, and nodes whose utilization is too large."""
    for name, need in needs.items():
        amount = next((wanted[name][key] for key in ATTRIBUTES if key in wanted[name]), "")
        if amount.isdecimal() and need.memory is not None and int(amount) < need.memory:
            yield f"{need.domain.name} takes {need.memory} MiB, and its utilization says {amount}"
    for host in hosts:
        if host.free is not None and host.free < 0:
            yield f"the domUs of {host.name} take {-host.free} MiB more than its {host.source} says"
        if host.total is None or host.dom0 is None:
            continue
        room = host.total - host.dom0
        offered = used.nodes.get(host.name, {})
        amount = next((value for key, value in offered.items() if key in ATTRIBUTES), "")
        if amount.isdecimal() and int(amount) > room:
            yield f"{host.name} has {room} MiB for domUs, and its utilization says {amount}"


def _set_by_agent(cluster: Cluster, name: str) -> dict[str, str]:
    """What ocf:heartbeat:Xen and VirtualDomain set by themselves when they start a domU."""
    params = cluster.primitives[name].params
    auto = is_true(params.get("autoset_utilization_hv_memory", ""))
    return {"hv_memory": ""} if auto else {}
