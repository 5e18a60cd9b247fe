"""Refusals that hold for every order."""

from __future__ import annotations

from hxm.model import Cluster
from hxm.plan import Objection, Plan
from hxm.policy import guards, whereabouts


def unlisted(cluster: Cluster, plan: Plan) -> list[Objection]:
    """DomUs of the plan of which the cluster says nothing; to manage them again ends that."""
    subjects = [each for each in cluster.managed_domains if each.resource in plan.subjects]
    return (
        [] if plan.verb in ("manage", "default") else [*whereabouts.not_listed(cluster, subjects)]
    )


def _why(plan: Plan) -> str:
    """The command that explains why the plan leads nowhere."""
    goals = (goal for phase in plan.phases for goal in phase.goals if goal.kind == "running")
    goal = next(goals, None)
    return " ".join(filter(None, ("hxm why", goal.subject, goal.node))) if goal else "hxm status"


def would_not_get_there(plan: Plan) -> Objection:
    """The scheduler would not do what the plan is for."""
    return Objection(
        f"the scheduler would not {plan.about}",
        f"{_why(plan)} tells what is against it; use --force to order it anyway",
        lifted_by=guards.FORCE,
    )
