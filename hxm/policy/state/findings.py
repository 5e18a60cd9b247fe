"""What an operator should know: leftovers with the command that removes them, and troubles."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from hxm.model import UPDATE, Advice, Cluster, Constraint, Failure, ManagedDomain
from hxm.policy import (
    bars,
    block,
    cleanup_of,
    half_way,
    is_false,
    is_true,
    keeps_stopped,
    listed,
    resource_name,
    typed,
    until_forgotten,
)
from hxm.policy.guards import stray
from hxm.policy.guards.location import cloned, in_guest, kept_from_running, not_listed
from hxm.policy.state import fencing
from hxm.policy.state.adrift import arriving
from hxm.policy.state.cluster_wide import by_templates, settings
from hxm.policy.state.fenced_for import fenced_for, killed
from hxm.policy.state.in_passing import set_at
from hxm.policy.state.lock import held_by, is_at_work, may_be_part_of_it, way_out
from hxm.policy.state.node_remedy import (
    end_of_maintenance,
    end_of_wait,
    first_node_remedy,
    node_remedy,
    once_back,
    once_fenced,
)
from hxm.policy.state.on_fail import ignored
from hxm.policy.state.orphans import orphans
from hxm.policy.state.quorum import waits_for_quorum
from hxm.policy.state.running_twice import may_run_twice, on_two_nodes, same_names
from hxm.policy.state.services import services_down, services_twice, unwell
from hxm.policy.state.whereabouts import in_doubt

if TYPE_CHECKING:
    from hxm.policy.orders.update.progress import Progress


class Finding(NamedTuple):
    """One thing to know, and the command or the way to change it."""

    what: str
    do: str
    code: str = "left-behind"
    """What `hxm check` calls it."""
    subject: str = ""
    """The domU or the node that it is about; empty: the cluster."""

    @classmethod
    def of(cls, advice: Advice, code: str, subject: str = "") -> Finding:
        """An objection or a reason, as a finding."""
        return cls(advice.what, advice.do, code, subject)


def leftovers(
    cluster: Cluster,
    origins: Mapping[str, str] | None = None,
    only: Collection[str] | None = None,
) -> Iterator[Finding]:
    """Everything interim that stands in the CIB, or what concerns the resources in `only`.

    Not what an order that runs may have set, and will remove by itself, unless `only` is given.
    `origins` tells who left a constraint, or set an option in passing, and when.
    """
    left = _leftovers(cluster, origins or {}, only)
    return left if only is not None else _of_no_order(cluster, left)


def _of_no_order(cluster: Cluster, left: Iterable[Finding]) -> Iterator[Finding]:
    """Without what an order that runs at this moment has set."""
    return (f for f in left if not may_be_part_of_it(cluster, f.subject.split()))


def _leftovers(
    cluster: Cluster, origins: Mapping[str, str], only: Collection[str] | None
) -> Iterator[Finding]:
    lock, update = cluster.lock, _update_of(cluster)
    if lock and only is None and not is_at_work(cluster, lock):
        idle = "; orders on a sandbox disregard it" if cluster.sandbox else ""
        yield Finding(f"hxm-lock: {held_by(lock)}{idle}", way_out(cluster, lock))
    if update and only is None:
        yield Finding(f"{UPDATE}: {update.said()}", "hxm update next, or hxm update abort")
    for constraint in cluster.constraints:
        held = [
            domain
            for domain in cluster.managed_domains
            if constraint.resource in cluster.ids_of(domain)
        ]
        if only is not None and not {domain.resource for domain in held} & set(only):
            continue
        do = f"hxm unmigrate {typed(held[0]) if held else constraint.resource}"
        if list(may_run_twice(cluster, held)):
            do = f"when it surely runs on one node only: {do}"
        yield Finding(
            described(cluster, constraint, origins),
            do,
            subject=" ".join(domain.name for domain in held) or constraint.resource,
        )
    for domain in cluster.managed_domains:
        if only is not None and domain.resource not in only:
            continue
        for option, objection in set_at(cluster, domain):
            what = objection.what + _whose(origins, f"{domain.resource}:{option}")
            yield Finding(what, objection.do, subject=domain.name)
    if only is None:
        yield from _above_domus(cluster)
        yield from _whole_nodes(cluster, origins)


def _update_of(cluster: Cluster) -> Progress | None:
    """The update that is under way."""
    if UPDATE not in cluster.properties:
        return None
    from hxm.policy.orders.update.progress import progress_in  # rarely needed

    return progress_in(cluster.properties)


def _above_domus(cluster: Cluster) -> Iterator[Finding]:
    """What was set in passing at what is no domU: templates, groups, what the domUs need."""
    for objection in by_templates(cluster):
        yield Finding.of(objection, "left-behind")
    for name, own in cluster.own_meta.items():
        if cluster.domain_of(name):
            continue
        for option, verb, stands in (
            ("target-role", "start", keeps_stopped(own)),
            ("is-managed", "default", is_false(own.get("is-managed", ""))),
            ("maintenance", "default", is_true(own.get("maintenance", ""))),
        ):
            if stands:
                yield Finding(f"{name}: {option}={own[option]}", f"hxm {verb} {name}", subject=name)


def _whole_nodes(cluster: Cluster, origins: Mapping[str, str]) -> Iterator[Finding]:
    """Standby and maintenance, which are set for a while and forgotten as easily.

    The standby of the host that is being updated is for the update to end.
    """
    if cluster.maintenance:
        yield Finding(
            "the whole cluster is in maintenance: nothing is started, stopped or watched"
            + _whose(origins, "cluster:maintenance"),
            end_of_maintenance(cluster),
        )
    update = _update_of(cluster)
    updated = update.own_standby if update else ""
    for node in cluster.nodes:
        active = f"hxm active {node.name}"
        for name, do in (("standby", active), ("maintenance", end_of_maintenance(cluster, node))):
            if (name, node.name) == ("standby", updated):
                continue
            stands = is_true(cluster.node_attributes.get(node.name, {}).get(name, ""))
            if getattr(node, name) and not node.away:
                what = f"{node.name} is in {name}" + _whose(origins, f"node {node.name}:{name}")
                yield Finding(what, do, subject=node.name)
            elif stands and node.away:  # what was ordered of a node that was then lost
                what = f"{node.name} will be in {name} when it is back"
                yield Finding(what, do, subject=node.name)


def _whose(origins: Mapping[str, str], name: str) -> str:
    origin = origins.get(name, "")
    return f" ({origin})" if origin else ""


def of_nodes(cluster: Cluster, origins: Mapping[str, str]) -> Iterator[Finding]:
    """What there is to know of the nodes alone."""
    yield from _whole_cluster(cluster)
    yield from _nodes(cluster)
    yield from _unwell(cluster)
    yield from _barred(cluster)
    yield from _of_no_order(cluster, _whole_nodes(cluster, origins))


def _whole_cluster(cluster: Cluster) -> Iterator[Finding]:
    """What keeps the whole cluster from its work."""
    if not cluster.dc:
        what = "there is no DC: the cluster acts on nothing"
        yield Finding(what, f"wait, or {first_node_remedy(cluster)}", "no-dc")
    if not cluster.quorum:
        what = "this partition has no quorum"
        yield Finding(what, first_node_remedy(cluster), "no-quorum")
    for code, objection in settings(cluster):
        yield Finding.of(objection, code)


def _unwell(cluster: Cluster) -> Iterator[Finding]:
    for node, objection in unwell(cluster):
        yield Finding.of(objection, "node-unhealthy", node.name)


def _barred(cluster: Cluster) -> Iterator[Finding]:
    if cluster.disallowed:
        return  # that is the cause, and is named
    for node, reason in cluster.barred.items():
        yield Finding(f"no domU may come to {node}: {reason.what}", reason.do, "host-barred", node)


def described(
    cluster: Cluster, constraint: Constraint, origins: Mapping[str, str] | None = None
) -> str:
    """An interim constraint, what it makes the cluster do, whose it is and how old."""
    name = resource_name(cluster, constraint.resource)
    verb = "must run on" if constraint.kind == "prefer" else "must not run on"
    until = f" until {constraint.expires}" if constraint.expires else ""
    if constraint.expired:
        verb = "was to run on" if constraint.kind == "prefer" else "was not to run on"
    words = f"{constraint.id}: {name} {verb} {constraint.node or '?'}{until}"
    if constraint.kind == "prefer" and not constraint.expired:
        words += once_back(cluster, constraint, ": it")
    return words + _whose(origins or {}, constraint.id)


def findings(cluster: Cluster, origins: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """All that needs attention, the worst first."""
    whole = [domain for domain in cluster.managed_domains if not list(half_way(cluster, [domain]))]
    for domain in whole:
        in_clone = list(cloned(cluster, [domain]))
        for objection in in_clone or on_two_nodes(cluster, [domain]):
            yield Finding.of(objection, "runs-twice", domain.name)
    for domain in whole:
        for objection in stray(cluster, [domain]):
            yield Finding.of(objection, "runs-unknown", domain.name)
        for objection in in_guest(cluster, [domain]):
            yield Finding.of(objection, "in-guest", domain.name)
    for shared, objection in same_names(cluster):
        yield Finding.of(objection, "name-shared", shared)
    yield from _whole_cluster(cluster)
    for host, objection in (*fencing.unfenceable(cluster), *fencing.faulty_levels(cluster)):
        yield Finding.of(objection, "no-fencing", host)
    yield from _nodes(cluster)
    yield from _unwell(cluster)
    yield from _barred(cluster)
    yield from _not_running(cluster, whole)
    for code, threatened, advice in cluster.threats:
        yield Finding.of(advice, code, " ".join(threatened))
    for names, objection in services_down(cluster):
        yield Finding.of(objection, "not-running", " ".join(names))
    for name, objection in services_twice(cluster):
        yield Finding.of(objection, "blocked", name)
    yield from (_failed(cluster, failure) for failure in cluster.failures)
    yield from (Finding.of(advice, "orphan") for advice in orphans(cluster))
    if cluster.mixed:
        yield Finding(
            f"{cluster.mixed}: the cluster is handled as {cluster.dialect}",
            "finish the upgrade of the other nodes: hxm status",
            "mixed",
        )
    if cluster.toolstack_fault:
        yield Finding(
            f"this host's own domUs are not known: {cluster.toolstack_fault}",
            f"try it by hand: {cluster.toolstack} list",
            "toolstack-silent",
            cluster.local_node or "",
        )
    if not cluster.fencing:
        yield Finding(
            "fencing is disabled: a lost node's domUs may come to run twice",
            fencing.remedy(cluster),
            "no-fencing",
        )
    yield from leftovers(cluster, origins)


def failed_domus(cluster: Cluster) -> Iterator[Finding]:
    """The failures of domUs that the cluster remembers."""
    for failure in cluster.failures:
        if cluster.domain_of(failure.resource):
            yield _failed(cluster, failure)


def _failed(cluster: Cluster, failure: Failure) -> Finding:
    """A failure, and what follows from it where that is known."""
    name, domain = resource_name(cluster, failure.resource), cluster.domain_of(failure.resource)
    what = f"{failure.operation} of {failure.resource} failed on {failure.node}: {failure.reason}"
    if domain and failure.node not in domain.nodes and bars(cluster, failure):
        what += f"; {name} may not run on {failure.node}"
    first = next((f for f in cluster.failures if f.resource == failure.resource), failure)
    if domain and domain.file_fault and failure is first:
        what += f"; on this host: {domain.file_fault}"
    what += until_forgotten(cluster.primitives.get(failure.resource))
    do = cleanup_of(cluster, failure)
    if hidden := ignored(cluster, failure):
        what, do = f"{what}; {hidden.what}", f"{hidden.do}; then {do}"
    do = once_fenced(cluster, failure, do)
    for doubled in on_two_nodes(cluster, [domain] if domain else ()):
        do = doubled.do
    return Finding(what, do, "failed", f"{name} {failure.node}")


def _nodes(cluster: Cluster) -> Iterator[Finding]:
    for node in cluster.nodes:
        if node.unclean:
            first = ", which takes a quorum" if waits_for_quorum(cluster, node) else ""
            what = f"{node.name} is {node.condition}: it waits to be fenced{first}"
            what += f"; {why}" if (why := fencing.withheld(cluster)) else ""
            what += fenced_for(cluster, node)
            if names := killed(cluster, node):
                what += f"; that kills {listed(names, 4)}"
            yield Finding(
                "; ".join((f"{what}{in_doubt(cluster, node)}", *arriving(cluster, node))),
                end_of_wait(cluster, node),
                "node-lost",
                node.name,
            )
        elif node.standby_onfail:
            failed = [failure for failure in cluster.failures if failure.node == node.name]
            what = f"{node.name} is in standby because something failed there (on-fail=standby)"
            do = cleanup_of(cluster, failed[0]) if failed else f"hxm cleanup {node.name}"
            yield Finding(what, do, "node-away", node.name)
        elif node.kind == "guest" and node.away:
            domain = cluster.domain_of(node.container)
            up = {host.name for host in cluster.hosts if not host.away}
            if domain and not up.isdisjoint(domain.nodes):
                what = f"{node.name} is {node.condition}, although {domain.name} runs"
                do = f"start pacemaker_remote in {domain.name}: hxm console {typed(domain)}"
                if domain.failed:
                    what = f"{node.name} is {node.condition}: {domain.name}, its domU, has failed"
                    do = f"hxm why {typed(domain)}"
                yield Finding(what, do, "node-away", node.name)
        elif node.away:
            what = "; ".join((f"{node.name} is {node.predicament}", *arriving(cluster, node)))
            yield Finding(what, node_remedy(cluster, node), "node-away", node.name)
        elif node.leaving or node.health:
            code = "node-away" if node.leaving else "node-unhealthy"
            what = f"{node.name} is {node.condition}: the cluster moves or stops what runs on it"
            if node.leaving and is_true(cluster.properties.get("shutdown-lock", "")):
                what = f"{node.name} is {node.condition}: what runs there stops, and waits for it"
            yield Finding(what, node_remedy(cluster, node), code, node.name)


def _not_running(cluster: Cluster, domains: Iterable[ManagedDomain]) -> Iterator[Finding]:
    """What is blocked, and what should run and does not: those with one reason together."""
    together: dict[str, list[ManagedDomain]] = {}
    for domain in domains:
        if domain.resource in cluster.unlisted:
            (objection,) = not_listed(cluster, [domain])
            yield Finding.of(objection, "not-known", domain.name)
        elif domain.blocked and not list(on_two_nodes(cluster, [domain])):
            what, _, do = block(cluster, [domain.resource], typed(domain))
            yield Finding(f"{domain.name} {what}", do, "blocked", domain.name)
        elif not cluster.ids_of(domain).isdisjoint(cluster.disallowed):
            continue  # a setting of the whole cluster, which is named
        elif domain.role == "Stopped" and not domain.told_to_stop:
            reason = cluster.down.get(domain.resource)
            together.setdefault(reason.what if reason else domain.name, []).append(domain)
    for alike in together.values():
        for objection in kept_from_running(cluster, alike[0]):
            what, names = objection.what, [domain.name for domain in alike]
            if len(names) > 1:
                what = f"{listed(names)} should run, and do not: {what.partition(': ')[2]}"
            yield Finding(what, objection.do, "not-running", " ".join(names))
