"""Gathers what `hxm check` judges: the CIB, files, devices, the cluster's tools, other nodes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import combinations

from hxm.audit.survey import Answer, surveyor
from hxm.cluster.capacity import read_needs
from hxm.cluster.claims import everyones, of_managed, told_script
from hxm.cluster.read import everywhere
from hxm.config import Config
from hxm.domu.config_file import (
    XmFileError,
    agent_name,
    domain_name,
    parse_xmfile,
    read_text,
    read_xmfile,
)
from hxm.domu.resources import name_in_xml
from hxm.guard import install
from hxm.model import Cluster
from hxm.pacemaker.audit_facts import parse_rules
from hxm.pacemaker.cib import read_configuration
from hxm.pacemaker.utilization import utilization_in
from hxm.policy import conflicts
from hxm.policy.audit.configured import Rules, of_rules
from hxm.policy.audit.files import Read, clashing, of_autostart, of_copies, of_files
from hxm.policy.audit.nodes import ABSENT, UNREADABLE, Survey, of_rings, of_surveys
from hxm.policy.audit.running import of_cluster, of_expired
from hxm.policy.findings import Finding
from hxm.policy.memory import one_sided
from hxm.records.authors import origins

AUTOS = ("/etc/xen/auto", "/etc/libvirt/libxl/autostart")
"""Where xendomains and libvirt keep links to what they start at boot."""


def ask_others(cluster: Cluster, config: Config) -> tuple[Cluster, dict[str, Answer]]:
    """The cluster with what runs on the other nodes, and what else they say.

    One ssh to each, all at once, for at most ssh_timeout seconds.
    """
    from hxm.guard.wrapper import MARK

    answers: dict[str, Answer] = {}
    ask = surveyor(answers, _paths(cluster), MARK, AUTOS, told_script)
    return everywhere(cluster, config, ask), answers


def problems(cluster: Cluster, config: Config, answers: dict[str, Answer]) -> Iterator[Finding]:
    """All that is found, by every look at the cluster and at this host."""
    configuration = read_configuration(timeout=config.ask_timeout, whole=True)
    rules = parse_rules(configuration)
    yield from _clashes(cluster, config, {node: each.more for node, each in answers.items()})
    expired = [each for each in cluster.constraints if _is_over(each.expires)]
    kept = tuple(each for each in cluster.constraints if each not in expired)
    yield from of_cluster(cluster._replace(constraints=kept), origins(cluster))
    yield from of_expired(cluster, expired)
    called = {each.id: each.params.get("name", "") for each in cluster.primitives.values()}
    yield from of_files(_files(cluster, rules), called)
    yield from of_autostart(autostarted(), cluster)
    yield from _by_the_tools(cluster, rules)
    if configuration.cib is not None:
        from hxm.pacemaker.verify import read_complaints

        for error, said in read_complaints(configuration.cib):
            yield Finding(said, "crm_verify -L -V", "config" if error else "complaint", "")
        used = utilization_in(configuration.cib)
        for said in one_sided(cluster, used, read_needs(cluster), hosts=()):
            yield Finding(said, "the memory of all: hxm capacity", "utilization", "")
    if not cluster.sandbox:
        yield from _of_nodes(cluster, rules, {node: each.survey for node, each in answers.items()})


def _clashes(cluster: Cluster, config: Config, told: dict[str, bytes]) -> Iterator[Finding]:
    claims = list(everyones(cluster, config, told))
    for one, other in combinations(claims, 2):
        names = [one.name, other.name]
        yield from clashing((names, each) for each in conflicts.between(one, other))
    here, toolstack = cluster.local_node or "", cluster.toolstack or "xl"
    for each in claims:
        if not each.fault:
            continue
        if each.kind == conflicts.DEVICE:
            yield Finding(each.fault, "correct it: xl.cfg(5)", each.kind, each.name)
        elif each.kind == conflicts.THIS_HOST:
            yield Finding(each.fault, f"try it by hand: {toolstack} list -l", each.kind, here)
        elif each.kind == conflicts.NODE:
            yield Finding(each.fault, f"ssh {each.name} {toolstack} list -l", each.kind, each.name)


def _is_over(expires: str | None) -> bool:
    try:
        end = datetime.fromisoformat(expires or "")
    except ValueError:
        return False
    return end.astimezone(UTC) < datetime.now(UTC)


def _files(cluster: Cluster, rules: Rules) -> Iterator[Read]:
    """The files of domUs that may run here; where nothing may now, one that is there."""
    here = cluster.node(cluster.local_node or "")
    for domain in cluster.managed_domains:
        primitive, path = cluster.primitives[domain.resource or ""], domain.xmfile or ""
        kept_off = rules.kept_off.get(primitive.id, frozenset())
        if here and not os.path.lexists(path) and (here.name in kept_off or not here.usable):
            continue
        if not primitive.agent.endswith("Xen"):
            if fault := of_managed(domain).fault:
                yield Read(domain, fault)
            continue
        try:
            text = read_text(path)
            own = domain_name(parse_xmfile(text, path))
        except XmFileError as error:
            yield Read(domain, str(error))
        else:
            yield Read(domain, own=own, agents=agent_name(text))


def autostarted() -> Iterator[tuple[str, str]]:
    """The links of what starts at boot, each with the name in the file."""
    for folder in AUTOS:
        try:
            paths = sorted(os.path.join(folder, each) for each in os.listdir(folder))
        except OSError:
            continue
        for path in paths:
            try:
                name = domain_name(read_xmfile(path))
            except XmFileError:
                name = name_in_xml(path)
            yield path, name or os.path.basename(path)


def _by_the_tools(cluster: Cluster, rules: Rules) -> Iterator[Finding]:
    """What the rules and the agents' own metadata say together."""
    from hxm.pacemaker.verify import read_actions

    here = cluster.local_node or ""
    agents: dict[str, list[str]] = {}
    for domain in cluster.managed_domains:
        primitive = cluster.primitives[domain.resource or ""]
        agents.setdefault(primitive.agent, []).append(primitive.id)
    actions = read_actions(agents)
    yield from of_rules(cluster, rules, actions)
    for agent, resources in agents.items():
        wanted = any(here not in rules.kept_off.get(each, ()) for each in resources)
        if agent not in actions and wanted and not cluster.sandbox:
            what = f"{agent} is not installed on {here}: its domUs cannot run here"
            do = "install resource-agents, or keep them away: crm_resource --ban"
            yield Finding(what, do, "agent-missing", here)


def _of_nodes(cluster: Cluster, rules: Rules, others: dict[str, Survey]) -> Iterator[Finding]:
    from hxm.guard.status import REMEDIES, states
    from hxm.pacemaker.verify import read_rings

    here = cluster.local_node or ""
    for place, state in states():
        if state != install.GUARDED:
            yield Finding(f"{place.path} is {state}", REMEDIES[state], "guard", here)
    yield from of_rings(read_rings())
    yield from of_surveys(cluster, others, install.GUARDED)
    if others:
        own = Survey({each: _checksum(each) for each in _paths(cluster)})
        yield from of_copies(cluster, {here: own} | others, rules.kept_off)


def _paths(cluster: Cluster) -> list[str]:
    return [each.xmfile for each in cluster.managed_domains if each.xmfile]


def _checksum(path: str) -> str:
    """As md5sum has it, which is on every host since there is Xen."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except FileNotFoundError:
        return ABSENT
    except OSError:
        return UNREADABLE
