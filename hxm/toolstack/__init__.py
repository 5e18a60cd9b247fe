"""The local Xen toolstack: which one there is, and what it says of the domains on this host."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from hxm.errors import CannotAsk
from hxm.host import programs
from hxm.toolstack import xl
from hxm.toolstack.xl import LocalDomain

GONE = ("invalid domain identifier", "does not exist")
"""What xl and xm say of a domain that is not there."""
KNOWN = ("xl", "xm")  # in the order of the agent: which xl || which xm (since 2014-06-13)


class Toolstack(NamedTuple):
    """The program that commands are passed to, and how it was chosen."""

    program: str
    why: str


class Spoken(Protocol):
    """What a module of this package has for its program, whose `list` is the same for all."""

    UUIDS: tuple[str, ...]
    LONG: tuple[str, ...]

    def parse_list(self, text: str) -> tuple[LocalDomain, ...]:
        """The domains in what `list` printed."""

    def parse_uuids(self, text: str) -> dict[str, str]:
        """The uuids by name in what it printed when asked for UUIDS."""


def is_xm(program: str) -> bool:
    """Whether the program is xend's, under whatever path."""
    return program.rpartition("/")[2] == "xm"


def of(program: str) -> Spoken:
    """The module of the program's toolstack; the other one is not loaded."""
    if is_xm(program):
        from hxm.toolstack import xm

        return xm
    return xl


def detect(configured: str = "auto") -> Toolstack | None:
    """The toolstack of this host, or None where there is no Xen."""
    if configured != "auto":
        toolstack = Toolstack(configured, "set in the configuration")
        return toolstack if programs.find(configured) else None
    for program in KNOWN:
        if programs.find(program):
            return Toolstack(program, "the first of xl and xm that is installed, as the agent does")
    return None


def read_local(toolstack: Toolstack, timeout: float) -> tuple[LocalDomain, ...]:
    """The domains of this host. Raises CannotAsk if there is no answer within `timeout` s."""
    result = programs.output((toolstack.program, "list"), timeout=timeout)
    if result.status != 0:
        raise CannotAsk(f"{toolstack.program} list failed: {result.complaint()}")
    return domains_in(toolstack.program, result.stdout)


def read_uuids(toolstack: Toolstack) -> dict[str, str]:
    """The uuid of each local domain by its name. Raises CannotAsk if there is no answer."""
    words = of(toolstack.program).UUIDS
    result = programs.output((toolstack.program, *words))
    if result.status != 0:
        command = " ".join(words)
        raise CannotAsk(f"{toolstack.program} {command} failed: {result.complaint()}")
    return uuids_in(toolstack.program, result.stdout)


def domains_in(program: str, printed: bytes) -> tuple[LocalDomain, ...]:
    """The domains in what the toolstack's `list` printed, a greeting of a login before it or not.

    Raises CannotAsk if that is no such table.
    """
    text = printed.decode("utf-8", "surrogateescape")
    return of(program).parse_list(text[max(0, text.find("Name ")) :])


def uuids_in(program: str, printed: bytes) -> dict[str, str]:
    """The uuids by name in what the toolstack printed when it was asked for them."""
    return of(program).parse_uuids(printed.decode("utf-8", "surrogateescape"))
