"""What a node tells of its files, by whatever shell it has, against what the kernel tells here."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from hxm.domu import block_devices
from hxm.host import files, programs
from hxm.host.results import Result

SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]


class Here:
    """A node that is this host, with a shell of its own."""

    name = "here"

    def __init__(self, shell: str) -> None:
        self.shell = [shell, "sh"] if shell == "busybox" else [shell]
        self.asked = 0

    def output(self, argv, *_rest, **_options) -> Result:
        assert argv[0] == "sh"
        self.asked += 1
        done = subprocess.run([*self.shell, *argv[1:]], capture_output=True, check=False)
        return Result(argv, done.returncode, done.stdout, done.stderr.decode())

    def abandon(self) -> None:
        pass


@pytest.fixture(params=SHELLS)
def node(request, monkeypatch):
    node = Here(request.param)
    monkeypatch.setattr(files, "_seen", {})
    monkeypatch.setattr(programs, "_elsewhere", node)
    return node


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "folder" / "a b").mkdir(parents=True)
    (tmp_path / "folder" / "file").write_bytes(b"text\nwithout an end")
    (tmp_path / "folder" / "-n").write_text("a dash\n")
    (tmp_path / "folder" / "two\nlines").write_text("odd\n")
    (tmp_path / "empty").touch()
    (tmp_path / "link").symlink_to("folder/file")
    (tmp_path / "way").symlink_to("folder")
    (tmp_path / "nowhere").symlink_to("gone/further")
    os.mkfifo(tmp_path / "fifo")
    return tmp_path


PATHS = (
    *("folder", "folder/", "folder/file", "folder/-n", "folder/two\nlines", "folder/a b", "empty"),
    *("link", "way", "way/file", "way/..", "way/../empty", "folder/.", "nowhere", "fifo"),
    *("gone", "gone/further", "empty/below"),
)


def test_all_at_once_as_the_kernel_tells(node, tree):
    paths = [f"{tree}/{path}" for path in PATHS]
    files.bring(paths)
    assert node.asked == 2, "all, and the one whose name has two lines"
    for path in paths:
        assert files.lexists(path) == os.path.lexists(path), path
        assert files.exists(path) == os.path.exists(path), path
        assert files.is_file(path) == os.path.isfile(path), path
        assert files.is_folder(path) == os.path.isdir(path), path
        if os.path.exists(path):
            assert files.realpath(path) == os.path.realpath(path), path
            there, here = files.stat(path), os.stat(path)
            for fact in ("st_mode", "st_dev", "st_ino", "st_size", "st_rdev"):
                assert getattr(there, fact) == getattr(here, fact), (path, fact)
            assert there.st_mtime == int(here.st_mtime)
        if os.path.isfile(path):
            assert files.read_whole(path) == Path(path).read_bytes()
        if os.path.isdir(path) and not any("\n" in name for name in os.listdir(path)):
            assert sorted(files.names_in(path)) == sorted(os.listdir(path))
    assert node.asked < 2 + len(paths)


@pytest.mark.parametrize("path", ["fifo", "folder", "gone", "nowhere"])
def test_what_is_no_file_is_not_read(node, tree, path):
    with pytest.raises(OSError, match=r"not a regular file|No such file"):
        files.read_start(f"{tree}/{path}", 10)


def test_more_of_a_file_is_asked_for_again(node, tree):
    (tree / "large").write_bytes(bytes(range(256)) * 64)
    assert len(files.read_start(f"{tree}/large", 10)) == 10
    assert files.read_whole(f"{tree}/large") == (tree / "large").read_bytes()
    assert node.asked == 2


def test_all_layers_of_devices_are_asked_for_in_advance(node, tmp_path, monkeypatch):
    """A file, whose file system is on a partition, on a map, on a path of a disk."""
    image = tmp_path / "image"
    image.write_text("disk")
    sys = tmp_path / "sys"
    number = os.stat(image).st_dev
    for folder, below in {"dm-1/part": "dm-0", "dm-0": "sda", "sda": ""}.items():
        for part in ("slaves", "holders", "dm", "device"):
            (sys / "devices" / folder / part).mkdir(parents=True)
        (sys / "devices" / folder / "dev").write_text(f"9:{len(below)}\n")
        if below:
            (sys / "devices" / folder / "slaves" / below).symlink_to(sys / "devices" / below)
    (sys / "devices/dm-1/part/partition").write_text("1\n")
    (sys / "devices/dm-0/dm/uuid").write_text("mpath-36\n")
    (sys / "devices/sda/wwid").write_text("naa.6\n")
    (sys / "devices/sda/holders/dm-0").symlink_to(sys / "devices/dm-0")
    (sys / "dev/block").mkdir(parents=True)
    link = sys / f"dev/block/{os.major(number)}:{os.minor(number)}"
    link.symlink_to(sys / "devices/dm-1/part")
    monkeypatch.setattr(block_devices, "SYS", str(sys))
    block_devices.bring([str(image), f"{tmp_path}/gone"])
    asked = node.asked
    assert asked <= 10
    there = block_devices.place(str(image))
    assert node.asked == asked
    monkeypatch.setattr(programs, "_elsewhere", None)
    assert there == block_devices.place(str(image))
