"""No link, fifo or device of somebody else's is ever followed, opened or written through."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os

import pytest

from hxm import files
from hxm.config import Config
from hxm.records import journal
from hxm.records.backups import Store

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
    assert files.read_whole(str(plain), 100) == b"x" * 100
    assert files.read_start(str(plain), 3) == b"xxx"
    with pytest.raises(OSError, match="larger than"):
        files.read_whole(str(plain), 99)
    for path in (fifo, tmp_path, "/dev/zero"):
        with pytest.raises(OSError, match="not a regular file"):
            files.read_whole(str(path))
    with pytest.raises(FileNotFoundError):
        files.read_whole(str(tmp_path / "none"))


@pytest.mark.usefixtures("umask")
def test_the_umask_has_no_say(tmp_path):
    path = tmp_path / "new"
    files.write_new(str(path), b"x")
    assert path.stat().st_mode & 0o777 == 0o600
    files.write_new(str(tmp_path / "public"), b"x", 0o644)
    assert (tmp_path / "public").stat().st_mode & 0o777 == 0o644
    with pytest.raises(FileExistsError):
        files.write_new(str(path), b"y")
    files.append_line(str(tmp_path / "journal"), b"one")
    assert (tmp_path / "journal").stat().st_mode & 0o077 == 0


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
    assert [*files.lines_of_all(str(log))] == [b"%d\n" % number for number in (1, 2, 3, 4, 5)]
    assert [*files.lines_of_all(str(log), 1002)] == [b"3\n", b"4\n", b"5\n"]
    assert [*files.lines_of_all(str(tmp_path / "none" / "log"))] == []
