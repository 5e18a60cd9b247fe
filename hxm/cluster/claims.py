"""What each domU uses alone: by its file, and by the toolstack that runs it."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from hxm.cluster.read import local_toolstack, other_toolstack
from hxm.config import Config
from hxm.domu import block_devices
from hxm.domu.block_devices import GREP, parse_devices, place, place_elsewhere
from hxm.domu.config_file import Value, XmFileError, parse_xmfile, read_xmfile
from hxm.domu.devices import (
    disk_in_usb,
    disks_in_arguments,
    disks_in_monitor,
    parse_mac,
    parse_scsi,
)
from hxm.domu.disk_spec import DeviceError, Disk, parse_disk, shown_target
from hxm.domu.libvirt_xml import parse_description, parse_name
from hxm.domu.settings import domain_name, domain_uuid
from hxm.domu.targets import paths_of, scripted_name
from hxm.errors import CannotAsk
from hxm.host import programs
from hxm.host.files import bring, is_file, read_start, read_whole
from hxm.host.safe_files import MIB
from hxm.host.ssh import NOBODY
from hxm.model import Cluster, Domain, Node
from hxm.policy.guards.conflicts import DEVICE, DOWN, FILE, NODE, THIS_HOST, Claim, DiskClaim
from hxm.policy.names import at_home
from hxm.toolstack import of
from hxm.toolstack.list_long import Details, parse_image, parse_long
from hxm.toolstack.remote import ask_elsewhere, if_xen, understood
from hxm.xml_reading import XmlError

_IMAGE = 1 << 20
"""Bytes of a saved image in which its configuration stands."""
_SAVED = struct.Struct("=16s2I40x")
_SAVED_MAGIC = b"libvirt-xml\n \0 \r"
"""Before libvirt's description in an image that its Xen driver saved (libxl_conf.h)."""
_QEMU_ARGUMENTS = ("device_model_args", "device_model_args_pv", "device_model_args_hvm")
_FLOPPIES = ("fda", "fdb")
"""Settings of xm's that name an image."""
_PATH = re.compile(rb"/[^\s'\",;|\]<>\0]+")
"""What may be a path in a domU's file."""
_DEVICES = "hxm:devices"
"""What stands between a node's domUs and its devices in its answer."""


def claim(
    name: str,
    settings: Mapping[str, Value],
    resource: str | None = None,
    devices: Mapping[str, str] | None = None,
) -> Claim:
    """What a configuration asks for; what cannot be understood of it is in `fault`.

    `devices` are those of the other node on which it stands.
    """
    disks, faults = _understood(name, ([spec] for spec in _entries(settings, "disk")))
    disks += [parse_scsi(spec) for spec in _entries(settings, "vscsi")]
    for key in _QEMU_ARGUMENTS:
        disks += disks_in_arguments(_entries(settings, key))
    for spec in _entries(settings, "usbdevice"):
        disks += disk_in_usb(spec)
    disks += [Disk(path, "", writes=True) for key in _FLOPPIES for path in _entries(settings, key)]
    macs = [mac for spec in _entries(settings, "vif") if (mac := parse_mac(spec))]
    uuid = domain_uuid(settings)
    fault, kind = "; ".join(faults), DEVICE if faults else ""
    return Claim(name, resource, uuid, tuple(macs), tuple(_held(disks, devices)), fault, kind)


def claim_of_monitor(name: str, words: Sequence[str]) -> Claim:
    """What a domU is given by a command to its qemu's monitor."""
    return Claim(name, disks=tuple(_held(disks_in_monitor(words))))


def claim_of_disk(name: str, words: Sequence[str]) -> Claim:
    """What a domU is given by the words behind block-attach; what is wrong with them in `fault`."""
    disks, faults = _understood(name, [words])
    fault, kind = "; ".join(faults), DEVICE if faults else ""
    return Claim(name, disks=tuple(_held(disks)), fault=fault, kind=kind)


def _understood(name: str, specs: Iterable[Sequence[str]]) -> tuple[list[Disk], list[str]]:
    """The disks that these specifications describe, and why some of them are not understood."""
    disks, faults = [], []
    for words in specs:
        try:
            disks.append(parse_disk(*words))
        except DeviceError as error:
            faults.append(f"a disk of {name} cannot be understood: {error}")
    return disks, faults


def _entries(settings: Mapping[str, Value], key: str) -> list[str]:
    entries = settings.get(key, [])
    return [str(entry) for entry in (entries if isinstance(entries, list) else [entries])]


