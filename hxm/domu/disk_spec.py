"""A disk specification, read by the rules of xl's own lexer.

Source: tools/libs/util/libxlu_disk_l.l and libxlu_disk.c of Xen at c447b730 (4.22), which only
gained words since 4.2; `tests/xl` holds this file against libxlutil 4.17.7. As in flex, the rule
with the longest match counts, and of several such rules the first.

What xl refuses is read as xm reads it (xen/xm/create.py and xen/util/blkif.py of Xen 4.4).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple


class DeviceError(Exception):
    """A specification that is not understood; the text says what of it."""


_LOGIN = re.compile(r"(?<=//)[^/@]*@")
_OPTIONS = re.compile(r"[?,;]|:(?=[\w-]+=)")
_SETTING = re.compile(r"(?!iqn=)[\w-]*=")


def shown_target(target: str) -> str:
    """A disk's target for messages: of a path all, of what a script or qemu reads no options.

    Behind the name of an image stand its user and key (`rbd:pool/image:id=a:key=...`), in a URL a
    login, and block-iscsi takes a password between commas.
    """
    if target.startswith("/"):
        return target
    name = _OPTIONS.split(_LOGIN.sub("", target), maxsplit=1)[0]
    return "(not shown)" if _SETTING.match(name) else name


def _quoted(text: str) -> str:
    return repr(shown_target(text)[:60])


class Disk(NamedTuple):
    """A disk of a domU; without a target it is an empty drive."""

    target: str
    vdev: str
    writes: bool
    shared: bool = False
    """Whether its mode says that others write to it as well (xm's w!)."""
    script: str = ""
    """The block script that finds the disk; empty: xl's and xm's own."""
    replicas: tuple[str, ...] = ()
    """What COLO writes besides the target: its active and its hidden disk."""
    scsi: bool = False
    """Whether the target names a SCSI device, as xm's vscsi does."""


_STRINGS = ("backend", "vdev", "script", "colo-host", "colo-export", "active-disk", "hidden-disk")
_CHOICES = {
    "format": ("raw", "qcow", "qcow2", "vhd", "empty", "qed"),
    "backendtype": ("phy", "tap", "qdisk", "standalone"),
    "specification": ("xen", "virtio"),
}
"""Keys that may be repeated with the same value only."""
_DEVTYPES = {"cdrom": True, "disk": False}
_ACCESS = {"": True, "w": True, "rw": True, "r": False, "ro": False}
_FORMAT_KINDS = ("raw", "qcow", "qcow2", "vhd")
_SCRIPT_KINDS = ("iscsi", "nbd", "enbd", "drbd")
_PLAIN_KINDS = ("tapdisk", "tap", "tap2", "aio", "ioemu", "file", "phy")

_LONGEST = 1 << 14
"""Characters: four times the longest path. The rules look ahead, each to the end."""
_XM_KIND = re.compile(r"([a-z][a-z0-9]*):")
_XM_PLAIN_KINDS = (*_FORMAT_KINDS, *_PLAIN_KINDS, "sync", "vmdk", "qed", "ram")
_XM_DEVICE = re.compile(r"(?:ioemu:)?([^:]+)(?::(cdrom|disk))?")
_XM_MODE = re.compile(r"(r|ro|w|rw)?(!)?")

# The first group is the text that the rule consumes; what the pattern matches behind it (flex: r/s)
# only counts for the length. A dot matches anything but a newline, as in flex.
_KEYS = "|".join(("access", "colo-port", "devtype", *_STRINGS, *_CHOICES))
_KINDS = "|".join((*_FORMAT_KINDS, *_SCRIPT_KINDS, *_PLAIN_KINDS))
_FLAGS = "direct-io-safe|(?:no-)?(?:discard|colo)|(?:un)?trusted|grant_usage=[01]"
_KIND = re.compile(rf"(?:{_KINDS}):")
_RULES = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("blank", r"([ \t\n]+)(?:[^ \t\n].*)?"),
        ("setting", rf"((?:{_KEYS})=[^,]*,?)"),
        ("cdrom", r"(cdrom,?)"),
        ("flag", rf"((?:{_FLAGS}),?)"),
        ("target", r"(target=.*)"),
        ("unknown setting", r"([a-z][-a-z0-9]*=[^,],?)"),
        ("kind", rf"((?:{_KINDS}):).*"),
        ("unknown kind", r"([a-z][a-z0-9]*:)(?:[^a-z0-9].*)?"),
        ("positional", r"([^=,]*,|[^=,]+)"),
    )
)


def parse_disk(*words: str) -> Disk:
    """The disk that a specification describes, or DeviceError.

    It is one word, or several as behind block-attach, each of which xl reads from where it was.
    """
    try:
        return parse_xl_disk(*words)
    except DeviceError:
        if disk := _of_xm(",".join(words)):
            return disk
        raise


