"""No domU comes unasked to a host where what starts before it does not run."""

from __future__ import annotations

import pytest
from factories import cluster, domain, node, primitive

from hxm.model import Resource
from hxm.plan import Forecast, Movement, Plan
from hxm.policy.forecast import movements_tell_all
from hxm.policy.guards.unsupported import Storage, arrivals, may_lack_something
from hxm.policy.relations import INFINITY, Colocation, Order, Relations

CLONE = primitive("san-child", clone="san")
DRBD = primitive("drbd-child", {"promotable": "true"}, clone="drbd")
POOL = primitive("pool")
PLAN = Plan("migrate", "migrate nfs to host2", ("nfs",), ())
HOSTS = (node("host1"), node("host2"), node("host3"))
START = Movement("nfs", "start", None, "host2")
LIVE = Movement("nfs", "live", "host1", "host2")
COLD = Movement("nfs", "move", "host1", "host2")
RESTART = Movement("nfs", "restart", "host1", "host1")

OPTIONAL = Order("o", "pool", "nfs", mandatory=False)
TOGETHER = Colocation("c", "nfs", "pool", INFINITY)


def _active(name, *nodes, role="Started"):
    return Resource(name, "ocf:heartbeat:Dummy", role, nodes=nodes)


def _order(first, action="start", *, mandatory=False):
    return Order("o", first, "nfs", mandatory, action, "start")


def _seen(nfs, *parts):
    return cluster(*HOSTS, nfs, CLONE, DRBD, POOL, *parts)


def _objections(movement, relations, before, after=None):
    """Of a movement of nfs in a cluster where `before` is active; `after` is then, or the same."""
    there = (movement.target,) if movement.source or movement.kind == "start" else ()
    start = _seen(domain("nfs", *filter(None, [movement.source])), *before)
    end = _seen(domain("nfs", *there), *(before if after is None else after))
    coming = arrivals(start, Forecast(((movement,),), end))
    if not may_lack_something(end, coming):
        return []
    return [one.what for one in Storage(start, end, relations).lacking(coming)]


HERE = (_active("san-child:0", "host1"), _active("pool", "host1"))
BOTH = (_active("san-child", "host1"), _active("san-child", "host2"))
MASTER = (
    _active("drbd-child", "host1", role="Promoted"),
    _active("drbd-child", "host2", role="Unpromoted"),
)
DUAL = (MASTER[0], _active("drbd-child", "host2", role="Master"))

ASKED = {
    "a start": (START, _order("san"), HERE, "start on host2: san does not run there"),
    "a live move": (LIVE, _order("san"), HERE, "move to host2: san does not run there"),
    "a cold move": (COLD, _order("san"), HERE, "move to host2: san does not run there"),
    "a mandatory one": (LIVE, _order("san", mandatory=True), HERE, "move to host2: san does not"),
    "one elsewhere": (START, OPTIONAL, HERE, "start on host2: pool does not run there"),
    "one left behind": (LIVE, OPTIONAL, HERE, "move to host2: pool does not run there"),
    "one nowhere": (LIVE, OPTIONAL, (), "move to host2: pool does not run there"),
    "no promotion": (LIVE, _order("drbd", "promote"), MASTER, "drbd is not promoted there"),
    "no promotion, together": (
        START,
        _order("drbd", "promote", mandatory=True),
        MASTER,
        "drbd is not promoted there",
    ),
    "no promotion, a start": (START, _order("drbd", "promote"), MASTER, "is not promoted there"),
}


@pytest.mark.parametrize(("movement", "order", "before", "expected"), ASKED.values(), ids=ASKED)
def test_a_domu_never_comes_unasked_to_where_its_storage_does_not_run(
    movement, order, before, expected
):
    together = Colocation("c", "nfs", "drbd", INFINITY)  # with an instance, of whatever role
    (objection,) = _objections(movement, Relations((order,), (together,)), before)
    assert expected in objection


