"""hxm console: a domU's console, wherever it runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hxm.cluster.read import identify, read_cluster, sandbox_file, with_other_nodes
from hxm.config import Config, read_config
from hxm.errors import CannotAsk, Failed, NotFound, Refused
from hxm.host import programs
from hxm.model import Cluster, Domain
from hxm.orders import passthrough
from hxm.output.render import note
from hxm.policy.names import find_domain
from hxm.terminal import console

if TYPE_CHECKING:
    from hxm.arguments.options import ConsoleNumber, ConsoleType, OneDomain


def run(domain: OneDomain, kind: ConsoleType = None, number: ConsoleNumber = "") -> int:
    """Open the console of a domU, on whichever node it runs; Ctrl-] leaves it.

    Another node is reached through ssh. If the domU moves to another node or restarts, the console
    follows it and says so in one line; if it is shut down, the command ends. For an unmanaged domU
    of this host this is `xl console` itself.

    Example: `hxm console nfs`.
    """
    options = [*(["-t", kind] if kind else []), *(["-n", number] if number else [])]
    config = read_config()
    try:
        cluster, guest = _find_guest(domain, config)
    except CannotAsk as error:
        try:
            program = passthrough.toolstack_for("console", config)
        except Failed:  # the first error is the one that matters
            raise error from None
        note(f"cannot ask the cluster; asking only this host: {error.message}")
        programs.become((program, "console", *options, domain))
    if not guest.resource and cluster.local_node in (None, *guest.nodes):
        program = passthrough.toolstack_for("console", config)
        console.greet(guest.name, cluster.local_node)
        programs.become((program, "console", *options, domain))
    if cluster.sandbox:
        raise Refused("domUs in a sandbox have no console", "unset CIB_file to reach real ones")
    if os.isatty(0) and os.isatty(1):
        return console.follow(cluster, guest, options, config)
    node = console.console_node(cluster, guest)
    programs.become(
        console.console_argv(cluster, config, guest.name, node, options, terminal=False)
    )


def _find_guest(word: str, config: Config) -> tuple[Cluster, Domain]:
    """The domain with this name; searches every node if no cluster manages it."""
    cluster = identify(read_cluster(config), [word])
    try:
        return cluster, find_domain(cluster, word)
    except NotFound:
        if sandbox_file():
            raise
    cluster = with_other_nodes(cluster, config)
    return cluster, find_domain(cluster, word)
