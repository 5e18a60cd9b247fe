"""Settings of the whole cluster that keep resources from running, or leave them alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hxm.model import Cluster, Primitive
from hxm.plan import Objection
from hxm.policy import is_false, is_true, keeps_stopped, listed
from hxm.policy.guards import stops_everything


def settings(cluster: Cluster) -> Iterator[tuple[str, Objection]]:
    """Each such setting, under the code that `hxm check` gives it."""
    if stops_everything(cluster):
        what = "stop-all-resources is set: the cluster runs nothing"
        yield "all-stopped", Objection(what, cluster.advice("run"))
    primitives = cluster.primitives.values()
    for option, code, effect, concerned in (
        ("target-role", "all-stopped", "told to stop", [p for p in primitives if _stopped(p)]),
        ("is-managed", "all-unmanaged", "left alone", [p for p in primitives if _unmanaged(p)]),
        ("maintenance", "all-unmanaged", "left alone", [p for p in primitives if _asleep(p)]),
    ):
        if mine := [p for p in concerned if _by_default(p, option)]:
            names, value = outermost(mine), mine[0].meta[option]
            what = f"rsc_defaults has {option}={value}: {listed(names, 4)} {_are(names)} {effect}"
            yield code, Objection(what, cluster.advice("default", option=option))
    if cluster.disallowed:
        names = list(cluster.disallowed)
        what = f"symmetric-cluster=false, and no location allows {listed(names, 4)} on any node"
        yield "all-stopped", Objection(what, cluster.advice("allow-all"))


def _stopped(primitive: Primitive) -> bool:
    return keeps_stopped(primitive.meta)


def _unmanaged(primitive: Primitive) -> bool:
    return is_false(primitive.meta.get("is-managed", ""))


def _asleep(primitive: Primitive) -> bool:
    return is_true(primitive.meta.get("maintenance", ""))


def _by_default(primitive: Primitive, option: str) -> bool:
    """Whether rsc_defaults gives it the option, and nothing nearer does."""
    from_defaults = primitive.inherited_from.get(option) == "rsc_defaults"
    return from_defaults and option not in primitive.own_meta


def outermost(primitives: Iterable[Primitive]) -> list[str]:
    """What the primitives are in, and those that are in nothing, each once."""
    return list(dict.fromkeys(p.clone or p.parent or p.id for p in primitives))


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