def of_managed(domain: Domain) -> Claim:
    """What a managed domU's own file asks for, read here; `fault` says why it cannot be."""
    path = domain.xmfile or ""
    return of_file(path, domain.name, domain.resource)._replace(path=path)


def of_file(path: str, name: str, resource: str | None = None) -> Claim:
    """What a configuration file asks for, xl's, xm's or libvirt's; or in `fault` why not."""
    try:
        content = read_whole(path, MIB)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        return _unread(name, resource, f"{path}: {reason}")
    return of_text(content, path, name, resource)


def of_text(
    content: bytes,
    path: str,
    name: str,
    resource: str | None = None,
    devices: Mapping[str, str] | None = None,
) -> Claim:
    """The same by the file's content; `devices` are those of the other node on which it stands."""
    if content.lstrip().startswith(b"<"):
        return of_xml(content, path, name, resource, devices)
    try:
        settings = parse_xmfile(content.decode("utf-8", "surrogateescape"), path)
    except XmFileError as error:
        return _unread(name, resource, str(error))
    return claim(name, settings, resource, devices)


def _unread(name: str, resource: str | None, why: str) -> Claim:
    return Claim(name, resource, fault=f"the disks of {name} are unknown: {why}", kind=FILE)


def of_files(paths: Iterable[str]) -> Iterator[Claim]:
    """What the domUs would have that the files and images among these make; others are left out."""
    for path in filter(is_file, paths):
        if image := of_image(path):
            yield image
        elif described := of_description(_xml_in(path), path):
            yield described
        else:
            try:
                settings = read_xmfile(path)
            except XmFileError:
                continue
            yield claim(domain_name(settings) or os.path.basename(path), settings)


def of_devices(paths: Iterable[str], name: str) -> Iterator[Claim]:
    """What libvirt's descriptions of single devices among these files would give the domU."""
    for path in filter(is_file, paths):
        text = _xml_in(path)
        if text.startswith(b"<"):
            yield of_xml(text, path, name)


def of_description(text: bytes, path: str) -> Claim | None:
    """What the domU would have that libvirt describes so, or None if this is no description."""
    name = parse_name(text)
    return of_xml(text, path, name) if name else None


def _xml_in(path: str) -> bytes:
    """The description that the file is, or begins with behind the header of a saved image."""
    try:
        text = read_start(path, _IMAGE)
    except (OSError, ValueError):
        return b""
    if len(text) > _SAVED.size:
        magic, _, size = _SAVED.unpack_from(text)
        if magic == _SAVED_MAGIC:
            text = text[_SAVED.size :][:size].rstrip(b"\0")
    return text.lstrip()


def of_image(path: str) -> Claim | None:
    """What the domU had whose saved image this is, or None if the file does not tell."""
    try:
        details = parse_image(read_start(path, _IMAGE))
    except (OSError, ValueError):
        return None
    return _of_details(details)._replace(runs=False) if details else None


def of_xml(
    text: bytes,
    path: str,
    name: str,
    resource: str | None = None,
    devices: Mapping[str, str] | None = None,
) -> Claim:
    """What libvirt would start by this description, which stands in `path`."""
    try:
        described = parse_description(text)
    except XmlError as error:
        return _unread(name, resource, f"{path}: {error}")
    disks = tuple(_held(described.disks, devices))
    return Claim(name, resource, described.uuid, described.macs, disks)


def _held(disks: Iterable[Disk], devices: Mapping[str, str] | None = None) -> Iterator[DiskClaim]:
    """The disks as what they really are; `devices` are those of another node that has them."""
    disks = tuple(disks)
    block_devices.bring([path for disk in disks for path in paths_of(disk)])
    for disk in disks:
        target = disk.target.strip()
        if name := scripted_name(disk):
            yield DiskClaim(name, shown_target(target), disk.writes, disk.shared)
        for path in paths_of(disk):
            device = place(path) if devices is None else place_elsewhere(path, devices)
            if device:
                spelling = shown_target(target if path not in disk.replicas else path)
                yield DiskClaim(device.key, spelling, disk.writes, disk.shared, device.below, path)


def _of_details(
    details: Details,
    resource: str | None = None,
    node: str = "",
    devices: dict[str, str] | None = None,
) -> Claim:
    disks = tuple(_held(details.disks, devices))
    return Claim(details.name, resource, details.uuid, details.macs, disks, node=node, runs=True)


def resources_by_name(cluster: Cluster) -> dict[str, str | None]:
    """The resource of each managed domU, by every name that it may run under."""
    return {
        name: domain.resource
        for domain in cluster.managed_domains
        for name in (domain.name, *domain.also)
    }


