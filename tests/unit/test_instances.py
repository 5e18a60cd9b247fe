"""Whether a domU is the same instance as before, and what silence says of it: nothing."""

from __future__ import annotations

import pytest
from factories import cluster, local

from hxm.config import Config
from hxm.errors import CannotAsk
from hxm.model import Cluster, Domain
from hxm.orders import instances

BOTH = ("host1", "host2")
HERE, THERE = local("web", 3), Domain("web", nodes=("host2",), id=4)
SILENT = {"host2": "no answer within 5 s"}


def changed(monkeypatch, before: Cluster, now: Cluster | CannotAsk) -> str:
    """What is said of web when the one was seen first, and then the other."""

    def read(_):
        if isinstance(now, CannotAsk):
            raise now
        return now

    monkeypatch.setattr(instances, "with_other_nodes", lambda cluster, _: cluster)
    monkeypatch.setattr(instances, "read_cluster", read)
    return instances.changed(instances.instance_of(before, Domain("web")), Config())


def asked(*domains: Domain, heard=BOTH, **known) -> Cluster:
    return cluster(*domains, heard=heard, local_node="host1", toolstack="xl", **known)


RAN = "web does not run as before: it ran on host2 (domid 4), now"
TOLD = {
    "it is the same": (asked(THERE), asked(THERE), ""),
    "it ran nowhere": (asked(), asked(HERE), ""),
    "it is another": (asked(THERE), asked(THERE._replace(id=5)), f"{RAN} on host2 (domid 5)"),
    "it is gone": (asked(THERE), asked(), f"{RAN} nowhere"),
    "it runs twice": (
        asked(THERE),
        asked(HERE, THERE),
        f"{RAN} on host1 (domid 3), on host2 (domid 4)",
    ),
    "it is elsewhere, and its node is silent": (
        asked(THERE),
        asked(HERE, heard=("host1",), unreachable=SILENT),
        f"{RAN} on host1 (domid 3)",
    ),
    "another node is silent": (asked(HERE), asked(HERE, heard=("host1",), unreachable=SILENT), ""),
    "it left for a silent node, or for ever": (
        asked(HERE),
        asked(heard=("host1",), unreachable=SILENT),
        "web does not run as before: it ran on host1 (domid 3), now nowhere that can be asked",
    ),
}


@pytest.mark.parametrize(("before", "now", "said"), TOLD.values(), ids=TOLD)
def test_what_is_known_is_said(monkeypatch, before, now, said):
    assert changed(monkeypatch, before, now) == said


UNTOLD = {
    "its node is silent": (
        asked(THERE),
        asked(heard=("host1",), unreachable=SILENT),
        "host2: no answer within 5 s",
    ),
    "this host's toolstack is": (
        asked(HERE),
        asked(heard=("host2",), toolstack_fault="xl list failed"),
        "host1: xl list failed",
    ),
    "the cluster is": (asked(THERE), CannotAsk("no answer"), "no answer"),
}


@pytest.mark.parametrize(("before", "now", "why"), UNTOLD.values(), ids=UNTOLD)
def test_silence_is_no_answer(monkeypatch, before, now, why):
    with pytest.raises(CannotAsk) as caught:
        changed(monkeypatch, before, now)
    assert caught.value.message == f"cannot tell whether web runs as before: {why}"
