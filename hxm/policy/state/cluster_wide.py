"""Settings of the whole cluster that keep resources from running, or leave them alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hxm.model import Cluster, Primitive
from hxm.plan import Objection
from hxm.policy import keeps_stopped, listed, outermost, stops_everything, typed_resource
from hxm.policy.inherited import in_force, taken_back
from hxm.policy.unjudged import before_that, may_start


def settings(cluster: Cluster) -> Iterator[tuple[str, Objection]]:
    """Each such setting, under the code that `hxm check` gives it."""
    if stops_everything(cluster):
        what = "stop-all-resources is set: the cluster runs nothing"
        yield "all-stopped", Objection(what, may_start(cluster, cluster.advice("run")))
    for given in inherited(cluster):
        if given.place == "rsc_defaults":
            code, effect = _EFFECTS[given.option]
            names = outermost(given.concerned)
            what = f"{given.says}: {listed(names, 4)} {_are(names)} {effect}"
            yield code, Objection(what, given.taken_back(cluster))
    if cluster.disallowed:
        names = list(cluster.disallowed)
        what = f"symmetric-cluster=false, and no location allows {listed(names, 4)} on any node"
        every = outermost(p for p in cluster.primitives.values() if not keeps_stopped(p.meta))
        meant = set(names) < set(every)
        do = f"hxm why {names[0]}" if meant else may_start(cluster, cluster.advice("allow-all"))
        yield "all-stopped", Objection(what, do)


_EFFECTS = {
    "target-role": ("all-stopped", "told to stop"),
    "is-managed": ("all-unmanaged", "left alone"),
    "maintenance": ("all-unmanaged", "left alone"),
}


class Given(NamedTuple):
    """An option that something above gives, which is not changed by hxm's own orders."""

    option: str
    place: str
    set: str
    """The id of its set; `rule`: what the rule of that says, where it has one."""
    rule: str
    concerned: list[Primitive]
    """What it counts for."""

    @property
    def says(self) -> str:
        """What gives it, and when."""
        by_rule = f" by a rule ({self.rule})" if self.rule else ""
        return f"{self.place} has {self.option}={self.concerned[0].meta[self.option]}{by_rule}"

    def command(self, cluster: Cluster) -> str:
        """What takes the option out of this set."""
        return cluster.advice("unset", option=self.option, set=self.set)

    def taken_back(self, cluster: Cluster) -> str:
        """The same, and what must hold before that; what tells it where it was not asked for."""
        what = cluster.effects.get(self.command(cluster))
        if what is None:
            first = outermost(self.concerned)[0]
            return f"hxm why {typed_resource(cluster, first)}"
        return before_that(what, taken_back(cluster, self.option, self.set, self.rule))


def inherited(cluster: Cluster) -> Iterator[Given]:
    """What rsc_defaults and templates keep stopped or leave alone, unless something nearer does."""
    by_place: dict[tuple[str, str, str, str], list[Primitive]] = {}
    for option in _EFFECTS:
        for primitive in cluster.primitives.values():
            place, given, rule = primitive.inherited_from.get(option, ("", "", ""))
            if given and option not in primitive.own_meta and in_force(option, primitive.meta):
                by_place.setdefault((option, place, given, rule), []).append(primitive)
    for key, primitives in by_place.items():
        yield Given(*key, primitives)


def by_templates(cluster: Cluster) -> Iterator[Objection]:
    """Each such option of a template, and what takes it away there."""
    for given in inherited(cluster):
        if given.place != "rsc_defaults":
            names = listed(outermost(given.concerned), 4)
            what = f"{given.says}, which counts for {names}"
            yield Objection(what, given.taken_back(cluster))


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
