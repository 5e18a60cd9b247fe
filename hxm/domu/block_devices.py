"""Resolves a path to its device or file, and to what that lies on, by this host's kernel.

Held against the layout of sysfs in Linux 6.1: /sys/dev/block/MAJOR:MINOR is the device, and in its
folder stand `partition` (then the folder above is the disk), slaves/, holders/, dm/uuid (LVM-...,
mpath-..., partN-mpath-... by kpartx), wwid or device/wwid, and loop/backing_file.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from hxm.host import files, programs
from hxm.host.safe_files import MIB

SYS = "/sys"
_LV = re.compile(r"/dev/(?!(?:mapper|disk|block|loop|evms|drbd|zvol)/)([^/]+)/([^/]+)")
_DRBD = re.compile(r"^/dev/drbd/by-res/[^/]+$")
_MULTIPATH = "mpath-"
_OF_ONE_HOST = frozenset(
    b"ext2 ext3 ext4 xfs btrfs f2fs jfs reiserfs zfs tmpfs overlay ramfs".split()
)
"""File systems that no two hosts can have mounted at once."""


_ATTRIBUTES = (
    *("dev", "dm/uuid", "partition", "wwid", "device/wwid", "loop/backing_file"),
    *("holders", "slaves"),
)


class Place(NamedTuple):
    """A device or a file: `key` is the same for every path to it; `below` are those it lies on."""

    key: str
    below: frozenset[str] = frozenset()


def place(path: str) -> Place:
    """What the path is and lies on, as far as this host can tell; a path to nothing is a name.

    A path of a multipath map is the map; a partition lies on its disk, a logical volume on its
    physical ones, a loop device on its file, a file on the device of its file system.
    """
    try:
        status = files.stat(path)
    except (OSError, ValueError):
        return Place(_name(path))
    if stat.S_ISBLK(status.st_mode):
        return _of_device(status.st_rdev)
    mounted = _of_device(status.st_dev)
    below = mounted.below | {mounted.key} if os.major(status.st_dev) else frozenset[str]()
    return Place(f"file {status.st_dev}:{status.st_ino}", below)


def bring(paths: Collection[str]) -> None:
    """Ask a node for what `place` will want to know of the paths: for all of them at once.

    Takes two round trips, and two more for each layer of devices; on this host, nothing.
    """
    if not programs.elsewhere():
        return
    files.bring(paths)
    numbers = {_number(path) for path in paths} - {0}
    links = [f"{SYS}/dev/block/{os.major(number)}:{os.minor(number)}" for number in numbers]
    while links:
        files.bring(links)
        devices = {files.realpath(link) for link in links}
        folders = sorted(devices | {os.path.dirname(device) for device in devices})  # a disk's
        files.bring(f"{folder}/{name}" for folder in folders for name in _ATTRIBUTES)
        files.bring(f"{holder}/dm/uuid" for holder in _inside(folders, "holders"))
        links = [*_inside(folders, "slaves")]


def _inside(folders: Iterable[str], name: str) -> Iterator[str]:
    for folder in folders:
        yield from (f"{folder}/{name}/{device}" for device in _list(f"{folder}/{name}"))


def _number(path: str) -> int:
    """The number of the device, or of the device that holds the file."""
    try:
        status = files.stat(path)
    except (OSError, ValueError):
        return 0
    return status.st_rdev if stat.S_ISBLK(status.st_mode) else status.st_dev


def place_elsewhere(path: str, known: Mapping[str, str]) -> Place | None:
    """What a path of another node is, of whose devices `parse_devices` told; None: its own alone.

    What cannot be told from this host's device of that path is taken for the same.
    """
    here, key = place(path), known.get(_mapped(os.path.normpath(path)))  # links there are others
    if key and key != here.key:
        return Place(key)
    return None if not key and _on_one_host(path) else here


def scsi_paths(name: str, *, whole_host: bool = False) -> list[str]:
    """The paths of the SCSI device that xm's vscsi names, or of all devices of its host adapter.

    The name is H:C:T:L, a device as in /dev, or an identifier by scsi_id; a partition stands for
    its disk (xen/util/vscsi_util.py of 4.4). What this host does not have keeps a path of its own.
    """
    if re.fullmatch(r"\d+(?::\d+){3}", name):
        path, address = f"/dev/bsg/{name}", name
    else:
        paths = [name] if name.startswith("/") else [f"/dev/{name}", f"/dev/disk/by-id/scsi-{name}"]
        path = next(filter(files.exists, paths), paths[0])
        path = re.sub(r"^(/dev/sd[a-z]+)\d+$", r"\1", files.realpath(path))
        address = _scsi_address(os.path.basename(path))
    addresses = [address]
    if whole_host and address:
        adapter = address.partition(":")[0] + ":"
        addresses = [name for name in _list(f"{SYS}/bus/scsi/devices") if name.startswith(adapter)]
    folders = (f"{SYS}/bus/scsi/devices/{address}/block" for address in addresses if address)
    return [f"/dev/{disk}" for folder in folders for disk in _list(folder)] or [path]


def _scsi_address(device: str) -> str:
    """The H:C:T:L of sda or sg0; empty if this host has no such SCSI device."""
    for kind in ("block", "scsi_generic"):
        folder = os.path.basename(files.realpath(f"{SYS}/class/{kind}/{device}/device"))
        if ":" in folder:
            return folder
    return ""


GREP = "grep -sH '' " + " ".join(
    f"/sys/class/block/*/{attribute}" for attribute in ("dm/name", "dm/uuid", "wwid", "device/wwid")
)
"""What a shell on another node is to run for `parse_devices`."""


def parse_devices(text: str) -> dict[str, str]:
    """The keys of another node's devices, by path, in the lines FILE:CONTENT of its sysfs."""
    attributes: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        path, _, value = line.partition(":")
        parts = path.removeprefix("/sys/class/block/").split("/")
        if path.startswith("/sys/class/block/") and value.strip():
            attributes.setdefault(parts[0].replace("!", "/"), {})[parts[-1]] = value.strip()
    keys = {}
    for device, facts in attributes.items():
        if key := facts.get("uuid") or facts.get("wwid"):
            keys[f"/dev/{device}"] = key
            if "name" in facts:
                keys[f"/dev/mapper/{facts['name']}"] = key
    return keys


