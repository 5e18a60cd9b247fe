"""hxm maintenance: for the cluster, a node or a domU."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from hxm.cluster.read import read_cluster
from hxm.errors import Ambiguous, HxmError, NotFound, UsageError
from hxm.model import Cluster, ManagedDomain, Node
from hxm.orders import pipeline
from hxm.plan import Decision
from hxm.policy import listed
from hxm.policy.names import find_domains, find_node, shown
from hxm.policy.orders import hygiene

if TYPE_CHECKING:
    from hxm.arguments.options import Order, Subject, Switch


def run(order: Order, switch: Switch, subject: Subject = None) -> int:
    """Switch maintenance on or off for the whole cluster, a node, or a domU.

    In maintenance the cluster neither acts nor monitors: it sees failures when maintenance ends.

    Example: `hxm maintenance on`, `hxm maintenance off host1`.
    """
    if switch not in ("on", "off"):
        raise _not_a_switch(order, switch, subject)

    def decide(cluster: Cluster) -> Decision:
        return hygiene.maintenance(cluster, switch == "on", _subject(cluster, subject))

    return pipeline.carry_out(order, decide)


def _not_a_switch(order: Order, word: str, following: str | None) -> UsageError:
    """What is wrong; what to type has the word as its operand only if there is such a thing.

    Nothing in it is a command if it is pasted as it is: no | before a second one.
    """
    state = following if following in ("on", "off") else "on or off"
    try:
        cluster = read_cluster(order.config)
        known = cluster.node(word) or find_domains(cluster, word)
    except HxmError:
        known = None
    subject = quote(word) if known else "[NODE or DOMAIN]"
    return UsageError(
        f"maintenance takes on or off, not {shown(word)}",
        instead=f"hxm maintenance {state} {subject}",
    )


def _subject(cluster: Cluster, word: str | None) -> Node | ManagedDomain | None:
    if word is None:
        return None
    domains = find_domains(cluster, word)
    if cluster.node(word) and domains:
        raise Ambiguous(f"{word} is a node and a domU", "use the domU's configuration file")
    if not domains and not cluster.node(word):
        names = [node.name for node in cluster.nodes]
        names += [domain.name for domain in cluster.managed_domains]
        raise NotFound(f"there is no node and no domU {shown(word)}", f"there are: {listed(names)}")
    return pipeline.managed_only(cluster, [word])[0] if domains else find_node(cluster, word)
