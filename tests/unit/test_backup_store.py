"""The folder of backups: numbered, limited, and never kept twice in a row."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hxm.config import Config
from hxm.errors import NotFound
from hxm.records.backups import Store, try_to_keep
from hxm.records.changes import open_backup

CIB = b'<cib validate-with="pacemaker-3.9" epoch="7"><configuration>%d</configuration></cib>'


@pytest.fixture
def store(tmp_path, monkeypatch) -> Store:
    (tmp_path / "cib.xml").write_bytes(CIB % 0)
    monkeypatch.setenv("CIB_file", str(tmp_path / "cib.xml"))
    return Store(Config(backups=str(tmp_path / "var" / "backups"), backups_kept=10), None)


def configuration(number: int) -> bytes:
    return b"<configuration>%d</configuration>" % number


def test_as_many_are_kept_as_there_may_be_and_the_oldest_go(store):
    for number in range(1, 31):
        assert store.keep(configuration(number)).number == number
        kept = [each.number for each in store.all()]
        assert kept == list(range(max(1, number - 9), number + 1))
    assert store.get(25).read().startswith(b'<cib validate-with="pacemaker-3.9" epoch="7">\n<conf')
    with pytest.raises(NotFound, match="there are: 21 to 30"):
        store.get(3)


def test_who_has_none_kept_by_itself_loses_none(store):
    for number in (1, 2):
        store.keep(configuration(number))
    store.most = 0
    assert store.keep(configuration(3)).number == 3
    assert [each.number for each in store.all()] == [1, 2, 3]


def test_the_same_is_not_kept_twice_in_a_row(store):
    numbers = [store.keep(configuration(each)).number for each in (1, 1, 2, 2, 1)]
    assert numbers == [1, 1, 2, 2, 3]


def test_other_files_are_neither_read_nor_removed(store):
    store.keep(configuration(1))
    for name in ("notes.txt", "000007-now.xml", ".1234", "000999-20261399T999999Z.xml"):
        Path(store.folder, name).write_text("mine")
    assert store.keep(configuration(2)).number == 2
    assert len(store.all()) == 2


def test_what_cannot_be_kept_is_said_and_never_raised(store, tmp_path):
    config = Config(backups=str(tmp_path / "cib.xml" / "backups"))
    number, fault = try_to_keep(config, None, configuration(1))
    assert number is None
    assert "Not a directory" in fault
    assert try_to_keep(config, None, b"") == (None, "")
    assert try_to_keep(config._replace(backups_kept=0), None, configuration(1)) == (None, "")


def test_eight_at_once_take_eight_numbers(store):
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda each: store.keep(configuration(each)).number, range(8)))
    assert sorted(numbers) == list(range(1, 9))
    kept = [each.read() for each in store.all()]
    assert sum(configuration(each) in document for each in range(8) for document in kept) == 8


def test_a_number_that_nobody_can_mean_is_none(store):
    with pytest.raises(NotFound, match="there is no backup '9999"):
        open_backup(Config(), "9" * 5000)
