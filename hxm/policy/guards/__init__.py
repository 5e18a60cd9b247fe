"""Every reason to refuse or to ask, each a function with its cases in the tests.

A guard looks at the cluster, or at what the scheduler would do, and yields objections.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from hxm.errors import CannotAsk, NoQuorum
from hxm.model import Cluster, Domain, Node
from hxm.plan import Forecast, Movement, Objection, Plan
from hxm.policy import block, called, cleanup_of, is_true, listed, typed
from hxm.policy.forecast import after_all, ends_a_migration, name_of
from hxm.policy.forecast.movement_kinds import phrase
from hxm.policy.inherited import end_above, in_force
from hxm.policy.names import is_pattern, matching
from hxm.policy.state.adrift import arriving, being_migrated
from hxm.policy.state.fenced_for import fenced_for
from hxm.policy.state.fencing import brings_fencing_back, helpless, terminating, withheld
from hxm.policy.state.node_remedy import end_of_wait, first_node_remedy, node_remedy
from hxm.policy.state.quorum import acts_without_quorum, waits_for_quorum, without_quorum

FORCE, YES = "--force", "--yes"


def whole_cluster(cluster: Cluster, subjects: Collection[str | None] = ()) -> Iterator[Objection]:
    """What stands against any change: no DC, no quorum, nodes lost and not yet fenced.

    That ends by an order for the `subjects`, by their ids, where these are what is to fence them:
    then what the scheduler would do is asked about.
    """
    if not cluster.dc:
        yield Objection(
            "the cluster has no DC: nobody would carry this out",
            "wait for the election, or look at `hxm status`",
            CannotAsk.status,
        )
    if not cluster.quorum and (policy := without_quorum(cluster)):
        yield Objection(
            f"this partition has no quorum: {policy}",
            "bring the other nodes back; --force writes the order down anyway",
            NoQuorum.status,
            FORCE,
        )
    lost = any(node.unclean for node in cluster.nodes)
    if cluster.dc and lost and not brings_fencing_back(cluster, subjects):
        yield _lost(cluster)
    if cluster.pending_fencing:
        yield Objection(
            f"fencing of {listed(cluster.pending_fencing)} is under way",
            "wait for its end: hxm status",
            lifted_by=FORCE,
        )


def _lost(cluster: Cluster) -> Objection:
    """Nodes that wait to be fenced; nobody waits for those that nothing can fence."""
    lost = [node for node in cluster.nodes if node.unclean]
    cannot = helpless(cluster)
    at_work = [n for n in lost if n.name not in cannot and not waits_for_quorum(cluster, n)]
    why_not = withheld(cluster)
    waiting = ["wait for the fencing"] if at_work and not why_not else []
    ends = [
        end_of_wait(cluster, node)
        for node in lost
        if why_not or not node.online or node.name in cannot or terminating(cluster, node)
    ]
    named = listed([f"{node.name} is {unfenced(cluster, node)}" for node in lost])
    why = [*dict.fromkeys(objection.what for objection in cannot.values())]
    why += [*filter(None, [why_not]), *(t for n in lost for t in arriving(cluster, n))]
    return Objection(
        "; ".join((f"{named} and not yet fenced: what ran there may still run", *why)),
        "; ".join((*waiting, *dict.fromkeys(ends))),
        lifted_by=FORCE,
    )


def unfenced(cluster: Cluster, node: Node) -> str:
    """What a node that waits to be fenced is, and why: one that is heard is not lost."""
    why = fenced_for(cluster, node)
    return f"{node.condition}{why}{',' if why else ''}" if node.online else "lost"


def warnings(cluster: Cluster) -> tuple[str, ...]:
    """What is said on every change and stops none."""
    texts = []
    if not cluster.fencing:
        texts.append("fencing is disabled: a lost node's domUs may come to run twice")
    if not cluster.quorum and acts_without_quorum(cluster):
        texts.append("no quorum, and no-quorum-policy=ignore: only fencing keeps domUs single")
    return tuple(texts)


def in_flight(
    cluster: Cluster, domains: Iterable[Domain], lifted_by: str = ""
) -> Iterator[Objection]:
    """A migration that is under way: a change now can end with the domU on two nodes.

    (pacemaker list, May 2013: a constraint removed before migrate_to had ended.)
    """
    for domain in domains:
        if migrating(cluster, domain):
            what, do = being_migrated(cluster, domain)
            yield Objection(what, do, lifted_by=lifted_by)
        elif not cluster.idle:
            yield Objection(
                f"whether {domain.name} is being migrated cannot be told: the DC is at work, and "
                f"{cluster.dialect} does not write down what",
                f"wait for its end: {cluster.advice('idle', dc=cluster.dc)}",
                lifted_by=FORCE,
            )


def migrating(cluster: Cluster, domain: Domain) -> bool:
    """Whether a migration of the domain is in flight, by its role or by a pending action."""
    return (
        domain.role == "Migrating"
        or (domain.role == "Stopping" and len(domain.nodes) > 1)
        or domain.resource in cluster.migrating
    )


def migrating_names(cluster: Cluster) -> list[str]:
    """The domUs of which a migration is in flight."""
    return [domain.name for domain in cluster.managed_domains if migrating(cluster, domain)]


def stray(cluster: Cluster, domains: Iterable[Domain]) -> Iterator[Objection]:
    """An instance that the cluster does not know of: wherever it starts the domU is a second."""
    for domain in domains:
        if domain.stray and not domain.running:
            look = cluster.advice("look", resource=domain.resource)
            yield Objection(
                f"{domain.name} runs on {domain.stray}, and the cluster does not know it",
                f"let the cluster look: {look}; or end it: hxm destroy {typed(domain)}",
            )


def ignored(cluster: Cluster, domains: Iterable[Domain]) -> Iterator[Objection]:
    """Orders that the cluster would take down and not carry out."""
    for domain in domains:
        if away := looked_away(cluster, domain):
            do = f"{away.end} first; --force writes the order down for later"
            if end := safe_end(domain, away.end):
                do = f"it is told to stop; {end}"
            yield Objection(f"the cluster would do nothing: {away.reason}", do, lifted_by=FORCE)


def stopped(domains: Iterable[Domain]) -> Iterator[Objection]:
    """What can only be done with a domU that runs."""
    for domain in domains:
        if not domain.running:
            yield Objection(f"{domain.name} does not run", f"hxm start {typed(domain)}")


def cannot_drain(cluster: Cluster, node: Node) -> Iterator[Objection]:
    """A node that nothing can be moved away from."""
    if not node.member:
        what = f"{node.name} cannot be drained: it is {node.predicament}"
        yield Objection(what, node_remedy(cluster, node))


def left_on(cluster: Cluster, node: Node) -> Iterator[Objection]:
    """DomUs that the cluster will not move away, because they are not its own."""
    alone = [
        domain
        for domain in cluster.domains
        if not domain.resource and node.name in domain.nodes and domain.id != 0
    ]
    if alone:
        yield Objection(
            f"{called(alone)} would stay on {node.name}: the cluster does not manage that",
            "stop it or move it by hand first, with xl",
            lifted_by=FORCE,
        )


def replaced(domain: Domain, cluster: Cluster, doomed: Iterable[str]) -> Iterator[Objection]:
    """Constraints of somebody else's that the tool would write over."""
    for constraint in cluster.constraints:
        if constraint.id in doomed and constraint.resource == domain.resource:
            yield Objection(
                f"{constraint.id} is there already, and would be replaced and then removed",
                f"hxm unmigrate {typed(domain)} removes it; use --yes to do it anyway",
                lifted_by=YES,
            )


