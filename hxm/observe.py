"""One look at everything: asks Pacemaker and the toolstack once, and builds model.Cluster."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from hxm import run
from hxm.config import Config
from hxm.errors import CannotAsk
from hxm.model import Cluster, Constraint, Domain, Lock, Node, Primitive, Resource
from hxm.pacemaker.cib import Configuration, read_configuration
from hxm.pacemaker.dialect import CONFIGURATION, NEWEST
from hxm.pacemaker.lock import lock_in
from hxm.pacemaker.status import Status, dialect_in, read_status
from hxm.toolstack import Toolstack, detect, read_local, read_uuids
from hxm.toolstack.remote import read_elsewhere
from hxm.toolstack.xl import LocalDomain
from hxm.xmfile import XmFileError, domain_name, memory_mib, read_xmfile, vcpus

_VIRSH_NAME = re.compile(rb"<name>\s*([^<]+?)\s*</name>")
_VIRSH_XEN = re.compile(rb"<domain\s[^>]*type\s*=\s*['\"]xen['\"]")


def everywhere(cluster: Cluster, config: Config) -> Cluster:
    """The cluster with what the toolstacks of the other nodes say, all asked at once through ssh.

    A node that is lost is not asked, and one that cannot be asked is in `unreachable`: its domains
    are unknown, not absent. Takes no longer than the configured ssh_timeout.
    """
    if cluster.sandbox:
        return cluster
    others = [node for node in cluster.nodes if node.name != cluster.local_node]
    unreachable = {node.name: node.predicament for node in others if not _answers(node)}
    program = config.toolstack if config.toolstack != "auto" else cluster.toolstack or "xl"
    asked = [node.name for node in others if _answers(node)]
    domains = list(cluster.domains)
    for node, answer in read_elsewhere(program, asked, config.ssh_timeout).items():
        if isinstance(answer, str):
            unreachable[node] = answer
        else:
            domains = _with_those_of(node, answer, domains)
    return cluster._replace(domains=tuple(domains), unreachable=unreachable)


def _answers(node: Node) -> bool:
    return node.online and not node.unclean


def _with_those_of(node: str, there: Sequence[LocalDomain], known: list[Domain]) -> list[Domain]:
    """Another node's rows: those of managed domUs that run there, and what else it runs."""
    rows = {each.name: each for each in there}
    found = [
        _with_local(each, rows.pop(each.name, None))
        if each.resource and node in each.nodes and each.id is None
        else each
        for each in known
    ]
    return found + [_with_local(Domain(row.name, nodes=(node,)), row) for row in rows.values()]


def identify(cluster: Cluster, words: Sequence[str], config: Config) -> Cluster:
    """The cluster with what it takes to tell whom domids and uuids among the words mean.

    The uuids of this host's domains are asked for only then: xl list does not print them, and xl
    vm-list is a program more. Raises CannotAsk if there is such a word and the toolstack, which
    alone knows domids, cannot be asked.
    """
    uuids = [word for word in words if len(word) == 36 and word.count("-") == 4]
    if cluster.toolstack_fault and (uuids or any(word.isdigit() for word in words)):
        raise CannotAsk(f"who is meant cannot be told: {cluster.toolstack_fault}", "use the name")
    toolstack = detect(config.toolstack)
    if not toolstack or not uuids:
        return cluster
    known = read_uuids(toolstack)
    domains = (each._replace(uuid=known.get(each.name, each.uuid)) for each in cluster.domains)
    return cluster._replace(domains=tuple(domains))


def names_in_files(paths: Sequence[str]) -> list[str]:
    """The domUs that the configuration files among these name; what is no such file is left out."""
    found = []
    for path in paths:
        if os.path.isfile(path):
            try:
                found.append(domain_name(read_xmfile(path)) or os.path.basename(path))
            except XmFileError:
                continue
    return found


def sandbox_file() -> str | None:
    """The CIB_file that stands for a cluster, as Pacemaker's own tools take it.

    Raises CannotAsk where the tools would crash (no such file) or act on something else.
    """
    if os.environ.get("CIB_shadow"):
        raise CannotAsk(
            "CIB_shadow is set: Pacemaker's tools would act on the shadow, not on the cluster",
            "unset CIB_shadow, or work on a file with CIB_file",
        )
    path = os.environ.get("CIB_file")
    if not path:
        return None
    if not os.path.isfile(path):
        raise CannotAsk(f"CIB_file names no file: {path}", "make one with: hxm sandbox new DIR")
    return path


