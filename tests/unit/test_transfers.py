"""How far a live migration is, from what a real target's xl listed meanwhile."""

from __future__ import annotations

import io

import pytest
import rich.console
import rich.progress
from factories import DATA, cluster, domain, node

from hxm.cluster import transfers
from hxm.cluster.transfers import Transfers
from hxm.config import Config
from hxm.output import progress
from hxm.output.progress import _Bar
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
    return Transfers(Config(), BEFORE, FORECAST)


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


def test_without_a_forecast_all_other_nodes_may_be_the_target(monkeypatch):
    row = LocalDomain("vm1--incoming", 5, 60, 0, "--p---", 0.0)
    seen = cluster(
        *(node(f"xen{number}") for number in (1, 2, 3)),
        domain("vm1", "xen2", role="Migrating", memory=128),
        domain("vm2", "xen2", memory=64),
    )
    nodes_asked: list[str] = []

    def answer(_, nodes, __):
        nodes_asked.extend(nodes)
        return {"xen1": (row,), "xen3": ()}

    monkeypatch.setattr(transfers, "read_elsewhere", answer)
    reading = Transfers(Config())
    (transfer,) = reading.read(seen)
    assert (transfer.target, transfer.share) == ("xen1", "60 of 128 MiB")
    assert reading.read(seen) == [transfer], "too early to ask again"
    assert nodes_asked == ["xen1", "xen3"]
    assert reading.read(BEFORE) == []


def test_who_does_not_answer_is_not_asked_again(monkeypatch):
    silent = asked(monkeypatch, "no way")
    assert silent.read(ON_THE_WAY) == []
    monkeypatch.setattr(transfers, "read_elsewhere", pytest.fail)
    assert silent.read(ON_THE_WAY) == []


@pytest.fixture
def bars(monkeypatch) -> list[rich.progress.Progress]:
    """The bars that are drawn."""
    found: list[rich.progress.Progress] = []

    class Known(rich.progress.Progress):
        def __init__(self, *columns, **options) -> None:
            super().__init__(*columns, **options)
            found.append(self)

    monkeypatch.setattr(rich.progress, "Progress", Known)
    return found


def test_the_clock_of_a_full_bar_goes_on(bars):
    with progress._bar("migrate vm1 to xen1") as bar:
        for mib in (60, 128):
            bar.arrived([("vm1", "xen1", mib, 128)])
            assert not bars[0].finished
        bar.left([], 3)
        assert not bars[0].finished


@pytest.mark.parametrize("width", [80, 100])
def test_an_order_with_many_domus_leaves_room_for_its_bar(width, bars, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    title = "shut down " + ", ".join(f"vm{number}" for number in range(99)) + " (100 in all)"
    with progress._bar(title) as bar:
        bar.left(["vm98", "vm99"], 100)
        shown = rich.console.Console(width=width, file=io.StringIO())
        with shown.capture() as drawn:
            shown.print(bars[0].get_renderable())
    (line,) = drawn.get().splitlines()
    assert "shut down vm0" in line
    for part in (
        "\N{BOX DRAWINGS HEAVY HORIZONTAL}" * 11,
        "98 of 100",
        "0:00:00",
        "--:--",
        "vm98",
    ):
        assert part in line


def test_the_bar_is_that_of_one_domu_until_it_has_ended():
    shown: dict[str, object] = {}
    bar = _Bar(lambda **values: shown.update(values), lambda _: None)
    bar.arrived([("vm1", "xen1", 60, 128)])
    assert (shown["total"], shown["completed"], shown["left"]) == (128, 60, "vm1 -> xen1")
    bar.arrived([("vm1", "xen1", 128, 128)])
    assert shown["total"] is None, "its clock would stop"
    assert shown["left"] == "memory copied; waiting 0:00 for the cluster"
    bar.arrived([])
    assert (shown["total"], shown["count"], shown["left"]) == (None, "", "")
