"""What the domUs have for themselves, and which device a path really is."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hxm import run
from hxm.config import Config
from hxm.decide.clashes import Claim, Held
from hxm.devices import DeviceError, parse_disk, parse_mac
from hxm.errors import CannotAsk
from hxm.model import Cluster, Domain
from hxm.observe import local_toolstack
from hxm.toolstack import is_xm
from hxm.toolstack.remote import ask_all
from hxm.xmfile import Value, XmFileError, read_xmfile

_LV = re.compile(r"/dev/(?!(?:mapper|disk|block|loop|evms|drbd|zvol)/)([^/]+)/([^/]+)")


def device(path: str) -> str:
    """The same text for every path to one device or file, as far as this host can tell.

    A device is its numbers, whatever links lead to it; a file its inode. Of what is not there only
    the path counts, with /dev/VG/LV and /dev/mapper/VG-LV as one (device-mapper doubles dashes).
    """
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        real = os.path.realpath(path) if "\0" not in path else path
        if lv := _LV.fullmatch(real):
            group, volume = (each.replace("-", "--") for each in lv.groups())
            return f"/dev/mapper/{group}-{volume}"
        return real
    if stat.S_ISBLK(found.st_mode):
        return f"device {os.major(found.st_rdev)}:{os.minor(found.st_rdev)}"
    return f"file {found.st_dev}:{found.st_ino}"


def held(target: str, *, writes: bool, shared: bool = False, script: str = "") -> Held:
    """A disk by its target: a path, one below /dev, or what its script makes a device of."""
    if script:
        return Held(f"{script} {target}", target, writes, shared)
    path = target if target.startswith("/") else f"/dev/{target}"  # as Xen's block script does
    return Held(device(path), target, writes, shared)


def claim(name: str, settings: Mapping[str, Value], resource: str | None = None) -> Claim:
    """What a configuration asks for; what cannot be understood of it is in `fault`."""
    disks, macs, faults = [], [], []
    for key in ("disk", "vif"):
        specs = settings.get(key, [])
        for spec in specs if isinstance(specs, list) else [specs]:
            try:
                if key == "disk":
                    disk = parse_disk(str(spec))
                    target, script = disk.target.strip(), disk.script
                    if target:
                        writes, shared = disk.writes, disk.shared
                        disks.append(held(target, writes=writes, shared=shared, script=script))
                elif mac := parse_mac(str(spec)):
                    macs.append(mac)
            except DeviceError as error:
                faults.append(f"a {key} of {name} cannot be understood: {error}")
    uuid = str(settings.get("uuid", "")).lower() or None
    return Claim(name, resource, uuid, tuple(macs), tuple(disks), "; ".join(faults))


def of_managed(domain: Domain) -> Claim:
    """What a managed domU's own file asks for, read here; `fault` says why it cannot be."""
    path, name = domain.xmfile or "", domain.name
    try:
        with open(path, "rb") as file:
            start = file.read(100).lstrip()
        if start.startswith(b"<"):
            return _of_xml(domain)
        return claim(name, read_xmfile(path), domain.resource)
    except XmFileError as error:
        return Claim(name, domain.resource, fault=f"the disks of {name} are unknown: {error}")
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        return Claim(
            name, domain.resource, fault=f"the disks of {name} are unknown: {path}: {said}"
        )


def _of_xml(domain: Domain) -> Claim:
    """The same of what VirtualDomain starts, in libvirt's XML."""
    from xml.etree import ElementTree

    try:
        root = ElementTree.parse(domain.xmfile or "").getroot()
    except ElementTree.ParseError as error:
        fault = f"the disks of {domain.name} are unknown: {domain.xmfile}: {error}"
        return Claim(domain.name, domain.resource, fault=fault)
    disks = []
    for disk in root.iterfind("devices/disk"):
        source = disk.find("source")
        target = next(iter(source.attrib.values()), "") if source is not None else ""
        if target.startswith("/"):
            writes = disk.find("readonly") is None and disk.get("device") != "cdrom"
            disks.append(held(target, writes=writes, shared=disk.find("shareable") is not None))
    macs = [each.get("address", "").lower() for each in root.iterfind("devices/interface/mac")]
    uuid = (root.findtext("uuid") or "").strip().lower() or None
    return Claim(domain.name, domain.resource, uuid, tuple(macs), tuple(disks))


def of_local(cluster: Cluster, program: str) -> list[Claim]:
    """What the domUs of this host that no cluster manages have, by `xl list -l`.

    Raises CannotAsk if there is no such answer.
    """
    return _unmanaged(cluster, run.output((program, "list", "-l")))


def of_others(cluster: Cluster, nodes: Sequence[str], config: Config) -> Iterator[Claim]:
    """The same of these nodes; one that gives no such answer is in the `fault` of a claim."""
    program = cluster.toolstack or "xl"
    if is_xm(program):
        return
    for node, result in ask_all(nodes, (program, "list", "-l"), config.ssh_timeout).items():
        try:
            if isinstance(result, str):
                raise CannotAsk(result)
            yield from _unmanaged(cluster, result)
        except CannotAsk as error:
            yield Claim("?", fault=f"the disks of the other domUs of {node} are unknown: {error}")


def _unmanaged(cluster: Cluster, result: run.Result) -> list[Claim]:
    import json

    try:
        found = json.loads(result.stdout)
        rows = [each["config"] for each in found if each["domid"]]
    except (ValueError, KeyError, TypeError):
        raise CannotAsk(f"{' '.join(result.argv[:3])}: {result.complaint()}") from None
    ours = {name for each in cluster.managed_domains for name in (each.name, *each.also)}
    return [each for each in map(_of_row, rows) if each.name not in ours]


def _of_row(config: Mapping[str, Any]) -> Claim:
    info = config.get("c_info", {})
    disks = [
        held(path, writes=str(disk.get("readwrite", 1)) not in ("0", "False"), script=_script(disk))
        for disk in config.get("disks", [])
        if (path := disk.get("pdev_path"))
    ]
    macs = [str(each["mac"]).lower() for each in config.get("nics", []) if each.get("mac")]
    uuid = str(info.get("uuid", "")).lower() or None
    return Claim(str(info.get("name", "?")), None, uuid, tuple(macs), tuple(disks))


def _script(disk: Mapping[str, Any]) -> str:
    return os.path.basename(str(disk.get("script") or ""))


def everyones(cluster: Cluster, config: Config) -> Iterator[Claim]:
    """The claims of all managed domUs, and of those on this host that no cluster manages."""
    yield from map(of_managed, cluster.managed_domains)
    toolstack = local_toolstack(config, cluster.sandbox)
    if toolstack and not is_xm(toolstack.program):
        try:
            yield from of_local(cluster, toolstack.program)
        except CannotAsk as error:
            yield Claim("?", fault=f"the disks of this host's other domUs are unknown: {error}")
