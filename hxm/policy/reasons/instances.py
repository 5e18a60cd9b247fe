"""How many instances a clone may have, and promote, where that keeps a further one from a node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hxm.model import Node
from hxm.policy import counted, is_true, listed
from hxm.policy.indexed import primitives, states
from hxm.policy.reasons.facts import Change, Facts, Reason, Subject, places
from hxm.policy.relations import score_of
from hxm.policy.unjudged import may_start

_OPTION, _ON_NODE, _LEAST = "clone-max", "clone-node-max", "clone-min"


def no_more(facts: Facts, subject: Subject, node: Node) -> Iterator[Reason]:
    """That its clone has all of its instances on other nodes, or may have none on any.

    The first does not forbid the node: an instance may leave another for it, and stays away from
    there.
    """
    for primitive in subject.inside:
        limit, there = primitive.meta.get(_OPTION, ""), places(facts, primitive.id)
        if not primitive.clone or node.name in there:
            continue
        if primitive.meta.get(_ON_NODE) == "0":
            yield _limited(facts, primitive.clone, _ON_NODE, 0, 1)
            return
        if limit.isdigit() and len(there) >= int(limit) > 0:
            what = f"{primitive.clone} runs {counted(int(limit), 'instance')} at most"
            what += f": on {listed(sorted(there))}"
            number = str(max(len(facts.cluster.hosts), int(limit) + 1))
            command = facts.cluster.advice(
                "instances", clone=primitive.clone, option=_OPTION, number=number
            )
            do = may_start(facts.cluster, command, f"it may run on {number} nodes at once")
            change = Change("allot", primitive.clone, number, _OPTION)
            yield Reason(what, f"{_OPTION}={limit}", do, change=change, lasting=True)
            return


def _limited(facts: Facts, clone: str, option: str, limit: int, number: int) -> Reason:
    """That a node may not run as many of a clone's instances as are wanted."""
    what = f"{clone} runs {counted(limit, 'instance')} on a node at most"
    command = facts.cluster.advice("instances", clone=clone, option=option, number=str(number))
    do = may_start(facts.cluster, command, f"a node may run {number} at once")
    change = Change("allot", clone, str(number), option)
    return Reason(what, f"{option}={limit}", do, absolute=True, change=change, lasting=True)


def too_few_nodes(facts: Facts, clone: Subject) -> Iterator[Reason]:
    """That all nodes together run fewer instances than have to run before something else starts."""
    hosts = sum(node.usable for node in facts.cluster.nodes)
    for primitive in clone.inside:
        least = primitive.meta.get(_LEAST, "")
        if not primitive.clone or not least.isdigit() or not hosts:
            continue
        if is_true(primitive.meta.get("globally-unique", "")):
            limit = primitive.meta.get(_ON_NODE, "1")
            number = -(-int(least) // hosts)
            if score_of(limit) < number:
                yield _limited(facts, primitive.clone, _ON_NODE, score_of(limit), number)
        else:
            what = f"it can run on {counted(hosts, 'node')} alone"
            command = facts.cluster.advice(
                "instances", clone=primitive.clone, option=_LEAST, number=str(hosts)
            )
            change = Change("allot", primitive.clone, str(hosts), _LEAST)
            do = may_start(facts.cluster, command, f"{hosts} are enough")
            yield Reason(what, f"{_LEAST}={least}", do, True, change, lasting=True)
        return


def how_many(facts: Facts, name: str) -> int:
    """How many instances of a clone run, by its primitive that has the fewest."""
    inside = (one.id for one in primitives(facts.cluster).of(name) if one.clone == name)
    return min((_instances(facts, primitive) for primitive in inside), default=0)


def _instances(facts: Facts, primitive: str) -> int:
    return sum(len(state.nodes) for state in states(facts.cluster).of(primitive))


def limits(facts: Facts, subject: Subject) -> Iterator[Reason]:
    """What keeps a clone that runs from running, or promoting, more instances; these are facts."""
    for primitive in subject.inside:
        meta, runs = primitive.meta, _instances(facts, primitive.id)
        most, on_node = meta.get(_OPTION, ""), meta.get(_ON_NODE, "1")
        hosts = sum(node.usable for node in facts.cluster.nodes)
        numbers = primitive.clone and most.isdigit() and on_node.isdigit()
        if numbers and int(on_node) * hosts <= runs < int(most):
            what = f"{int(most) - runs} of its {most} instances do not run: "
            what += f"a node runs {on_node} at most"
            yield Reason(what, f"{_OPTION}={most}, {_ON_NODE}={on_node}")
        promoted, option = places(facts, primitive.id, "Promoted"), _promoted_max(meta)
        limit = meta.get(option, "1")
        if promoted and limit.isdigit() and int(limit) <= len(promoted) < runs:
            what = f"{counted(int(limit), 'instance')} may be promoted: on "
            yield Reason(f"{what}{listed(sorted(promoted))}", f"{option}={limit}")


def none_promoted(facts: Facts, subject: Subject) -> Iterator[Reason]:
    """That its clone may promote no instance at all."""
    for primitive in subject.inside:
        for option in (_promoted_max(primitive.meta), _promoted_max(primitive.meta, "-node")):
            if primitive.clone and primitive.meta.get(option) == "0":
                what = f"{primitive.clone} may promote no instance"
                command = facts.cluster.advice(
                    "instances", clone=primitive.clone, option=option, number="1"
                )
                do, change = (
                    may_start(facts.cluster, command, "one may be"),
                    Change("allot", primitive.clone, "1", option),
                )
                yield Reason(what, f"{option}=0", do, True, change, lasting=True)


def _promoted_max(meta: Mapping[str, str], of: str = "") -> str:
    """The option by its name of today, or by its old one, whichever is set."""
    old = f"master{of}-max"
    return old if old in meta else f"promoted{of}-max"
