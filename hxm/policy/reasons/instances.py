"""How many instances a clone may have, where that keeps a further one from a node."""

from __future__ import annotations

from collections.abc import Iterator

from hxm.model import Node
from hxm.policy import counted, listed
from hxm.policy.reasons.facts import Change, Facts, Reason, Subject, places
from hxm.policy.unjudged import on_condition

_OPTION = "clone-max"


def no_more(facts: Facts, subject: Subject, node: Node) -> Iterator[Reason]:
    """That its clone has all of its instances on other nodes.

    It does not forbid the node: an instance may leave another for it, and stays away from there.
    """
    for primitive in subject.inside:
        limit, there = primitive.meta.get(_OPTION, ""), places(facts, primitive.id)
        if not primitive.clone or node.name in there or not limit.isdigit():
            continue
        if len(there) >= int(limit) > 0:
            what = f"{primitive.clone} runs {counted(int(limit), 'instance')} at most"
            what += f": on {listed(sorted(there))}"
            number = str(max(len(facts.cluster.hosts), int(limit) + 1))
            command = facts.cluster.advice(
                "instances", clone=primitive.clone, option=_OPTION, number=number
            )
            do = on_condition(f"it may run on {number} nodes at once", command)
            change = Change("allot", primitive.clone, number, _OPTION)
            yield Reason(what, f"{_OPTION}={limit}", do, change=change, lasting=True)
            return
