"""Orders that would write at one resource what stands at its group, its clone or in a set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hxm.model import Cluster, Primitive
from hxm.plan import Objection
from hxm.policy import listed
from hxm.policy.guards import FORCE, safe_end
from hxm.policy.inherited import end_above, in_force


def stands_above(
    cluster: Cluster, primitives: Iterable[Primitive], option: str
) -> Iterator[Objection]:
    """What counts for others as well, where an order would write against it at one of them.

    A target-role in a set may be meant: then each is started by its own.
    """
    for primitive in primitives:
        overridden = option in primitive.own_meta and not in_force(option, primitive.own_meta)
        above = primitive.inherited_from.get(option, ("", "", ""))
        place, given, _ = above
        end = end_above(cluster, primitive, option)
        if not end or overridden or (given and option == "target-role"):
            continue
        alike = [p.id for p in cluster.primitives.values() if p.inherited_from.get(option) == above]
        value = primitive.inherited_meta[option]
        what = f"{option}={value} stands at {place}, and counts for {listed(alike, 4)}"
        domain = cluster.domain_of(primitive.id)
        safe = safe_end(domain, end) if domain and given else ""  # of a group, default starts it
        yield Objection(what, safe or end, lifted_by=FORCE)
