"""libvirt's description of a domU, in XML: its name, what drives it, its memory and its disks.

Name, driver and memory are found by patterns, because `hxm list` loads no parser for them.
The format: https://libvirt.org/formatdomain.html.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from hxm.domu.disk_spec import Disk
from hxm.domu.settings import domain_uuid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_NAME = re.compile(rb"<name>\s*+([^<\s][^<]*+)</name>")
_XEN = re.compile(rb"<domain\s[^<>]*type\s*=\s*['\"]xen['\"]")
_UNITS = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "kb": 1000, "mb": 10**6, "gb": 10**9}
_UNITS |= {"bytes": 1, "": 1 << 10, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}
_MEMORY = re.compile(r"<(memory|currentMemory)(?:\s+unit=['\"](\w+)['\"])?\s*>\s*(\d{1,18})\s*<")
_VCPU = re.compile(r"<vcpu[^<>]*>\s*(\d{1,9})\s*<")


class Description(NamedTuple):
    """What a domU, or the description of a single device, has for itself."""

    uuid: str | None
    macs: tuple[str, ...]
    disks: tuple[Disk, ...]


def name_in(text: bytes) -> str | None:
    """The domU's name, if the text has one."""
    match = _NAME.search(text)
    return match[1].rstrip().decode("utf-8", "replace") if match else None


def drives_xen(text: bytes) -> bool:
    """Whether the description is for libvirt's Xen driver."""
    return bool(_XEN.search(text))


def memory_and_vcpus(text: str) -> tuple[int | None, int | None, int | None]:
    """Memory and maximum in MiB, and the vcpus.

    As libvirt reads them: `memory` is the maximum; KiB unless a unit is given.
    """
    mebibytes = {
        name: -(-int(number) * _UNITS[unit.lower()] >> 20)
        for name, unit, number in _MEMORY.findall(text)
        if unit.lower() in _UNITS
    }
    cpus = _VCPU.search(text)
    most = mebibytes.get("memory")
    return mebibytes.get("currentMemory", most), most, int(cpus[1]) if cpus else None


def parse_name(text: bytes) -> str | None:
    """The name of the domU that the text describes; None if it is no description."""
    from hxm.xml_reading import XmlError, parse_xml  # the parser is not for every list

    try:
        name = (parse_xml(text).findtext("name") or "").strip()
    except XmlError:
        name = ""
    return name or name_in(text)


def parse_description(text: bytes) -> Description:
    """What the description of a domU or of a disk names. Raises XmlError."""
    from hxm.xml_reading import parse_xml

    root = parse_xml(text)
    disks = []
    for disk in [root] if root.tag == "disk" else root.iterfind("devices/disk"):
        source = disk.find("source")
        target, driver = _target(disk, source) if source is not None else ("", "")
        if target:
            writes = disk.find("readonly") is None and disk.get("device") != "cdrom"
            disks.append(Disk(target, "", writes, disk.find("shareable") is not None, driver))
    disks += filter(None, map(_scsi, root.iterfind("devices/hostdev[@type='scsi']")))
    macs = [mac.get("address", "").lower() for mac in root.iterfind("devices/interface/mac")]
    uuid = domain_uuid({"uuid": (root.findtext("uuid") or "").strip()})
    return Description(uuid, tuple(macs), tuple(disks))


def _target(disk: Element, source: Element) -> tuple[str, str]:
    """The path of a disk; or what names it in a pool or on the network, and which of them has it.

    Of any other source the attributes are the name.
    """
    if path := source.get("dev") or source.get("file"):
        return path, ""
    if source.get("volume"):
        return f"{source.get('pool')}/{source.get('volume')}", "pool"
    if source.get("name"):
        return source.get("name", ""), source.get("protocol") or "network"
    names = {key: value for key, value in source.attrib.items() if key != "startupPolicy"}
    return " ".join(f"{key}={names[key]}" for key in sorted(names)), disk.get("type") or "source"


def _scsi(device: Element) -> Disk | None:
    """The SCSI device of the host that is handed on."""
    adapter, address = device.find("source/adapter"), device.find("source/address")
    if adapter is None or address is None:
        return None
    host = (adapter.get("name") or "").removeprefix("scsi_host")
    numbers = (host, *(address.get(key) or "" for key in ("bus", "target", "unit")))
    return Disk(":".join(numbers), "", device.find("readonly") is None, scsi=True)
