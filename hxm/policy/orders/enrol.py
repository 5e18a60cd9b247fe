"""Enrol and withdraw: a domU comes under the cluster, or leaves it, and runs all the while."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from hxm.model import Cluster, Domain, ManagedDomain
from hxm.plan import AlreadyDone, Decision, Goal, Objection, Phase, Plan, Step
from hxm.policy import guards, half_way, is_false, listed, typed
from hxm.policy.guards import FORCE, YES
from hxm.policy.guards.conflicts import DISK, MAC, REMEDIES, Claim, between, is_intended
from hxm.policy.names import at_home, travelling
from hxm.policy.state.node_remedy import node_remedy
from hxm.policy.state.running_twice import on_two_nodes
from hxm.policy.steps import meta_step

_MANY = 4
"""DomUs that may start or move on a host at once before it is worth a word."""


class Newcomer(NamedTuple):
    """A domU that is to come under the cluster."""

    name: str
    resource: str
    path: str
    places: tuple[str, ...]
    """The nodes where it runs already."""
    memory: int | None
    faults: Mapping[str, str]
    """The nodes where its file is not there as it is here, and why."""
    unknown: Mapping[str, str]
    """The nodes that could not be asked, and why."""
    slips: tuple[str, ...] = ()
    """What in its file looks like a slip of the finger."""
    preserved: tuple[str, ...] = ()
    """The settings in its file that keep it when it has ended."""
    pv: bool = False
    cannot_boot: bool = False
    """Whether its file names neither a kernel nor a bootloader, and it needs one."""


class EnrolmentSteps(NamedTuple):
    """The steps that put a domU under the cluster, and those that take it out again."""

    load: Step
    hand_over: Step
    out: RemovalSteps


class RemovalSteps(NamedTuple):
    """The steps that take a domU out of the cluster."""

    hide: Step
    forget: Step
    delete: Step


def shared(of_each: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What all of these mappings say alike."""
    first, *others = of_each or [{}]
    return {
        key: value
        for key, value in first.items()
        if all(other.get(key) == value for other in others)
    }


def needs(theirs: Mapping[str, str], memory: int | None, vcpus: int | None) -> dict[str, str]:
    """What the domU takes of its node where a neighbour says what that one takes."""
    own = {"hv_memory": memory, "memory": memory, "cpu": vcpus, "vcpus": vcpus}
    return {key: str(own.get(key) or value) for key, value in theirs.items()}


def places(cluster: Cluster, name: str) -> tuple[Domain, ...]:
    """The rows of the toolstacks, of all nodes that were asked, that are this domU and run."""
    return tuple(
        domain
        for domain in cluster.domains
        if not domain.resource and at_home(domain.name) == name and domain.has_instance
    )


def newcomer(
    cluster: Cluster,
    name: str,
    resource: str,
    path: str,
    faults: Mapping[str, str],
    memory: int | None,
) -> Newcomer:
    """The domU and where it runs."""
    runs_on = tuple(node for row in places(cluster, name) for node in row.nodes)
    return Newcomer(name, resource, path, runs_on, memory, faults, cluster.unreachable)


def against(
    cluster: Cluster, new: Newcomer, mine: Claim, others: Sequence[Claim], ignored: Collection[str]
) -> list[Objection]:
    """All that stands against enrolling it, seen before anything of it is in the cluster."""
    return [
        *guards.whole_cluster(cluster),
        *_whole_maintenance(cluster),
        *_where_it_runs(cluster, new),
        *_files(new),
        *_clashing(new, mine, others, ignored),
        *_cannot_boot(new),
        *(
            Objection(
                f"{new.path}: {slip}",
                "correct the file; --force takes it as it is",
                lifted_by=FORCE,
            )
            for slip in new.slips
        ),
        *(
            Objection(
                f"{node} cannot be asked: {why}; the domU may run or be started there",
                "bring the node back; --force relies on the cluster's own look",
                lifted_by=FORCE,
            )
            for node, why in new.unknown.items()
        ),
    ]


def _cannot_boot(new: Newcomer) -> Iterator[Objection]:
    if new.cannot_boot:
        yield Objection(
            f"{new.path} names neither kernel nor bootloader: {new.name} could not start",
            "correct the file; --force takes it as it is",
            lifted_by=FORCE,
        )


