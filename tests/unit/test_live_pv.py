"""Live migration of PV domUs where the hypervisor has no shadow paging."""

from __future__ import annotations

import pytest
from factories import DATA, cluster, domain, failure, node

from hxm.cluster import live_pv
from hxm.config import Config
from hxm.errors import CannotAsk
from hxm.host import programs
from hxm.orders.outcome import Change, cold_moves
from hxm.plan import Forecast, Movement, Plan
from hxm.policy.guards.live_pv import of_hypervisors

INFO = (DATA / "xen-4.17" / "xl-info.txt").read_bytes()
NODES = (node("host1"), node("host2"))
PV = domain("nfs", "host1", live=True, pv=True)
LIVE = Movement("nfs", "live", "host1", "host2")


@pytest.fixture
def asked(monkeypatch):
    """The hosts that were asked; each has the hypervisor of Debian 12, and host3 is silent."""
    seen = []

    def output(argv, **_):
        host = argv[-2] if argv[0] == "ssh" else "here"
        seen.append(host)
        if host == "host3":
            raise CannotAsk("no sshd there")
        return programs.Result(tuple(argv), 0, INFO, "")

    monkeypatch.setattr(programs, "output", output)
    monkeypatch.setattr(programs, "ahead", lambda argv: None)
    monkeypatch.setattr(programs, "find", lambda program: program)
    return seen


def found(cluster_seen, *movements):
    forecast = Forecast((movements,), cluster_seen)
    return live_pv.judge(cluster_seen, forecast, Config(toolstack="xl"))[1]


@pytest.mark.parametrize(("here", "host"), [("host1", "here"), ("host2", "host1")])
def test_the_plan_says_that_it_will_not_be_live(asked, here, host):
    (objection,) = found(cluster(*NODES, PV, local_node=here), LIVE)
    assert objection.what.startswith(
        "nfs would be stopped on host1 and started on host2, not moved live: it is a PV domU"
    )
    assert objection.lifted_by == "--yes"
    assert asked == [host]


@pytest.mark.parametrize(
    ("source", "cold"),
    [("host1", []), ("host3", ["nfs"])],
    ids=["foreseen", "the hypervisor gives no answer"],
)
def test_a_restart_that_was_foreseen_is_no_failure(asked, source, cold):
    live = LIVE._replace(source=source)
    before = cluster(node(source), node("host2"), PV._replace(nodes=(source,)), local_node="host2")
    forecast = Forecast(((live,),), before)
    predicted, _ = live_pv.judge(before, forecast, Config(toolstack="xl"))
    failed = failure("migrate_to", where=source)
    after = cluster(*NODES, PV._replace(nodes=("host2",)), failures=(failed,))
    moved = Change("nfs", "nfs", (source,), ("host2",), "moved")
    plan = Plan("migrate", "migrate nfs", ("nfs",), ())
    assert [change.name for change in cold_moves([moved], before, after, plan, predicted)] == cold


@pytest.mark.parametrize(
    ("nfs", "movement"),
    [
        (PV._replace(pv=False), LIVE),
        (PV, LIVE._replace(kind="move")),
        (PV, LIVE._replace(resource="sles")),
    ],
)
def test_where_nothing_pv_moves_live_nobody_is_asked(asked, nfs, movement):
    assert found(cluster(*NODES, nfs, local_node="host1"), movement) == []
    assert asked == []


def test_of_a_node_that_gives_no_answer_nothing_is_said(asked):
    seen = cluster(node("host3"), domain("nfs", "host3", live=True, pv=True), local_node="host1")
    assert found(seen, LIVE._replace(source="host3")) == []
    assert asked == ["host3"]


def test_check_names_the_domus_and_the_nodes():
    seen = cluster(PV, domain("web", "host1", live=True))
    (finding,) = of_hypervisors(seen, ["host1", "host2"])
    assert finding.what.startswith("nfs cannot be migrated live from host1, host2: it is a PV")
    assert (finding.code, finding.subject) == ("pv-not-live", "nfs")
    assert list(of_hypervisors(seen, [])) == []
