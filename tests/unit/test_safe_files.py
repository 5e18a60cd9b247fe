"""No link, fifo or device of somebody else's is ever followed, opened or written through."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import tracemalloc

import pytest

from hxm.config import Config
from hxm.host import safe_files
from hxm.host.folder_lock import locked
from hxm.records import journal, rotated_logs
from hxm.records.backups import Store
from hxm.records.rotated_logs import MOST_UNPACKED, lines_backwards

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
SOMEBODY = 65534


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request):
    before = os.umask(request.param)
    yield
    os.umask(before)


def test_what_is_read_is_a_regular_file_and_of_a_size(tmp_path):
    plain, fifo = tmp_path / "plain", tmp_path / "fifo"
    plain.write_bytes(b"x" * 100)
    os.mkfifo(fifo)
    assert safe_files.read_whole(str(plain), 100) == b"x" * 100
    assert safe_files.read_start(str(plain), 3) == b"xxx"
    with pytest.raises(OSError, match="larger than"):
        safe_files.read_whole(str(plain), 99)
    for path in (fifo, tmp_path, "/dev/zero"):
        with pytest.raises(OSError, match="not a regular file"):
            safe_files.read_whole(str(path))
    with pytest.raises(FileNotFoundError):
        safe_files.read_whole(str(tmp_path / "none"))


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "cib.xml"
    (tmp_path / f".cib.xml.{os.getpid()}").symlink_to("/dev/full")  # of a killed one
    safe_files.replace(str(path), b"old")
    monkeypatch.setattr(os, "replace", lambda *_: os.open(tmp_path / "none", os.O_RDONLY))
    with pytest.raises(FileNotFoundError):
        safe_files.replace(str(path), b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["cib.xml"]


def test_a_folder_is_locked_by_one_at_a_time(tmp_path):
    folder, waited = str(tmp_path), []
    with locked(folder):
        with pytest.raises(BlockingIOError), locked(folder, patience=0):
            raise AssertionError
        with pytest.raises(BlockingIOError), locked(folder, 0.06, lambda: waited.append(1)):
            raise AssertionError
    with locked(folder, patience=0):
        assert waited == [1]
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(OSError, match=r"Not a directory|Too many"), locked(f"{folder}/link"):
        raise AssertionError


@pytest.mark.usefixtures("umask")
def test_the_umask_has_no_say(tmp_path):
    path = tmp_path / "new"
    safe_files.write_new(str(path), b"x")
    assert path.stat().st_mode & 0o777 == 0o600
    safe_files.write_new(str(tmp_path / "public"), b"x", 0o644)
    assert (tmp_path / "public").stat().st_mode & 0o777 == 0o644
    with pytest.raises(FileExistsError):
        safe_files.write_new(str(path), b"y")
    safe_files.append_line(str(tmp_path / "journal"), b"one")
    assert (tmp_path / "journal").stat().st_mode & 0o077 == 0
    safe_files.make_private(str(tmp_path / "var" / "lib" / "backups"))
    safe_files.make_folders(str(tmp_path / "usr" / "lib"), 0o755)
    for name, mode in (("var", 0o700), ("var/lib", 0o700), ("var/lib/backups", 0o700)):
        assert (tmp_path / name).stat().st_mode & 0o777 == mode
    for name in ("usr", "usr/lib"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o755
    with pytest.raises(NotADirectoryError):
        safe_files.make_folders(str(path / "below"), 0o755)


def theirs(folder):
    """A folder in which somebody else can make links, with one to a file of ours."""
    folder.mkdir(mode=0o755)
    victim = folder.parent / "victim"
    victim.write_text("")
    (folder / "journal").symlink_to(victim)
    (folder / "cib.xml").write_text("<cib/>")
    (folder / "cib.xml.backups").symlink_to(folder.parent)
    os.chown(folder, SOMEBODY, SOMEBODY)
    return victim


@ROOT_ONLY
def test_a_link_in_a_folder_of_somebody_elses_is_never_followed(tmp_path):
    victim = theirs(tmp_path / "theirs")
    said = journal.write_entry(str(tmp_path / "theirs" / "journal"), {"what": "x"})
    assert "it is a link, in a folder of somebody else's" in said
    assert victim.read_text() == ""
    with pytest.raises(OSError, match="somebody else could change"):
        Store(Config(), str(tmp_path / "theirs" / "cib.xml")).keep(b"<configuration/>")
    assert not [*tmp_path.glob("*.xml")]


@ROOT_ONLY
def test_nor_is_a_file_of_somebody_elses_written_to(tmp_path):
    path = tmp_path / "journal"
    path.write_text("")
    os.chown(path, SOMEBODY, SOMEBODY)
    assert "belongs to somebody else" in journal.write_entry(str(path), {"what": "x"})
    folder = tmp_path / "backups"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(OSError, match="somebody else could change"):
        Store(Config(backups=str(folder)), None).keep(b"<configuration/>")


@ROOT_ONLY
def test_nor_is_a_hard_link_that_somebody_else_made(tmp_path):
    folder, victim = tmp_path / "theirs", tmp_path / "victim"
    folder.mkdir()
    victim.write_text("")
    os.link(victim, folder / "journal")
    os.chown(folder, SOMEBODY, SOMEBODY)
    assert "it is a hard link" in journal.write_entry(str(folder / "journal"), {"what": "x"})
    assert victim.read_text() == ""
    os.chown(folder, 0, 0)
    assert journal.write_entry(str(folder / "journal"), {"what": "x"}) == ""


def test_a_link_of_our_own_is_followed(tmp_path):
    (tmp_path / "journal").symlink_to(tmp_path / "elsewhere")
    assert journal.write_entry(str(tmp_path / "journal"), {"what": "x"}) == ""
    assert (tmp_path / "elsewhere").exists()
    (tmp_path / "fifo").unlink(missing_ok=True)
    os.mkfifo(tmp_path / "fifo")
    assert journal.write_entry(str(tmp_path / "fifo"), {"what": "x"}) != ""


def test_a_log_is_read_with_what_was_put_aside(tmp_path):
    log = tmp_path / "log"
    parts = {
        "log-20260101.xz": lzma.compress(b"1\n"),
        "log.3.gz": gzip.compress(b"2\n"),
        "log.2.bz2": bz2.compress(b"3\n"),
        "log.1": b"4\n",
        "log": b"5\n",
    }
    for at, (name, data) in enumerate(parts.items(), 1000):
        (tmp_path / name).write_bytes(data)
        os.utime(tmp_path / name, (at, at))
    others = ("log.old", "log.1.zip", "logs.1", "log.gz", "log.1.gz.part")
    for name in others:
        (tmp_path / name).write_bytes(b"9\n")
    (tmp_path / "log.4.gz").write_bytes(b"damaged")
    (tmp_path / "log.5").symlink_to(log)
    os.mkfifo(tmp_path / "log.6")
    assert [*lines_backwards(str(log))] == [b"%d" % number for number in (5, 4, 3, 2, 1)]
    assert [*lines_backwards(str(log), 1002)] == [b"5", b"4", b"3"]
    assert [*lines_backwards(str(tmp_path / "none" / "log"))] == []


def test_lines_are_read_from_the_end_whatever_their_length(tmp_path, monkeypatch):
    monkeypatch.setattr(rotated_logs, "_BLOCK", 7)
    monkeypatch.setattr(rotated_logs, "_LONGEST", 40)
    lines = [b"x" * length for length in (0, 1, 30, 6, 7, 8, 0, 13)]
    for end in (b"", b"\n"):
        (tmp_path / "log").write_bytes(b"\n".join(lines) + end)
        found = [*lines_backwards(str(tmp_path / "log"))]
        assert found == [line for line in reversed(lines) if line]
    (tmp_path / "log").write_bytes(b"y" * 1000 + b"\nlast")
    last, cut = lines_backwards(str(tmp_path / "log"))
    assert last == b"last"
    assert len(cut) <= 47


def test_what_is_unpacked_has_a_bound(tmp_path):
    (tmp_path / "log").write_bytes(b"1\n")
    (tmp_path / "log.2.gz").write_bytes(gzip.compress(bytes(MOST_UNPACKED + 1)))
    (tmp_path / "log.3.gz").write_bytes(gzip.compress(b"3\n" * (MOST_UNPACKED // 2)))
    tracemalloc.start()
    assert sum(1 for _ in lines_backwards(str(tmp_path / "log"))) == 1 + MOST_UNPACKED // 2
    assert tracemalloc.get_traced_memory()[1] < 3 * MOST_UNPACKED
    tracemalloc.stop()


@ROOT_ONLY
def test_a_log_of_somebody_elses_is_left_out(tmp_path):
    for name in ("log", "log.1"):
        (tmp_path / name).write_bytes(name.encode())
    os.chown(tmp_path / "log.1", SOMEBODY, SOMEBODY)
    assert [*lines_backwards(str(tmp_path / "log"))] == [b"log"]
