"""Why a promotable resource is promoted nowhere, although nothing keeps it from a node."""

from __future__ import annotations

from collections.abc import Iterator

from hxm.policy import is_true
from hxm.policy.reasons.facts import Change, Facts, Reason, Subject, places
from hxm.policy.reasons.instances import none_promoted


def not_promoted(facts: Facts, subject: Subject) -> Iterator[Reason]:
    """It is told not to be, or its agent votes for no node."""
    change = Change("start", subject.id)
    for primitive in subject.inside:
        role = primitive.meta.get("target-role", "")
        if role.lower() in ("slave", "unpromoted"):
            what = f"{subject.it} is told not to be promoted"
            do = f"hxm default {subject.word}"
            yield Reason(what, f"target-role={role}", do, absolute=True, change=change)
            return
    yield from none_promoted(facts, subject)
    for primitive in subject.inside:
        if not is_true(primitive.meta.get("promotable", "")):
            continue
        vote = f"master-{primitive.id}"  # set by its agent: crm_attribute --promotion
        known = (name for names in facts.relations.attributes.values() for name in names)
        voted = vote in {name.partition(":")[0] for name in known}
        if not voted and not places(facts, primitive.id, "Promoted"):
            what = f"{subject.it} is nowhere promoted: {subject.its} agent gives no node a"
            what += " promotion score"
            do = f"{facts.cluster.advice('attributes')} shows the attributes"
            yield Reason(what, f"no attribute {vote}", do, absolute=True, change=change)
