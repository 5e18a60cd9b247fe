"""What the tables hold: domUs, nodes, resources, findings, each value as a text."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from hxm.model import Cluster, Domain, Node, Resource, is_managed, where
from hxm.output import Table, as_json
from hxm.output.render import folded, hint_lines, out
from hxm.policy import GONE, forgotten, is_promoted, last_failed, stops_everything
from hxm.policy.guards import looked_away
from hxm.policy.state.discrepancies import disagreements
from hxm.policy.state.findings import Finding
from hxm.policy.state.lock import order_that_runs
from hxm.policy.state.on_fail import unwatched

if TYPE_CHECKING:
    from collections.abc import Iterator


# The domUs


def domains_table(cluster: Cluster, domains: Iterable[Domain], *, uuids: bool = False) -> Table:
    """Xl's columns, then the node, the role and what is special; and the uuid if asked for."""
    domains = list(domains)
    rows: list[tuple[str, ...]] = [
        (
            domain.name,
            _or_dash(domain.id),
            _or_dash(domain.memory),
            _or_dash(domain.vcpus),
            _or_dash(domain.state),
            f"{domain.time:.1f}" if domain.time is not None else "-",
            domain.where or "-",
            role(cluster, domain),
            flags(cluster, domain),
        )
        for domain in domains
    ]
    headers: tuple[str, ...] = (
        *("Name", "ID", "Mem", "VCPUs", "State", "Time(s)", "Node", "Role", "Flags"),
    )
    if uuids:
        headers = (*headers[:6], "UUID", *headers[6:])
        rows = [
            (*row[:6], domain.uuid or "-", *row[6:])
            for row, domain in zip(rows, domains, strict=True)
        ]
    return Table(headers, rows, frozenset({1, 2, 3, 5}), gives_way=(3, 5, 2, 4, 1))


def domains_lines(
    cluster: Cluster, domains: Iterable[Domain], *, uuids: bool = False
) -> Iterator[str]:
    """As `xl list` prints them, byte for byte up to Time(s), so that scripts keep working.

    (printf formats of xl_list.c, Xen 4.17.)
    """
    domains = list(domains)
    table = domains_table(cluster, domains)
    wide = max(map(len, ("Node", *(row[6] for row in table.rows))))
    header = f"{'Name':<40} {'ID':>5} {'Mem':>5} VCPUs\tState\tTime(s)"
    header += f"  {'UUID':<36}" if uuids else ""
    yield f"{header}  {'Node':<{wide}}  {'Role':<9}  Flags".rstrip()
    for domain, row in zip(domains, table.rows, strict=True):
        name, number, memory, vcpus, state, seconds, node, role, special = row
        left = f"{name:<40} {number:>5} {memory:>5} {vcpus:>5}     {state:<6}  {seconds:>8}"
        left += f"  {domain.uuid or '-':<36}" if uuids else ""
        yield f"{left}  {node:<{wide}}  {role:<9}  {special}".rstrip()


def show_long(cluster: Cluster, domain: Domain) -> None:
    """Everything known of one domU, a line each."""
    primitive = cluster.primitives.get(domain.resource) if domain.resource else None
    facts: dict[str, object] = {
        **as_json.keyed(domain, as_json.DOMAIN),
        "flags": flags(cluster, domain),
    }
    if primitive:
        facts |= {f"meta {name}": value for name, value in primitive.meta.items()}
        facts |= {
            f"operation {operation.get('name')}": " ".join(
                f"{key}={value}" for key, value in operation.items() if key not in ("id", "name")
            )
            for operation in primitive.operations
        }
    out(domain.name)
    for name, value in facts.items():
        if name != "name" and value not in (None, "", ()):
            shown = " ".join(value) if isinstance(value, tuple) else str(value)
            out(f"  {name:<26} {shown}")


def role(cluster: Cluster, domain: Domain) -> str:
    """The domU's role in a word; what runs on and is looked at no more is not stopped."""
    if is_managed(domain) and forgotten(cluster, domain):
        return "forgotten"
    return domain.role or ("-" if domain.resource else "local")