def _of_xm(spec: str) -> Disk | None:
    """KIND:TARGET,DEVICE,MODE[,BACKEND[,PROTOCOL]], where a ! behind the mode means: shared."""
    target, *rest = spec.split(",")
    if not 2 <= len(rest) <= 4 or not _XM_KIND.match(target):
        return None
    script, start = "", 0
    while not script and (kind := _XM_KIND.match(target, start)):
        start = kind.end()
        if kind[1] not in _XM_PLAIN_KINDS:
            script = f"block-{kind[1]}"
    device, mode = _XM_DEVICE.fullmatch(rest[0].strip()), _XM_MODE.fullmatch(rest[1].strip())
    if not device or not mode:
        return None
    writes = not (mode[1] or "w").startswith("r") and device[2] != "cdrom"
    return Disk(target[start:], device[1], writes, writes and bool(mode[2]), script)


def parse_xl_disk(*words: str) -> Disk:
    """The disk as xl reads the specification, or DeviceError where xl refuses it."""
    if sum(map(len, words)) > _LONGEST:
        raise DeviceError(f"it has more than {_LONGEST} characters")
    reading = _Reading()
    for word in words:
        _read(reading, word)
    return reading.disk()


def _read(reading: _Reading, spec: str) -> None:
    position, single = 0, "\n" not in spec
    while position < len(spec):
        # this rule looks ahead to the end of its line: in a single line none is longer
        if single and (kind := _KIND.match(spec, position)):
            reading.take("kind", kind[0])
            position = kind.end()
            continue
        matches = (
            (rule, match) for rule, pattern in _RULES if (match := pattern.match(spec, position))
        )
        rule, match = max(matches, key=lambda pair: pair[1].end(), default=("", None))
        if not match:
            if position == len(spec) - 1:  # its error rule needs a second character
                break
            raise DeviceError(f"{_quoted(spec[position:])} is bad syntax")
        reading.take(rule, match[1].removesuffix(","))
        position = match.end(1)


class _Reading:
    """What was read so far of a specification."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.cdrom = False
        self.writes = True
        self.old_style = False
        """Whether a kind stands before the target, so that no format is expected behind it."""
        self.positional_access = False

    def take(self, rule: str, text: str) -> None:
        """Carry a rule out on its text, which has lost the comma at its end."""
        key, _, value = text.partition("=")
        match rule:
            case "setting":
                self._set(key, value)
            case "target":
                self._store("target", value)
            case "cdrom":
                self.cdrom = True
            case "kind":
                self._kind(text.removesuffix(":"))
            case "unknown kind":
                raise DeviceError(f"{_quoted(text)} is no kind of disk")
            case "positional":
                self._positional(text)
            case "unknown setting":
                raise DeviceError(f"{key} is nothing that a disk has")

    def disk(self) -> Disk:
        target, vdev = self.values.get("target"), self.values.get("vdev")
        if vdev is None:
            raise DeviceError("it names no device in the domU")
        if target is None and not self.cdrom:
            raise DeviceError("it names no target, and is no CD drive")
        return Disk(
            target or "",
            vdev,
            self.writes and not self.cdrom,
            script=self.values.get("script", ""),
            replicas=tuple(filter(None, map(self.values.get, ("active-disk", "hidden-disk")))),
        )

    def _set(self, key: str, value: str) -> None:
        if key in _CHOICES:
            self._choose(key, value)
        elif key in _STRINGS:
            self._store(key, value)
        elif key == "access":
            self._allow(value)
        elif key == "devtype":
            self.cdrom = _among(_DEVTYPES, value, "type of device")
        elif not re.match(r"\s*[-+]?0*[1-9]", value):
            raise DeviceError(f"{_quoted(value)} is no {key}")

    def _store(self, key: str, value: str) -> None:
        if self.values.get(key):
            raise DeviceError(f"its {key} is given twice")
        self.values[key] = value

    def _choose(self, key: str, value: str) -> None:
        chosen = value or "raw" if key == "format" else value
        if chosen not in _CHOICES[key]:
            raise DeviceError(f"{_quoted(value)} is no {key}")
        if self.values.setdefault(key, chosen) != chosen:
            raise DeviceError(f"its {key} is given twice")

    def _allow(self, value: str) -> None:
        self.writes = _among(_ACCESS, value, "mode of access")

    def _kind(self, kind: str) -> None:
        if kind in _FORMAT_KINDS:
            self._choose("format", kind)
        elif kind in _SCRIPT_KINDS:
            self._store("script", f"block-{kind}")
        self.old_style = True

    def _positional(self, text: str) -> None:
        if "target" not in self.values:
            self.values["target"] = text
        elif not self.old_style and "format" not in self.values:
            if not self.values["target"] and ":" in text:
                self._device(text)
                self.values["format"] = "empty"
            else:
                self._choose("format", text)
        elif "vdev" not in self.values:
            self._device(text)
        elif not self.positional_access:
            self._allow(text)
            self.positional_access = True
        else:
            raise DeviceError(f"{_quoted(text)} is one too many")

    def _device(self, text: str) -> None:
        """Take VDEV or VDEV:TYPE."""
        vdev, colon, kind = text.rpartition(":")
        self._store("vdev", vdev if colon else text)
        if colon:
            self.cdrom = _among(_DEVTYPES, kind, "type of device")


def _among(table: Mapping[str, bool], value: str, what: str) -> bool:
    if value not in table:
        raise DeviceError(f"{_quoted(value)} is no {what}")
    return table[value]
