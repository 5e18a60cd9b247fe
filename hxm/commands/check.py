"""hxm check: what is wrong, before it hurts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING

from hxm import render
from hxm.claims import everyones
from hxm.config import Config, read_config
from hxm.decide import audit, clashes
from hxm.decide.audit import ERROR, WARNING, Problem, Read
from hxm.decide.names import find_domain
from hxm.errors import DONE
from hxm.model import Cluster
from hxm.observe import read_cluster
from hxm.toolstack import guard
from hxm.xmfile import XmFileError, agent_name, domain_name, parse_xmfile, read_text, read_xmfile

if TYPE_CHECKING:
    from hxm.options import MaybeSubject, Nagios, Output

AUTO = "/etc/xen/auto"
_STATUS = {WARNING: 1, ERROR: 2}


def run(subject: MaybeSubject = None, nagios: Nagios = False, output: Output = "table") -> int:
    """Look for what would hurt one day: shared disks, files that cannot be read, missing guards.

    Status 0 means that nothing was found, 1 that there are warnings, 2 that there are errors. Each
    finding has a code; `ignore` in /etc/hxm.toml names those that are meant, as `code` or as
    `code:domU`. Files and devices are looked at on this host.

    Example: `hxm check`, `hxm check nfs`, or `hxm check --nagios`.
    """
    config = read_config()
    cluster = read_cluster(config)
    if subject and not cluster.node(subject):
        subject = find_domain(cluster, subject).name
    found = audit.chosen(_problems(cluster, config), config.ignore.split(), subject)
    status = max((_STATUS[each.severity] for each in found), default=DONE)
    if output == "json":
        render.show_json({"findings": [each._asdict() for each in found]})
    elif nagios:
        render.out(_one_line(found, status))
    else:
        for each in found:
            render.out(f"{each.severity}: {each.what} [{each.code}]")
            render.out(f"    {each.do}")
        if not found:
            render.out("nothing was found")
    return status


def _one_line(found: list[Problem], status: int) -> str:
    said = "; ".join(each.what for each in found[:3]) or "nothing was found"
    more = f"; {len(found) - 3} more" if len(found) > 3 else ""
    return f"HXM {('OK', 'WARNING', 'CRITICAL')[status]}: {said}{more}"


def _problems(cluster: Cluster, config: Config) -> Iterator[Problem]:
    claims = list(everyones(cluster, config))
    for one, other in combinations(claims, 2):
        names = [one.name, other.name]
        yield from audit.clashing((names, each) for each in clashes.between(one, other))
    for each in claims:
        if each.fault and "unknown" not in each.fault:
            do = "correct it: xl.cfg(5)"
            yield Problem("device-unreadable", ERROR, each.name, each.fault, do)
    yield from audit.of_cluster(cluster)
    called = {each.id: each.params.get("name", "") for each in cluster.primitives.values()}
    yield from audit.of_files(_files(cluster), called)
    yield from audit.of_autostart(autostarted(), cluster)
    if not cluster.sandbox:
        yield from _guards(cluster)


def _files(cluster: Cluster) -> Iterator[Read]:
    for domain in cluster.managed_domains:
        primitive = cluster.primitives[domain.resource or ""]
        if not primitive.agent.endswith("Xen"):
            continue
        try:
            text = read_text(domain.xmfile or "")
            own = domain_name(parse_xmfile(text, domain.xmfile or ""))
        except XmFileError as error:
            yield Read(domain, str(error))
        else:
            yield Read(domain, own=own, agents=agent_name(text))


def autostarted() -> Iterator[tuple[str, str]]:
    """The files that xendomains starts at boot, each with the name of its domU."""
    try:
        paths = sorted(os.path.join(AUTO, each) for each in os.listdir(AUTO))
    except OSError:
        return
    for path in paths:
        try:
            name = domain_name(read_xmfile(path))
        except XmFileError:
            name = None
        yield path, name or os.path.basename(path)


def _guards(cluster: Cluster) -> Iterator[Problem]:
    from hxm.commands.guard import REMEDIES, states

    for place, state in states():
        if state != guard.GUARDED:
            what = f"{place.path} is {state}"
            here = cluster.local_node or ""
            yield Problem("guard", WARNING, here, what, REMEDIES[state])
