"""The memory of the hosts and of the domUs, and what becomes of it when a node is lost.

Where things would go the cluster's own scheduler says, on a copy of the CIB; whether they fit
there is arithmetic.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from xml.etree.ElementTree import Element

from hxm import programs
from hxm.cluster.read import askable, local_toolstack
from hxm.config import Config
from hxm.domu.config_file import XmFileError, memory_mib, parse_xmfile, positive, read_text, vcpus
from hxm.errors import CannotAsk
from hxm.model import Cluster, Domain
from hxm.pacemaker.cib import read_configuration
from hxm.pacemaker.lose_node import forbid, lose
from hxm.pacemaker.simulate import scratch
from hxm.pacemaker.utilization import utilization_in
from hxm.plan import Objection
from hxm.policy.forecast import after_all, movements
from hxm.policy.guards import quorum_without
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
from hxm.toolstack.memory import INFO, Info, parse_info
from hxm.toolstack.remote import ask_elsewhere

_NOT_IN_CIB = "no hv_memory in the CIB"
_NOT_ASKED = f"not asked (--everywhere), and {_NOT_IN_CIB}"
_ELASTIC = "dom0 is not limited (dom0_mem): it gives memory away, nobody knows how much"


def read_cib(config: Config) -> Element:
    """The whole CIB. Raises CannotAsk if there is no answer."""
    cib = read_configuration(timeout=config.ask_timeout, whole=True).cib
    if cib is None:
        raise CannotAsk("the CIB was not read as a whole")
    return cib


# The hosts


def read_hosts(
    cluster: Cluster, config: Config, needs: Needs, cib: Element, ask: Collection[str]
) -> tuple[Host, ...]:
    """The memory of each node: by its toolstack where that is asked, else by the CIB.

    This host's is asked always, of the others those in `ask`; what a node does not tell is not
    guessed. Takes no longer than ask_timeout and ssh_timeout.
    """
    told = _told(cluster, config, ask)
    offered = utilization_in(cib).nodes
    found = []
    for node in cluster.nodes:
        silent = _NOT_IN_CIB if cluster.sandbox else _NOT_ASKED
        answer = told.get(node.name, silent if node.usable else f"it is {node.predicament}")
        if isinstance(answer, Info) and not answer.elastic:
            found.append(_by_toolstack(cluster, node.name, answer))
            continue
        if isinstance(answer, Info):
            answer = _ELASTIC
        said = {**cluster.node_attributes.get(node.name, {}), **offered.get(node.name, {})}
        found.append(_by_attribute(cluster, node.name, said, needs, answer))
    return tuple(found)


def _told(cluster: Cluster, config: Config, ask: Collection[str]) -> dict[str, Info | str]:
    """The answers of the toolstacks, or why there is none."""
    told: dict[str, Info | str] = {}
    toolstack = local_toolstack(config, cluster.sandbox)
    here = cluster.local_node
    if toolstack and here:
        try:
            result = programs.output((toolstack.program, INFO), timeout=config.ask_timeout)
            told[here] = parse_info(result.stdout) if result.status == 0 else result.complaint()
        except CannotAsk as error:
            told[here] = error.message
    if cluster.sandbox or not ask:
        return told
    program, there, _ = askable(cluster, config)
    asked = [name for name in there if name in ask]
    return told | ask_elsewhere((program, INFO), asked, config.ssh_timeout, parse_info)


def _by_toolstack(cluster: Cluster, node: str, info: Info) -> Host:
    dom0 = next((d.memory for d in cluster.domains if d.id == 0 and node in d.nodes), None)
    return Host(node, info.free, info.total, dom0, "info")


def _by_attribute(
    cluster: Cluster, node: str, said: Mapping[str, str], needs: Needs, why: str
) -> Host:
    """What the CIB says is for domUs, without those that the cluster runs there."""
    name = next((each for each in ATTRIBUTES if said.get(each, "").isdecimal()), None)
    if name is None:
        return Host(node, why=why)
    here = [needs[each.resource or ""] for each in cluster.managed_domains if node in each.nodes]
    unknown = next((each.domain.name for each in here if each.taken is None), None)
    if unknown is not None:
        return Host(node, source=name, why=f"{unknown} runs there, and its memory is unknown")
    return Host(node, int(said[name]) - sum(each.taken or 0 for each in here), source=name)


# The domUs


def read_needs(cluster: Cluster) -> dict[str, Need]:
    """The memory of every managed domU, by its resource: as it runs, and as its file has it."""
    return {each.resource or "": _need(each) for each in cluster.managed_domains}


def _need(domain: Domain) -> Need:
    running = domain.memory if domain.id is not None else None
    asked, most, cpus = _in_file(domain.xmfile or "")
    known = [each for each in (running, asked) if each is not None]
    return Need(domain, max(known, default=None), most, cpus or domain.vcpus or 1)


def _in_file(path: str) -> tuple[int | None, int | None, int | None]:
    """Memory, maxmem in MiB and vcpus in a configuration file of xl's, xm's or libvirt's."""
    try:
        text = read_text(path)
        if text.lstrip().startswith("<"):
            return _in_xml(text)
        settings = parse_xmfile(text, path)
    except XmFileError:
        return None, None, None
    return memory_mib(settings), positive(settings.get("maxmem")), vcpus(settings)