QUIET = {
    "not at the same time is no order": (
        START,
        _order("san")._replace(serial=True),
        (),
        HERE,
        HERE,
    ),
    "it runs there": (LIVE, _order("san"), (), BOTH, BOTH),
    "it comes along": (LIVE, OPTIONAL, (), HERE, (_active("pool", "host2"),)),
    "a restart": (RESTART, _order("san"), (), (), ()),
    "any host will do": (LIVE, _order("pool", mandatory=True), (), HERE, HERE),
    "it is told to keep away": (LIVE, OPTIONAL, (TOGETHER._replace(score=-5),), HERE, HERE),
    "it is beside by an attribute": (LIVE, OPTIONAL, (TOGETHER._replace(by="site"),), HERE, HERE),
    "promoted together, as the scheduler sees to": (
        START,
        _order("drbd", "promote"),
        (Colocation("c", "nfs", "drbd", INFINITY, other_role="Promoted"),),
        MASTER,
        MASTER,
    ),
    "together, as the scheduler sees to": (START, OPTIONAL, (TOGETHER,), HERE, HERE),
    "it runs without now": (
        LIVE,
        OPTIONAL,
        (),
        (_active("pool", "host3"),),
        (_active("pool", "host3"),),
    ),
    "promoted on both": (LIVE, _order("drbd", "promote"), (), DUAL, DUAL),
    "what is only to be active": (LIVE, _order("drbd"), (), MASTER, MASTER),
    "nothing before it": (LIVE, OPTIONAL._replace(then="sles"), (), (), ()),
}


@pytest.mark.parametrize(
    ("movement", "order", "colocations", "before", "after"), QUIET.values(), ids=QUIET
)
def test_what_a_domu_needs_nothing_of_is_not_asked_about(
    movement, order, colocations, before, after
):
    assert _objections(movement, Relations((order,), colocations), before, after) == []


def test_where_it_passes_through_on_its_way_it_need_not_be():
    there_and_back = LIVE, Movement("nfs", "live", "host2", "host1")
    seen = _seen(domain("nfs", "host1"), *HERE)
    coming = arrivals(seen, Forecast((there_and_back,), seen))
    assert not list(Storage(seen, seen, Relations((OPTIONAL,))).lacking(coming))


def test_a_bundle_counts_as_active_on_the_hosts_of_its_replicas():
    guest = node("web-0", kind="guest", container="web-docker-0")
    app = primitive("app", parent="web", clone="web")
    engine = _active("web-docker-0", "host2")
    relations = Relations((_order("web"),))
    assert not _objections(LIVE, relations, (guest, app, engine, _active("app", "web-0")))
    assert _objections(LIVE, relations, (guest, app))
    assert _objections(LIVE, relations, (_active("web-docker-0"),))
    assert not _objections(LIVE, relations, (engine,))


def test_what_stands_nowhere_is_not_taken_for_active():
    seen = _seen(domain("nfs", "host1"))
    after = _seen(domain("nfs", "host2"))
    coming = arrivals(seen, Forecast(((LIVE,),), after))
    storage = Storage(seen, after, Relations((_order("gone"), _order("san"))))
    (warning,) = storage.unknown(coming)
    assert "nfs would lack something is unknown: o names gone, which is not in" in warning


def test_where_something_may_be_promoted_the_movements_do_not_tell_all():
    for child, told in (("drbd-child", False), ("san-child", True)):
        seen = _seen(domain("nfs", "host1"), _active(child, role="Stopped"))
        assert movements_tell_all(seen, PLAN) is told


def test_what_runs_inside_a_domu_is_no_storage_of_its_host():
    vm3, guest = domain("vm3", "host2"), node("g1", kind="guest", container="vm3")
    before = (vm3, guest, _active("san-child", "host1"), _active("san-child", "g1"))
    assert _objections(START, Relations((_order("san"),)), before)