def _whole_maintenance(cluster: Cluster) -> Iterator[Objection]:
    if cluster.maintenance:
        yield Objection(
            "the whole cluster is in maintenance: its monitors see nothing", "hxm maintenance off"
        )


def _where_it_runs(cluster: Cluster, new: Newcomer) -> Iterator[Objection]:
    if any(not row.nodes for row in places(cluster, new.name)):
        yield Objection(
            f"{new.name} runs on this host, which is no node of the cluster",
            "stop it there, or move it to a node: xl migrate",
        )
    if len(new.places) > 1:
        yield Objection(
            f"{new.name} runs on {listed(new.places)} at once",
            f"end all but one at once, on its host: xl destroy {new.name}",
        )
    if any(travelling(row) for row in places(cluster, new.name)):
        yield Objection(f"{new.name} is being migrated at this moment", "wait for its end: xl list")
    for host in new.places:
        node = cluster.node(host)
        if node and not node.usable:
            yield Objection(
                f"{new.name} runs on {host}, which is {node.predicament}: the cluster would move "
                "or stop it",
                f"move it by hand first, or: {node_remedy(cluster, node)}",
            )


def _files(new: Newcomer) -> Iterator[Objection]:
    for node, why in new.faults.items():
        what = f"{new.path} {why} on {node}"
        do = f"every node must be able to start it: copy the file to {node}"
        if node in new.places:
            yield Objection(f"{what}, where it runs", do)
        elif "differs" in why:
            yield Objection(what, do)
        else:
            yield Objection(what, f"{do}; --force goes on without that node", lifted_by=FORCE)


def complained(complaints: Iterable[str]) -> Iterator[Objection]:
    """What crm_verify says of the configuration with the domU in it."""
    for complaint in complaints:
        yield Objection(
            f"crm_verify would complain: {complaint}",
            "it is about what is taken over from the neighbours: --like DOMAIN takes it from one, "
            "enrol_operations in /etc/hxm.toml sets the timings",
        )


def _clashing(
    new: Newcomer, mine: Claim, others: Sequence[Claim], ignored: Collection[str]
) -> Iterator[Objection]:
    if mine.fault:
        yield Objection(mine.fault, "correct the file: xl.cfg(5)")
    for other in others:
        if other.name == new.name and not other.resource:
            continue
        for clash in between(mine, other):
            if clash.kind == DISK and is_intended(mine, other, ignored):
                continue
            hint = REMEDIES[clash.kind]
            if clash.kind == MAC:
                yield Objection(clash.what, f"{hint}; --force enrols it anyway", lifted_by=FORCE)
            else:
                yield Objection(clash.what, hint)
        if other.fault and other.name not in new.unknown:
            hint = "correct that file; --force enrols it without that comparison"
            yield Objection(other.fault, hint, lifted_by=FORCE)


def enrol(
    cluster: Cluster,
    new: Newcomer,
    steps: EnrolmentSteps,
    objections: Sequence[Objection],
    notes: Sequence[str],
    warnings: Sequence[str],
) -> Plan:
    """Load it unmanaged, see every node find it where it is, and hand it over without a restart."""
    rid = new.resource
    node = new.places[0] if new.places else None
    seen = Goal("healthy", rid, node) if node else Goal("absent", rid)
    done = f"the cluster manages {new.name}"
    if node:
        done += f", which ran on {node} all the while"
    domain = Domain(new.name, rid, new.path)
    return Plan(
        "enrol",
        f"enrol {new.name}",
        (rid,),
        (
            Phase((steps.load,), (seen,), leaves=rid),
            Phase(
                (steps.hand_over,),
                (Goal("managed", rid), Goal("running", rid, node)),
                leaves=rid if node else None,
            ),
        ),
        frozenset() if node else frozenset({"start"}),
        tuple(objections),
        (*guards.warnings(cluster), *warnings),
        rollback_phases=_out(domain, steps.out),
        done=done,
        notes=tuple(notes),
        undo=f"hxm withdraw {typed(domain)}",
    )