_UNITS = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "kb": 1000, "mb": 10**6, "gb": 10**9}
_UNITS |= {"bytes": 1, "": 1 << 10, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}
_MEMORY = re.compile(r"<(memory|currentMemory)(?:\s+unit=['\"](\w+)['\"])?\s*>\s*(\d+)\s*<")
_VCPU = re.compile(r"<vcpu[^>]*>\s*(\d+)\s*<")


def _in_xml(text: str) -> tuple[int | None, int | None, int | None]:
    """As libvirt reads it: memory is the most, in KiB unless it says another unit."""
    found = {
        name: -(-int(number) * _UNITS[unit.lower()] >> 20)
        for name, unit, number in _MEMORY.findall(text)
        if unit.lower() in _UNITS
    }
    cpus = _VCPU.search(text)
    most = found.get("memory")
    return found.get("currentMemory", most), most, int(cpus[1]) if cpus else None


# A plan, and the loss of a node


def objections(cluster: Cluster, states: Sequence[Cluster], config: Config) -> list[Objection]:
    """What the memory of the hosts, as far as it is known, has against states that would be.

    Nothing is asked where no domU comes to another host; the other hosts' toolstacks only where
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
    needs = {key: need for each in (*states, cluster) for key, need in read_needs(each).items()}
    try:
        cib = read_cib(config)
        hosts = read_hosts(cluster, config, needs, cib, targets if config.ask_nodes else ())
    except CannotAsk:
        return []
    found = [each for s in states for each in without_room(arrivals(s, hosts, needs, cluster, s))]
    return list(dict.fromkeys(found))


def after_loss(cluster: Cluster, node: str, hosts: Sequence[Host], needs: Needs) -> Loss:
    """What the scheduler would do without the node, and what of that fits.

    A domU that does not fit where it is put fails to start there, and the cluster tries the next
    host. Raises CannotAsk without a scheduler on this host.
    """
    others = [each for each in hosts if each.name != node]
    refused: list[Refusal] = []
    quorate = cluster.quorum and quorum_without(cluster, node)
    with scratch(cluster.sandbox) as copy:
        lose(copy.path, node, quorate=quorate)
        while True:
            # one answer says where everything goes, also to ptest
            found = movements(copy.simulate(execute=False), cluster.cloned)
            after = after_all(cluster, [found])
            places = arrivals(cluster, others, needs, cluster, after)
            new = list(_refused(places))
            if not new:
                break
            refused += new
            forbid(copy.path, [(each.need.domain.resource or "", each.host) for each in new])
    runs = {d.resource for d in after.managed_domains if set(d.nodes) - {node}}
    nowhere = [each for each in wanted(cluster) if each.resource not in runs]
    return Loss(node, places, tuple(refused), tuple(nowhere), quorate)


def _refused(places: Sequence[Arrivals]) -> Iterator[Refusal]:
    """Who has no room where it would come to, nor on the hosts that are as full for it."""
    for need in (need for each in places for need in each.too_many):
        for each in places:
            full = each.at_most is not None and each.at_most < (need.taken or 0)
            if need in each.too_many or full:
                yield Refusal(need, each.host.name, each.at_most)
