"""What is looked up by name again and again: read once, however many domUs are asked about."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Generic, TypeVar, cast

from hxm.model import Cluster, Failure, Operation, Primitive, Resource

_Item = TypeVar("_Item")


class Index(Generic[_Item]):
    """Items by their names: many may have one, and one may have several."""

    def __init__(self, named: Iterable[tuple[str, _Item]]) -> None:
        self._by_name: dict[str, dict[int, _Item]] = {}
        for position, (name, item) in enumerate(named):
            self._by_name.setdefault(name, {})[position] = item

    def of(self, *names: str) -> list[_Item]:
        """The items of these names, in the order in which they were given."""
        if len(names) == 1:
            return [*self._by_name.get(names[0], {}).values()]
        alike = [self._by_name[name] for name in names if name in self._by_name]
        positions = {position: items for items in alike for position in items}
        return [positions[position][position] for position in sorted(positions)]


def remembered(of: Callable[[Cluster], _Item]) -> Callable[[Cluster], _Item]:
    """What a function says of a cluster, said once: nothing about a cluster changes."""
    name = f"{of.__module__}.{of.__qualname__}"

    @wraps(of)
    def answer(cluster: Cluster) -> _Item:
        known = vars(cluster)  # where its cached properties are as well
        if name not in known:
            known[name] = of(cluster)
        return cast("_Item", known[name])

    return answer


@remembered
def primitives(cluster: Cluster) -> Index[Primitive]:
    """The primitives by their own ids, and by those of what they are in."""
    every = cluster.primitives.values()
    return Index((name, p) for p in every for name in {p.id, p.parent, p.clone} if name)


@remembered
def states(cluster: Cluster) -> Index[Resource]:
    """The instances of primitives, by the ids of these."""
    return Index((primitive_of(state.id), state) for state in cluster.resources)


@remembered
def instances(cluster: Cluster) -> Index[Resource]:
    """The same, and a bundle's containers also by the bundle: httpd-docker-0."""
    return Index((name, state) for state in cluster.resources for name in _instance_of(state.id))


@remembered
def failures(cluster: Cluster) -> Index[Failure]:
    """The failures by the resources as they are listed."""
    return Index((failure.resource, failure) for failure in cluster.failures)


@remembered
def migrations(cluster: Cluster) -> Index[Operation]:
    """The operations that have another end, by their resources."""
    return Index((one.resource, one) for one in cluster.history if one.resource and one.peer)


def primitive_of(resource: str) -> str:
    """The primitive of an instance, which in a clone may have a number: `store` of `store:1`."""
    return resource.partition(":")[0]


def _instance_of(resource: str) -> tuple[str, ...]:
    primitive = primitive_of(resource)
    bundle, *numbered = primitive.rsplit("-", 2)
    return (primitive, bundle) if numbered[1:] and numbered[1].isdecimal() else (primitive,)