def flags(cluster: Cluster, domain: Domain) -> str:
    """What is special about a domU, in a few words."""
    differs = disagreements(cluster, domain)
    if not domain.resource:
        return " ".join([*(["orphaned"] if domain.role else []), *differs])
    away = looked_away(cluster, domain)
    words = [
        (domain.blocked, "blocked"),
        (domain.failed, _FAILED.get(last_failed(cluster, domain), "failed")),
        (any(_unclean(cluster, node) for node in domain.nodes), "UNCLEAN"),
        *((True, word) for word in differs),
        (any(_is_guest(cluster, node) for node in domain.nodes), "in-guest"),
        (bool(away) and not domain.blocked, away.flag if away else ""),
        (domain.told_to_stop, "disabled"),
        (role(cluster, domain) == "Stopped" and not domain.told_to_stop, "should-run"),
        *((True, word) for word in _failed_elsewhere(cluster, domain)),
        (unwatched(cluster, domain), "failure-ignored"),
        (bool(domain.interim), "constrained"),
        (not domain.live, "not-live"),
    ]
    return " ".join(word for applies, word in words if applies)


_FAILED = {"start": "failed-to-start", "probe": "probe-failed", GONE: "gone"}


def _failed_elsewhere(cluster: Cluster, domain: Domain) -> list[str]:
    """The nodes where something of a domU failed that does not run there; how many, if several."""
    nodes = {failure.node for failure in cluster.failures if failure.resource == domain.resource}
    nodes -= set(domain.nodes)
    return [
        f"failed-on-{len(nodes)}-nodes" if len(nodes) > 1 else f"failed-on-{node}"
        for node in [*nodes][:1]
    ]


def _unclean(cluster: Cluster, name: str) -> bool:
    node = cluster.node(name)
    return bool(node and node.unclean)


def _is_guest(cluster: Cluster, name: str) -> bool:
    node = cluster.node(name)
    return bool(node and node.kind == "guest")


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)


# Findings, nodes, resources


def show_findings(
    title: str, findings: Sequence[Finding], say: Callable[[str], None] = out
) -> None:
    """The findings with the command that changes each, or several of them."""
    if findings:
        say("")
        say(f"{title}:")
    for remedy, alike in by_remedy(findings).items():
        for finding in alike:
            for line in folded(f"  {finding.what}", 4, sys.stdout if say is out else sys.stderr):
                say(line)
        for line in hint_lines(remedy, 6, sys.stdout if say is out else sys.stderr):
            say(line)


