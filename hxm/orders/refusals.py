"""Refusals that hold for every order."""

from __future__ import annotations

from hxm.model import Cluster
from hxm.plan import Objection, Plan
from hxm.policy import guards, location_guards


def unlisted(cluster: Cluster, plan: Plan) -> list[Objection]:
    """Objections for subjects that crm_mon does not list, except to orders that change that."""
    subjects = [domain for domain in cluster.managed_domains if domain.resource in plan.subjects]
    if plan.verb in ("manage", "default"):
        return []
    return [*location_guards.not_listed(cluster, subjects)]


def _why(plan: Plan) -> str:
    """The command that explains why the plan leads nowhere."""
    goals = (goal for phase in plan.phases for goal in phase.goals if goal.kind == "running")
    goal = next(goals, None)
    return " ".join(filter(None, ("hxm why", goal.subject, goal.node))) if goal else "hxm status"


def would_not_get_there(plan: Plan) -> Objection:
    """The objection to a plan whose goals the scheduler would not reach."""
    return Objection(
        f"the scheduler would not {plan.about}",
        f"to see why: {_why(plan)}; use --force to order it anyway",
        lifted_by=guards.FORCE,
    )
