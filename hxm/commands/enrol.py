"""hxm enrol: put a domU under cluster management without a restart."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from math import ceil
from typing import TYPE_CHECKING

from hxm.audit.gather import AUTOS, autostarted
from hxm.audit.survey import read_readiness
from hxm.cluster import capacity, claims
from hxm.cluster.read import local_toolstack, other_toolstack, read_cluster, with_other_nodes
from hxm.commands.withdraw import removal_steps
from hxm.config import Config
from hxm.domu.config_file import Value, XmFileError, candidate_files, parse_xmfile, read_text
from hxm.domu.settings import cannot_boot, domain_name, is_pv, memory_mib, preserved, slips, vcpus
from hxm.errors import NotFound, Refused, UsageError
from hxm.host import files
from hxm.model import Cluster, Domain
from hxm.orders import pipeline
from hxm.orders.instances import instance_of
from hxm.orders.simulate import apply_to_copy, new_complaints
from hxm.pacemaker import enrolment_xml
from hxm.pacemaker.simulate import carries_out, scratch, simulator
from hxm.pacemaker.times import seconds
from hxm.pacemaker.utilization import utilization_in
from hxm.pacemaker.verify import read_actions
from hxm.plan import Decision, Objection
from hxm.policy import IN_PASSING, called, half_way, listed, timings
from hxm.policy.audit.nodes import BootLink
from hxm.policy.guards import FORCE
from hxm.policy.guards.conflicts import Claim
from hxm.policy.names import shown, surely_unmanaged
from hxm.policy.orders import enrol, readiness
from hxm.toolstack.host_facts import HostFacts, read_facts
from hxm.toolstack.remote import ask_elsewhere

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from hxm.arguments.options import Like, OneFile, Order

AGENT = "ocf:heartbeat:Xen"
_OWN = ("name", "xmfile", "config", "allow_mem_management")
"""Parameters that a new domU never takes over; the last would rewrite its file."""


def run(order: Order, file: OneFile, like: Like = None) -> int:
    """Put a domU under cluster management, without a restart if it runs.

    Its file must be the same on every node, and no other domU may use its name, uuid, MAC addresses
    or disks. hxm loads it with its constraints in one change, unmanaged. When every node has probed
    it, and its monitor has found it healthy where it runs, hxm hands it over. If it runs nowhere,
    the cluster then starts it. If anything fails on the way, hxm rolls everything back; if hxm is
    killed, use `hxm withdraw`. If at the end a node does not say whether the domU runs on as
    before, hxm reports that and rolls nothing back. No node may start the domU at boot. The
    toolstack of every node is asked whether it would start the file. hxm warns of missing disks,
    and asks if no node has all of them.

    Order, ping rule, parameters and meta options are those that all domUs of the cluster have in
    common, or with --like those of one domU. Each timing is the longest of the agent's advice, the
    other domUs' value, and what the domU's memory takes to move; /etc/hxm.toml can set others.
    --dry-run shows the XML in full.

    Example: `hxm enrol /etc/xen/vm/web.xm --like nfs --dry-run`.
    """
    return pipeline.carry_out(order, lambda cluster: _decide(cluster, file, like, order.config))


class _File:
    """A domU's configuration file as it stands on this host."""

    def __init__(self, word: str) -> None:
        typed = next((path for path in candidate_files(word) if files.lexists(path)), "")
        self.path = os.path.abspath(typed)
        if not typed:
            raise NotFound(f"file not found: {shown(word)}", "enrol takes a configuration file")
        try:
            self.text = read_text(typed)
            self.settings: Mapping[str, Value] = parse_xmfile(self.text, typed)
        except XmFileError as error:
            raise Refused(error.message, error.hint or _UNTOUCHED) from None
        self.name = domain_name(self.settings) or ""
        for lacks, what in ((not self.name, "name"), (not self.memory, "memory")):
            if lacks:
                raise Refused(f"{typed} has no {what}", _UNTOUCHED)

    @property
    def memory(self) -> int | None:
        return memory_mib(self.settings)

    def faults(self, nodes: Sequence[str], config: Config) -> Iterator[tuple[str, str]]:
        """The nodes whose copy of the file differs or cannot be read, and why."""
        own = self.text.encode("utf-8", "surrogateescape")
        words = ("cat", "--", self.path)
        for node, copy in ask_elsewhere(words, nodes, config.ssh_timeout, bytes).items():
            if isinstance(copy, str):
                yield node, f"cannot be read ({copy.rpartition(': ')[2]})"
            elif copy != own:
                yield node, "differs from this host's"


_UNTOUCHED = "correct the file; the cluster is unchanged"


