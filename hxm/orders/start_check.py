"""Judges the starts that a plan leads to, by the domUs' files and by what runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from hxm.cluster import start_facts
from hxm.cluster.read import read_cluster
from hxm.config import Config
from hxm.model import Cluster
from hxm.plan import Forecast, Objection, Plan
from hxm.policy import listed
from hxm.policy.guards import start, unsupported


def judge(
    cluster: Cluster, plan: Plan, predicted: Forecast, config: Config
) -> tuple[Plan, list[Objection]]:
    """The plan with what is to be said of its starts, and what stands against them."""
    starting = start.started(cluster, plan, predicted)
    needed = list(start.files_needed(cluster, predicted))
    mounting = start.mounting(cluster, predicted)
    answers = start_facts.ask(cluster, needed, config, starting=bool(starting))
    unreadable, silent = start_facts.faults(cluster, needed, mounting, answers)
    objections = list(start.unreadable(unreadable))
    warnings, intentions = plan.warnings, plan.intentions
    if starting:
        objections += _strays(cluster, starting, answers, config)
        claims = start_facts.claims(cluster, needed, answers, config)
        ignored = config.ignore.split()
        objections += start.clashes(cluster, predicted, starting, claims, ignored)
        if predicted.simulated:
            objections += start.unknown_disks(starting, claims, needed, unreadable, mounting)
        unasked = {node: why for node, why in answers.items() if isinstance(why, str)}
        unknown = start.not_asked(unasked | silent)
        uncompared = start.warnings(starting, claims, simulated=predicted.simulated)
        warnings = (*warnings, *uncompared, *unknown)
    elif silent:
        intentions = (*(intentions or plan.notes), *start.not_looked_at(silent))
    lacking, unknown_storage = _unsupported(cluster, predicted, config)
    plan = plan._replace(warnings=(*warnings, *unknown_storage), intentions=intentions)
    return plan, objections + lacking


def _unsupported(
    cluster: Cluster, predicted: Forecast, config: Config
) -> tuple[list[Objection], list[str]]:
    """What domUs would lack where they come to, and of what that is unknown.

    The constraints are read only if something does not run there.
    """
    after, coming = predicted.after, unsupported.arrivals(cluster, predicted)
    objections = list(unsupported.without_fencing(cluster, after, coming))
    if not unsupported.may_lack_something(after, coming):
        return objections, []
    from hxm.pacemaker.cib import read_configuration
    from hxm.pacemaker.relations import relations_in

    cib = read_configuration(None, config.ask_timeout, whole=True).cib
    if cib is None:
        nodes = listed(list(coming))
        what = f"whether what the domUs need runs on {nodes} is unknown: the CIB gives no status"
        return objections, [what]
    storage = unsupported.Storage(cluster, after, relations_in(cib))
    return objections + list(storage.lacking(coming)), list(storage.unknown(coming))


def _strays(
    cluster: Cluster,
    starting: Collection[str],
    answers: Mapping[str, start_facts.HostAnswer | str],
    config: Config,
) -> list[Objection]:
    asked = start_facts.with_what_runs(cluster, answers, config)
    objections = list(start.strays(asked, starting))
    if not objections or cluster.sandbox:
        return objections
    again = read_cluster(config)  # the answers are newer than the snapshot
    return list(start.strays(start_facts.with_what_runs(again, answers, config), starting))