class LookedAway(NamedTuple):
    """Why the cluster leaves a domU alone, and the command that ends it."""

    reason: str
    end: str
    flag: str = "maintenance"


def safe_end(domain: Domain, end: str) -> str:
    """What to type before the end of what leaves a domU alone that would then be stopped."""
    if domain.running and domain.told_to_stop:
        return f"to let it run: hxm start {typed(domain)} --force --yes, then {end}"
    return ""


def looked_away(cluster: Cluster, domain: Domain) -> LookedAway | None:
    """Whether, and why, the cluster has been told to leave this domU alone."""
    if cluster.maintenance:
        return LookedAway("the whole cluster is in maintenance", "hxm maintenance off")
    for name in domain.nodes:
        node = cluster.node(name)
        if node and node.maintenance:
            return LookedAway(f"the node {name} is in maintenance", f"hxm maintenance off {name}")
    if not domain.resource or not domain.role or domain.managed:
        return None
    word = typed(domain)
    if domain.blocked:
        what, _, end = block(cluster, [domain.resource], word)
        return LookedAway(f"{domain.name} {what}", end, "blocked")
    primitive = cluster.primitives[domain.resource]
    if in_force("maintenance", primitive.meta):
        end = end_above(cluster, primitive, "maintenance") or f"hxm maintenance off {word}"
        return LookedAway(f"{domain.name} is in maintenance", end)
    end = end_above(cluster, primitive, "is-managed") or f"hxm manage {word}"
    return LookedAway(f"{domain.name} is unmanaged", end, "unmanaged")


