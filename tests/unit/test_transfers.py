"""How far a live migration is, from what a real target's xl listed meanwhile."""

from __future__ import annotations

import pytest
from factories import DATA, cluster, domain

from hxm.config import Config
from hxm.orders import transfers
from hxm.orders.transfers import Transfers
from hxm.plan import Forecast, Movement
from hxm.toolstack.xl import LocalDomain, parse_list

HEADER = "Name                                        ID   Mem VCPUs\tState\tTime(s)\n"
ROWS = [
    row
    for line in (DATA / "xen-4.17" / "list-during-migration.txt").read_text().splitlines()
    if line.startswith("vm1")
    for row in parse_list(f"{HEADER}{line}\n")
]
BEFORE = cluster(domain("vm1", "xen2", memory=128), domain("vm2", "xen2", memory=64))
ON_THE_WAY = cluster(*(domain(name, "xen2", role="Migrating") for name in ("vm1", "vm2")))
MOVES = tuple(Movement(name, "live", "xen2", "xen1") for name in ("vm1", "vm2"))
FORECAST = Forecast(after=BEFORE, phases=(MOVES,))


def asked(monkeypatch, rows: tuple[LocalDomain, ...] | str) -> Transfers:
    monkeypatch.setattr(
        transfers, "read_elsewhere", lambda _, nodes, __: dict.fromkeys(nodes, rows)
    )
    return Transfers(BEFORE, FORECAST, Config())


def test_the_memory_of_a_captured_migration_grows_until_it_is_there(monkeypatch):
    seen = []
    for row in ROWS:
        found = asked(monkeypatch, (row,)).read(ON_THE_WAY)
        seen += [transfer.arrived for transfer in found]
        assert all((each.name, each.target, each.of) == ("vm1", "xen1", 128) for each in found)
    assert seen == sorted(seen)
    assert (seen[0], len(set(seen)) > 10) == (0, True)


@pytest.mark.parametrize(
    ("seen", "rows"),
    [
        (BEFORE, (LocalDomain("vm1--incoming", 5, 60, 0, "--p---", 0.0),)),
        (ON_THE_WAY, (LocalDomain("vm1", 5, 60, 0, "--p---", 0.0),)),
        (ON_THE_WAY, "no answer within 5 s"),
    ],
)
def test_nothing_is_told_of_what_is_not_seen(monkeypatch, seen, rows):
    assert asked(monkeypatch, rows).read(seen) == []


def test_who_does_not_answer_is_not_asked_again(monkeypatch):
    silent = asked(monkeypatch, "no way")
    assert silent.read(ON_THE_WAY) == []
    monkeypatch.setattr(transfers, "read_elsewhere", pytest.fail)
    assert silent.read(ON_THE_WAY) == []
