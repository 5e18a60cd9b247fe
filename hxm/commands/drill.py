"""Cause a failure on purpose and measure how the cluster recovers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.errors import DONE
from hxm.orders import pipeline
from hxm.output import TABLE, Form, Table, render
from hxm.pacemaker.audit_facts import monitors_in
from hxm.plan import Plan
from hxm.policy.names import find_node
from hxm.policy.orders import drill

if TYPE_CHECKING:
    from hxm.arguments.options import OneDomain, OneNode, Order
    from hxm.model import Cluster, ManagedDomain


def list_(form: Form = TABLE) -> int:
    """List the drills and what each does.

    A drill says what it will disturb and asks. It measures the downtime of each domU and leaves the
    configuration as it was. Status 0 is a pass, 1 a failure; a refused drill has not begun. The
    cluster must be healthy: all nodes usable, fencing on, no failures.
    """
    if form.output == "json":
        render.show_json(
            {
                "drills": [
                    {"name": name, "subject": subject or None, "what": what}
                    for name, (subject, what) in drill.DRILLS.items()
                ]
            }
        )
        return DONE
    rows = [(f"{name} {subject}".strip(), what) for name, (subject, what) in drill.DRILLS.items()]
    render.show(Table(("Drill", "What it does"), rows), form)
    return DONE


def kill(order: Order, domain: OneDomain) -> int:
    """Destroy a domU on its node without telling the cluster, and see the cluster restart it.

    The monitor must detect the loss. hxm clears the failure afterwards. The times are as exact as
    the polling interval (`poll` in /etc/hxm.toml).

    Example: `hxm drill kill sles`.
    """

    def decide(cluster: Cluster) -> Plan:
        victim = _managed(cluster, domain)
        return drill.kill(cluster, victim, monitors_in(cluster.written, victim.resource))

    return pipeline.carry_out(order, decide)


def standby(order: Order, node: OneNode) -> int:
    """Drain a node and take it back; its domUs stay where they went."""
    return pipeline.carry_out(
        order, lambda cluster: drill.standby(cluster, find_node(cluster, node))
    )


def dc(order: Order) -> int:
    """Make another node the DC: drain the present one and restart its cluster stack.

    hxm stops and starts the stack by `service`, through ssh; therefore run this on another node.
    """
    return pipeline.carry_out(order, drill.dc)


def ping(order: Order, node: OneNode) -> int:
    """Cut a node off from the addresses that it pings, see its domUs leave, and reconnect it.

    Through ssh, hxm sets an unreachable route on the node for each address in the `host_list` of
    the ping resource; the route expires after 600 s even if hxm dies. The drill ends when the node
    reaches the addresses again.
    """
    return pipeline.carry_out(order, lambda cluster: drill.ping(cluster, find_node(cluster, node)))


def fence(order: Order, node: OneNode) -> int:
    """Have a node fenced, see its domUs start elsewhere, and wait until the node is back.

    Asks twice, and names the domUs that will die. If fencing leaves the node switched off, somebody
    must switch it on.
    """
    return pipeline.carry_out(order, lambda cluster: drill.fence(cluster, find_node(cluster, node)))


SUBCOMMANDS = (list_, kill, standby, dc, ping, fence)


def _managed(cluster: Cluster, word: str) -> ManagedDomain:
    (managed,) = pipeline.managed_only(cluster, [word])
    return managed
