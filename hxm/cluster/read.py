"""Reads the whole cluster: asks Pacemaker and the toolstack once, and builds model.Cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from hxm.cluster.consistency import left_out
from hxm.cluster.restless import out_of_hand, to_ask
from hxm.config import Config
from hxm.domu.resources import is_xen, managed, orphaned
from hxm.errors import CannotAsk
from hxm.host import programs
from hxm.model import Cluster, Domain, Lock, ManagedDomain, Resource
from hxm.pacemaker.cib import Configuration, all_transient, read_configuration
from hxm.pacemaker.crm_mon import as_migrations, read_status
from hxm.pacemaker.detect import detect as detect_dialect
from hxm.pacemaker.dialect import CONFIGURATION, DC_STATE, IDLE, OWN_NAME, STATUS_FORMS
from hxm.pacemaker.environment import ELSEWHERE, is_this_hosts
from hxm.pacemaker.lock import lives, lock_in, own_place
from hxm.pacemaker.status import TEXT, Status, kept_off_by_health
from hxm.policy.guards.location import empty_hosts, idle_domains
from hxm.toolstack import Toolstack, detect, read_local, read_uuids
from hxm.toolstack.remote import Named, read_elsewhere, read_named_elsewhere
from hxm.toolstack.xl import LocalDomain


def local_toolstack(config: Config, sandbox: str | None) -> Toolstack | None:
    """The toolstack of this host, unless a CIB_file stands for the cluster.

    Its domUs are not this host's.
    """
    if sandbox and not is_this_hosts():
        return None
    return detect(config.toolstack)


AskNodes = Callable[[str, Sequence[str], float], Mapping[str, Named | str]]
"""Asks nodes for their domains and uuids: takes the toolstack, the nodes, and the timeout in s."""
Why = bool | None  # whether the scheduler confirms reasons; None: none are looked for


def with_other_nodes(
    cluster: Cluster, config: Config, ask: AskNodes = read_named_elsewhere
) -> Cluster:
    """The cluster with the domains of the other nodes; asks all of them in parallel through ssh.

    Lost nodes are not asked. A node that does not answer is in `unreachable`: its domains are
    unknown, not absent. Takes ssh_timeout seconds at most.
    """
    if cluster.sandbox:
        return _with_withdrawn(cluster)
    program, asked, unreachable = askable(cluster, config)
    domains, heard = list(cluster.domains), list(cluster.heard)
    uuids = _uuids_here(cluster)
    for node, answer in ask(program, asked, config.ssh_timeout).items():
        if isinstance(answer, str):
            unreachable[node] = answer
        else:
            there, theirs = answer
            domains = _merge_rows(node, there, domains)
            heard.append(node)
            uuids |= {(node, name): uuid for name, uuid in theirs.items()}
    return cluster._replace(
        domains=tuple(
            domain._replace(
                runs_as=next(
                    (uuid for node in domain.seen if (uuid := uuids.get((node, domain.name)))), None
                )
            )
            for domain in domains
        ),
        unreachable=unreachable,
        heard=tuple(heard),
    )


def _uuids_here(cluster: Cluster) -> dict[tuple[str, str], str]:
    if not cluster.toolstack or not cluster.local_node:
        return {}
    try:
        uuids = read_uuids(Toolstack(cluster.toolstack, cluster.toolstack_why))
    except CannotAsk:
        return {}
    return {(cluster.local_node, name): uuid for name, uuid in uuids.items()}


def _with_withdrawn(cluster: Cluster) -> Cluster:
    """With the domUs that were withdrawn and still run: a sandbox's file records them."""
    from hxm.pacemaker.sandbox import running_outside

    beside = running_outside(read_configuration({"CIB_file": cluster.sandbox or ""}).transient)
    others = (Domain(name, nodes=(node,)) for node, name in beside)
    return cluster._replace(domains=(*cluster.domains, *others))


