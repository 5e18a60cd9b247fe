"""The configuration as a document: taken out of a CIB, compared, and put together anew."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from copy import deepcopy
from xml.etree.ElementTree import Element, canonicalize, tostring

from hxm.errors import HxmError, Refused
from hxm.host import programs, safe_files
from hxm.pacemaker.cib import configuration_in
from hxm.pacemaker.dialect import HEADER
from hxm.xml_reading import XmlError, parse_xml

REQUIRED = ("crm_config", "nodes", "resources", "constraints")
SECTIONS = (
    *REQUIRED,
    *("rsc_defaults", "op_defaults", "fencing-topology", "tags", "acls", "alerts"),
)
"""The parts of a configuration (schema pacemaker-3.9); those REQUIRED may be empty, not missing."""

OWN = "hxm-"
"""How the ids of hxm's own property sets begin."""
CLUSTERS_OWN = frozenset(("dc-version", "cluster-infrastructure", "have-watchdog")) | {
    "last-lrm-refresh"
}
"""Properties that the cluster itself writes: never compared, and never taken from a backup."""


def parse_backup(document: bytes, name: str) -> Element:
    """The `<cib>`, `<configuration>` or section in a backup. Raises Refused if there is none."""
    try:
        root = _parsed(document)
    except XmlError as error:
        raise Refused(f"{name} is no backup of a CIB: it cannot be read ({error})") from None
    if root.tag not in ("cib", "configuration", *SECTIONS):
        raise Refused(f"{name} is no backup of a CIB, but a <{root.tag}>")
    if root.tag not in SECTIONS and "resources" not in sections_in(root):
        raise Refused(f"{name} is no backup of a CIB: it holds no resources")
    return root


def _parsed(document: bytes) -> Element:
    """With its comments, which ElementTree would leave out."""
    return parse_xml(document, comments=True)


def sections_in(backup: Element) -> dict[str, Element]:
    """The parts of a configuration that a document holds."""
    if backup.tag in SECTIONS:
        return {backup.tag: backup}
    configuration = backup if backup.tag == "configuration" else backup.find("configuration")
    parts = [] if configuration is None else list(configuration)
    return {part.tag: part for part in parts if isinstance(part.tag, str)}


def read_header(timeout: float = programs.TOOL_TIMEOUT) -> dict[str, str]:
    """The attributes of the CIB itself (schema, feature set, epochs); empty if nobody answers."""
    try:
        if file := os.environ.get("CIB_file"):
            return dict(parse_xml(safe_files.read_whole(file)).attrib)
        return dict(parse_xml(programs.output(HEADER, timeout=timeout).stdout).attrib)
    except (HxmError, OSError, XmlError):
        return {}


def as_cib(configuration: bytes, header: Mapping[str, str]) -> bytes:
    """A whole CIB, without any status, that Pacemaker's tools can read."""
    head = tostring(Element("cib", dict(header))).removesuffix(b" />")
    return head + b">\n" + configuration + b"\n<status/>\n</cib>\n"


def same(one: bytes, other: bytes) -> bool:
    """Whether two configurations are equal, ignoring what hxm and the cluster keep in them."""
    return configuration_in(one) == configuration_in(other) or _bare(one) == _bare(other)


def _bare(document: bytes) -> str:
    root = parse_xml(configuration_in(document))
    for properties in root.iterfind("crm_config"):
        for own_set in _own_sets(properties):
            properties.remove(own_set)
        for pairs in properties.iter("cluster_property_set"):
            for pair in _clusters_own(pairs):
                pairs.remove(pair)
    return canonicalize(tostring(root, "unicode"), strip_text=True)


def _own_sets(properties: Element) -> list[Element]:
    return [options for options in properties if (options.get("id") or "").startswith(OWN)]


def _clusters_own(parent: Element) -> list[Element]:
    return [pair for pair in parent.iter("nvpair") if pair.get("name") in CLUSTERS_OWN]


def combined(present: bytes, backup: Element, sections: Collection[str], lock: str = "") -> bytes:
    """The present configuration with these sections as the backup has them, and with hxm's `lock`.

    Who is a node, what the cluster itself writes among its properties, and what else hxm keeps
    there, stay as they are at present.
    """
    root = _parsed(present)
    now, held = sections_in(root), sections_in(deepcopy(backup))
    lacking = left_out(present, backup, sections)
    for tag in (section for section in sections if section not in lacking):
        old, new = now.get(tag), held.get(tag)
        if old is None:
            root.extend([] if new is None else [new])
        elif tag == "nodes":
            _take_node_attributes(old, Element(tag) if new is None else new)
        else:
            if tag == "crm_config" and new is not None:
                _keep_the_clusters_own(old, new)
            place = list(root).index(old)
            root[place : place + 1] = [] if new is None else [new]
    if lock:
        sections_in(root)["crm_config"].append(parse_xml(lock.encode()))
    return tostring(root, "unicode").encode()


def left_out(present: bytes, backup: Element, sections: Collection[str]) -> list[str]:
    """The sections that stay as they are, since the backup is a part that does not hold them.

    What holds all that are REQUIRED is a whole configuration.
    """
    held = sections_in(backup)
    if held.keys() >= {*REQUIRED}:
        return []
    return [tag for tag in sections_in(_parsed(present)) if tag in sections and tag not in held]


def _take_node_attributes(old: Element, new: Element) -> None:
    saved = {node.get("uname"): list(node) for node in new.iterfind("node")}
    for node in old.iterfind("node"):
        node[:] = saved.get(node.get("uname"), list(node))


def _keep_the_clusters_own(old: Element, new: Element) -> None:
    for own_set in _own_sets(new):
        new.remove(own_set)
    at_present = {pair.get("name"): pair for pair in _clusters_own(old)}
    for pairs in new.iter("cluster_property_set"):
        for pair in _clusters_own(pairs):
            present = at_present.pop(pair.get("name"), None)
            if present is None:
                pairs.remove(pair)
            else:
                pair.set("value", present.get("value", ""))
    if (first := new.find("cluster_property_set")) is not None:
        first.extend(at_present.values())
    new.extend(_own_sets(old))