def _decide(cluster: Cluster, word: str, like: str | None, config: Config) -> Decision:
    file = _File(word)
    known = enrol.already(cluster, file.name, file.path)
    if isinstance(known, Objection):
        raise known.error()
    if known:
        return known
    surely_unmanaged(cluster, [file.name])
    neighbours = _Neighbours(cluster, like or config.enrol_like, config)
    cluster = with_other_nodes(cluster, config)
    asked = [
        node.name
        for node in cluster.hosts
        if node.name not in (cluster.local_node, *cluster.unreachable) and not cluster.sandbox
    ]
    new = enrol.newcomer(
        cluster,
        file.name,
        enrolment_xml.ncname(file.name),
        file.path,
        dict(file.faults(asked, config)),
        file.memory,
    )._replace(
        slips=tuple(slips(file.settings)),
        preserved=preserved(file.settings),
        pv=is_pv(file.settings),
        cannot_boot=cannot_boot(file.settings),
    )
    steps = _steps(new, neighbours, file)
    mine = claims.claim(file.name, file.settings, new.resource)
    theirs = list(claims.all_claims(cluster, config))
    objections = [
        *enrol.against(cluster, new, mine, theirs, config.ignore.split()),
        *neighbours.objections,
    ]
    by_node = _readiness(mine, file.path, cluster, asked, config)
    objections += [*readiness.started_at_boot(new, by_node), *readiness.refused(new, by_node)]
    objections += enrol.complained(new_complaints(cluster, (steps.load,), config))
    objections += _without_room(cluster, new, steps, neighbours.cib, config)
    notes = [*neighbours.notes, *enrol.staggering(cluster, new, neighbours.domains)]
    lacking = {
        node: answer.lacking
        for node, answer in by_node.items()
        if cluster.node(node) and not isinstance(answer, str)
    }
    objections += readiness.without_disks(new, lacking)
    nothing = [] if mine.disks else [f"{file.path} names no disk"]
    warnings = [*nothing, *readiness.disk_warnings(lacking), *readiness.file_warnings(new, by_node)]
    plan = enrol.enrol(cluster, new, steps, objections, notes, warnings)
    return plan._replace(same_instance=instance_of(cluster, Domain(file.name)))


def _steps(new: enrol.Newcomer, neighbours: _Neighbours, file: _File) -> enrol.EnrolmentSteps:
    spec = neighbours.spec(new, file.settings)
    place = new.places[0] if new.places else ""
    load = enrolment_xml.load_step(new.name, spec, neighbours.bound, neighbours.cib, place)
    domain = Domain(new.name, new.resource)
    return enrol.EnrolmentSteps(
        load,
        enrolment_xml.hand_over_step(new.name, new.resource),
        removal_steps(domain, enrolment_xml.loaded_constraints(load), neighbours.cib),
    )


def _without_room(
    cluster: Cluster, new: enrol.Newcomer, steps: enrol.EnrolmentSteps, cib: Element, config: Config
) -> Iterator[Objection]:
    """Objections for each node whose loss would leave too little memory, as far as it is known."""
    if not carries_out(simulator()):
        return
    with scratch(cluster.sandbox, config.ask_timeout) as copy:
        for step in (steps.load, steps.hand_over):
            apply_to_copy(cluster, (step,), copy)
            copy.settle()
        then = read_cluster(config, copy.env, local=False)._replace(sandbox=copy.path)
        needs = capacity.read_needs(then)
        taken = needs[new.resource].taken or 0
        domain = then.domain_of(new.resource)
        places = domain.nodes if domain and not new.places else ()
        names = [node.name for node in cluster.hosts if node.usable]
        hosts = [
            host._replace(free=host.free - taken)
            if host.free is not None and host.name in places
            else host
            for host in capacity.read_hosts(cluster, config, needs, cib, names)
        ]
        if all(host.free is None for host in hosts):
            return
        for loss in capacity.after_losses(then, names, hosts, needs):
            lost = [domain for domain in loss.nowhere if domain.running]
            if loss.quorate and lost:
                yield Objection(
                    f"without {loss.node}, {called(lost)} would have no place or no memory",
                    "to see the memory: hxm capacity; --force enrols it anyway",
                    lifted_by=FORCE,
                )


