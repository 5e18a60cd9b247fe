"""Objections to what comes to a host without what it rests on: storage, and what would fence it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from hxm.model import Cluster, ManagedDomain, Primitive, Resource
from hxm.plan import Forecast, Objection
from hxm.policy import is_promoted, is_true, listed, outermost
from hxm.policy.guards import YES
from hxm.policy.indexed import instances
from hxm.policy.relations import INFINITY, Order, Relations
from hxm.policy.state.fencing import unfenceable

Arrivals = Mapping[str, Collection[str]]
"""Of each node the resources of the domUs that come to it."""
_Lack = tuple[str, bool]
"""What does not run there, and whether it runs but is not promoted."""


def arrivals(cluster: Cluster, forecast: Forecast) -> Arrivals:
    """The domUs that start or arrive where they do not run now."""
    by_node: dict[str, dict[str, None]] = {}
    for movement in forecast.with_later:
        domain, node = cluster.domain_of(movement.resource), movement.target
        if domain and node and node not in domain.nodes:
            by_node.setdefault(node, {})[movement.resource] = None
    return by_node


class Hosts:
    """Where each primitive is active and where promoted; in a bundle also on its replica's host.

    Not what failed to start, and the cluster takes to run all the same (on-fail=ignore).
    The cluster is gone through once, however many nodes and resources are asked about.
    """

    def __init__(self, cluster: Cluster) -> None:
        own = {resource.id: resource.nodes for resource in cluster.resources}
        replicas = {  # what makes a guest node of a bundle is no primitive, a domU is one
            node.name: node.container
            for node in cluster.nodes
            if node.container and node.container not in cluster.primitives
        }
        self._known: dict[tuple[str, bool], set[str]] = {}
        failed = {(failure.resource, failure.node) for failure in cluster.failures}
        for resource in cluster.resources:
            name = resource.id.partition(":")[0]
            for node in resource.nodes:
                if resource.ignored and (name, node) in failed:
                    continue
                hosts = (node, *own.get(replicas.get(node, ""), ()))
                for role in {False, is_promoted(resource.role)}:
                    self._known.setdefault((name, role), set()).update(hosts)

    def of(self, primitive: str, *, promoted: bool = False) -> Collection[str]:
        """The hosts where it is active; those alone where it is promoted."""
        return self._known.get((primitive, promoted), ())


def may_lack_something(after: Cluster, nodes: Collection[str]) -> bool:
    """Whether anything but domUs and fencing devices is not active on one of these nodes."""
    hosts = Hosts(after)
    return any(
        node not in hosts.of(primitive.id, promoted=_is_promotable(primitive))
        for primitive in after.primitives.values()
        if not after.domain_of(primitive.id) and not primitive.agent.startswith("stonith:")
        for node in nodes
    )


def may_run_without(cluster: Cluster) -> bool:
    """Whether a domU that runs may lack something on its node, before the constraints are read.

    Only if anything but domUs and fencing devices failed, or runs nowhere, or is in a clone and not
    on every node with a domU.
    """
    hosts = Hosts(cluster)
    nodes = {node for domain in cluster.managed_domains for node in domain.nodes}
    others = [
        primitive
        for primitive in cluster.primitives.values()
        if not cluster.domain_of(primitive.id) and not primitive.agent.startswith("stonith:")
    ]
    failed = {state.id.partition(":")[0] for state in cluster.resources if state.failed}
    failed |= {failure.resource.partition(":")[0] for failure in cluster.failures}
    return any(
        primitive.id in failed
        or not (there := {*hosts.of(primitive.id)})
        or (primitive.clone and not nodes <= there)
        for primitive in (others if nodes else ())
    )


def _is_promotable(primitive: Primitive) -> bool:
    return is_true(primitive.meta.get("promotable", ""))


def without_fencing(cluster: Cluster, after: Cluster, coming: Arrivals) -> Iterator[Objection]:
    """A start on a host that its devices may not fence: if it is lost the domU starts nowhere."""
    for host, objection in unfenceable(after):
        domains = _domains(cluster, coming.get(host, ()))
        if names := [domain.name for domain in domains if not domain.running]:
            yield _asked(names, "start on", host, objection.what, objection.do)


def _domains(cluster: Cluster, resources: Collection[str]) -> list[ManagedDomain]:
    return [domain for name in resources if (domain := cluster.domain_of(name))]


class Storage:
    """What is ordered before domUs, and where it runs before and after a plan.

    The scheduler does not wait for what only an optional order says, as those of storage often do.
    """

    def __init__(self, before: Cluster, after: Cluster, relations: Relations) -> None:
        self._before, self._after, self._relations = before, after, relations
        self._ran, self._runs = Hosts(before), Hosts(after)
        self._inside: dict[str | None, list[Primitive]] = {}
        for primitive in {**before.primitives, **after.primitives}.values():
            for name in {primitive.id, primitive.parent, primitive.clone}:
                self._inside.setdefault(name, []).append(primitive)
        self._orders: dict[str, list[Order]] = {}
        for order in relations.orders:
            up = order.first_action in ("start", "promote") and order.then_action == "start"
            if up and not order.one_suffices and not order.serial:
                self._orders.setdefault(order.then, []).append(order)

    def before(self, domain: ManagedDomain) -> list[str]:
        """The resources that start before the domU."""
        return [order.first for order in self._before_it(domain)]

    def lacks(self, domain: ManagedDomain, node: str) -> tuple[_Lack, ...]:
        """What starts before the domU, and does not run there or is not promoted."""
        return tuple(dict.fromkeys(self._lacks(domain, node)))

    def lacking(self, coming: Arrivals) -> Iterator[Objection]:
        """The domUs that would come to where something that starts before them does not run."""
        for node, resources in coming.items():
            alike: dict[tuple[str, tuple[_Lack, ...]], list[str]] = {}
            for domain in _domains(self._before, resources):
                if lacks := self.lacks(domain, node):
                    verb = "move to" if domain.running else "start on"
                    alike.setdefault((verb, lacks), []).append(domain.name)
            for (verb, lacks), names in alike.items():
                yield _asked(names, verb, node, _said(lacks), f"hxm why {lacks[0][0]} {node}")

    def unknown(self, coming: Arrivals) -> Iterator[str]:
        """What an order names and nothing else does: where that runs cannot be told."""
        resources = dict.fromkeys(name for there in coming.values() for name in there)
        names: dict[Order, list[str]] = {}
        for domain in _domains(self._before, resources):
            for order in self._before_it(domain):
                if not self._inside.get(order.first) and not self._replicas(order.first):
                    names.setdefault(order._replace(then=""), []).append(domain.name)
        for order, alike in names.items():
            what = f"{order.id} names {order.first}, which is not in the configuration"
            yield f"whether {listed(alike, 4)} would lack something is unknown: {what}"

    def _before_it(self, domain: ManagedDomain) -> Iterator[Order]:
        for name in sorted(self._before.ids_of(domain)):
            yield from self._orders.get(name, ())

    def _replicas(self, bundle: str) -> list[Resource]:
        return [r for r in instances(self._after).of(bundle) if r.id != bundle]

    def _lacks(self, domain: ManagedDomain, node: str) -> Iterator[_Lack]:
        for order in self._before_it(domain):
            inside = [p for p in self._inside.get(order.first, ()) if not _is_domu(self._after, p)]
            for primitive in inside:
                promoted = order.first_action == "promote" and _is_promotable(primitive)
                hosts = self._runs.of(primitive.id, promoted=promoted)
                everywhere = primitive.clone and not promoted
                if node not in hosts and (
                    not hosts or everywhere or self._is_apart(domain, order, primitive, node)
                ):
                    yield outermost(inside)[0], promoted
            replicas = [] if inside else self._replicas(order.first)
            if replicas and not any(replica.nodes for replica in replicas):
                yield order.first, False

    def _is_apart(
        self, domain: ManagedDomain, order: Order, primitive: Primitive, node: str
    ) -> bool:
        """Whether what runs on another host alone may be needed on this one.

        Not where the configuration says more of its place, nor where the domU runs without it now.
        """
        promoted = order.first_action == "promote" and _is_promotable(primitive)
        then = self._after.domain_of(domain.resource)
        passes = then and then.running and node not in then.nodes  # it ends elsewhere
        if passes or (order.mandatory and not promoted):
            return False
        if self._is_placed(domain, primitive, promoted=promoted):
            return False
        beside = set(domain.nodes).intersection(self._ran.of(primitive.id, promoted=promoted))
        return bool(beside) or not domain.running

    def _is_placed(self, domain: ManagedDomain, primitive: Primitive, *, promoted: bool) -> bool:
        """Whether a colocation says where they are to each other, and so where it is promoted."""
        own = self._before.ids_of(domain)
        its = {primitive.id, primitive.parent, primitive.clone}
        ends = [
            (colocation, colocation.role if colocation.resource in its else colocation.other_role)
            for colocation in self._relations.colocations
            if (colocation.resource in own and colocation.other in its)
            or (colocation.other in own and colocation.resource in its)
        ]
        return any(
            colocation.by
            or colocation.score < 0
            or (colocation.score >= INFINITY and (is_promoted(role) or not promoted))
            for colocation, role in ends
        )


def _is_domu(cluster: Cluster, primitive: Primitive) -> bool:
    return cluster.domain_of(primitive.id) is not None


def _said(lacks: Collection[_Lack]) -> str:
    down = [name for name, promoted in lacks if not promoted]
    idle = [name for name, promoted in lacks if promoted]
    texts = []
    if down:
        texts.append(f"{listed(down, 4)} {'does' if len(down) == 1 else 'do'} not run there")
    if idle:
        texts.append(f"{listed(idle, 4)} {'is' if len(idle) == 1 else 'are'} not promoted there")
    return ", and ".join(texts)


def _asked(names: Collection[str], verb: str, node: str, what: str, do: str) -> Objection:
    what = f"{listed(list(names), 4)} would {verb} {node}: {what}"
    return Objection(what, f"{do}; --yes goes on", lifted_by=YES)
