"""The one reason that stands for all, where there is room for no more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hxm.model import ManagedDomain
from hxm.policy import listed
from hxm.policy.reasons.facts import INSTEAD, Facts, Reason
from hxm.policy.reasons.one_of import other_way
from hxm.policy.reasons.search import Inquiry
from hxm.policy.reasons.why import ask


def first_reason(
    facts: Facts,
    domain: ManagedDomain,
    inquiry: Inquiry | None = None,
    unknown: Sequence[Reason] = (),
) -> Reason | None:
    """The weightiest reason why a domU that should run does not, and whether it is confirmed."""
    reasons = ask(facts, domain, None, inquiry, unknown, brief=True).reasons
    first = weightiest(reasons)
    if not first:
        return next(iter(reasons), None) if inquiry else None
    more = _more(_causes(reasons))
    return first._replace(what=f"{first.what}; and {more} more: hxm why") if more else first


def weightiest(reasons: Iterable[Reason]) -> Reason | None:
    """The first that is a cause, of all nodes with it; what is not confirmed says so."""
    causes = _causes(reasons)
    first = _of_all_nodes(causes) if causes else None
    return first.as_supposed if first and first.supposed else first


def _causes(reasons: Iterable[Reason]) -> list[Reason]:
    likely = (reason for reason in reasons if reason.absolute or reason.confirmed)
    return [reason for reason in likely if INSTEAD not in reason.what]


def _more(causes: Sequence[Reason]) -> int:
    """How many have to go beside the first, on the node where these are the fewest."""
    causes = [causes[0], *(one for one in causes[1:] if not other_way(causes[0], one))]
    nodes = causes[0].nodes or {node for reason in causes for node in reason.nodes}
    on_each = [sum(node in reason.nodes for reason in causes) for node in nodes]
    return sum(not reason.nodes for reason in causes) + min(on_each, default=0) - 1


def _of_all_nodes(causes: Sequence[Reason]) -> Reason:
    """The first cause, of every node that has the same, whatever ends it there."""
    alike = [reason for reason in causes if reason.cause == causes[0].cause]
    # there were no questions left for some of the nodes: the model says the same of them
    first = causes[0]._replace(confirmed=any(reason.confirmed for reason in alike))
    nodes = [node for reason in alike for node in reason.nodes]
    if not nodes:
        return first
    every = dict.fromkeys(node for reason in causes for node in reason.nodes)
    others = [node for node in every if node not in nodes]
    if len(alike) > 1:
        first = first.of_nodes(nodes, every=not others)._replace(do=_of_all(alike))
    first = first.placed
    elsewhere = f"; not on {listed(others, 4)} for other reasons" if others else ""
    return first._replace(what=f"{first.what}{elsewhere}")


def _of_all(alike: Sequence[Reason]) -> str:
    """What ends it on all nodes: one cleanup if that is what ends it on each, else the first."""
    commands = {reason.do.removesuffix(f" {node}") for reason in alike for node in reason.nodes[:1]}
    command = next(iter(commands))
    all_nodes = len(commands) == 1 and command.partition("hxm cleanup ")[2]
    return command if all_nodes else alike[0].do
