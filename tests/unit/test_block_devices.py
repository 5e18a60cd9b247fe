"""Which paths are one device, and which devices lie on each other: a sysfs of our own."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from hxm.cluster.claims import claim
from hxm.domu import block_devices
from hxm.domu.block_devices import parse_devices, place, place_elsewhere
from hxm.policy.guards.conflicts import among


class Host:
    """A host's block devices: /dev/NAME is the device of that name."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.numbers: dict[str, tuple[int, Path]] = {}
        (root / "dev/block").mkdir(parents=True)

    def add(self, name: str, number: int, on: tuple[str, ...] = (), disk: str = "", **facts: str):
        folder = self.root / "devices" / disk / name
        for part in ("slaves", "holders", "dm", "loop", "device"):
            (folder / part).mkdir(parents=True)
        for fact, value in facts.items():
            (folder / fact.replace("_", "/", 1)).write_text(f"{value}\n")
        (folder / "dev").write_text(f"8:{number}\n")
        if disk:
            (folder / "partition").write_text(name.removeprefix(disk))
        for under in on:
            other = self.numbers[under][1]
            (folder / "slaves" / under).symlink_to(other)
            (other / "holders" / name).symlink_to(folder)
        (self.root / f"dev/block/8:{number}").symlink_to(folder)
        self.numbers[name] = (number, folder)


LVM, MAP = "LVM-vgvgvgnfs1", "mpath-3600a0b80001"


@pytest.fixture
def host(tmp_path, monkeypatch):
    made = Host(tmp_path / "sys")
    monkeypatch.setattr(block_devices, "SYS", str(made.root))
    plain = os.stat

    def found(path, **options):
        name = str(path).removeprefix("/dev/")
        if str(path).startswith("/dev/") and name in made.numbers:
            number = os.makedev(8, made.numbers[name][0])
            return SimpleNamespace(st_mode=stat.S_IFBLK | 0o660, st_rdev=number)
        return plain(path, **options)

    monkeypatch.setattr(os, "stat", found)
    made.add("sda", 0, wwid="naa.600a0b80001")
    made.add("sda1", 1, disk="sda")
    made.add("sda2", 2, disk="sda")
    made.add("sdb", 16, device_wwid="naa.600a0b80001")
    made.add("sdc", 32)
    made.add("sdc1", 33, disk="sdc")
    made.add("sdd", 48, device_wwid="naa.999")
    made.add("dm-0", 100, ("sda", "sdb"), dm_uuid=MAP, dm_name="mpatha")
    made.add("dm-1", 101, ("dm-0",), dm_uuid=f"part1-{MAP}", dm_name="mpatha-part1")
    made.add("dm-2", 102, ("dm-1",), dm_uuid=LVM, dm_name="vg-nfs")
    made.add("dm-3", 103, ("dm-1",), dm_uuid="LVM-vgvgvgsles", dm_name="vg-sles")
    made.add("dm-4", 104, ("sdc1",), dm_name="linear")
    made.add("md0", 105, ("sdc", "sdd"))
    (tmp_path / "image").touch()
    made.add("loop0", 106, loop_backing_file=str(tmp_path / "image"))
    return made


TOGETHER = [
    ("sda", "sda1"),
    ("sda", "sdb"),
    ("dm-0", "sda"),
    ("dm-0", "sdb"),
    ("dm-0", "sda2"),
    ("sda1", "dm-1"),
    ("dm-2", "sda1"),
    ("dm-2", "dm-1"),
    ("dm-2", "dm-0"),
    ("dm-2", "sdb"),
    ("dm-4", "sdc"),
    ("dm-4", "sdc1"),
    ("md0", "sdc"),
    ("loop0", "IMAGE"),
]
APART = [
    ("dm-2", "dm-3"),
    ("sda1", "sda2"),
    ("sda", "sdc"),
    ("dm-2", "sda2"),
    ("dm-4", "sda"),
    ("md0", "dm-0"),
    ("loop0", "sda"),
]


