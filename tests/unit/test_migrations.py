"""No order is planned while a migration is in flight anywhere in the cluster."""

from __future__ import annotations

import time
from typing import Any

import pytest
from factories import cluster, domain

from hxm.config import Config
from hxm.errors import Refused, TimedOut
from hxm.orders import migrations

AT_REST = cluster(domain("nfs", "host1"), domain("web", "host2"))
WEB_MOVES = cluster(domain("nfs", "host1"), domain("web", "host1", role="Migrating"))
SOON = time.monotonic() + 3600


@pytest.fixture
def looks(monkeypatch):
    """The snapshots to be read one after the other, and how long each wait between them was."""
    snapshots: list[Any] = []
    waits: list[float] = []
    monkeypatch.setattr(migrations, "read_cluster", lambda config: snapshots.pop(0))
    monkeypatch.setattr(time, "sleep", waits.append)
    return snapshots, waits


def test_a_cluster_at_rest_is_not_waited_for(looks):
    assert not migrations.wait_for_their_end(AT_REST, Config(), SOON)
    assert looks[1] == []


def test_a_migration_of_another_domu_is_waited_for_with_a_word(looks, capsys):
    snapshots, waits = looks
    snapshots += [WEB_MOVES, WEB_MOVES, AT_REST]
    assert migrations.wait_for_their_end(WEB_MOVES, Config(), SOON)
    assert waits == [Config().poll] * 3
    assert "waiting for the end of the migration of web" in capsys.readouterr().err


def test_the_waiting_ends_in_time_and_nothing_is_ordered(looks):
    with pytest.raises(TimedOut, match="nothing was ordered: web is still being migrated"):
        migrations.wait_for_their_end(WEB_MOVES, Config(), time.monotonic() - 1)


def test_in_a_sandbox_nothing_moves_while_one_waits(looks):
    with pytest.raises(Refused, match="web is being migrated at this moment"):
        migrations.wait_for_their_end(WEB_MOVES._replace(sandbox="/cib.xml"), Config(), SOON)
    assert looks[1] == []
