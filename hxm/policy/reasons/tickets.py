"""The tickets that a resource may not run without, and what their loss makes of it."""

from __future__ import annotations

from collections.abc import Iterator

from hxm.policy.reasons.facts import Change, Facts, Reason, Subject, subject_of
from hxm.policy.relations import Ticket
from hxm.policy.unjudged import may_start


def without_tickets(facts: Facts, subject: Subject) -> Iterator[Reason]:
    """Each of its tickets that the cluster does not hold, or that is in standby."""
    return (_without(facts, ticket) for ticket in _lost(facts, subject))


def frozen(facts: Facts, subject: Subject) -> Iterator[Reason]:
    """What keeps a blocked resource as it is for want of a ticket, in words after its name."""
    for ticket in _lost(facts, subject):
        if ticket.freezes:
            reason = _without(facts, ticket)
            yield reason._replace(what=f"is frozen: {reason.what}")


def all_frozen(facts: Facts) -> dict[str, Reason]:
    """Of each blocked primitive that is frozen: why."""
    blocked = {r.id.partition(":")[0] for r in facts.cluster.resources if r.blocked}
    return {
        name: reason
        for name in sorted(blocked)
        for reason in frozen(facts, subject_of(facts.cluster, name))
    }


def _lost(facts: Facts, subject: Subject) -> Iterator[Ticket]:
    for ticket in facts.relations.tickets:
        if ticket.resource in subject.ids and ticket.ticket not in facts.relations.granted:
            yield ticket


def _without(facts: Facts, ticket: Ticket) -> Reason:
    name, cluster = ticket.ticket, facts.cluster
    if name in facts.relations.asleep:
        what = f"the ticket {name} is in standby"
        do = may_start(cluster, cluster.advice("activate", ticket=name))
        return Reason(what, ticket.id, do, True, Change("ticket", name, "activate"))
    what = f"the cluster does not hold the ticket {name}"
    command = cluster.advice("grant", ticket=name)
    do = may_start(cluster, command, "no other cluster holds it")
    return Reason(what, ticket.id, do, True, Change("ticket", name))
