"""hxm create: start a domU by its configuration file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hxm import change, render
from hxm.claims import claim
from hxm.commands import BY_HAND
from hxm.commands._judge import newcomers, settings_of
from hxm.commands._until import answering
from hxm.config import read_config
from hxm.decide import Decision, PassThrough, lifecycle
from hxm.decide.names import find_domains, surely_unmanaged
from hxm.errors import NotFound, Refused, UsageError
from hxm.model import Cluster, Domain
from hxm.toolstack import is_xm
from hxm.xmfile import Value, XmFileError, domain_name

if TYPE_CHECKING:
    from hxm.options import Order, Until, Words


def run(order: Order, words: Words = None, until: Until = "") -> int:
    """Start a domU, named by its configuration file or by its name.

    If the cluster manages it, this is `hxm start`: the cluster starts it, where it sees fit. The
    name counts, not the file: a file that would create a second domU of a managed name is
    recognised, also with 'name="..."' on the command line. Everything else goes to xl or xm, and so
    does -n, which only checks the file.

    Example: `hxm create /etc/xen/vm/nfs.xm`.
    """
    if not words:
        raise UsageError("create takes a configuration file or a domU", "hxm create --help")

    def decide(cluster: Cluster) -> Decision:
        domain, settings = _meant(cluster, words[0], words[1:])
        if {"-n", "--dryrun", "-x", "--xmldryrun"} & set(order.ignored):
            return PassThrough()
        if domain and domain.resource:
            return lifecycle.start(cluster, [domain])
        if settings:
            name = domain_name(settings) or os.path.basename(words[0])
            made = [claim(name, settings)]
            for warning in newcomers(BY_HAND["create"], made, cluster, read_config()):
                render.note(warning)
        return PassThrough()

    dropped = (each for each in words[1:] if each.partition("=")[0].strip() != "name")
    told = order._replace(ignored=(*order.ignored, *dropped))
    return change.carry_out(told, decide, then=answering(order, words[:1], until))


def _meant(
    cluster: Cluster, word: str, settings: list[str]
) -> tuple[Domain | None, Mapping[str, Value]]:
    """The managed domU that would be created, or None and what its file says.

    A file that is there is what xl and xm would read, whatever else the word may mean.
    """
    path = next((each for each in _paths(word) if os.path.isfile(each)), None)
    if path is None and not settings and find_domains(cluster, word):
        return change.meant(cluster, [word])[0], {}
    if path is None:
        raise NotFound(f"there is no domU and no file {word[:60]!r}", "hxm list shows the domUs")
    try:
        read = settings_of(path, settings, xm=is_xm(cluster.toolstack or ""))
    except XmFileError as error:
        raise Refused(
            f"{error.message}: it may be a domU that the cluster manages",
            "correct the file; hxm refuses what it cannot read",
        ) from None
    name = domain_name(read) or os.path.basename(path)
    named = [
        each for each in cluster.managed_domains if name in (each.name, each.resource, *each.also)
    ]
    if not named:
        surely_unmanaged(cluster, [name])
    return (named[0] if named else None), read


def _paths(word: str) -> tuple[str, ...]:
    """Xm looks in /etc/xen as well."""
    return (word, os.path.join("/etc/xen", word))
