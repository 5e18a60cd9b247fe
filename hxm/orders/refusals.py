"""Refusals that hold for every order."""

from __future__ import annotations

from hxm.config import Config
from hxm.model import Advice, Cluster
from hxm.plan import Goal, Objection, Plan
from hxm.policy import guards, typed
from hxm.policy.guards import location, own_sets


def unlisted(cluster: Cluster, plan: Plan) -> list[Objection]:
    """Objections for subjects that crm_mon does not list, except to orders that change that."""
    subjects = [domain for domain in cluster.managed_domains if domain.resource in plan.subjects]
    if plan.verb in ("manage", "default"):
        return []
    return [*location.not_listed(cluster, subjects)]


def with_own_sets(cluster: Cluster, plan: Plan) -> Plan:
    """The plan, with what stands against changing an option that is in a set with a rule."""
    return plan._replace(objections=(*own_sets.in_own_sets(cluster, plan), *plan.objections))


def would_not_get_there(cluster: Cluster, plan: Plan, config: Config) -> Objection:
    """The objection to a plan whose goals the scheduler would not reach, with the first reason."""
    goal = _place(plan)
    what, do = f"the scheduler would not {plan.about}", "to see why: hxm status"
    if goal:
        what, do = with_reason(cluster, what, goal.subject, goal.node, config)
    return Objection(what, f"{do}; use --force to order it anyway", lifted_by=guards.FORCE)


def with_reason(
    cluster: Cluster, what: str, resource: str, node: str | None, config: Config
) -> tuple[str, str]:
    """What the scheduler will not do, with the first reason, and what to type."""
    command = f"to see why: {' '.join(filter(None, ('hxm why', resource, node)))}"
    reason = _reason_against(cluster, resource, node, config)
    if not reason:
        return what, command
    return f"{what}: {reason.what}", f"{reason.do}; {command}" if reason.do else command


def with_cause(cluster: Cluster, plan: Plan, objection: Objection, config: Config) -> Objection:
    """The refusal to move what does not run: what is against its node, and all that is to be typed.

    Without a node, what would keep it from being started.
    """
    for subject in plan.subjects:
        domain = cluster.domain_of(subject)
        if domain and objection in guards.stopped([domain]):
            goal = _place(plan)
            node = goal.node if goal else None
            reason = _reason_against(cluster, subject, node, config)
            if reason and reason.do:
                steps = [reason.do]
                steps += [objection.do] if domain.told_to_stop or not node else []
                steps += [f"hxm migrate {typed(domain)} {node}"] if node else []
                at = f", and would not on {node}" if node else ""
                what = f"{objection.what}{at}: {reason.what}"
                return objection._replace(what=what, do=", then ".join(steps))
    return objection


def _place(plan: Plan) -> Goal | None:
    """Where something is to run, the first that it is about."""
    goals = (goal for phase in plan.phases for goal in phase.goals if goal.kind == "running")
    return next(goals, None)


def _reason_against(
    cluster: Cluster, resource: str, node: str | None, config: Config
) -> Advice | None:
    from hxm.cluster.not_running import reason_against  # 3 ms, and seldom needed

    return reason_against(cluster, resource, node, config.ask_timeout)