def askable(cluster: Cluster, config: Config) -> tuple[str, list[str], dict[str, str]]:
    """The toolstack of the other nodes, the nodes to ask, and the state of those that are lost."""
    others = [node for node in cluster.hosts if node.name != cluster.local_node]
    there = [node.name for node in others if node.reachable]
    lost = {node.name: node.predicament for node in others if node.name not in there}
    return other_toolstack(cluster, config), there, lost


def _merge_rows(node: str, there: Sequence[LocalDomain], known: list[Domain]) -> list[Domain]:
    """The domains with what another node's toolstack lists: managed domUs and others."""
    rows = {row.name: row for row in there}
    domains = []
    for domain in known:
        row = rows.pop(domain.name, None) if domain.resource else None
        seen_there = _with_local(domain, row, node)
        seen_here = domain._replace(stray=seen_there.stray or domain.stray, seen=seen_there.seen)
        domains.append(seen_there if domain.id is None else seen_here)
    return domains + [
        _with_local(Domain(row.name, nodes=(node,)), row, node) for row in rows.values()
    ]


def nodes_that_run(name: str, cluster: Cluster, config: Config) -> tuple[str, ...]:
    """The nodes whose toolstacks run the domain at this moment, this host first.

    More recent than the cluster's own state. A node that does not answer within ssh_timeout is
    left out.
    """
    program, asked, _ = askable(cluster, config)
    rows_by_node: dict[str, Sequence[LocalDomain] | str] = {}
    toolstack = local_toolstack(config, cluster.sandbox)
    if toolstack and cluster.local_node:
        rows_by_node[cluster.local_node] = _ask_toolstack(toolstack, config.ask_timeout)[0]
    rows_by_node |= read_elsewhere(program, asked, config.ssh_timeout)
    return tuple(
        node
        for node, rows in rows_by_node.items()
        if not isinstance(rows, str) and any(r.name == name and not r.ending for r in rows)
    )


def other_toolstack(cluster: Cluster, config: Config) -> str:
    """The toolstack that hxm assumes on the other nodes."""
    return config.toolstack if config.toolstack != "auto" else cluster.toolstack or "xl"


def identify(cluster: Cluster, words: Sequence[str]) -> Cluster:
    """The cluster with what is needed to resolve domids and uuids among the words.

    Reads the uuids of this host's domains only if a word is a uuid: it takes one more program (xl
    vm-list). Raises CannotAsk if a word is a domid or a uuid and the toolstack does not answer.
    """
    uuids = [word for word in words if len(word) == 36 and word.count("-") == 4]
    if cluster.toolstack_fault and (uuids or any(word.isdigit() for word in words)):
        raise CannotAsk(f"cannot identify the domU: {cluster.toolstack_fault}", "use its name")
    if not cluster.toolstack or not uuids:
        return cluster
    known = read_uuids(Toolstack(cluster.toolstack, cluster.toolstack_why))
    domains = (
        domain._replace(uuid=known.get(domain.name, domain.uuid)) for domain in cluster.domains
    )
    return cluster._replace(domains=tuple(domains))


def sandbox_file() -> str | None:
    """The CIB_file that takes the cluster's place, as for Pacemaker's own tools.

    Raises CannotAsk if the tools would crash (no such file) or act on something else.
    """
    for variable, what in ELSEWHERE.items():
        if os.environ.get(variable):
            raise CannotAsk(
                f"{variable} is set: Pacemaker's tools would act on {what}, not on the cluster",
                f"unset {variable}, or work on a file with CIB_file",
            )
    path = os.environ.get("CIB_file")
    if not path:
        return None
    if os.path.isfile(inside := os.path.join(path, "cib.xml")):
        raise CannotAsk(f"CIB_file is a folder: {path}", f"its file is {inside}")
    if not os.path.isfile(path):
        raise CannotAsk(f"CIB_file names no file: {path}", "make one with: hxm sandbox new DIR")
    return path