@pytest.mark.parametrize(("pair", "clash"), [*((p, 1) for p in TOGETHER), *((p, 0) for p in APART)])
def test_what_lies_on_what(host, tmp_path, pair, clash):
    paths = [str(tmp_path / "image") if each == "IMAGE" else f"/dev/{each}" for each in pair]
    for one, other in (paths, paths[::-1]):
        both = [
            claim("a", {"disk": [f"{one},raw,xvda"]}),
            claim("b", {"disk": [f"phy:{other},b,w"]}),
        ]
        assert len(list(among(both))) == clash


def test_a_device_of_which_sysfs_tells_nothing_is_its_numbers(host):
    assert place("/dev/sdc") == ("device 8:32", frozenset())
    assert place("/dev/sdc1").below == {"device 8:32"}


def test_a_scsi_device_has_many_names(host):
    devices = host.root / "bus/scsi/devices"
    for address, disk, generic in (("0:0:1:0", "sda", "sg3"), ("0:0:2:0", "sdc", "sg4")):
        (devices / address / "block" / disk).mkdir(parents=True)
        for kind, name in (("block", disk), ("scsi_generic", generic)):
            folder = host.root / "class" / kind / name
            folder.mkdir(parents=True)
            (folder / "device").symlink_to(devices / address)
    for name in ("0:0:1:0", "/dev/sda", "sda", "/dev/sda1", "/dev/sg3", "sg3"):
        assert block_devices.scsi_paths(name) == ["/dev/sda"]
        assert block_devices.scsi_paths(name, whole_host=True) == ["/dev/sda", "/dev/sdc"]
    assert block_devices.scsi_paths("1:0:0:0") == ["/dev/bsg/1:0:0:0"]
    assert block_devices.scsi_paths("/dev/vg/nfs") == ["/dev/vg/nfs"]
    both = [claim("a", {"vscsi": ["0:0:1:0,0:0:0:0"]}), claim("b", {"disk": ["phy:sda1,xvda,r"]})]
    assert len(list(among(both))) == 1


TOLD_BY_HOST2 = f"""
/sys/class/block/dm-7/dm/name:vg-nfs
/sys/class/block/dm-7/dm/uuid:{LVM}
/sys/class/block/dm-8/dm/name:vg-local
/sys/class/block/dm-8/dm/uuid:LVM-another
/sys/class/block/cciss!c0d0/device/wwid:naa.77
/sys/class/block/sdz/device/wwid:naa.999
/sys/class/block/sdy/wwid:
"""


def test_the_devices_of_another_node_are_known_by_what_none_else_has(host, tmp_path):
    known = parse_devices(TOLD_BY_HOST2)
    assert known["/dev/mapper/vg-nfs"] == known["/dev/dm-7"] == LVM
    assert known["/dev/cciss/c0d0"] == "naa.77"
    assert "/dev/sdy" not in known
    assert place_elsewhere("/dev/vg/nfs", known) == (LVM, frozenset())
    link = tmp_path / "nfs"  # here a link to what the other node calls otherwise
    link.symlink_to("/dev/dm-7")
    assert place_elsewhere(str(link), known).key == "/dev/dm-7"
    assert place_elsewhere("/dev/sdz", known).key == place("/dev/sdd").key
    assert place_elsewhere("/dev/vg/local", known).key == "LVM-another"
    assert place_elsewhere("/dev/drbd0", known).key == "/dev/drbd0"
    assert place_elsewhere("/dev/dm-2", {"/dev/dm-2": LVM}).below >= {MAP}


def test_a_file_of_a_local_file_system_is_no_other_hosts(host, tmp_path, monkeypatch):
    image = str(tmp_path / "image")
    monkeypatch.setattr(block_devices, "_OF_ONE_HOST", frozenset())
    assert place_elsewhere(image, {}) == place(image)
    with open("/proc/self/mountinfo") as file:
        all_kinds = {line.split()[line.split().index("-") + 1].encode() for line in file}
    monkeypatch.setattr(block_devices, "_OF_ONE_HOST", frozenset(all_kinds))
    assert place_elsewhere(image, {}) is None
