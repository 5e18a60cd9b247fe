"""The devices and files behind a domU's disk, by its block script."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from hxm.domu import block_devices
from hxm.domu.disk_spec import Disk
from hxm.host import files

_OWN_SCRIPT = "block"
"""The script that xl and xm use where none is named."""
_DRBD_SCRIPT = "block-drbd"
_FOLDER = re.compile(r"(?:/usr/local)?/etc/xen/scripts/+")
_KINDS = re.compile(r"(?:[a-z][a-z0-9]*:)+(?=/)")
"""What Xen's own block-tap has before a path: aio:, vhd:."""


def scripted_name(disk: Disk) -> str:
    """The name that the disk has where only its block script knows the device; else empty.

    A script of Xen's is the same with and without its folder (xl-disk-configuration(5)).
    """
    script, target = _script_of(disk), disk.target.strip()
    return f"{script} {target}" if target and script not in ("", _DRBD_SCRIPT) else ""


def paths_of(disk: Disk) -> Iterator[str]:
    """The paths that the disk is at: none for a target that only its block script understands.

    A path in the target of any script counts, also behind aio: or another kind.
    """
    target, script = disk.target.strip(), _script_of(disk)
    if disk.scsi:
        yield from block_devices.scsi_paths(target, whole_host=disk.vdev == "host")
    elif script == _DRBD_SCRIPT:
        yield _of_drbd(target)
    elif script:
        path = _KINDS.sub("", target, count=1)
        if path.startswith("/"):
            yield path
    elif target:
        yield from _places(target)
    for replica in disk.replicas:
        yield from _places(replica.strip())


def _script_of(disk: Disk) -> str:
    """Empty for xl's and xm's own."""
    name = _FOLDER.sub("", disk.script, count=1)
    return "" if name == _OWN_SCRIPT else name


def _places(target: str) -> Iterator[str]:
    """Where a target is: one without a slash before it is a file here, or a device in /dev.

    libxl looks for it as it stands (libxl__device_disk_set_backend), from the folder of whoever
    types, or from / for an agent; what is no file there the block script of Linux finds in /dev.
    """
    if target.startswith("/"):
        yield target
        return
    candidates = {os.path.abspath(target), f"/{target}"} if "\0" not in target else set()
    yield from sorted(filter(files.is_file, candidates)) or [f"/dev/{target}"]


def _of_drbd(resource: str) -> str:
    """The device of RESOURCE or RESOURCE/VOLUME; drbd 8.3 knew no volumes."""
    path = f"/dev/drbd/by-res/{resource}"
    return path if "/" in resource or files.exists(path) else f"{path}/0"