def not_in_standby(cluster: Cluster, node: Node) -> Iterator[Objection]:
    """A node that is kept from running domUs by something else than standby."""
    for_good = is_true(cluster.node_attributes.get(node.name, {}).get("standby", ""))
    if not node.standby and not for_good:
        what = f"{node.name} is not in standby: it is {node.predicament}"
        yield Objection(what, "hxm nodes" if node.usable else node_remedy(cluster, node))


def failed(cluster: Cluster) -> Iterator[Objection]:
    """A failure that the cluster remembers: it could be mistaken for a consequence of the order."""
    for failure in cluster.failures:
        yield Objection(
            f"{failure.operation} of {failure.resource} failed on {failure.node}: {failure.reason}",
            f"first: {cleanup_of(cluster, failure)}",
            lifted_by=FORCE,
        )


def target(cluster: Cluster, node: Node) -> Iterator[Objection]:
    """A node that the scheduler would not place anything on."""
    if not node.usable:
        what = f"{node.name} cannot take a domU: it is {node.predicament}"
        yield Objection(what, node_remedy(cluster, node))
    for objection in no_host(node):
        yield objection._replace(do="name a host: hxm nodes")


def no_host(node: Node) -> Iterator[Objection]:
    """A node inside a domU or a container, where the scheduler may place domUs all the same."""
    if node.kind == "guest":
        what = f"{node.name} is a guest node: it runs inside {node.container}, and takes no domU"
        yield Objection(what)


def into_guests(cluster: Cluster, forecast: Forecast) -> Iterator[Objection]:
    """DomUs that the scheduler would send there because of the plan.

    Not those that are there, nor those that it sends there all the same.
    """
    anyway = {(movement.resource, movement.target) for movement in forecast.anyway}
    for movement in dict.fromkeys(forecast.with_later):
        domain, node = cluster.domain_of(movement.resource), cluster.node(movement.target or "")
        if not domain or not node or node.name in domain.nodes:
            continue
        for objection in () if (movement.resource, node.name) in anyway else no_host(node):
            what = f"{name_of(cluster, movement)} would {phrase(movement)}; {objection.what}"
            yield Objection(what, keep_off_guest(cluster, [movement.resource], movement.target))


def keep_off_guest(cluster: Cluster, resources: Iterable[str], node: str | None) -> str:
    """What keeps them away from it for good."""
    return " && ".join(cluster.advice("keep-off", resource=one, node=node) for one in resources)


def last_usable(cluster: Cluster, leaving: Node) -> Iterator[Objection]:
    """Nothing that runs would have a place."""
    if not any(node.usable for node in cluster.hosts if node.name != leaving.name):
        yield Objection(
            f"{leaving.name} is the last usable node: everything would stop",
            f"first: {first_node_remedy(cluster, leaving.name)}",
            lifted_by=FORCE,
        )


def all_of_them(domains: Sequence[Domain], everything: bool, change: str) -> Iterator[Objection]:
    """`-a` is quickly typed; and somebody may keep a stopped domU stopped for a reason."""
    if everything:
        which = "running" if change == "stop" else "stopped"
        yield Objection(
            f"all {len(domains)} {which} domUs of the cluster would {change}: {called(domains)}",
            "use --yes to do it anyway",
            lifted_by=YES,
        )