def _out(domain: ManagedDomain, out: RemovalSteps, *, unmanage: bool = True) -> tuple[Phase, ...]:
    rid = domain.resource
    steps = (meta_step(domain, "is-managed", "false"),) if unmanage else ()
    return (
        Phase(steps, (Goal("unmanaged", rid), Goal("idle", rid)), leaves=rid),
        Phase((out.hide, out.forget), (Goal("unwatched", rid),), leaves=rid),
        Phase((out.delete,), (Goal("withdrawn", rid),), leaves=rid),
    )


def withdraw(
    cluster: Cluster,
    domain: ManagedDomain,
    out: RemovalSteps,
    indirect: Sequence[str],
    others: Sequence[tuple[str, str]],
) -> Plan:
    """Unmanage it, let every node forget it, and only then take it out: it runs all the while.

    `indirect` are the sets and tags that name it, `others` the constraints by which it binds
    others, and whom.
    """
    primitive = cluster.primitives[domain.resource]
    objections = [
        *guards.whole_cluster(cluster),
        *guards.in_flight(cluster, [domain]),
        *on_two_nodes(cluster, [domain]),
    ]
    if within := primitive.parent or primitive.clone:
        objections.append(
            Objection(
                f"{domain.name} is in {within}, which hxm does not take apart",
                "take it out of there first, while it is unmanaged",
            )
        )
    if indirect:
        objections.append(
            Objection(
                f"{listed(indirect)} names {domain.name} among others, which hxm does not change",
                f"take {domain.resource} out of there first",
            )
        )
    bound = dict.fromkeys(whom for _, whom in others)
    if others:
        objections.append(
            Objection(
                f"{listed([*bound])} would lose {listed([name for name, _ in others])}",
                "--yes takes it away anyway",
                lifted_by=YES,
            )
        )
    where = f"on {listed(domain.nodes)}" if domain.running else ""
    managed = primitive.own_meta.get("is-managed", "")  # which counts again after a maintenance
    return Plan(
        "withdraw",
        f"withdraw {domain.name}",
        (domain.resource,),
        _out(domain, out, unmanage=domain.managed or not is_false(managed)),
        frozenset(),
        tuple(objections),
        guards.warnings(cluster),
        done=f"{domain.name} is out of the cluster"
        + (f", and still runs {where}" if where else ""),
        resume_command=f"hxm withdraw {typed(domain)}",
    )


def already(cluster: Cluster, name: str, path: str) -> Decision | Objection | None:
    """What there is to say of a domU that the cluster has, or nothing."""
    for domain in cluster.managed_domains:
        if name in (domain.name, domain.resource, *domain.also) or domain.xmfile == path:
            if halfway := next(half_way(cluster, [domain]), None):
                return halfway
            if domain.name == name and domain.xmfile == path:
                return AlreadyDone(f"the cluster has {name} already: resource {domain.resource}")
            return Objection(
                f"the resource {domain.resource} is {domain.name}, by {domain.xmfile or 'no file'}",
                "two resources for one domU start it twice: hxm list",
            )
    return None


def staggering(cluster: Cluster, new: Newcomer, like: Sequence[ManagedDomain]) -> Iterator[str]:
    """What there is to say of many domUs that start or move at once; nothing of it is set."""
    delays = {
        domain.name: delay
        for domain in like
        for operation in cluster.primitives[domain.resource].operations
        if (delay := operation.get("start-delay"))
    }
    limits = {
        name: cluster.properties[name]
        for name in ("migration-limit", "batch-limit")
        if cluster.properties.get(name, "-1") not in ("-1", "0")
    }
    if delays:
        waits = listed([f"{name} waits {delay}" for name, delay in delays.items()], 3)
        yield (
            f"{waits} before every action (start-delay), {new.name} does not: with many domUs that "
            "adds up to minutes"
        )
    hosts = max(1, len(cluster.hosts) - 1)
    many = (len(cluster.managed_domains) + 1) / hosts > _MANY
    if (delays or many) and not limits:
        yield (
            "so that they do not all start or move at once, rather set: "
            "migration-limit=2 (moves of a node at once) and batch-limit=8 (all actions at once)"
        )
