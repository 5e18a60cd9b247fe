"""Gathers the findings of `hxm check`: from the CIB, files, devices, tools and other nodes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress

from hxm.audit.survey import Surveyed, surveyor
from hxm.cluster.capacity import read_needs
from hxm.cluster.claims import all_claims, claims_script, of_managed
from hxm.cluster.read import local_toolstack, with_other_nodes
from hxm.config import Config
from hxm.domu.config_file import XmFileError, agent_name, parse_xmfile, read_text, read_xmfile
from hxm.domu.resources import name_in_xml
from hxm.domu.settings import domain_name, preserved
from hxm.guard import install
from hxm.host import files, programs
from hxm.host.safe_files import MIB
from hxm.model import Cluster
from hxm.pacemaker.audit_facts import parse_rules
from hxm.pacemaker.cib import read_configuration
from hxm.pacemaker.dialect import RINGS, WHOLE_CIB
from hxm.pacemaker.relations import relations_in
from hxm.pacemaker.utilization import utilization_in
from hxm.policy.audit.clones import of_clones
from hxm.policy.audit.configured import Rules, of_missing_agents, of_rules
from hxm.policy.audit.files import (
    Read,
    clashing,
    of_autostart,
    of_copies,
    of_files,
    of_refusals,
)
from hxm.policy.audit.guests import of_guests
from hxm.policy.audit.nodes import ABSENT, UNREADABLE, Survey, of_rings, of_surveys
from hxm.policy.audit.running import of_cluster, of_expired
from hxm.policy.guards import conflicts
from hxm.policy.guards.live_pv import of_hypervisors
from hxm.policy.memory import one_sided
from hxm.policy.state.findings import Finding
from hxm.records.authors import origins
from hxm.toolstack import of
from hxm.toolstack.host_facts import read_facts

AUTOS = ("/etc/xen/auto", "/etc/libvirt/libxl/autostart")
"""Where xendomains and libvirt keep links to what they start at boot."""


def ask_others(cluster: Cluster, config: Config) -> tuple[Cluster, dict[str, Surveyed]]:
    """The cluster with the domains of the other nodes, and what else each node answered.

    Asks all nodes in parallel, by one ssh each, for at most ssh_timeout seconds.
    """
    from hxm.guard.wrapper import MARK

    answers: dict[str, Surveyed] = {}
    ask = surveyor(answers, _paths(cluster), MARK, AUTOS, claims_script)
    return with_other_nodes(cluster, config, ask), answers


def gather_findings(
    cluster: Cluster, config: Config, answers: dict[str, Surveyed], *, thorough: bool = False
) -> Iterator[Finding]:
    """All findings about the cluster, this host and the nodes that answered.

    `thorough`: this host's toolstack tries every file, as those that gave `answers` did.
    """
    if programs.elsewhere() and cluster.toolstack:  # one round trip instead of three
        programs.ahead(WHOLE_CIB, (cluster.toolstack, *of(cluster.toolstack).LONG), RINGS)
    configuration = read_configuration(timeout=config.ask_timeout, whole=True)
    rules = parse_rules(configuration)
    yield from _conflicts(cluster, config, {node: answer.more for node, answer in answers.items()})
    expired = [constraint for constraint in cluster.constraints if constraint.expired]
    unexpired = tuple(constraint for constraint in cluster.constraints if constraint not in expired)
    yield from of_cluster(cluster._replace(constraints=unexpired), origins(cluster, config))
    yield from of_expired(cluster, expired)
    called = {
        primitive.id: primitive.params.get("name", "") for primitive in cluster.primitives.values()
    }
    yield from of_files(_files(cluster, rules), called)
    yield from of_autostart(autostarted(), cluster)
    yield from _by_the_toolstacks(cluster, config, rules, answers, thorough=thorough)
    yield from _by_agents(cluster, rules)
    if configuration.cib is not None:
        from hxm.pacemaker.verify import read_complaints

        for error, complaint in read_complaints(configuration.cib):
            yield Finding(
                complaint, cluster.advice("verify"), "config" if error else "complaint", ""
            )
        relations = relations_in(configuration.cib)
        yield from of_guests(cluster, relations)
        yield from of_clones(cluster, relations)
        used = utilization_in(configuration.cib)
        for complaint in one_sided(cluster, used, read_needs(cluster), hosts=()):
            yield Finding(complaint, "to see the memory: hxm capacity", "utilization", "")
    if not cluster.sandbox:
        yield from _of_nodes(
            cluster, config, rules, {node: answer.survey for node, answer in answers.items()}
        )


def _conflicts(cluster: Cluster, config: Config, printed: dict[str, bytes]) -> Iterator[Finding]:
    claims = list(all_claims(cluster, config, printed))
    for one, other in conflicts.pairs(claims):
        names = [one.name, other.name]
        yield from clashing((names, conflict) for conflict in conflicts.between(one, other))
    here, toolstack = cluster.local_node or "", cluster.toolstack or "xl"
    for claim in claims:
        if not claim.fault:
            continue
        if claim.kind == conflicts.DEVICE:
            yield Finding(claim.fault, "correct it: xl.cfg(5)", claim.kind, claim.name)
        elif claim.kind == conflicts.THIS_HOST:
            yield Finding(claim.fault, f"try it by hand: {toolstack} list -l", claim.kind, here)
        elif claim.kind == conflicts.NODE:
            yield Finding(
                claim.fault, f"ssh {claim.name} {toolstack} list -l", claim.kind, claim.name
            )


def _files(cluster: Cluster, rules: Rules) -> Iterator[Read]:
    """The files of the domUs that may run here; if none may at present, those that exist."""
    here = cluster.node(cluster.local_node or "")
    for domain in cluster.managed_domains:
        primitive, path = cluster.primitives[domain.resource], domain.xmfile or ""
        kept_off = rules.kept_off.get(primitive.id, frozenset())
        if here and not files.lexists(path) and (here.name in kept_off or not here.usable):
            continue
        if not primitive.agent.endswith("Xen"):
            if fault := of_managed(domain).fault:
                yield Read(domain, fault)
            continue
        try:
            text = read_text(path)
            settings = parse_xmfile(text, path)
        except XmFileError as error:
            yield Read(domain, str(error))
        else:
            own = domain_name(settings)
            yield Read(domain, "", own, agent_name(text), preserved(settings))


def autostarted() -> Iterator[tuple[str, str]]:
    """The links that start domUs at boot, each with the name in its file."""
    files.bring(AUTOS, MIB)
    for folder in AUTOS:
        try:
            paths = sorted(os.path.join(folder, entry) for entry in files.names_in(folder))
        except OSError:
            continue
        for path in paths:
            try:
                name = domain_name(read_xmfile(path))
            except XmFileError:
                name = name_in_xml(path)
            yield path, name or os.path.basename(path)


def _by_the_toolstacks(
    cluster: Cluster, config: Config, rules: Rules, answers: dict[str, Surveyed], *, thorough: bool
) -> Iterator[Finding]:
    """What the hosts' own toolstacks say of the files, and of live migration."""
    facts = {node: answer.facts for node, answer in answers.items()}
    toolstack = local_toolstack(config, cluster.sandbox)
    moving = any(domain.pv and domain.live for domain in cluster.managed_domains)
    if toolstack and cluster.local_node and (thorough or moving):
        readable = _readable_files(cluster) if thorough else []
        facts[cluster.local_node] = read_facts(toolstack.program, readable, config.ask_timeout)
    yield from of_refusals(
        cluster, {node: host.refusals for node, host in facts.items()}, rules.kept_off
    )
    unable = sorted(node for node, host in facts.items() if not host.moves_pv_live)
    yield from of_hypervisors(cluster, unable)


