"""Parses the long descriptions of domUs: `xl list -l`, `xm list --long`, a saved image.

xl's is JSON since Xen 4.2, held against `xl list -l` and `xl create -n` of 4.17.7: what is 0 or
false is left out. xend's is an S-expression. An image begins with the one (struct save_file_header
in xl.h) or the other (XendCheckpoint.py).
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

from hxm.domu.devices import disks_in_arguments
from hxm.domu.disk_spec import DeviceError, Disk, parse_disk
from hxm.errors import CannotAsk
from hxm.toolstack.sexpr import expressions, facts_in
from hxm.toolstack.xl import MOST_ROWS

_XL_IMAGE = struct.Struct("32s4I")
_XL_MAGIC = b"Xen saved domain, xl format\n \0 \r"
_XM_MAGIC = b"LinuxGuestRecord"
_JSON = 1  # XL_MANDATORY_FLAG_JSON
_REPLICAS = ("active_disk", "hidden_disk")
_QEMU_ARGUMENTS = ("extra", "extra_pv", "extra_hvm")


class Details(NamedTuple):
    """A domU as its toolstack has it."""

    name: str
    uuid: str | None = None
    macs: tuple[str, ...] = ()
    disks: tuple[Disk, ...] = ()


def parse_long(text: str) -> list[Details]:
    """The domUs in what either toolstack printed, a greeting of a login before it or not.

    Dom0 is left out. Raises CannotAsk for anything else.
    """
    start = re.search(r"^(?:\[|\(domain\b)", text, re.MULTILINE)
    try:
        if start and start[0] == "[":
            rows = json.JSONDecoder().raw_decode(text, start.start())[0]
            if len(rows) > MOST_ROWS:
                raise ValueError(len(rows))
            return [_of_json(row["config"]) for row in rows if row["domid"] != 0]
        if start:
            return [
                details
                for expression in expressions(text[start.start() :])
                if (details := _of_sxp(expression))
            ]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        pass
    raise CannotAsk("the toolstack printed nothing that tells of its domUs")


def parse_image(data: bytes) -> Details | None:
    """The domU in the beginning of a saved image, or None if that does not tell."""
    try:
        if data.startswith(_XM_MAGIC):
            size = struct.unpack_from("!i", data, 16)[0]
            (expression,) = expressions(data[20 : 20 + size].decode("utf-8", "surrogateescape"))
            return _of_sxp(expression)
        magic, order, flags, _, _ = _XL_IMAGE.unpack_from(data)
        size = struct.unpack_from("=I", data, _XL_IMAGE.size)[0]
        if magic != _XL_MAGIC or order != 0x01020304:
            return None
        text = data[_XL_IMAGE.size + 4 :][:size].rstrip(b"\0").decode("utf-8", "surrogateescape")
        if flags & _JSON:
            return _of_json(json.loads(text))
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
        struct.error,
    ):
        return None
    from hxm.domu.config_file import XmFileError, parse_xmfile
    from hxm.domu.settings import domain_name

    try:  # the configuration file itself, as xl before 4.5 saved it
        name = domain_name(parse_xmfile(text))
    except XmFileError:
        return None
    return Details(name) if name else None


def _of_json(config: Mapping[str, Any]) -> Details:
    info = config["c_info"]
    disks = [
        Disk(
            str(disk.get("pdev_path") or ""),
            str(disk.get("vdev", "")),
            writes=str(disk.get("readwrite", 0)) not in ("0", "False"),
            script=str(disk.get("script") or ""),
            replicas=tuple(str(disk[key]) for key in _REPLICAS if disk.get(key)),
        )
        for disk in config.get("disks", ())
        if disk.get("pdev_path")
    ]
    for key in _QEMU_ARGUMENTS:
        disks += disks_in_arguments([str(word) for word in config.get("b_info", {}).get(key, ())])
    macs = [str(nic["mac"]).lower() for nic in config.get("nics", ()) if nic.get("mac")]
    uuid = str(info.get("uuid", "")).lower() or None
    return Details(str(info["name"]), uuid, tuple(macs), tuple(disks))


def _of_sxp(domain: list[Any]) -> Details | None:
    facts = facts_in(domain)
    if facts.get("domid") == "0" or "name" not in facts:
        return None
    macs, disks = [], []
    for entry in domain:
        kind = entry[1][0] if _is(entry, "device") and entry[1:] and entry[1][:1] else ""
        device = facts_in(entry[1]) if kind else {}
        if kind == "vif" and "mac" in device:
            macs.append(device["mac"].lower())
        elif kind in ("vbd", "tap", "tap2") and device.get("uname"):
            mode = device.get("mode", "w")
            try:
                disks.append(parse_disk(f"{device['uname']},{device.get('dev') or 'xvda'},{mode}"))
            except DeviceError:
                raise ValueError(device["uname"]) from None
        elif kind == "vscsi":
            devices = [facts_in(part) for part in entry[1] if _is(part, "dev")]
            disks += [Disk(device["p-dev"], "", writes=True, scsi=True) for device in devices]
    return Details(facts["name"], facts.get("uuid", "").lower() or None, tuple(macs), tuple(disks))


def _is(entry: Any, key: str) -> bool:
    return isinstance(entry, list) and entry[:1] == [key]