def _name(path: str) -> str:
    """A path to nothing, spelt as the device would be under its usual name.

    Device-mapper doubles the dashes of /dev/VG/LV; drbd 8.3 leaves out the volume, which is 0.
    """
    return _mapped(files.realpath(path) if "\0" not in path else path)


def _mapped(path: str) -> str:
    if lv := _LV.fullmatch(path):
        group, volume = (group.replace("-", "--") for group in lv.groups())
        return f"/dev/mapper/{group}-{volume}"
    return _DRBD.sub(r"\g<0>/0", path)


def _of_device(number: int) -> Place:
    numbers = f"{os.major(number)}:{os.minor(number)}"
    folder = files.realpath(f"{SYS}/dev/block/{numbers}")
    key = _identity(folder) or f"device {numbers}"
    return Place(key, frozenset(_below(folder)) - {key})


def _identity(folder: str) -> str:
    """What no other device has, on whatever host; nothing if sysfs does not tell."""
    if uuid := _read(f"{folder}/dm/uuid"):
        return uuid
    if number := _read(f"{folder}/partition"):
        disk = _identity(os.path.dirname(folder))
        return f"part{number}-{disk}" if disk else ""
    for holder in _list(f"{folder}/holders"):
        uuid = _read(f"{folder}/holders/{holder}/dm/uuid")
        if uuid.startswith(_MULTIPATH):
            return uuid
    return _read(f"{folder}/wwid") or _read(f"{folder}/device/wwid")


def _below(folder: str) -> Iterator[str]:
    slaves = [files.realpath(f"{folder}/slaves/{name}") for name in _list(f"{folder}/slaves")]
    if _read(f"{folder}/partition"):
        slaves.append(os.path.dirname(folder))
    for slave in slaves:
        yield _identity(slave) or f"device {_read(f'{slave}/dev')}"
        yield from _below(slave)
    if image := _read(f"{folder}/loop/backing_file"):
        backing = place(image)
        yield backing.key
        yield from backing.below


def _on_one_host(path: str) -> bool:
    """Whether it is a file here whose file system is this host's alone."""
    try:
        status = files.stat(path)
        text = files.read_whole("/proc/self/mountinfo", MIB)
        mounts = [line.split() for line in text.splitlines()]
    except (OSError, ValueError):
        return False
    device = f"{os.major(status.st_dev)}:{os.minor(status.st_dev)}".encode()
    kinds = {mount[mount.index(b"-") + 1] for mount in mounts if mount[2] == device}
    return stat.S_ISREG(status.st_mode) and bool(kinds) and kinds <= _OF_ONE_HOST


def _read(path: str) -> str:
    try:
        return files.read_start(path, 4096).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _list(path: str) -> list[str]:
    try:
        return sorted(files.names_in(path))
    except OSError:
        return []
