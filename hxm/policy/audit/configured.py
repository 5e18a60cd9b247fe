"""What the configuration makes of the domUs, and of fencing, one bad day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from hxm.model import Cluster, ManagedDomain, Primitive
from hxm.policy import is_false, is_true, listed, resource_name, typed_resource
from hxm.policy.guards import looked_away
from hxm.policy.relations import score_of
from hxm.policy.state.fencing import startup_remedy
from hxm.policy.state.findings import Finding
from hxm.policy.unjudged import may_start, on_condition

Actions = Mapping[str, Mapping[str, float]]
"""For each agent, the seconds that its metadata asks for each of its actions."""


class FailCount(NamedTuple):
    """How often a resource has failed on a node, as the cluster counts it."""

    resource: str
    node: str
    times: str
    """A number, or INFINITY."""


class Named(NamedTuple):
    """The nodes that a location constraint names."""

    nodes: tuple[str, ...]
    only: bool = True
    """Whether it counts on none but those, so that nothing is lost with it if they do not exist."""


class Rules(NamedTuple):
    """What stands in the CIB that `hxm check` alone asks for; the keys are primitives."""

    timeouts: Mapping[str, Mapping[str, float]] = {}
    """Seconds of each operation that is configured; `` is that of any other."""
    watched: frozenset[str] = frozenset()
    """Those with a monitor that repeats and is enabled."""
    after: Mapping[str, frozenset[str]] = {}
    """What each is ordered after: the outermost resources, and members of its own group."""
    attributes: Mapping[str, frozenset[str]] = {}
    """The node attributes that the rules of its location constraints ask for."""
    kept_off: Mapping[str, frozenset[str]] = {}
    """The nodes that a constraint keeps it off for good."""
    named: Mapping[str, Named] = {}
    """By the ids of the location constraints."""
    ended: Mapping[str, str] = {}
    """The location constraints whose rules are true no more, and since when."""
    ending: Mapping[str, tuple[str, str]] = {}
    """Those that prefer a node, and will soon be true no more: for which resource, and when."""
    misspelt: Mapping[str, Mapping[str, str]] = {}
    """Options without effect, and how this generation spells each."""
    fences: Mapping[str, tuple[str, ...]] = {}
    """The nodes that each fencing resource says it is for; none: the device is asked."""
    fail_counts: tuple[FailCount, ...] = ()
    ignored_stops: Mapping[str, str] = {}
    """Those of which a failed stop counts as done, and what says so."""


def of_rules(cluster: Cluster, rules: Rules, actions: Actions) -> Iterator[Finding]:
    """What the rules make of each domU, of fencing and of failures."""
    for domain in cluster.managed_domains:
        primitive = cluster.primitives[domain.resource]
        yield from _options(cluster, domain, primitive, rules)
        yield from _monitor(domain, primitive, rules)
        yield from _stop(domain, rules)
        yield from _timeouts(domain, rules, actions.get(primitive.agent, {}))
        yield from _shutdown(domain, primitive, rules)
    yield from _loose(cluster)
    yield from _nowhere(cluster, rules)
    yield from _ended(cluster, rules)
    yield from _never_seen(cluster)
    yield from _neighbours(cluster, rules)
    yield from fencing(cluster, rules)
    yield from _fail_counts(cluster, rules)


def of_missing_agents(cluster: Cluster, rules: Rules, actions: Actions) -> Iterator[Finding]:
    """Agents without metadata on this host, with what keeps away all domUs that may run here."""
    here = cluster.local_node or ""
    affected: dict[str, list[str]] = {}
    for domain in cluster.managed_domains:
        primitive = cluster.primitives[domain.resource]
        if primitive.agent not in actions and here not in rules.kept_off.get(primitive.id, ()):
            affected.setdefault(primitive.agent, []).append(primitive.id)
    for agent, resources in affected.items():
        what = f"{agent} is not installed on {here}: its domUs cannot run here"
        away = [cluster.advice("keep-off", resource=name, node=here) for name in resources]
        do = f"install resource-agents, or keep them away: {' && '.join(away)}"
        yield Finding(what, do, "agent-missing", here)


def _options(
    cluster: Cluster, domain: ManagedDomain, primitive: Primitive, rules: Rules
) -> Iterator[Finding]:
    misspelt = rules.misspelt.get(primitive.id, {})
    for spelt, right in misspelt.items():
        what = f"{spelt} of {domain.name} has no effect: here it is spelt {right}"
        do = cluster.advice("set", resource=primitive.id, option=right)
        yield Finding(what, do, "misspelt", domain.name)
    if not domain.live and misspelt.keys().isdisjoint(("allow-migrate", "allow_migrate")):
        value = primitive.meta.get("allow-migrate")
        why = "not set" if value is None else f"set to {value}"
        what = f"{domain.name} is never migrated live: allow-migrate is {why}"
        do = cluster.advice("live", resource=primitive.id)
        yield Finding(what, do, "not-live", domain.name)
    if is_true(primitive.params.get("allow_mem_management", "")):
        what = (
            f"allow_mem_management: the agent edits the file of {domain.name} and balloons "
            "every domU of its node"
        )
        do = cluster.advice("unset-parameter", resource=primitive.id, name="allow_mem_management")
        yield Finding(what, f"{do}, which restarts it", "mem-management", domain.name)


def _loose(cluster: Cluster) -> Iterator[Finding]:
    """DomUs that any change may move.

    A move that begins while migrations are in flight is how Pacemaker 2.1.5 starts a domU twice.
    """
    default = cluster.properties.get("default-resource-stickiness", "0")
    stickiness = {
        domain.name: cluster.primitives[domain.resource].meta.get("resource-stickiness", default)
        for domain in cluster.managed_domains
    }
    loose = [name for name, score in stickiness.items() if score_of(score) == 0]
    if loose:
        what = f"{listed(loose, 4)} may be moved by any change: resource-stickiness is 0"
        yield Finding(what, cluster.advice("stickiness"), "no-stickiness", " ".join(loose))


def _nowhere(cluster: Cluster, rules: Rules) -> Iterator[Finding]:
    """Constraints that name a node that there is not, as by a slip; the scheduler is silent."""
    nodes = {node.name.lower() for node in cluster.nodes}
    for constraint, named in rules.named.items():
        if strange := [name for name in named.nodes if name.lower() not in nodes]:
            no_node = "which is no node" if len(strange) == 1 else "which are no nodes"
            what = f"the constraint {constraint} names {listed(strange)}, {no_node} of the cluster"
            show = cluster.advice("constraints")
            do = f"correct it, or take {listed(strange)} out of it: {show}"
            if named.only and len(strange) == len(named.nodes):
                command = cluster.advice("unbind", constraint=constraint, kind="rsc_location")
                do = may_start(cluster, command, "it is not to join")
            yield Finding(what, do, "no-such-node", constraint)


def _ended(cluster: Cluster, rules: Rules) -> Iterator[Finding]:
    """Constraints whose dates are over: they count no more, and are easily taken to hold."""
    for constraint, end in rules.ended.items():
        command = cluster.advice("unbind", constraint=constraint, kind="rsc_location")
        do = on_condition("it is not to be given another end", command)
        yield Finding(f"the constraint {constraint} ended {end}", do, "expired", constraint)
    opt_in = is_false(cluster.properties.get("symmetric-cluster", ""))
    for constraint, (resource, end) in rules.ending.items() if opt_in else ():
        name = resource_name(cluster, resource)
        what = f"the constraint {constraint} ends {end}: from then on it allows {name} nowhere"
        show = f"hxm why {typed_resource(cluster, resource)}"
        do = on_condition(f"{name} is to run longer", show)
        yield Finding(what, do, "expired", f"{constraint} {name}")


def _monitor(domain: ManagedDomain, primitive: Primitive, rules: Rules) -> Iterator[Finding]:
    if primitive.id not in rules.watched:
        off = any(operation.get("name") == "monitor" for operation in primitive.operations)
        which = "its monitor is off" if off else "it has no monitor"
        what = f"nobody would notice that {domain.name} is gone: {which}"
        do = f"give {primitive.id} an operation monitor: hxm(8), CHECKS"
        yield Finding(what, do, "no-monitor", domain.name)


def _stop(domain: ManagedDomain, rules: Rules) -> Iterator[Finding]:
    if where := rules.ignored_stops.get(domain.resource):
        what = f"a stop of {domain.name} that failed counts as done (on-fail=ignore): "
        do = f"take on-fail from {where}: hxm(8), CHECKS"
        yield Finding(f"{what}it may be started twice", do, "stop-ignored", domain.name)


def _never_seen(cluster: Cluster) -> Iterator[Finding]:
    if cluster.fencing and is_false(cluster.properties.get("startup-fencing", "true")):
        what = (
            "startup-fencing is off: a node that was never seen counts as off, "
            "and its domUs may be started twice"
        )
        yield Finding(what, startup_remedy(cluster), "never-seen")


def _timeouts(domain: ManagedDomain, rules: Rules, asked: Mapping[str, float]) -> Iterator[Finding]:
    own = rules.timeouts.get(domain.resource, {})
    used = ["start", "stop", *(["monitor"] if "monitor" in own else [])]
    used += ["migrate_to", "migrate_from"] if domain.live else []
    short = [
        f"{name} {given:g} of {asked[name]:g} s"
        for name in used
        if name in asked and (given := own.get(name, own.get("", 0.0))) < asked[name]
    ]
    if own and short:
        what = f"{domain.name} has less time than its agent asks for: {', '.join(short)}"
        do = f"raise those of {domain.resource}: hxm(8), CHECKS"
        yield Finding(what, do, "short-timeout", domain.name)


def _shutdown(domain: ManagedDomain, primitive: Primitive, rules: Rules) -> Iterator[Finding]:
    """The agent waits for the guest, then pulls the plug: both must fit into the stop's timeout.

    Its seconds are each a sleep and an `xl list` (xen_domain_stop in heartbeat/Xen 4.12), hence a
    tenth more; unless told otherwise it takes two thirds of the timeout, which always fits.
    """
    own, patience = (
        rules.timeouts.get(primitive.id, {}),
        primitive.params.get("shutdown_timeout", ""),
    )
    stop = own.get("stop", own.get("", 0.0))
    if not primitive.agent.endswith(":Xen") or not patience.isdigit() or not stop:
        return
    needed = int(patience) * 1.1 + 2
    if int(patience) and stop < needed:
        what = (
            f"the stop of {domain.name} fails after {stop:g} s, and the agent waits {patience} s "
            "for the guest before it pulls the plug"
        )
        do = f"raise the timeout of its stop to {needed:.0f} s: hxm(8), CHECKS"
        yield Finding(what, do, "stop-too-short", domain.name)


_ENOUGH = 3
"""Of fewer domUs than these the habit is not known, and to follow it may stop one."""


def _neighbours(cluster: Cluster, rules: Rules) -> Iterator[Finding]:
    """What most other domUs wait for, or are ruled by, and one of them is not.

    One that has something to itself is of another kind, and nothing is said of it.
    """
    domains = cluster.managed_domains
    theirs = frozenset(name for domain in domains for name in cluster.ids_of(domain))
    theirs |= {part.id for part in cluster.primitives.values() if part.parent}  # of one group
    for code, table in (("no-order", rules.after), ("no-ping-rule", rules.attributes)):
        own = {domain: table.get(domain.resource, frozenset()) - theirs for domain in domains}
        count: dict[str, int] = {}
        for names in own.values():
            for name in names:
                count[name] = count.get(name, 0) + 1
        for domain, mine in own.items():
            others = len(domains) - 1
            having = {name: count[name] - (name in mine) for name in count}
            usual = {name for name, times in having.items() if 2 * times > others}
            missing = sorted(name for name in usual - mine if having[name] >= _ENOUGH)
            if missing and mine <= usual:
                verb = "start before" if code == "no-order" else "run without a rule about"
                what = f"{domain.name} may {verb} {listed(missing)}; most other domUs may not"
                as_others = _ordered if code == "no-order" else _ruled
                yield Finding(what, as_others(cluster, domain, missing), code, domain.name)


def _ordered(cluster: Cluster, domain: ManagedDomain, firsts: Sequence[str]) -> str:
    """The commands that add an order after these; it stops at once what runs without them."""
    condition = f"{domain.name} needs {listed(firsts)}"
    down = [name for name in firsts if not _runs(cluster, name)]
    if domain.running and down:
        do_not = "does not run" if len(down) == 1 else "do not run"
        condition += f", and may stop at once ({listed(down)} {do_not})"
    orders = (cluster.advice("order", first=name, then=domain.resource) for name in firsts)
    return on_condition(condition, " && ".join(orders))


def _runs(cluster: Cluster, name: str) -> bool:
    """Whether all that the resource consists of runs somewhere."""
    parts = [p.id for p in cluster.primitives.values() if name in (p.id, p.parent, p.clone)]
    up = {resource.id.partition(":")[0] for resource in cluster.resources if resource.nodes}
    return bool(parts) and up.issuperset(parts)


def _ruled(cluster: Cluster, _: ManagedDomain, attributes: Sequence[str]) -> str:
    """The commands that show the rules about these, to copy one."""
    rules = (cluster.advice("rules", attribute=name) for name in attributes)
    return "; ".join(f"give it a rule like theirs: {rule}" for rule in rules)


def fencing(cluster: Cluster, rules: Rules) -> Iterator[Finding]:
    """Devices that fence the node where they run, and nothing else does."""
    if not cluster.fencing:
        return
    nodes = [node.name for node in cluster.hosts]
    for device, hosts in rules.fences.items():
        if len(hosts) != 1 or len(nodes) < 2 or device in cluster.cloned:
            continue
        if hosts[0] in nodes and hosts[0] not in rules.kept_off.get(device, ()):
            what = f"{device} may run on {hosts[0]}, the only node that it fences"
            do = cluster.advice("keep-off", resource=device, node=hosts[0])
            if not set(nodes) - {hosts[0]} - rules.kept_off.get(device, frozenset()):
                do = f"let it run on another node first: {cluster.advice('constraints')}"
            yield Finding(what, do, "fences-itself", f"{device} {hosts[0]}")


def _fail_counts(cluster: Cluster, rules: Rules) -> Iterator[Finding]:
    shown = {(failure.resource.split(":")[0], failure.node) for failure in cluster.failures}
    for count in rules.fail_counts:
        leads_to, stops = _next_failure(cluster, rules, count)
        if stops or (count.resource, count.node) not in shown:
            name, times = resource_name(cluster, count.resource), count.times
            often = (
                "has failed, and may start there no more,"
                if times == "INFINITY"
                else f"has failed {'once' if times == '1' else f'{times} times'}"
            )
            do = f"hxm cleanup {count.resource} {count.node}"
            what = f"{name} {often} on {count.node}{leads_to}"
            yield Finding(what, do, "fail-count", f"{name} {count.node}")


def _next_failure(cluster: Cluster, rules: Rules, count: FailCount) -> tuple[str, bool]:
    """What the next failure of a domU leads to, where it is the last, and whether that stops it."""
    domain = cluster.domain_of(count.resource)
    if not domain or domain.nodes != (count.node,) or looked_away(cluster, domain):
        return "", False
    primitive = cluster.primitives[count.resource]
    if primitive.on_fail.get("monitor", "restart") not in ("restart", "demote"):
        return "", False  # which comes before the threshold
    limit = score_of(primitive.meta.get("migration-threshold", ""))
    if score_of(count.times) + 1 != limit:
        return "", False
    leaves = f"; with {limit} it leaves {count.node} (migration-threshold)"
    off = {*rules.kept_off.get(count.resource, ())}
    off |= {
        known.node
        for known in rules.fail_counts
        if known.resource == count.resource and score_of(known.times) >= limit
    }
    if any(host.usable and host.name not in {count.node, *off} for host in cluster.hosts):
        return leaves, False
    return f"{leaves}, and no other host may run it: the next failure stops it", True