class _Neighbours:
    """The domUs whose settings the new one takes over: one, or what all have in common."""

    def __init__(self, cluster: Cluster, like: str, config: Config) -> None:
        if like:
            self.domains = pipeline.managed_only(cluster, [like])
        else:
            self.domains = [
                domain
                for domain in cluster.managed_domains
                if not cluster.primitives[domain.resource].clone
                and not list(half_way(cluster, [domain]))
            ]
        self.primitives = [cluster.primitives[domain.resource] for domain in self.domains]
        self.config = config
        self.cib = capacity.read_cib(config)
        self.notes: list[str] = []
        self.objections: list[Objection] = []
        agents = sorted({primitive.agent for primitive in self.primitives}) or [AGENT]
        if len(agents) > 1 or not agents[0].endswith(":Xen"):
            raise Refused(
                f"the agent of {self._called()} is {listed(agents)}",
                "name a domU of the agent Xen: --like DOMAIN",
            )
        self.agent = agents[0]
        self.bound = self._rules(cluster, alone=bool(like))

    def _called(self) -> str:
        return listed([domain.name for domain in self.domains], 4)

    def _rules(self, cluster: Cluster, *, alone: bool) -> list[enrolment_xml.Bound]:
        """The constraints that bind each of them. Raises Refused if they do not agree."""
        if not self.domains:
            self.notes.append("there is no other domU to copy order and ping rule from")
            return []
        own = [
            list(enrolment_xml.binding(self.cib, cluster.ids_of(domain))) for domain in self.domains
        ]
        everyone = {name for domain in self.domains for name in cluster.ids_of(domain)}
        if indirect := enrolment_xml.indirect(self.cib, everyone):
            self.objections.append(
                Objection(
                    f"{listed(indirect)} names domUs in a set, to which hxm does not add",
                    "add the domU to the set with cibadmin; --force enrols it without",
                    lifted_by=FORCE,
                )
            )
        if alone:
            return own[0]
        shapes = [{bound.shape for bound in constraints} for constraints in own]
        common = set.intersection(*shapes)
        for bound in chain.from_iterable(own):
            lacking = [
                domain.name
                for domain, domains_shapes in zip(self.domains, shapes, strict=True)
                if bound.shape not in domains_shapes
            ]
            if lacking and not bound.of_a_node:
                raise Refused(
                    f"the domUs differ: {bound.element.get('id')} binds {bound.owner}, and "
                    f"{listed(lacking, 3)} has no such constraint",
                    "name the domU whose constraints to copy: --like DOMAIN",
                )
        return [bound for bound in own[0] if bound.shape in common]

    def spec(self, new: enrol.Newcomer, settings: Mapping[str, Value]) -> enrolment_xml.Spec:
        """The configuration of the new domU."""
        params = enrol.shared([primitive.params for primitive in self.primitives])
        params = {key: value for key, value in params.items() if key not in _OWN}
        meta = enrol.shared([primitive.own_meta for primitive in self.primitives])
        own = {key: value for key, value in meta.items() if key not in IN_PASSING}
        asked = utilization_in(self.cib).resources
        used = enrol.shared(
            [
                enrol.needs(asked.get(primitive.id, {}), new.memory, vcpus(settings))
                for primitive in self.primitives
            ]
        )
        shutdown = params.get("shutdown_timeout", "")
        operations = timings.timings(
            [
                timings.Timed(
                    operation.get("name", ""),
                    seconds(operation.get("interval", "")) or 0,
                    seconds(operation.get("timeout", "")) or 0,
                )
                for primitive in self.primitives
                for operation in primitive.operations
            ],
            read_actions([self.agent]).get(self.agent, {}),
            _wanted(self.config),
            memory=new.memory,
            shutdown_timeout=int(shutdown) if shutdown.isdigit() else None,
        )
        return enrolment_xml.Spec(
            new.resource,
            self.agent,
            {"xmfile": new.path, "name": new.name} | params,
            {"allow-migrate": "true"} | own,
            operations,
            used,
        )


def _wanted(config: Config) -> dict[str, int]:
    """The timings set in /etc/hxm.toml. Raises UsageError for an invalid one."""
    wanted = {}
    for word in config.enrol_operations.split():
        name, _, value = word.partition("=")
        given = seconds(value)
        if name not in (*timings.ADVICE, "interval") or not given:
            raise UsageError(
                f"/etc/hxm.toml: enrol_operations: {word!r} is not a timing",
                f"NAME=SECONDS, of {', '.join((*timings.ADVICE, 'interval'))}",
            )
        wanted[name] = ceil(given)
    return wanted


def _readiness(
    mine: Claim, path: str, cluster: Cluster, nodes: Sequence[str], config: Config
) -> dict[str, readiness.Readiness | str]:
    """What this host and each of the nodes has for the domU, or why that is unknown.

    Boot links and disks of this host are not those of a sandbox.
    """
    disks = [disk.path for disk in mine.disks if disk.path]
    links: list[BootLink] = []
    lacking: list[str] = []
    if not cluster.sandbox:
        links = [BootLink(link, files.realpath(link), (name,)) for link, name in autostarted()]
        lacking = [disk for disk in disks if not files.exists(disk)]
    toolstack = local_toolstack(config, cluster.sandbox)
    facts = HostFacts()
    if toolstack:
        facts = read_facts(toolstack.program, [path], config.ask_timeout)
    refusal = facts.refusals.get(path, "")
    own = readiness.Readiness(tuple(links), tuple(lacking), refusal, facts.moves_pv_live)
    program = other_toolstack(cluster, config)
    others = read_readiness(program, nodes, AUTOS, path, disks, config.ssh_timeout)
    return {cluster.local_node or "this host": own} | others
