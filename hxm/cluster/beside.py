"""What the commands of the cluster's own tools would do beside what they are for."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from hxm.model import Cluster
from hxm.pacemaker.what_if import Simulations
from hxm.policy import typed_resource
from hxm.policy.reasons.effects import effects
from hxm.policy.reasons.facts import Change, Reason
from hxm.policy.state.cluster_wide import inherited
from hxm.policy.unjudged import asks_nobody, before_that


def of_change(
    cluster: Cluster,
    simulations: Simulations | None,
    change: Change | None,
    meant: Collection[str] = (),
) -> str | None:
    """What else may happen, but for the starts that are `meant`; None: that is not known."""
    if not (simulations and change and simulations.ask([change]) and simulations.ask(())):
        return None
    return effects(cluster, simulations.moved([change]), simulations.moved(()), meant)


def of_reasons(
    cluster: Cluster, simulations: Simulations | None, reasons: Mapping[str, Reason]
) -> dict[str, Reason]:
    """The reasons of domUs and hosts, each with that, or with what tells it."""
    together: dict[str, set[str]] = {}
    for name, reason in reasons.items():
        together.setdefault(reason.what, set()).add(name)
    judged = {}
    for name, reason in reasons.items():
        do = reason.do
        if asks_nobody(do):
            else_ = of_change(cluster, simulations, reason.change, together[reason.what])
            why = f"hxm why {typed_resource(cluster, name)}"
            do = why if else_ is None else before_that(else_, do)
        judged[name] = reason._replace(do=do)
    return judged


def of_defaults(cluster: Cluster, simulations: Simulations | None) -> dict[str, str]:
    """By the command that takes an option out of rsc_defaults or a template."""
    judged = {}
    for given in inherited(cluster):
        change = Change("unset", given.set, given.option)
        meant = {primitive.id for primitive in given.concerned}
        what = of_change(cluster, simulations, change, meant)
        if what is not None:
            judged[given.command(cluster)] = what
    return judged
