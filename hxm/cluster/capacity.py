"""Reads the memory of hosts and domUs, and computes whether all fit if a node is lost.

The cluster's scheduler computes where the domUs would go, on a copy of the CIB; hxm adds up the
memory there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from xml.etree.ElementTree import Element

from hxm.cluster.read import askable, local_toolstack
from hxm.config import Config
from hxm.domu.config_file import XmFileError, parse_xmfile, read_text
from hxm.domu.libvirt_xml import memory_and_vcpus
from hxm.domu.settings import memory_mib, positive, vcpus
from hxm.errors import CannotAsk
from hxm.host import programs
from hxm.model import Cluster, ManagedDomain
from hxm.pacemaker.changed_cib import make
from hxm.pacemaker.cib import read_configuration
from hxm.pacemaker.lose_node import forbid, lose
from hxm.pacemaker.parallel import at_once, side_by_side
from hxm.pacemaker.simulate import scratch
from hxm.pacemaker.utilization import utilization_in
from hxm.plan import Objection
from hxm.policy.forecast import after_all, movements
from hxm.policy.guards.quorum import quorum_without
from hxm.policy.memory import (
    ATTRIBUTES,
    Arrivals,
    Host,
    Loss,
    Need,
    Needs,
    Refusal,
    arrivals,
    wanted,
    without_room,
)
from hxm.policy.reasons.facts import Change
from hxm.policy.state import fencing
from hxm.toolstack.memory import INFO, Info, parse_info
from hxm.toolstack.remote import ask_elsewhere
from hxm.xml_reading import parse_xml

_NOT_IN_CIB = "no hv_memory in the CIB"
_NOT_ASKED = f"not asked (--everywhere), and {_NOT_IN_CIB}"
_ELASTIC = "dom0 has no fixed memory (dom0_mem): how much it would give to domUs is unknown"


def read_cib(config: Config) -> Element:
    """The whole CIB. Raises CannotAsk if the cluster does not answer."""
    cib = read_configuration(timeout=config.ask_timeout, whole=True).cib
    if cib is None:
        raise CannotAsk("the CIB was not read as a whole")
    return cib


# The hosts


def read_hosts(
    cluster: Cluster,
    config: Config,
    needs: Needs,
    cib: Element,
    ask: Collection[str],
    *,
    local: bool = True,
) -> tuple[Host, ...]:
    """The memory of each node: from its toolstack if that is asked, otherwise from the CIB.

    Asks this host unless `local` is false; of the others, those in `ask`. Memory that a node does
    not report stays unknown. Takes ask_timeout and ssh_timeout seconds at most.
    """
    answers = _ask_toolstacks(cluster, config, ask, local=local)
    offered = utilization_in(cib).nodes
    hosts = []
    for node in cluster.hosts:
        silent = _NOT_IN_CIB if cluster.sandbox else _NOT_ASKED
        answer = answers.get(node.name, silent if node.usable else f"it is {node.predicament}")
        if isinstance(answer, Info) and not answer.elastic:
            hosts.append(_by_toolstack(cluster, node.name, answer))
            continue
        if isinstance(answer, Info):
            answer = _ELASTIC
        attributes = {**cluster.node_attributes.get(node.name, {}), **offered.get(node.name, {})}
        hosts.append(_by_attribute(cluster, node.name, attributes, needs, answer))
    return tuple(hosts)


def known_hosts(cluster: Cluster, config: Config, needs: Needs) -> tuple[Host, ...]:
    """The memory of the nodes as a plan knows it; asks other hosts only if ask_nodes is set."""
    configuration = parse_xml(cluster.written) if cluster.written else Element("configuration")
    ask = [node.name for node in cluster.nodes] if config.ask_nodes else ()
    return read_hosts(cluster, config, needs, configuration, ask)


def _ask_toolstacks(
    cluster: Cluster, config: Config, ask: Collection[str], *, local: bool
) -> dict[str, Info | str]:
    """The answer of each toolstack, or why there is none."""
    answers: dict[str, Info | str] = {}
    toolstack = local_toolstack(config, cluster.sandbox) if local else None
    here = cluster.local_node
    if toolstack and here:
        try:
            result = programs.output((toolstack.program, INFO), timeout=config.ask_timeout)
            answers[here] = parse_info(result.stdout) if result.status == 0 else result.complaint()
        except CannotAsk as error:
            answers[here] = error.message
    if cluster.sandbox or not ask:
        return answers
    program, there, _ = askable(cluster, config)
    asked = [name for name in there if name in ask]
    return answers | ask_elsewhere((program, INFO), asked, config.ssh_timeout, parse_info)


def _by_toolstack(cluster: Cluster, node: str, info: Info) -> Host:
    dom0 = next((d.memory for d in cluster.domains if d.id == 0 and node in d.nodes), None)
    return Host(node, info.free, info.total, dom0, "info")


def _by_attribute(
    cluster: Cluster, node: str, attributes: Mapping[str, str], needs: Needs, why: str
) -> Host:
    """The memory for domUs by a node attribute in the CIB, less what the managed domUs take."""
    name = next((name for name in ATTRIBUTES if attributes.get(name, "").isdecimal()), None)
    if name is None:
        return Host(node, why=why)
    here = [needs[domain.resource] for domain in cluster.managed_domains if node in domain.nodes]
    unknown = next((need.domain.name for need in here if need.taken is None), None)
    if unknown is not None:
        return Host(node, source=name, why=f"{unknown} runs there, and its memory is unknown")
    return Host(node, int(attributes[name]) - sum(need.taken or 0 for need in here), source=name)


# The domUs


def read_needs(cluster: Cluster) -> dict[str, Need]:
    """The memory of every managed domU, by resource: what it has, and what its file asks for."""
    return {domain.resource: _need(domain) for domain in cluster.managed_domains}


def _need(domain: ManagedDomain) -> Need:
    running = domain.memory if domain.id is not None else None
    asked, most, cpus = _in_file(domain.xmfile or "")
    known = [memory for memory in (running, asked) if memory is not None]
    return Need(domain, max(known, default=None), most, cpus or domain.vcpus or 1)


def _in_file(path: str) -> tuple[int | None, int | None, int | None]:
    """Memory, maxmem in MiB and vcpus in a configuration file of xl's, xm's or libvirt's."""
    try:
        text = read_text(path)
        if text.lstrip().startswith("<"):
            return memory_and_vcpus(text)
        settings = parse_xmfile(text, path)
    except XmFileError:
        return None, None, None
    return memory_mib(settings), positive(settings.get("maxmem")), vcpus(settings)