def by_remedy(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """The findings that one remedy ends, together: it is shown once."""
    together: dict[str, list[Finding]] = {}
    for finding in findings:
        together.setdefault(finding.do, []).append(finding)
    return together


def nodes_table(cluster: Cluster) -> Table:
    """The nodes, their condition and what runs on them."""
    guests: dict[str, list[str]] = {node.name: [] for node in cluster.nodes}
    others: dict[str, int] = dict.fromkeys(guests, 0)
    known = {domain.resource for domain in cluster.managed_domains}
    for resource in cluster.resources:
        for name in resource.nodes:
            if resource.id not in known:
                others[name] = others.get(name, 0) + 1
    for domain in cluster.managed_domains:
        for name in domain.nodes:
            guests.setdefault(name, []).append(domain.name)
    rows = [
        (
            node.name,
            node_state(cluster, node),
            "DC" if node.dc else "",
            str(len(guests[node.name])),
            str(others[node.name]),
            _few(guests[node.name]),
        )
        for node in cluster.nodes
    ]
    return Table(("Node", "State", "DC", "DomUs", "Others", "Running"), rows, frozenset({3, 4}))


def node_state(cluster: Cluster, node: Node) -> str:
    """The condition of a node; of one that is well, what keeps the cluster from using it."""
    if node.name in cluster.barred:
        return "takes no domU"
    holds = (
        (not cluster.quorum, "no quorum"),
        (stops_everything(cluster), "all stopped"),
        (cluster.maintenance, "maintenance"),
    )
    held = next((word for holding, word in holds if holding and node.usable), "")
    return f"{node.condition}, {held}" if held else node.condition


def _few(names: Sequence[str]) -> str:
    return " ".join(names) if len(names) <= 8 else " ".join(names[:8]) + " ..."


def resources_table(cluster: Cluster, *, briefly: bool = False) -> Table:
    """All resources; a clone's instances in one row, and `briefly` how many of them run."""
    rows: list[tuple[str, str, str, str, str]] = []
    clones: dict[str, list[Resource]] = {}
    for resource in cluster.resources:
        if resource.clone:
            clones.setdefault(resource.clone, []).append(resource)
        else:
            rows.append(_resource_row(cluster, resource.id, [resource]))
    rows += [_resource_row(cluster, name, instances) for name, instances in clones.items()]
    if briefly:
        rows = [
            (name, agent.removeprefix("ocf:heartbeat:"), role, _counted(cluster, nodes), special)
            for name, agent, role, nodes, special in rows
        ]
    return Table(("Resource", "Agent", "Role", "Nodes", "Flags"), rows, gives_way=(1,))


def _counted(cluster: Cluster, nodes: str) -> str:
    count, of = len(nodes.split()), len(cluster.nodes)
    if count < 3:
        return nodes
    return f"all {of}" if count == of else f"{count} of {of}"


def _resource_row(
    cluster: Cluster, name: str, instances: Sequence[Resource]
) -> tuple[str, str, str, str, str]:
    active = sorted(
        (instance for instance in instances if instance.nodes),
        key=lambda instance: not is_promoted(instance.role),
    )
    first = (active or list(instances))[0]
    domain = cluster.domain_of(first.id) or Domain(first.id)
    away = looked_away(cluster, domain)
    known = first.id.partition(":")[0] in cluster.primitives  # a spare instance is no orphan
    words = (
        (any(instance.blocked for instance in instances), "blocked"),
        (any(instance.failed for instance in instances), "failed"),
        *((True, word) for word in _on_unclean(cluster, instances)),
        (not all(instance.managed for instance in instances), away.flag if away else "unmanaged"),
        (not known and any(instance.orphaned for instance in instances), "orphaned"),
        (first.target_role == "Stopped", "disabled"),
    )
    nodes = tuple(node for instance in active for node in instance.nodes)
    special = " ".join(dict.fromkeys(word for applies, word in words if applies))
    return (name, first.agent, first.role, where(first.role, nodes, " ") or "-", special)


def _on_unclean(cluster: Cluster, instances: Sequence[Resource]) -> Iterator[str]:
    """That nobody knows the state of what is on a node that waits to be fenced."""
    nodes = dict.fromkeys(node for instance in instances for node in instance.nodes)
    unclean = [node for node in nodes if _unclean(cluster, node)]
    if unclean and unclean == [*nodes]:
        yield "UNCLEAN"
    else:
        yield from (f"UNCLEAN-on-{node}" for node in unclean)


def everything_table(cluster: Cluster, findings: Iterable[Finding]) -> Table:
    """The whole cluster in one table, for programs that take but one."""
    nodes = [("node", row[0], row[1], row[5], row[2]) for row in nodes_table(cluster).rows]
    others = [("resource", name, *row) for name, _, *row in resources_table(cluster).rows]
    last = [("finding", finding.what, "", "", finding.do) for finding in findings]
    return Table(("Kind", "Name", "State", "Where", "Special"), [*nodes, *others, *last])


def summary(cluster: Cluster) -> list[str]:
    """A line on the cluster, one on why this toolstack, and whether it is a sandbox."""
    words = [
        f"DC {cluster.dc}" if cluster.dc else "no DC",
        "quorum" if cluster.quorum else "NO QUORUM",
        "fencing on" if cluster.fencing else "FENCING OFF",
        cluster.dialect,
        f"toolstack {cluster.toolstack}" if cluster.toolstack else "no toolstack here",
    ]
    if cluster.maintenance:
        words.insert(0, "MAINTENANCE")
    lines = [f"Cluster {cluster.name or '(no name)'}: {', '.join(words)}"]
    if cluster.toolstack:
        lines.append(f"  {cluster.toolstack}: {cluster.toolstack_why}")
    if order := order_that_runs(cluster):
        lines.append(f"  {order}")
    if cluster.sandbox:
        lines.append(f"  sandbox {cluster.sandbox}")
    return lines
