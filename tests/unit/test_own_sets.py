"""Orders that would change an option which stands in a set with a rule, or in several."""

from __future__ import annotations

import pytest
from factories import cluster, domain, primitive

from hxm.plan import Plan
from hxm.policy.guards.own_sets import in_own_sets
from hxm.policy.orders import lifecycle

NIGHT, NORM = ("night", "hours 0-6"), ("norm", "")
REFUSED = {
    "one set": ((), "Stopped", None, ""),
    "with a rule": ((NIGHT,), "Stopped", "--force", "@id='night'"),
    "several": ((NIGHT, NORM), "Stopped", "", "@id='night'"),
    "several, and it is to stop": ((NORM, NIGHT), "Started", "", "leave it in one of them"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_option_in_sets_is_not_changed_blindly(name):
    sets, role, lifted_by, do = REFUSED[name]
    own = {"target-role": role}
    known = {"own": own, "own_sets": {"target-role": sets} if sets else {}}
    runs = role == "Started"
    nfs = domain("nfs", *(["host1"] if runs else []), target_role=role)
    seen = cluster(nfs, primitive("nfs", **known))
    plan = (lifecycle.shutdown if runs else lifecycle.start)(seen, [nfs])
    assert isinstance(plan, Plan)
    refusals = list(in_own_sets(seen, plan))
    assert [each.lifted_by for each in refusals] == ([] if lifted_by is None else [lifted_by])
    assert all(do in each.do for each in refusals)
