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
    "on-fail=fence": ((MONITOR, STOP), {"stop": "ignore", "monitor": "fence"}, ANSWERS, "of nfs"),
    "a stop, not the monitor": ((MONITOR, STOP), {}, ANSWERS, "because the stop of nfs"),
    "a monitor, which fences nothing by itself": ((MONITOR,), {}, ANSWERS, ""),
    "a lost node": ((STOP,), {}, node("host1", online=False, unclean=True), ""),
    "a node that is well": ((STOP,), {}, node("host1"), ""),
    "another node": ((failure("stop", where="host2"),), {}, ANSWERS, ""),
    "an attribute": ((STOP,), {}, node("host3", unclean=True), "(its attribute terminate says so)"),
}


@pytest.mark.parametrize("name", CAUSES)
def test_the_failure_that_has_a_node_fenced_is_named(name):
    failures, on_fail, host, said = CAUSES[name]
    nfs = domain("nfs", "host1"), primitive("nfs", on_fail=on_fail)
    asked = {"host3": {"terminate": "true"}}
    seen = cluster(host, node("host2"), *nfs, *failures, transient=asked)
    told = fenced_for(seen, host)
    assert said in told if said else not told
    answers = host.unclean and host.online and host.name == "host1"
    assert killed(seen, host) == (["nfs"] if answers else [])
