"""When the scheduler is asked what it is about to do, and what a domU on its host lacks."""

from __future__ import annotations

import pytest
from factories import cluster, domain, failure, node, primitive, under_way

from hxm.cluster.restless import restless, threatened
from hxm.model import Lock, Resource
from hxm.plan import Movement
from hxm.policy.reasons.facts import Facts
from hxm.policy.reasons.threats import at_the_end, departing, unsupported
from hxm.policy.relations import Colocation, Order, Relations

RUNS = domain("nfs", "host1")
STORE = primitive("store", agent="ocf:heartbeat:Filesystem", clone="store-clone")
THERE = Resource("store", "ocf:heartbeat:Filesystem", "Started", nodes=("host2",))
ORDERS = Relations(orders=(Order("o", "store-clone", "nfs", mandatory=False),))
LIVE = Movement("nfs", "live", "host1", "host2")


def at_work(what: str) -> Lock:
    return Lock("root@host1", "root", "host1", "7", "1", what, 1.0, 1.0, alive=True)


def test_a_live_cluster_is_only_asked_while_something_is_under_way():
    assert not restless(cluster(RUNS))
    assert restless(cluster(RUNS, under_way("stop", "sles")))
    assert restless(cluster(RUNS, pending_fencing=("host2",)))


def test_nor_while_an_order_of_hxm_is_at_it():
    assert not restless(cluster(RUNS, under_way("stop"), lock=at_work("shutdown nfs")))
    old = at_work("shutdown nfs")._replace(alive=False)
    assert restless(cluster(RUNS, under_way("stop"), lock=old))


def test_nothing_threatens_where_nothing_runs():
    assert not threatened(cluster(domain("nfs"), under_way("stop", "sles")))
    assert threatened(cluster(RUNS, maintenance=True))


SUPPORTED = {
    "not on its host": ((THERE,), True),
    "on its host": ((THERE._replace(nodes=("host1",)),), False),
    "failed elsewhere": ((THERE._replace(nodes=("host1",)), failure("monitor", "store")), True),
}


@pytest.mark.parametrize(("parts", "expected"), SUPPORTED.values(), ids=SUPPORTED)
def test_the_constraints_are_read_only_if_something_may_be_lacking(parts, expected):
    assert threatened(cluster(RUNS, STORE, *parts)) is expected


def lacking(*parts, relations=ORDERS) -> list[str]:
    threats = unsupported(Facts(cluster(RUNS, STORE, *parts), relations), ())
    return [advice.what for _, _, advice in threats]


def test_what_a_domu_lacks_on_its_host():
    runs = "nfs runs on host1, where store-clone"
    assert lacking(THERE) == [f"{runs} does not run"]
    broken = failure("monitor", "store")
    assert lacking(THERE, broken) == [f"{runs} does not run (store's monitor failed)"]
    here = THERE._replace(nodes=("host1",))
    assert lacking(here) == []
    assert lacking(here._replace(failed=True), broken) == [
        f"{runs} has failed (store's monitor failed)"
    ]


def test_what_is_only_to_run_beside_it_counts_if_it_has_failed_there():
    beside = Relations(colocations=(Colocation("c", "store-clone", "nfs", 1000),))
    assert lacking(THERE, relations=beside) == []
    (what,) = lacking(THERE, failure("start", "store"), relations=beside)
    assert what == "nfs runs on host1, where store-clone does not run (store's start failed)"
    apart = Relations(colocations=(Colocation("c", "store-clone", "nfs", -1000),))
    assert lacking(THERE, failure("start", "store"), relations=apart) == []


def test_what_starts_after_it_or_is_told_to_stop_is_not_lacking():
    failed = failure("start", "store")
    beside = Relations(
        orders=(Order("o", "nfs", "store-clone", mandatory=True),),
        colocations=(Colocation("c", "store-clone", "nfs", 1000),),
    )
    assert lacking(THERE, failed, relations=beside) == []
    stopped = primitive("store", {"target-role": "Stopped"}, agent=STORE.agent, clone=STORE.clone)
    assert lacking(THERE, stopped) == []


def test_what_is_to_be_fenced_is_told_of_the_node():
    seen = cluster(RUNS)
    assert departing(seen, [LIVE]) == [RUNS]
    assert departing(seen, [Movement("", "fence", "host1"), LIVE]) == []
    assert departing(cluster(RUNS, node("host1", unclean=True), node("host2")), [LIVE]) == []
    assert departing(cluster(domain("nfs", "host1", role="Stopping")), [LIVE]) == []


def test_what_the_end_of_a_maintenance_does_by_its_kind():
    seen = cluster(RUNS, domain("sles", "host2"), domain("web", "host2"))
    stop, restart = Movement("sles", "stop", "host2"), Movement("web", "restart", "host2", "host2")
    ((code, names, advice),) = at_the_end(seen, [stop, LIVE, restart])
    assert (code, names) == ("about-to-move", ("nfs", "sles", "web"))
    assert advice.what == "the end of the maintenance would move nfs and stop sles and restart web"
    assert not list(at_the_end(seen, []))