def read_cluster(
    config: Config, env: dict[str, str] | None = None, *, local: bool = True, why: Why = False
) -> Cluster:
    """The cluster as it is now: one crm_mon, one cibadmin, and one xl list where there is Xen.

    A crm_mon that prints only text takes one more cibadmin, for what the text lacks; before 2.0,
    hxm also asks the DC whether a transition is in progress.
    `env` selects another CIB than the current one; with `local` False the toolstack is not asked.
    With `why` the scheduler confirms what keeps domUs down, or off hosts that run none.
    Raises CannotAsk if the cluster does not answer; a toolstack that does not answer is marked as
    unknown.
    """
    sandbox = sandbox_file()
    toolstack = _start_ahead(config, env, sandbox, local=local)
    try:
        configuration, status, domains = _answers_of_both(env, config)
        unlisted = left_out(configuration, status, domains)
        detected = detect_dialect(status, configuration, config.dialect)
        here = _local_node(status, config, sandbox)
        answer, fault = _ask_toolstack(toolstack, config.ask_timeout)
    except BaseException:
        programs.abandon()  # the next read must not get an answer to this one
        raise
    seen = Cluster(
        nodes=kept_off_by_health(status.nodes, configuration.properties),
        resources=status.resources,
        domains=_domains(domains, status, answer, here),
        primitives=configuration.primitives,
        own_meta=configuration.own_meta,
        constraints=configuration.constraints,
        failures=status.failures,
        history=status.history,
        pending_fencing=status.pending_fencing,
        dc=status.dc,
        quorum=status.quorum,
        maintenance=status.maintenance,
        fencing=status.fencing,
        name=configuration.properties.get("cluster-name", ""),
        idle=bool(sandbox) or not status.partial or _is_idle(status.dc, config.ask_timeout),
        dialect=detected.dialect.name,
        dialect_why=detected.why,
        hints=detected.dialect.hints,
        mixed=detected.mixed,
        sandbox=sandbox,
        local_node=here,
        toolstack=toolstack.program if toolstack else None,
        toolstack_why=toolstack.why if toolstack else "",
        toolstack_fault=fault,
        node_attributes=configuration.node_attributes,
        transient=all_transient(status, env, config.ask_timeout),
        properties=configuration.properties,
        lock=_lock(configuration, here),
        heard=(here,) if here and toolstack and not fault else (),
        written=configuration.document,
        unlisted=unlisted,
        topology=configuration.topology,
    )
    return _with_reasons(seen, configuration, env, config, why=why)


def _start_ahead(
    config: Config, env: dict[str, str] | None, sandbox: str | None, *, local: bool
) -> Toolstack | None:
    """The toolstack; what is sure to be needed of the current CIB runs beside the heavy imports."""
    asked = (STATUS_FORMS[0], *(() if sandbox else (CONFIGURATION,))) if env is None else ()
    if asked and programs.elsewhere():  # whose answer tells which toolstack there is
        programs.ahead(STATUS_FORMS[0], *([("xl", "list")] if local else []), CONFIGURATION)
    toolstack = local_toolstack(config, sandbox) if local else None
    if asked:
        programs.ahead(*asked, *(((toolstack.program, "list"),) if toolstack else ()))
    return toolstack


def _with_reasons(
    cluster: Cluster,
    configuration: Configuration,
    env: dict[str, str] | None,
    config: Config,
    *,
    why: Why,
) -> Cluster:
    """The cluster, why what should run does not, why a host takes no domU, what threatens some."""
    down = [] if why is None else idle_domains(cluster)
    empty = empty_hosts(cluster) if why and len(cluster.hosts) > 1 else []
    if not (down or empty or out_of_hand(cluster) or (why and to_ask(cluster))):
        return cluster
    from hxm.cluster.not_running import with_reasons  # not by every list

    return with_reasons(cluster, configuration.cib, down, empty, env, config.ask_timeout, ask=why)


def _answers_of_both(
    env: dict[str, str] | None, config: Config
) -> tuple[Configuration, Status, list[ManagedDomain]]:
    configuration = read_configuration(env, config.ask_timeout)
    domains = configured(configuration)  # while crm_mon still runs
    status = read_status(env, config.ask_timeout)
    if status.partial:
        from hxm.pacemaker.status_from_cib import complete

        if status.form == TEXT and configuration.cib is None:
            configuration = read_configuration(env, config.ask_timeout, whole=True)
            domains = configured(configuration)
        status = complete(status, configuration)
    resources = as_migrations(status.resources, status.history)
    return configuration, status._replace(resources=resources), domains


