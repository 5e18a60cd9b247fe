"""The local Xen toolstack: which one there is, and what it says of the domains on this host."""

from __future__ import annotations

from typing import NamedTuple

from hxm import run
from hxm.errors import CannotAsk
from hxm.toolstack import xl
from hxm.toolstack.remote import ssh_argv
from hxm.toolstack.xl import LocalDomain

GONE = ("invalid domain identifier", "does not exist")
"""What xl and xm say of a domain that is not there."""
KNOWN = ("xl", "xm")  # in the order of the agent: which xl || which xm (since 2014-06-13)


class Toolstack(NamedTuple):
    """The program that commands are passed to, and how it was chosen."""

    program: str
    why: str


def detect(configured: str = "auto") -> Toolstack | None:
    """The toolstack of this host, or None where there is no Xen."""
    if configured != "auto":
        found = Toolstack(configured, "set in the configuration")
        return found if run.find(configured) else None
    for program in KNOWN:
        if run.find(program):
            return Toolstack(program, "the first of xl and xm that is installed, as the agent does")
    return None


def read_local(toolstack: Toolstack, timeout: float) -> tuple[LocalDomain, ...]:
    """The domains of this host. Raises CannotAsk if there is no answer within `timeout` s."""
    result = run.output((toolstack.program, "list"), timeout=timeout)
    if result.status != 0:
        raise CannotAsk(f"{toolstack.program} list failed: {result.complaint()}")
    return parse_list(toolstack.program, result.stdout)


def parse_list(program: str, printed: bytes) -> tuple[LocalDomain, ...]:
    """The domains in what the toolstack's `list` printed, a greeting of a login before it or not.

    Raises CannotAsk if that is no such table.
    """
    text = printed.decode("utf-8", "surrogateescape")
    text = text[max(0, text.find("Name ")) :]
    if not is_xm(program):
        return xl.parse_list(text)
    from hxm.toolstack import xm

    return xm.parse_list(text)


def is_xm(program: str) -> bool:
    """Whether the program is xend's, under whatever path."""
    return program.rpartition("/")[2] == "xm"


UUIDS = {"xl": ("vm-list",), "xm": ("list", "--long")}
"""What each toolstack is asked for the uuids."""


def read_uuids(toolstack: Toolstack) -> dict[str, str]:
    """The uuid of each local domain by its name. Raises CannotAsk if there is no answer."""
    words = UUIDS["xm" if is_xm(toolstack.program) else "xl"]
    result = run.output((toolstack.program, *words))
    if result.status != 0:
        said = " ".join(words)
        raise CannotAsk(f"{toolstack.program} {said} failed: {result.complaint()}")
    return parse_uuids(toolstack.program, result.stdout)


def parse_uuids(program: str, printed: bytes) -> dict[str, str]:
    """The uuids by name in what the toolstack printed when it was asked for them."""
    text = printed.decode("utf-8", "surrogateescape")
    if not is_xm(program):
        return xl.parse_uuids(text)
    from hxm.toolstack import xm

    return xm.parse_uuids(text)


def destroy_argv(
    program: str, domain: str, node: str, here: str | None, ssh_timeout: float
) -> tuple[str, ...]:
    """How a domain's plug is pulled on its node: here directly, elsewhere through ssh."""
    argv = (program, "destroy", domain)
    return argv if node == here else ssh_argv(node, argv, ssh_timeout)