def by_pattern(cluster: Cluster, words: Sequence[str]) -> Iterator[Objection]:
    """What a pattern means is shown before anything is done."""
    for word in words:
        if is_pattern(cluster, word):
            domains = matching(cluster, word)
            yield Objection(
                f"{word} means {len(domains)} domU{'s'[len(domains) == 1 :]}: {called(domains)}",
                "use --yes to do it anyway",
                lifted_by=YES,
            )


def foreseen(cluster: Cluster, plan: Plan, forecast: Forecast) -> Iterator[Objection]:
    """What the scheduler would do beyond the order: stops, restarts, domUs without a place."""
    for phase, movements in zip(plan.phases, forecast.phases, strict=True):
        for movement in movements:
            if phase.leaves == movement.resource:
                yield Objection(f"{name_of(cluster, movement)} would {phrase(movement)}", NOT_MEANT)
    if not forecast.simulated:
        yield Objection(
            f"not simulated: {forecast.unknown}: nothing tells what else would move",
            "use --yes to do it anyway",
            lifted_by=YES,
        )
        return
    yield from into_guests(cluster, forecast)
    if plan.drains:
        # a drill takes the node back: how it was drained is seen before that
        first = after_all(cluster, forecast.phases[:1])
        drained = first if plan.is_drill else forecast.after
        yield from _without_a_place(cluster, plan.drains, drained)
        yield from _staying(plan.drains, drained)
    together: dict[tuple[str, str], list[str]] = {}
    for movement in dict.fromkeys(forecast.movements):
        if (
            concerns(cluster, movement)
            and not plan.means(movement)
            and not ends_a_migration(cluster, movement, forecast.after)
        ):
            domain, do = cluster.domain_of(movement.resource), "use --yes to do it anyway"
            what = f"would {phrase(movement)}{_why_not_live(cluster, movement)}"
            if movement.kind == "stop" and domain and domain.told_to_stop:
                what += f": its target-role is {domain.target_role}"
                do = f"to let it run, first: hxm start {typed(domain)} --force --yes; {do}"
            together.setdefault((what, do), []).append(name_of(cluster, movement))
    for (what, do), names in together.items():
        yield Objection(f"{listed(names, len(names))} {what}", do, lifted_by=YES)


NOT_MEANT = "it is to stay as it is: hxm status shows what is against its place"


def concerns(cluster: Cluster, movement: Movement) -> bool:
    """Clones, fencing devices and guest nodes come and go with a node; the rest is a service.

    So is what the configuration does not have: it was removed, or it is about to be added.
    """
    node = cluster.node(movement.resource)
    if node and node.kind == "guest":  # the connection to it, which moves with its domU
        return False
    primitive = cluster.primitives.get(movement.resource)
    if movement.kind == "fence" or not primitive:
        return True
    return not primitive.clone and not primitive.agent.startswith("stonith:")


def _without_a_place(cluster: Cluster, node: str, drained: Cluster) -> Iterator[Objection]:
    after = {domain: drained.domain_of(domain.resource) for domain in cluster.managed_domains}
    stopped = [
        domain
        for domain, then in after.items()
        if node in domain.nodes and then and not then.running
    ]
    if stopped:
        yield Objection(
            f"{listed([d.name for d in stopped], len(stopped))} would have no place and stop",
            f"hxm why {typed(stopped[0])}; --force drains {node} all the same",
            lifted_by=FORCE,
        )


def _staying(node: str, drained: Cluster) -> Iterator[Objection]:
    there = {resource.id for resource in drained.resources if node in resource.nodes}
    if there:
        yield Objection(
            f"{listed(sorted(there))} would stay on {node}",
            "unmanaged, in maintenance or blocked: hxm status; --force drains what moves",
            lifted_by=FORCE,
        )


def _why_not_live(cluster: Cluster, movement: Movement) -> str:
    domain = cluster.domain_of(movement.resource)
    if movement.kind == "move" and domain and not domain.live:
        primitive = cluster.primitives.get(movement.resource)
        value = primitive.meta.get("allow-migrate") if primitive else None
        return f" (allow-migrate is {'not set' if value is None else value})"
    return ""
