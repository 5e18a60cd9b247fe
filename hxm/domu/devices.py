"""What a domU's configuration gives it besides `disk`: vifs, SCSI devices, arguments for qemu."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hxm.domu.disk_spec import Disk

_PART = re.compile(r"[ \t\n\v\f\r]*([-+]?)(?:0[xX](?=[0-9a-fA-F]))?([0-9a-fA-F]+)")
_WORD = re.compile(r"[^,]+")

_QEMU_OPTIONS = ("drive", "blockdev")
_QEMU_PATHS = re.compile(r"hd[a-d]|fd[ab]|cdrom|sd|pflash|mtdblock")
"""Options of qemu's whose value is a path (qemu-options.hx of 7.2)."""
_QEMU_FILE = re.compile(r"(?:.*\.)?(?:file|filename)")
_QEMU_PROTOCOLS = re.compile(r"(?:(?:file|host_device|host_cdrom|raw|qcow2?|vpc|vmdk|qed):)*")
_USB_DISK = re.compile(r"disk:(?:format=[^:]*:)?(/.*)")
_YES = ("on", "yes", "true", "True")


def parse_mac(spec: str) -> str | None:
    """The address that a vif's specification asks for, in lower case, or None.

    As parse_nic_config in xl_parse.c of Xen 4.17 reads it: the last one counts. Each part is as
    much of the text as strtoul takes for a number, and one character behind it is skipped,
    whatever it is: also a comma.
    """
    parts = [0] * 6
    for word in _WORD.finditer(spec):
        position = word.start() + len(word[0]) - len(word[0].lstrip(" "))
        if not spec.startswith("mac=", position):
            continue
        position += len("mac=")
        for place in range(6):
            match = _PART.match(spec, position)
            number = int(match[1] + match[2], 16) % (1 << 32) if match else -1
            if not match or not 0 <= number <= 0xFF:
                break
            parts[place], position = number, match.end() + 1
    return ":".join(f"{part:02x}" for part in parts) if any(parts) else None


def parse_scsi(spec: str) -> Disk:
    """The device that an entry of xm's `vscsi` gives: PDEV,VDEV[,DOM] (xen/xm/create.py of 4.4)."""
    device, _, rest = spec.partition(",")
    return Disk(device.strip(), rest.partition(",")[0].strip(), writes=True, scsi=True)


def disks_in_arguments(words: Sequence[str]) -> Iterator[Disk]:
    """The disks that arguments for qemu (`device_model_args`) open; only absolute paths count."""
    option = ""
    for word in words:
        if option in _QEMU_OPTIONS:
            yield from _drives(word)
        elif option == "usbdevice":
            yield from disk_in_usb(word)
        elif _QEMU_PATHS.fullmatch(option):
            yield from _disk(word, writes=option != "cdrom")
        option = word.lstrip("-") if word.startswith("-") else ""


def disks_in_monitor(words: Sequence[str]) -> Iterator[Disk]:
    """The disks that a command to qemu's monitor opens: by file=PATH, or by PATH alone."""
    for word in " ".join(words).split():
        yield from _disk(word, writes=True) if word.startswith("/") else _drives(word)


def disk_in_usb(spec: str) -> Iterator[Disk]:
    """The disk that `usbdevice = "disk:PATH"` opens; qemu had it until 2.12."""
    if match := _USB_DISK.fullmatch(spec):
        yield Disk(match[1], "", writes=True)


def _drives(text: str) -> Iterator[Disk]:
    settings = _from_json(text) if text.startswith("{") else _from_list(text)
    reads = (
        settings.get("media") == "cdrom"
        or settings.get("readonly") in _YES
        or settings.get("read-only") in _YES
    )
    for key, value in settings.items():
        if _QEMU_FILE.fullmatch(key) and value.startswith("json:"):
            for disk in _drives(value.removeprefix("json:")):
                yield disk._replace(writes=not reads and disk.writes)
        elif _QEMU_FILE.fullmatch(key):
            yield from _disk(value, writes=not reads)


def _from_list(text: str) -> dict[str, str]:
    """The settings in KEY=VALUE,...; a comma within a value is doubled, and a bare KEY is on."""
    pairs = (word.partition("=") for word in text.replace(",,", "\0").split(","))
    return {
        key: value.replace("\0", ",") if equals else "on" for key, equals, value in pairs if key
    }


def _from_json(text: str) -> dict[str, str]:
    """The settings in the object, those within others as KEY.KEY; none if it is not sound."""

    def flat(item: Mapping[str, Any], lead: str) -> Iterator[tuple[str, str]]:
        for key, value in item.items():
            if isinstance(value, dict):
                yield from flat(value, f"{lead}{key}.")
            else:
                yield lead + key, str(value)

    try:
        item = json.loads(text)
    except ValueError:
        return {}
    return dict(flat(item, "")) if isinstance(item, dict) else {}


def _disk(text: str, *, writes: bool) -> Iterator[Disk]:
    path = text[_QEMU_PROTOCOLS.match(text).end() :]  # type: ignore[union-attr]
    if path.startswith("/"):
        yield Disk(path, "", writes)
