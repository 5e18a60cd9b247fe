"""Judges the starts that a plan leads to, by the domUs' files and by what runs."""

from __future__ import annotations

from hxm.cluster.claims import all_claims
from hxm.cluster.files import faults
from hxm.config import Config
from hxm.model import Cluster
from hxm.plan import Forecast, Objection, Plan
from hxm.policy import starts


def judge(
    cluster: Cluster, plan: Plan, predicted: Forecast, config: Config
) -> tuple[Plan, list[Objection]]:
    """The plan with what is to be said of its starts, and what stands against them."""
    starting = starts.started(cluster, plan, predicted)
    needed = list(starts.files_needed(cluster, predicted))
    unreadable, silent = faults(cluster, needed, starts.mounting(cluster, predicted), config)
    objections = list(starts.unreadable(unreadable))
    warnings = plan.warnings
    if starting:
        # the other nodes' toolstacks are asked by the guard's last look, at the moment of the start
        claims = list(all_claims(cluster, config, printed={}))
        ignored = config.ignore.split()
        objections += starts.clashes(cluster, predicted, starting, claims, ignored)
        warnings = (*warnings, *starts.warnings(starting, claims))
    unknown = tuple(starts.not_looked_at(silent))
    intentions = (*(plan.intentions or plan.notes), *unknown) if unknown else plan.intentions
    return plan._replace(warnings=warnings, intentions=intentions), objections
