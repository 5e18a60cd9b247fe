"""The disk and vif specifications in a domU's configuration, of xl's and of xm's syntax.

Of xl's, every disk was compared with what xlu_disk_parse of libxlutil 4.17.7 makes of it, and every
vif with what `xl create -n` of 4.17.7 prints, a stand-in for the hypervisor under it (see
tests/data/xen-4.17: disk-specs.json, vif-specs.json). xm's was read off its code
(xen/xm/create.py of Xen 4.4): a target with its kind before it, the device, the mode and perhaps
another backend. The sharing mode `w!` is xm's alone: the xl of 4.17 refuses it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_KIND = re.compile(r"(?:phy|file|tapdisk|tap2?|aio|sync|ioemu|raw|qcow2?|qed|vhd|vmdk):")
_SCRIPT = re.compile(r"(iscsi|e?nbd|drbd|npiv):")
_POSITIONS = ("target", "format", "vdev", "access")
_OLD_POSITIONS = ("target", "vdev", "access", "backend")  # behind a kind, as for xm
_KEYS = {*_POSITIONS, "script", "backend", "backendtype", "devtype", "specification", "transport"}
_FLAGS = {"cdrom", "direct-io-safe", "discard", "no-discard", "removable", "readwrite", "readonly"}
_FORMATS = {"", "raw", "qcow", "qcow2", "qed", "vhd", "vmdk", "empty"}
_ACCESS = {
    **dict.fromkeys(("", "w", "rw"), (True, False)),
    **dict.fromkeys(("r", "ro", "r!"), (False, False)),
    **dict.fromkeys(("w!", "!"), (True, True)),
}
_PART = re.compile(r"[ \t]*\+?(?:0[xX])?([0-9a-fA-F]+)")


class DeviceError(Exception):
    """A specification that is not understood; the text says what of it."""


class Disk(NamedTuple):
    """A disk of a domU; without a target it is an empty drive."""

    target: str
    vdev: str
    writes: bool
    shared: bool = False
    """Whether its mode says that others write to it as well (xm's w!)."""
    script: str = ""
    """What finds the disk, where the target is no path."""


def parse_disk(spec: str) -> Disk:
    """The disk that the specification describes, or DeviceError."""
    values, rest = {"script": ""}, spec.lstrip(" \t")
    positions, flags, bare = list(_POSITIONS), set(), False
    while rest:
        if not bare:  # a kind may stand before the first word that is no KEY=VALUE
            while match := _KIND.match(rest) or _SCRIPT.match(rest):
                rest, positions = rest[match.end() :], [*_OLD_POSITIONS]
                if match.re is _SCRIPT:
                    values["script"] = f"block-{match[1]}"
        key, equals, value = rest.partition("=")
        if equals and key.strip() == "target":
            values["target"], rest = value, ""
            break
        word, _, rest = rest.partition(",")
        rest = rest.lstrip(" \t")
        key, equals, value = word.partition("=")
        if equals and re.fullmatch("[a-z][-a-z0-9]*", key):
            if key not in _KEYS:
                raise DeviceError(f"{key} is nothing that a disk has")
            values[key] = value
        elif word.strip() in _FLAGS:
            flags.add(word.strip())
        elif positions:
            bare = True
            while positions[1:] and positions[0] in values:
                positions.pop(0)
            values[positions.pop(0)] = (
                word if rest else word.removesuffix("=")
            )  # xl's lexer does so
        elif word:
            raise DeviceError(f"{word[:60]!r} is one too many")
    return _disk(values, flags)


def _disk(values: dict[str, str], flags: set[str]) -> Disk:
    vdev = values.get("vdev", "").removeprefix("ioemu:")
    vdev, _, kind = vdev.partition(":")
    cdrom = "cdrom" in (kind.strip(), values.get("devtype"), *flags)
    access = values.get("access", "").strip()
    if not vdev.strip():
        raise DeviceError("it names no device in the domU")
    if access not in _ACCESS:
        raise DeviceError(f"{access[:60]!r} is no mode of access")
    if values.get("format", "").strip() not in _FORMATS:
        raise DeviceError(f"{values['format'].strip()[:60]!r} is no format")
    writes, shared = _ACCESS[access]
    writes = writes and not cdrom and "readonly" not in flags
    return Disk(values.get("target", ""), vdev, writes, shared, values["script"])


def parse_mac(spec: str) -> str | None:
    """The address that a vif's specification asks for, in lower case, or None.

    As xl reads it: the last one counts, each part as far as it is a number, and whatever stands
    between two parts.
    """
    parts = [0] * 6
    for word in spec.split(","):
        key, equals, rest = word.lstrip(" \t").partition("=")
        for place in range(6) if equals and key == "mac" else ():
            match = _PART.match(rest)
            if not match or int(match[1], 16) > 0xFF:
                break
            parts[place] = int(match[1], 16)
            rest = rest[match.end() + 1 :]
    return ":".join(f"{part:02x}" for part in parts) if any(parts) else None
