"""What is flagged where the cluster and the hypervisors do not agree, and what never is."""

from __future__ import annotations

import pytest
from factories import cluster, domain, node

from hxm.cluster.read import _with_local
from hxm.model import Domain, Operation
from hxm.policy.state import discrepancies
from hxm.policy.state.discrepancies import disagreements, on_its_way
from hxm.toolstack.xl import LocalDomain

HERE = {"local_node": "host1", "heard": ("host1",), "toolstack": "xl"}
UUID, OTHER = "135631b2-d539-4d73-bc0a-16ef7192fe00", "235631b2-d539-4d73-bc0a-16ef7192fe00"


def seen_on(known: Domain, *where: str, state: str = "-b----") -> Domain:
    for each in where:
        known = _with_local(known, LocalDomain(known.name, 3, 512, 1, state, 7.5), each)
    return known


ON_1, ON_2, STOPPED = domain("nfs", "host1"), domain("nfs", "host2"), domain("nfs")
MANAGED = {
    "all is well": (seen_on(ON_1, "host1"), []),
    "elsewhere, and not asked there": (ON_2, []),
    "stopped": (STOPPED, []),
    "it is not here": (ON_1, ["not-on-host1"]),
    "it is here and should not run": (seen_on(STOPPED, "host1"), ["on-host1"]),
    "it is here and elsewhere": (seen_on(ON_2, "host1"), ["also-on-host1"]),
    "paused": (seen_on(ON_1, "host1", state="--p---"), ["paused"]),
    "crashed": (seen_on(ON_1, "host1", state="----c-"), ["crashed"]),
    "shut down and kept": (seen_on(ON_1, "host1", state="--ps--"), ["paused", "shut-down"]),
    "dying": (seen_on(ON_1, "host1", state="-----d"), ["dying"]),
    "the letters of a stray are not its own": (
        seen_on(STOPPED, "host1", state="--p---"),
        ["on-host1"],
    ),
    "what was shut down is on its way": (seen_on(STOPPED, "host1", state="---s--"), []),
    "another uuid": (seen_on(ON_1._replace(uuid=UUID, runs_as=OTHER), "host1"), ["other-uuid"]),
    "the same": (seen_on(ON_1._replace(uuid=UUID, runs_as=UUID), "host1"), []),
    "no uuid in its file": (seen_on(ON_1._replace(runs_as=OTHER), "host1"), []),
}


@pytest.mark.parametrize(("known", "words"), MANAGED.values(), ids=MANAGED)
def test_a_managed_domu(known, words):
    assert disagreements(cluster(known, **HERE), known) == words


@pytest.mark.parametrize("role", ["Migrating", "Stopping", "Starting"])
@pytest.mark.parametrize(
    "known", [ON_1, seen_on(ON_1, "host1", state="---ss-"), seen_on(ON_2, "host1")]
)
def test_nothing_is_said_of_what_is_on_its_way(role, known):
    known = known._replace(role=role)
    traveller = Domain("nfs--incoming", nodes=("host1",), seen=("host1",))
    found = cluster(known, traveller, **HERE)
    assert disagreements(found, known) == disagreements(found, traveller) == []


@pytest.mark.parametrize(("role", "moves"), [("Migrating", True), ("Started", False)])
def test_what_a_migration_renames_is_its_domu_and_a_left_over_is_not(role, moves):
    traveller = Domain("nfs--migratedaway", nodes=("host1",), seen=("host1",))
    found = cluster(ON_1._replace(role=role), traveller, **HERE)
    assert [on_its_way(found, each) for each in found.domains] == [False, moves]


def test_nor_where_what_is_under_way_is_not_written_down():
    assert disagreements(cluster(ON_1, **HERE, idle=False), ON_1) == []
    pending = Operation("host1", "nfs", "migrate_to", call=-1, rc=193)
    assert disagreements(cluster(ON_1, **HERE, history=(pending,)), ON_1) == []


def test_nor_of_a_node_that_was_not_heard():
    assert disagreements(cluster(ON_1, local_node="host1", toolstack="xl"), ON_1) == []


STRANGERS = {
    "nfs--incoming": ["left-over"],
    "nfs--migratedaway": ["left-over"],
    "migrating-nfs": ["left-over"],
    "res_nfs": ["may-be-nfs"],
    "as-xl-reads-it": ["may-be-nfs"],
    "other": [],
    "other--incoming": [],
}


@pytest.mark.parametrize("name", STRANGERS)
def test_an_unmanaged_domu(name):
    nfs = domain("nfs", "host2", resource="res_nfs", also=("as-xl-reads-it",), uuid=UUID)
    found = cluster(node("host1"), nfs, **HERE)
    stranger = Domain(name, nodes=("host1",), seen=("host1",))
    assert disagreements(found, stranger) == STRANGERS[name]
    renamed = stranger._replace(runs_as=UUID)
    assert disagreements(found, renamed) == (STRANGERS[name] or ["may-be-nfs"])


def test_nothing_is_asked_about_a_stranger_of_no_known_name(monkeypatch):
    """One node may list thousands, for each of which all managed domUs are gone through."""
    asked = []
    monkeypatch.setattr(discrepancies, "under_way", lambda *_: asked.append(1))
    found = cluster(node("host1"), domain("nfs", "host1"), **HERE)
    assert disagreements(found, Domain("other", nodes=("host1",))) == []
    assert not asked
