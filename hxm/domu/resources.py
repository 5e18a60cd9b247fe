"""Which resources are domUs, what they are called, and what their own files say of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from hxm.domu import libvirt_xml
from hxm.domu.config_file import Value, XmFileError, agent_name, parse_xmfile, read_text
from hxm.domu.settings import domain_name, domain_uuid, is_pv, memory_mib, vcpus
from hxm.host.files import is_file, read_start
from hxm.host.safe_files import MIB
from hxm.model import Constraint, Domain, ManagedDomain, Primitive, Resource
from hxm.policy import is_true


def is_xen(primitive: Primitive) -> bool:
    """Whether the primitive is a domU: any provider's Xen agent, or VirtualDomain driving Xen.

    A VirtualDomain of which nothing here tells what it drives may be one, and so it is.
    """
    kind = primitive.agent.split(":")
    if kind[0] != "ocf":
        return False
    if kind[-1] == "Xen":
        return True
    if kind[-1] != "VirtualDomain":
        return False
    hypervisor = primitive.params.get("hypervisor", "")
    if hypervisor:
        return hypervisor.startswith("xen")
    text = _contents(primitive.params.get("config", ""))
    return text is None or libvirt_xml.drives_xen(text)


def _contents(path: str) -> bytes | None:
    try:
        return read_start(path, MIB)
    except (OSError, ValueError):
        return None


class _File(NamedTuple):
    """What a domU's own file says of it; `name` as the agent finds it."""

    name: str | None = None
    also: tuple[str, ...] = ()
    settings: Mapping[str, Value] = MappingProxyType({})
    unread: bool = False
    fault: str = ""
    """Why it cannot be read, or not understood."""


def name_in_xml(path: str) -> str | None:
    """The domU that libvirt's description in the file names, if there is one."""
    return libvirt_xml.name_in(_contents(path) or b"") if is_file(path) else None


def _virsh_file(path: str) -> _File:
    unread = _contents(path) is None
    return _File(name_in_xml(path), unread=unread, fault=f"{path} cannot be read" * unread)


def _xm_file(path: str) -> _File:
    try:
        text = read_text(path)
    except XmFileError as error:
        return _File(unread=True, fault=error.message)
    fault = ""
    try:
        settings = parse_xmfile(text, path)
    except XmFileError as error:
        settings, fault = {}, error.message
    name, own = agent_name(text), domain_name(settings)
    return _File(name, (own,) if own and own != name else (), settings, fault=fault)


def managed(primitive: Primitive, constraints: tuple[Constraint, ...]) -> ManagedDomain:
    """What the configuration and the domU's own file say; the name as the agent finds it.

    The agent takes its parameter, else the file's, else the resource's id (heartbeat/Xen 4.12).
    """
    virsh = primitive.agent.endswith("VirtualDomain")
    key, default = ("config", None) if virsh else ("xmfile", "/etc/xen/vm/MyDomU")  # the agent's
    xmfile = primitive.params.get(key, default)
    read = _virsh_file if virsh else _xm_file
    file = read(xmfile or "")
    others = [read(path) for path in primitive.variants.get(key, ()) if path != xmfile]
    maybe = (alias for other in others for alias in (other.name, *other.also) if alias)
    name = primitive.params.get("name")
    return Domain(
        name=name or file.name or primitive.id,
        resource=primitive.id,
        xmfile=xmfile,
        interim=tuple(
            constraint.id
            for constraint in constraints
            if constraint.resource in (primitive.id, primitive.parent, primitive.clone)
        ),
        memory=memory_mib(file.settings),
        vcpus=vcpus(file.settings) if file.settings else None,
        uuid=domain_uuid(file.settings),
        pv=bool(file.settings) and is_pv(file.settings),
        live=is_true(primitive.meta.get("allow-migrate", "")),
        also=primitive.variants.get("name", ()) or (() if name else (*file.also, *maybe)),
        nameless=not name and any(one.unread for one in (file, *others)),
        file_fault=file.fault,
    )


def orphaned(resources: Iterable[Resource], configured: Iterable[Domain]) -> Iterator[Domain]:
    """The domUs that run and that no configuration has any more; a node knows only their ids."""
    ids = {domain.resource for domain in configured}
    for resource in resources:
        known = Primitive(resource.id.partition(":")[0], resource.agent, {}, {}, {}, {})
        if resource.orphaned and resource.nodes and known.id not in ids and is_xen(known):
            yield Domain(known.id, role=resource.role, nodes=resource.nodes)