def _readable_files(cluster: Cluster) -> list[str]:
    """The files that are data to hxm: xm would run code in another."""
    readable = []
    for path in _paths(cluster):
        with suppress(XmFileError):
            read_xmfile(path)
            readable.append(path)
    return readable


def _by_agents(cluster: Cluster, rules: Rules) -> Iterator[Finding]:
    """Findings from the rules and from the agents' metadata."""
    from hxm.pacemaker.verify import read_actions

    agents: dict[str, list[str]] = {}
    for domain in cluster.managed_domains:
        primitive = cluster.primitives[domain.resource]
        agents.setdefault(primitive.agent, []).append(primitive.id)
    actions = read_actions(agents)
    yield from of_rules(cluster, rules, actions)
    if not cluster.sandbox:
        yield from of_missing_agents(cluster, rules, actions)


def _of_nodes(
    cluster: Cluster, config: Config, rules: Rules, others: dict[str, Survey]
) -> Iterator[Finding]:
    from hxm.guard.status import REMEDIES, last_looks, states
    from hxm.pacemaker.verify import read_rings

    here = cluster.local_node or ""
    stood = list(states(config))
    for program, state in stood:
        if state != install.GUARDED:
            yield Finding(f"{program.path} is {state}", REMEDIES[state], "guard", here)
    for look in last_looks(config, stood):
        if look.fault:
            what = f"the guard's last look cannot ask {look.node}: {look.fault}"
            yield Finding(what, f"ssh {look.node} xl list", "last-look", look.node)
    yield from of_rings(read_rings())
    yield from of_surveys(cluster, others, install.GUARDED)
    if others:
        own = Survey({path: _checksum(path) for path in _paths(cluster)})
        yield from of_copies(cluster, {here: own} | others, rules.kept_off)


def _paths(cluster: Cluster) -> list[str]:
    return [domain.xmfile for domain in cluster.managed_domains if domain.xmfile]


def _checksum(path: str) -> str:
    """The MD5 checksum: every Xen host has md5sum to compute it with."""
    try:
        content = files.read_whole(path)  # a fifo may wait for ever
        return hashlib.md5(content, usedforsecurity=False).hexdigest()
    except FileNotFoundError:
        return ABSENT
    except OSError:
        return UNREADABLE