def read_cluster(
    config: Config, env: dict[str, str] | None = None, *, local: bool = True
) -> Cluster:
    """The cluster as it is now: one crm_mon, one cibadmin, and one xl list where there is Xen.

    With `env` another CIB than the current one is looked at, and with `local` False the toolstack
    is left alone. Raises CannotAsk if the cluster gives no answer; a toolstack that gives none is
    only marked as unknown.
    """
    sandbox = sandbox_file()
    toolstack = detect(config.toolstack) if local else None
    if env is None:
        run.ahead(NEWEST.status)
        if not sandbox:
            run.ahead(CONFIGURATION)
        if toolstack:
            run.ahead((toolstack.program, "list"))
    configuration = read_configuration(env, config.ask_timeout)
    domains = [
        _managed(primitive, configuration.constraints)
        for primitive in configuration.primitives.values()
        if is_xen(primitive)
    ]
    status = read_status(env, config.ask_timeout)
    _same_cluster(configuration, status)
    here = _local_node(status)
    answer, fault = _ask_toolstack(toolstack)
    return Cluster(
        nodes=status.nodes,
        resources=status.resources,
        domains=_domains(domains, status, answer, here),
        primitives=configuration.primitives,
        constraints=configuration.constraints,
        failures=status.failures,
        history=status.history,
        pending_fencing=status.pending_fencing,
        dc=status.dc,
        quorum=status.quorum,
        maintenance=status.maintenance,
        fencing=status.fencing,
        name=configuration.properties.get("cluster-name", ""),
        dialect=dialect_in(status).name,
        sandbox=sandbox,
        local_node=here,
        toolstack=toolstack.program if toolstack else None,
        toolstack_fault=fault,
        node_attributes=configuration.node_attributes,
        lock=_lock(configuration, here),
    )


def _lock(configuration: Configuration, here: str | None) -> Lock | None:
    """Who holds the cluster's lock; of a process on this host also whether it still lives."""
    if "hxm-lock" not in configuration.properties:
        return None
    import time

    lock = lock_in(configuration.properties, time.time())
    if lock and lock.node == here:
        return lock._replace(alive=run.start_time(lock.pid) == lock.started)
    return lock


def is_xen(primitive: Primitive) -> bool:
    """Whether the primitive is a domU: any provider's Xen agent, or VirtualDomain driving Xen."""
    kind = primitive.agent.split(":")
    if kind[0] != "ocf":
        return False
    if kind[-1] == "Xen":
        return True
    if kind[-1] != "VirtualDomain":
        return False
    hypervisor = primitive.params.get("hypervisor", "")
    return hypervisor.startswith("xen") or (
        not hypervisor and bool(_VIRSH_XEN.search(_contents(primitive.params.get("config", ""))))
    )


def _contents(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(1 << 20)
    except OSError:
        return b""


def _managed(primitive: Primitive, constraints: tuple[Constraint, ...]) -> Domain:
    """What the configuration and the domU's own file say; the name as the agent finds it."""
    name: str | None
    if primitive.agent.endswith("VirtualDomain"):
        xmfile = primitive.params.get("config")
        found = _VIRSH_NAME.search(_contents(xmfile or ""))
        name, settings = found and found.group(1).decode("utf-8", "replace"), {}
    else:
        xmfile = primitive.params.get("xmfile", "/etc/xen/vm/MyDomU")  # the agent's default
        try:
            settings = read_xmfile(xmfile)
        except XmFileError:
            settings = {}
        name = primitive.params.get("name") or domain_name(settings)
    return Domain(
        name=name or primitive.id,
        resource=primitive.id,
        xmfile=xmfile,
        interim=tuple(
            each.id
            for each in constraints
            if each.resource in (primitive.id, primitive.parent, primitive.clone)
        ),
        memory=memory_mib(settings),
        vcpus=vcpus(settings) if settings else None,
        uuid=str(settings.get("uuid", "")).lower() or None,
        live=primitive.meta.get("allow-migrate", "false").lower() in ("true", "yes", "on", "1"),
    )


def _same_cluster(configuration: Configuration, status: Status) -> None:
    """Half an answer must not pass for a small cluster: both tools must know the same nodes."""
    if not status.nodes and configuration.primitives:
        raise CannotAsk("crm_mon lists no nodes, but the CIB has resources: is the cluster up?")


def _local_node(status: Status) -> str | None:
    host = os.uname().nodename
    names = {node.name for node in status.nodes}
    return next((name for name in (host, host.split(".")[0]) if name in names), None)


def _ask_toolstack(toolstack: Toolstack | None) -> tuple[tuple[LocalDomain, ...], str]:
    if not toolstack:
        return (), ""
    try:
        return read_local(toolstack), ""
    except CannotAsk as error:
        return (), error.message


def _domains(
    managed: list[Domain],
    status: Status,
    local: tuple[LocalDomain, ...],
    here: str | None,
) -> tuple[Domain, ...]:
    """The managed domUs in the CIB's order, then what else runs on this host."""
    instances: dict[str, list[Resource]] = {}
    for resource in status.resources:
        instances.setdefault(resource.id.split(":")[0], []).append(resource)
    at_hand = {domain.name: domain for domain in local}
    found = [
        _with_local(_with_status(domain, instances), at_hand.pop(domain.name, None))
        for domain in managed
    ]
    others = (
        _with_local(Domain(other.name, nodes=(here,) if here else ()), other)
        for other in at_hand.values()
    )
    return (*found, *others)


def _with_status(domain: Domain, instances: dict[str, list[Resource]]) -> Domain:
    resources = instances.get(domain.resource or "", [])
    if not resources:
        return domain
    first = next((resource for resource in resources if resource.active), resources[0])
    return domain._replace(
        role=first.role,
        target_role=first.target_role,
        managed=all(resource.managed for resource in resources),
        nodes=tuple(node for resource in resources for node in resource.nodes),
        failed=any(resource.failed for resource in resources),
        blocked=any(resource.blocked for resource in resources),
    )


def _with_local(domain: Domain, local: LocalDomain | None) -> Domain:
    if local is None:
        return domain
    return domain._replace(
        id=local.id, memory=local.memory, vcpus=local.vcpus, state=local.state, time=local.time
    )