def all_claims(
    cluster: Cluster, config: Config, printed: Mapping[str, bytes] | None = None
) -> Iterator[Claim]:
    """The claims of all managed domUs, from their files, and of all running domUs of all hosts.

    Asks the other nodes, unless `printed` holds the output of `claims_script` on each. A host that
    does not answer and a file that cannot be read become claims with a `fault`.
    """
    _look_ahead([domain.xmfile or "" for domain in cluster.managed_domains])
    yield from map(of_managed, cluster.managed_domains)
    toolstack = local_toolstack(config, cluster.sandbox)
    whose = resources_by_name(cluster)
    if toolstack:
        try:
            for details in _details_here(toolstack.program):
                yield _of_details(details, whose.get(at_home(details.name)))
        except CannotAsk as error:
            fault = f"the disks of this host's other domUs are unknown: {error}"
            yield Claim("?", fault=fault, kind=THIS_HOST)
    if cluster.sandbox:
        return
    if printed is None:
        answers, silent = _details_elsewhere(cluster, config)
    else:
        answers, silent = _parse_details(printed)
    for node, (there, devices) in answers.items():
        for details in there:
            yield _of_details(details, whose.get(at_home(details.name)), node, devices)
    for node, (kind, why) in silent.items():
        yield Claim(node, fault=f"the domUs of {node} are unknown: {why}", kind=kind)


def _look_ahead(paths: Sequence[str]) -> None:
    """Ask a node at once for the files, and for all that their disks may lie on."""
    if not programs.elsewhere():
        return
    bring(paths, MIB)
    named = set[bytes]()
    for path in paths:
        with suppress(OSError, ValueError):
            named |= {*_PATH.findall(read_whole(path, MIB))}
    block_devices.bring([os.fsdecode(path) for path in sorted(named)])


def _details_here(program: str) -> list[Details]:
    result = programs.output((program, *of(program).LONG))
    try:
        return parse_long(result.stdout.decode("utf-8", "surrogateescape"))
    except CannotAsk:
        raise CannotAsk(f"{program} list -l: {result.complaint()}") from None


def _details_elsewhere(
    cluster: Cluster, config: Config
) -> tuple[dict[str, tuple[list[Details], dict[str, str]]], dict[str, tuple[str, str]]]:
    """What each of the other hosts tells of its domUs and devices, and why the others do not.

    Lost ones are asked as well: domUs outlive the cluster's daemons.
    """
    words = ("sh", "-c", claims_script(other_toolstack(cluster, config)))
    asked = {host.name: host for host in cluster.hosts if host.name != cluster.local_node}
    answers, silent = {}, {}
    for node, answer in ask_elsewhere(
        words, list(asked), config.ssh_timeout, details_and_devices
    ).items():
        if not isinstance(answer, str):
            answers[node] = answer
        elif asked[node].reachable:
            silent[node] = NODE, answer
        else:
            kind = DOWN if _is_down(cluster, asked[node], answer) else NODE
            silent[node] = kind, f"it is {asked[node].predicament}, and {answer}"
    return answers, silent


def _is_down(cluster: Cluster, host: Node, fault: str) -> bool:
    """Whether nothing is there, by the cluster and by ssh; without fencing the cluster guesses."""
    return cluster.fencing and not host.online and not host.unclean and fault == NOBODY


def claims_script(program: str) -> str:
    """Prints, on another node, what its domUs have and which devices it knows."""
    script = if_xen(program, " ".join((program, *of(program).LONG)), "[]")
    return f"{{ {script}; }} && {{ echo; echo {_DEVICES}; {GREP}; :; }}"


def _parse_details(
    printed: Mapping[str, bytes],
) -> tuple[dict[str, tuple[list[Details], dict[str, str]]], dict[str, tuple[str, str]]]:
    answers, silent = {}, {}
    for node, text in printed.items():
        answer = understood(text, details_and_devices)
        if isinstance(answer, str):
            silent[node] = NODE, answer
        else:
            answers[node] = answer
    return answers, silent


def details_and_devices(printed: bytes) -> tuple[list[Details], dict[str, str]]:
    """What a node's `claims_script` printed. Raises CannotAsk if that is not all."""
    text = printed.decode("utf-8", "surrogateescape")
    domains, marked, devices = text.partition(f"\n{_DEVICES}\n")
    if not marked:
        raise CannotAsk("its answer was cut off")
    return parse_long(domains), parse_devices(devices)
