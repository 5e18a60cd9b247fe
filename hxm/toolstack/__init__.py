"""The local Xen toolstack: which one there is, and what it says of the domains on this host."""

from __future__ import annotations

from typing import NamedTuple

from hxm import run
from hxm.errors import CannotAsk
from hxm.toolstack.remote import ssh_argv
from hxm.toolstack.xl import LocalDomain, parse_list, parse_uuids

KNOWN = ("xl", "xm")  # in the order of the agent: which xl || which xm (since 2014-06-13)


class Toolstack(NamedTuple):
    """The program that commands are passed to, and how it was chosen."""

    program: str
    why: str


def detect(configured: str = "auto") -> Toolstack | None:
    """The toolstack of this host, or None where there is no Xen."""
    if configured != "auto":
        return Toolstack(configured, "set in the configuration")
    for program in KNOWN:
        if run.find(program):
            return Toolstack(program, "the first of xl and xm that is installed, as the agent does")
    return None


def read_local(toolstack: Toolstack) -> tuple[LocalDomain, ...]:
    """The domains of this host. Raises CannotAsk if the toolstack gives no answer."""
    result = run.output((toolstack.program, "list"))
    if result.status != 0:
        raise CannotAsk(f"{toolstack.program} list failed: {result.complaint()}")
    return parse_list(result.stdout.decode("utf-8", "surrogateescape"))


def read_uuids(toolstack: Toolstack) -> dict[str, str]:
    """The uuid of each local domain by its name. Raises CannotAsk if there is no answer."""
    result = run.output((toolstack.program, "vm-list"))
    if result.status != 0:
        raise CannotAsk(f"{toolstack.program} vm-list failed: {result.complaint()}")
    return parse_uuids(result.stdout.decode("utf-8", "surrogateescape"))


def destroy_argv(
    program: str, domain: str, node: str, here: str | None, ssh_timeout: float = 5
) -> tuple[str, ...]:
    """How a domain's plug is pulled on its node: here directly, elsewhere through ssh."""
    argv = (program, "destroy", domain)
    return argv if node == here else ssh_argv(node, argv, ssh_timeout)
