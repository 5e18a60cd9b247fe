"""Break something on purpose, and see what the cluster makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.errors import DONE
from hxm.orders import pipeline
from hxm.output import TABLE, Form, Table, render
from hxm.pacemaker.audit_facts import monitors_in
from hxm.policy import Plan, drill
from hxm.policy.names import find_node

if TYPE_CHECKING:
    from hxm.arguments.options import OneDomain, OneNode, Order
    from hxm.model import Cluster, Domain


def list_(form: Form = TABLE) -> int:
    """Show the drills there are, and what each does.

    A drill says what it will disturb and asks, measures how long each domU was away, and leaves the
    configuration as it was. Status 0 is a pass and 1 a failure; what was refused was not begun. The
    cluster must be well: all nodes usable, fencing on, nothing failed.
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
    """Destroy a domU on its node, past the cluster, and see the cluster bring it back.

    Its monitor has to miss it. The failure that this leaves is forgotten again. Times are as exact
    as hxm's looks at the cluster are frequent (`poll` in /etc/hxm.toml).

    Example: `hxm drill kill sles`.
    """

    def decide(cluster: Cluster) -> Plan:
        found = _managed(cluster, domain)
        return drill.kill(cluster, found, monitors_in(cluster.written, found.resource or ""))

    return pipeline.carry_out(order, decide)


def standby(order: Order, node: OneNode) -> int:
    """Drain a node and take it back; its domUs stay where they went."""
    return pipeline.carry_out(
        order, lambda cluster: drill.standby(cluster, find_node(cluster, node))
    )


def dc(order: Order) -> int:
    """See another node become the DC: the present one is drained and its cluster stack restarted.

    The stack is stopped and started by `service`, through ssh; so this is typed on another node.
    """
    return pipeline.carry_out(order, drill.dc)


def ping(order: Order, node: OneNode) -> int:
    """Cut a node off from the addresses that it pings, see its domUs leave, and undo it.

    An unreachable route for each address in the `host_list` of the ping resource is set on the node
    through ssh; it goes away by itself after 600 s, whatever becomes of hxm. The drill ends when
    the node has been seen to reach them again.
    """
    return pipeline.carry_out(order, lambda cluster: drill.ping(cluster, find_node(cluster, node)))


def fence(order: Order, node: OneNode) -> int:
    """Have a node fenced, see its domUs start elsewhere, and wait until the node is back.

    Asks twice, and names the domUs that will die. A node that fencing leaves switched off has to be
    switched on by somebody.
    """
    return pipeline.carry_out(order, lambda cluster: drill.fence(cluster, find_node(cluster, node)))


SUBCOMMANDS = (list_, kill, standby, dc, ping, fence)


def _managed(cluster: Cluster, word: str) -> Domain:
    (found,) = pipeline.managed_only(cluster, [word])
    return found
