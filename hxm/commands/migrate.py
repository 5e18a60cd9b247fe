"""hxm migrate: move domUs to another node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hxm.catalog import BY_HAND
from hxm.errors import NotFound, Refused, UsageError, WrongKind
from hxm.model import Cluster, is_managed
from hxm.orders import choose_nodes, pipeline
from hxm.output import render
from hxm.plan import Decision, PassThrough
from hxm.policy import all_typed, called
from hxm.policy.names import find_domains, find_node, is_pattern
from hxm.policy.orders.several_moves import Move, migrate_all

if TYPE_CHECKING:
    from hxm.arguments.options import Keep, OneDomain, Order, OthersAndNode


def run(order: Order, domain: OneDomain, others: OthersAndNode = None, keep: Keep = False) -> int:
    """Live-migrate domUs to another node, and wait until they have arrived.

    hxm tells the cluster to prefer the node. It removes the preference when the domU runs there and
    the scheduler shows that nothing would move back. hxm asks first if the move would not be live;
    a move that turns out not to be live ends with status 1.

    Several domUs are one plan: they move at once, as many at a time as the cluster allows. Without
    a node the scheduler chooses one for each; hxm shows which, and asks.

    Example: `hxm migrate nfs host2 --dry-run`, `hxm migrate nfs sles host2`, or `hxm migrate nfs`.
    """
    words = [domain, *(others or ())]

    def decide(cluster: Cluster) -> Decision:
        names, node = _taken_apart(cluster, words)
        guests = pipeline.named_domains(cluster, names)
        if not any(map(is_managed, guests)):
            return _passed(cluster, order, len(guests), words)
        managed = pipeline.managed_or_none(cluster, guests)
        if node is None:
            running = [guest for guest in managed if guest.running]
            if len(running) < len(managed):
                stopped = [guest for guest in managed if guest not in running]
                raise Refused(f"{called(stopped)} does not run", f"hxm start {all_typed(stopped)}")
            moves = choose_nodes.elsewhere(cluster, running, order.config)
        else:
            moves = [Move(guest, find_node(cluster, node)) for guest in managed]
        decision = migrate_all(cluster, moves, keep=keep, chosen=node is None)
        return pipeline.asked_about(cluster, names, decision)

    return pipeline.carry_out(order, decide)


def _taken_apart(cluster: Cluster, words: list[str]) -> tuple[list[str], str | None]:
    """The domUs, and the node, which is the last word; None if all are domUs."""
    first, *rest = words
    if cluster.node(first) and not find_domains(cluster, first):
        if rest and find_domains(cluster, rest[0]):
            right = f"hxm migrate {all_typed(pipeline.named_domains(cluster, rest))} {first}"
            raise NotFound(f"{first} is a node; the domU comes first", instead=right)
        raise WrongKind(first, "node", "domU", "hxm migrate DOMAIN NODE")
    if not rest:
        return words, None
    last = rest[-1]
    domains = find_domains(cluster, last) or is_pattern(cluster, last)
    return (words, None) if domains and not cluster.node(last) else (words[:-1], last)


def _passed(cluster: Cluster, order: Order, count: int, words: list[str]) -> PassThrough:
    """No managed domU: the toolstack moves it, and takes one at a time."""
    if count > 1 or len(words) != 2:
        raise UsageError(
            "xl and xm move one domU at a time, to a host that is named",
            "hxm migrate DOMAIN HOST",
        )
    from hxm.guard.admission import admit  # 10 ms, and seldom needed

    for warning in admit(BY_HAND["migrate"], order.words, cluster, order.config, xm=False):
        render.note(warning)
    return PassThrough()