# A plan, and the loss of a node


def objections(cluster: Cluster, states: Sequence[Cluster], config: Config) -> list[Objection]:
    """Objections to forecast states in which the domUs do not fit the known memory of the hosts.

    Asks nothing if no domU comes to another host; asks the other hosts' toolstacks only if
    ask_nodes is set.
    """
    targets = {
        node
        for after in states
        for then in after.managed_domains
        for node in then.nodes
        if not any(node in now.nodes for now in cluster.domains if now.name == then.name)
    }
    if not targets:
        return []
    both = [domain for state in (*states, cluster) for domain in state.managed_domains]
    latest = {domain.resource: domain for domain in both}
    concerned = {domain.resource for domain in both if targets.intersection(domain.nodes)}
    needs = {resource: _need(latest[resource]) for resource in concerned}
    there = cluster._replace(nodes=tuple(node for node in cluster.nodes if node.name in targets))
    hosts = known_hosts(there, config, needs)
    full = [
        objection
        for s in states
        for objection in without_room(arrivals(s, hosts, needs, cluster, s))
    ]
    return list(dict.fromkeys(full))


def after_losses(
    cluster: Cluster, nodes: Sequence[str], hosts: Sequence[Host], needs: Needs
) -> Iterator[Loss]:
    """Where the scheduler would place the domUs without each of the nodes, and which of them fit.

    A domU that does not fit a host fails to start there, and the cluster tries the next host.
    A maintenance of the whole cluster counts as over, else nothing would go anywhere.
    Raises CannotAsk without a scheduler on this host. Uses all cores, as far as memory allows.
    """
    with scratch(cluster.sandbox) as base:
        if cluster.maintenance:
            make(base.path, [Change("property", "maintenance-mode", "false")])

        def after_loss(node: str) -> Loss:
            return _after_loss(cluster, node, hosts, needs, base.path)

        yield from side_by_side(after_loss, nodes, at_once(base.path))


def _after_loss(
    cluster: Cluster, node: str, hosts: Sequence[Host], needs: Needs, cib_file: str
) -> Loss:
    others = [host for host in hosts if host.name != node]
    refused: list[Refusal] = []
    quorate = cluster.quorum and quorum_without(cluster, node)
    with scratch(cib_file) as copy:
        lose(copy.path, node, quorate=quorate)
        while True:
            # one answer says where everything goes, also to ptest
            moves = movements(copy.simulate(execute=False), cluster)
            after = after_all(cluster, [moves])
            places = arrivals(cluster, others, needs, cluster, after)
            new = list(_refusals(places))
            if not new:
                break
            refused += new
            forbid(copy.path, [(refusal.need.domain.resource, refusal.host) for refusal in new])
    runs = {d.resource for d in after.managed_domains if set(d.nodes) - {node}}
    nowhere = [domain for domain in wanted(cluster) if domain.resource not in runs]
    unfenced = fencing.never_starts(cluster, node)
    return Loss(node, places, tuple(refused), tuple(nowhere), quorate, unfenced)


def _refusals(places: Sequence[Arrivals]) -> Iterator[Refusal]:
    """The domUs that do not fit where they would go, nor on other hosts that are as full."""
    for need in (need for place in places for need in place.too_many):
        for place in places:
            full = place.at_most is not None and place.at_most < (need.taken or 0)
            if need in place.too_many or full:
                yield Refusal(need, place.host.name, place.at_most)
