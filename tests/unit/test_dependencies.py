"""What a resource needs, followed to the causes."""

from __future__ import annotations

from factories import cluster, domain, node, primitive

from hxm.policy.reasons.dependencies import against
from hxm.policy.reasons.facts import Facts, subject_of
from hxm.policy.relations import INFINITY, Colocation, Order, Relations


def test_a_cause_that_many_paths_lead_to_is_followed_once():
    """Each of 40 starts after the two before it, and with them: 4 ways down from each."""
    pairs = [(n, m) for n in range(40) for m in (n - 1, n - 2) if m >= 0]
    relations = Relations(
        orders=tuple(Order(f"o{n}-{m}", f"vm{m}", f"vm{n}") for n, m in pairs),
        colocations=tuple(Colocation(f"c{n}-{m}", f"vm{n}", f"vm{m}", INFINITY) for n, m in pairs),
    )
    stopped = primitive("vm0", own={"target-role": "Stopped"})
    others = [primitive(f"vm{n}") for n in range(1, 40)]
    seen = cluster(node("host1"), stopped, *others, *(domain(f"vm{n}") for n in range(40)))
    reasons = [*against(Facts(seen, relations), subject_of(seen, "vm39"), seen.nodes[0])]
    causes = [reason.do for reason in reasons if reason.absolute]
    assert causes == ["hxm start vm0"] * 4
    assert all(reason.what.endswith("vm0 is told to stop") for reason in reasons)
