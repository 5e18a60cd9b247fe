"""Which failure has a node fenced that still answers."""

from __future__ import annotations

import pytest
from factories import cluster, domain, failure, node, primitive

from hxm.policy.state.fenced_for import fenced_for, killed

ANSWERS = node("host1", unclean=True)
STOP, MONITOR = failure("stop"), failure("monitor")
CAUSES = {
    "a failed stop": ((STOP,), {}, ANSWERS, "because the stop of nfs failed"),
    "a stop that blocks": ((STOP,), {"stop": "block"}, ANSWERS, ""),
    "on-fail=fence": ((MONITOR, STOP), {"stop": "ignore", "monitor": "Fence"}, ANSWERS, "of nfs"),
    "a stop, not the monitor": ((MONITOR, STOP), {}, ANSWERS, "because the stop of nfs"),
    "a default that is not read": ((MONITOR,), {}, ANSWERS, "because the monitor of nfs failed"),
    "a lost node": ((STOP,), {}, node("host1", online=False, unclean=True), ""),
    "a node that is well": ((STOP,), {}, node("host1"), ""),
    "another node": ((failure("stop", where="host2"),), {}, ANSWERS, ""),
    "an attribute": ((STOP,), {}, node("host3", unclean=True), "(its attribute terminate says so)"),
}


@pytest.mark.parametrize("name", CAUSES)
def test_the_failure_that_has_a_node_fenced_is_named(name):
    failures, on_fail, host, said = CAUSES[name]
    operations = tuple({"name": each, "on-fail": end} for each, end in on_fail.items())
    nfs = domain("nfs", "host1"), primitive("nfs", operations=operations)
    asked = {"host3": {"terminate": "true"}}
    seen = cluster(host, node("host2"), *nfs, *failures, transient=asked)
    told = fenced_for(seen, host)
    assert said in told if said else not told
    answers = host.unclean and host.online and host.name == "host1"
    assert killed(seen, host) == (["nfs"] if answers else [])
