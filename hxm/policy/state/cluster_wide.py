"""Settings of the whole cluster that keep resources from running, or leave them alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hxm.model import Cluster, Primitive
from hxm.plan import Objection
from hxm.policy import keeps_stopped, listed
from hxm.policy.guards import stops_everything
from hxm.policy.inherited import in_force, taken_back


def settings(cluster: Cluster) -> Iterator[tuple[str, Objection]]:
    """Each such setting, under the code that `hxm check` gives it."""
    if stops_everything(cluster):
        what = "stop-all-resources is set: the cluster runs nothing"
        yield "all-stopped", Objection(what, cluster.advice("run"))
    for option, place, given, concerned in inherited(cluster):
        if place == "rsc_defaults":
            code, effect = _EFFECTS[option]
            names, value = outermost(concerned), concerned[0].meta[option]
            what = f"rsc_defaults has {option}={value}: {listed(names, 4)} {_are(names)} {effect}"
            yield code, Objection(what, taken_back(cluster, option, given))
    if cluster.disallowed:
        names = list(cluster.disallowed)
        what = f"symmetric-cluster=false, and no location allows {listed(names, 4)} on any node"
        every = outermost(p for p in cluster.primitives.values() if not keeps_stopped(p.meta))
        meant = set(names) < set(every)
        do = f"hxm why {names[0]}" if meant else cluster.advice("allow-all")
        yield "all-stopped", Objection(what, do)


_EFFECTS = {
    "target-role": ("all-stopped", "told to stop"),
    "is-managed": ("all-unmanaged", "left alone"),
    "maintenance": ("all-unmanaged", "left alone"),
}


def inherited(cluster: Cluster) -> Iterator[tuple[str, str, str, list[Primitive]]]:
    """What rsc_defaults and templates keep stopped or leave alone, unless something nearer does.

    The option, what gives it, the id of its set, and the primitives.
    """
    by_place: dict[tuple[str, str, str], list[Primitive]] = {}
    for option in _EFFECTS:
        for primitive in cluster.primitives.values():
            place, given = primitive.inherited_from.get(option, ("", ""))
            if given and option not in primitive.own_meta and in_force(option, primitive.meta):
                by_place.setdefault((option, place, given), []).append(primitive)
    for key, primitives in by_place.items():
        yield *key, primitives


def by_templates(cluster: Cluster) -> Iterator[Objection]:
    """Each such option of a template, and what takes it away there."""
    for option, place, given, concerned in inherited(cluster):
        if place != "rsc_defaults":
            names = listed(outermost(concerned), 4)
            what = f"{place} has {option}={concerned[0].meta[option]}, which counts for {names}"
            yield Objection(what, taken_back(cluster, option, given))


def outermost(primitives: Iterable[Primitive]) -> list[str]:
    """What the primitives are in, and those that are in nothing, each once."""
    return list(dict.fromkeys(p.clone or p.parent or p.id for p in primitives))


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
