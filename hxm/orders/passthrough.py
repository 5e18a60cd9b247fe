"""Hands a command over to the toolstack: what concerns no managed domU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.cluster.read import sandbox_file
from hxm.config import Config
from hxm.errors import Failed, Interrupted, Refused
from hxm.host import programs
from hxm.orders import report
from hxm.pacemaker.environment import is_this_hosts
from hxm.plan import PassThrough
from hxm.policy import listed
from hxm.toolstack import detect

if TYPE_CHECKING:
    from hxm.arguments.options import Order


def pass_through(order: Order, config: Config, decision: PassThrough) -> int:
    """Replace hxm by the toolstack's own command; with --dry-run only show it.

    xl and xm take one domU at a time: for several domUs the command runs once for each, and this
    returns the highest status.
    """
    toolstack = toolstack_for(order.verb, config)
    names = decision.names if len(decision.names) > 1 else ("",)
    argvs = [
        (
            *(toolstack, *order.before, order.verb),
            *(word for word in order.words if word == name or word not in names),
        )
        for name in names
    ]
    if order.dry_run:
        return report.show_pass_through(order, argvs)
    if len(argvs) == 1:
        programs.become(argvs[0])
    statuses = []
    try:
        for argv in argvs:
            statuses.append(programs.beside(argv))
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; done: {listed(names[: len(statuses)])}") from None
    return max(statuses)


def toolstack_for(verb: str, config: Config) -> str:
    """The toolstack that carries out an order for an unmanaged domU.

    Raises Refused if the order is not for this host's toolstack, Failed if there is none.
    """
    require_this_host()
    toolstack = detect(config.toolstack)
    if not toolstack:
        raise Failed(
            f"cannot {verb} an unmanaged domU: neither xl nor xm is installed on this host",
            "run this on the Xen host",
        )
    if (verb, toolstack.program) == ("start", "xl"):
        raise Refused("xl starts a domU only from its configuration file", "hxm create FILE")
    return toolstack.program


def require_this_host(instead: str = "") -> None:
    """Raises Refused if CIB_file selects a cluster that is not this host's.

    `instead` is the command that does it in that cluster.
    """
    if sandbox_file() and not is_this_hosts():
        raise Refused(
            "CIB_file is set: the domUs of this host do not belong to that cluster",
            f"unset CIB_file to act on this host{f', or {instead}' if instead else ''}",
        )