def configured(configuration: Configuration) -> list[ManagedDomain]:
    """The domUs of a configuration, without the nodes where they run."""
    return [
        managed(primitive, configuration.constraints)
        for primitive in configuration.primitives.values()
        if is_xen(primitive)
    ]


def _lock(configuration: Configuration, here: str | None) -> Lock | None:
    """The cluster's lock; for a holder on this host also whether its process exists."""
    if "hxm-lock" not in configuration.properties:
        return None
    import time

    lock = lock_in(configuration.properties, time.time())
    if lock and lock.pid.isdigit() and lock.node == own_place(here):
        return lock._replace(alive=lives(lock, programs.start_time(lock.pid)))
    return lock


def _is_idle(dc: str | None, timeout: float) -> bool:
    """Whether the DC says that no transition is in progress; False if it does not answer.

    Before 1.1.18 the CIB by default records an action only when it has ended (record-pending).
    """
    if not dc:
        return False
    try:
        result = programs.output([word.format(node=dc) for word in DC_STATE], timeout=timeout)
    except CannotAsk:
        return False
    return IDLE in result.text + result.stderr


def _local_node(status: Status, config: Config, sandbox: str | None) -> str | None:
    """The node name of this host; asks Pacemaker only if it is not the host name."""
    node = programs.elsewhere()
    host = node.name if node else os.uname().nodename
    names = {node.name for node in status.nodes}
    own = next((name for name in (host, host.split(".")[0]) if name in names), None)
    if own or sandbox:
        return own
    try:
        printed = programs.output(OWN_NAME, timeout=config.ask_timeout).stdout
    except CannotAsk:
        return None
    own = printed.decode("utf-8", "replace").strip()
    return own if own in names else None


def _ask_toolstack(
    toolstack: Toolstack | None, timeout: float
) -> tuple[tuple[LocalDomain, ...], str]:
    if not toolstack:
        return (), ""
    try:
        return read_local(toolstack, timeout), ""
    except CannotAsk as error:
        return (), error.message


def _domains(
    managed: Sequence[ManagedDomain],
    status: Status,
    local: tuple[LocalDomain, ...],
    here: str | None,
) -> tuple[Domain, ...]:
    """The managed domUs in the CIB's order, then the other domains of this host."""
    instances: dict[str, list[Resource]] = {}
    for resource in status.resources:
        instances.setdefault(resource.id.split(":")[0], []).append(resource)
    at_hand = {domain.name: domain for domain in local}
    rows = [
        _with_local(_with_status(domain, instances), at_hand.pop(domain.name, None), here)
        for domain in (*managed, *orphaned(status.resources, managed))
    ]
    others = (
        _with_local(Domain(other.name, nodes=(here,) if here else ()), other, here)
        for other in at_hand.values()
    )
    return (*rows, *others)


def _with_status(domain: Domain, instances: dict[str, list[Resource]]) -> Domain:
    if not (resources := instances.get(domain.resource or "", [])):
        return domain
    first = next((resource for resource in resources if resource.nodes), resources[0])
    return domain._replace(
        role=first.role,
        target_role=first.target_role,
        managed=all(resource.managed for resource in resources),
        nodes=tuple(node for resource in resources for node in resource.nodes),
        failed=any(resource.failed for resource in resources),
        blocked=any(resource.blocked for resource in resources),
    )


def _with_local(domain: Domain, local: LocalDomain | None, here: str | None) -> Domain:
    if local is None:
        return domain
    unknown = domain.resource and here and here not in domain.nodes and not domain.in_flight
    return domain._replace(
        id=local.id,
        memory=local.memory,
        vcpus=local.vcpus,
        state=local.state,
        time=local.time,
        stray=here if unknown and not local.ending else None,
        seen=(*domain.seen, here) if here else domain.seen,
    )
