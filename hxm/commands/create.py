"""hxm create: start a domU by its configuration file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hxm.catalog import BY_HAND
from hxm.domu.config_file import candidate_files
from hxm.errors import NotFound, Refused, UsageError
from hxm.guard.admission import admitted, made_by_creation
from hxm.guard.create_line import creation_of
from hxm.host import files
from hxm.model import Cluster, Domain, is_managed
from hxm.orders import passthrough, pipeline
from hxm.output import render
from hxm.plan import Decision, PassThrough
from hxm.policy import typed
from hxm.policy.names import find_domains, surely_unmanaged
from hxm.policy.orders import lifecycle
from hxm.terminal.until import until_guests_answer
from hxm.toolstack import is_xm

if TYPE_CHECKING:
    from hxm.arguments.options import Order, Until, Words


def run(order: Order, words: Words = None, until: Until = "") -> int:
    """Start a domU by its configuration file or its name.

    For a managed domU this is `hxm start`: the cluster starts it on the node that it chooses. The
    name counts, not the file: hxm recognises a file that would create a second domU with a managed
    name, also with 'name="..."' on the command line. Everything else goes to xl or xm; so does -n,
    which only checks the file.

    Example: `hxm create /etc/xen/vm/nfs.xm`.
    """
    if not words:
        raise UsageError("create takes a configuration file or a domU", "hxm create --help")

    def decide(cluster: Cluster) -> Decision:
        xm = is_xm(cluster.toolstack or "")
        domain = _domain_for(cluster, words[0], words[1:], xm=xm)
        if {"-n", "--dryrun", "-x", "--xmldryrun"} & set(order.ignored):
            return PassThrough()
        if domain and is_managed(domain):
            return lifecycle.start(cluster, [domain])
        if not domain:
            passthrough.require_this_host(f"hxm enrol {words[0]}")
            made, filed = made_by_creation(creation_of(order.words, xm=xm))
            row, config = BY_HAND["create"], order.config
            for warning in admitted(row, (), made, filed, cluster, config, forced=order.force):
                render.note(warning)
        return PassThrough()

    dropped = (setting for setting in words[1:] if setting.partition("=")[0].strip() != "name")
    passed = order._replace(ignored=(*order.ignored, *dropped))
    return pipeline.carry_out(passed, decide, then=until_guests_answer(order, words[:1], until))


def _is_read(path: str) -> bool:
    """Whether the toolstack would read a configuration there; that of /dev/null is empty."""
    return files.is_file(path) or path == os.devnull


def _domain_for(cluster: Cluster, word: str, settings: list[str], *, xm: bool) -> Domain | None:
    """The domU of this name, or the managed domU that the file describes; None if neither.

    An existing file takes precedence over a name, as for xl and xm.
    """
    path = next((file for file in candidate_files(word) if _is_read(file)), None)
    if path is None and find_domains(cluster, word):
        domain = pipeline.named_domains(cluster, [word])[0]
        if settings and domain.resource:
            raise Refused(
                f"the cluster manages {domain.name} and starts it from its file",
                f"edit {domain.xmfile or 'that file'}, then: hxm start {typed(domain)}",
            )
        if not settings:
            return domain
    if path is None:
        nothing = "file" if settings else "domU and no file"
        raise NotFound(f"there is no {nothing} {word[:60]!r}", "hxm list shows the domUs")
    name = creation_of([path, *settings], xm=xm).name or ""
    named = [
        domain
        for domain in cluster.managed_domains
        if name in (domain.name, domain.resource, *domain.also)
    ]
    if not named:
        surely_unmanaged(cluster, [name])
    return named[0] if named else None
