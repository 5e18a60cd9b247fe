"""What is locked to a node that was shut down, and how that ends."""

from __future__ import annotations

import pytest
from factories import cluster, domain, node

from hxm.policy.reasons.facts import Facts, subject_of
from hxm.policy.reasons.shutdown_lock import locked
from hxm.policy.relations import Relations

LOCKS = {"shutdown-lock": "true"}
CASES = {
    "shut down": ({"online": False}, LOCKS, "systemctl start pacemaker; or, to start it elsewhere"),
    "back": ({}, LOCKS, None),
    "without the option": ({"online": False}, {"shutdown-lock": "false"}, None),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_locked_names_both_ways_out(name):
    state, properties, command = CASES[name]
    seen = cluster(node("host1"), node("host2", **state), domain("nfs"), properties=properties)
    facts = Facts(seen, Relations(locks={"nfs": "host2"}))
    reasons = list(locked(facts, subject_of(seen, "nfs")))
    assert len(reasons) == bool(command)
    assert all(str(command) in reason.do for reason in reasons)
    refresh = "crm_resource --refresh --resource=nfs --node=host2"
    assert all(refresh in reason.do for reason in reasons)
