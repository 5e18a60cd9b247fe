"""Reads the CIB's configuration section, in the layout of Pacemaker 1.0 and newer."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError, fromstring

from hxm import run
from hxm.errors import CannotAsk
from hxm.model import Constraint, Primitive
from hxm.pacemaker import cannot_ask, cannot_read
from hxm.pacemaker.dialect import CONFIGURATION

_INTERIM = {"cli-prefer-": "prefer", "cli-ban-": "ban", "cli-standby-": "ban"}
"""Ids that the tools give to what a move or a ban leaves (cli-standby: up to 1.1.9)."""


class Configuration(NamedTuple):
    """What the administrators wrote, without the status."""

    properties: Mapping[str, str]
    primitives: Mapping[str, Primitive]
    constraints: tuple[Constraint, ...]
    node_attributes: Mapping[str, Mapping[str, str]]


def read_configuration(
    env: Mapping[str, str] | None = None, timeout: float = run.TOOL_TIMEOUT
) -> Configuration:
    """Ask cibadmin once, or read the CIB_file, which takes half as long.

    Raises CannotAsk if there is no answer, or none that makes sense.
    """
    if file := (env or os.environ).get("CIB_file"):
        try:
            with open(file, "rb") as opened:
                return parse_configuration(opened.read())
        except OSError as error:
            raise CannotAsk(f"{file} cannot be read: {error.strerror}") from None
        except CannotAsk:
            raise cannot_read(file) from None
    result = run.output(CONFIGURATION, env, timeout)
    if result.status != 0:
        raise cannot_ask(result)
    return parse_configuration(result.stdout)


def parse_configuration(document: bytes) -> Configuration:
    """The model of a `<configuration>`, or of a whole `<cib>`. Raises CannotAsk for neither."""
    try:
        root = fromstring(document)
    except (ParseError, ValueError, LookupError) as error:
        raise CannotAsk(f"the CIB is no complete XML document ({error})") from None
    configuration = root if root.tag == "configuration" else root.find("configuration")
    if configuration is None or configuration.find("resources") is None:
        raise CannotAsk(f"the CIB is a <{root.tag}> without resources")
    return Configuration(
        properties=_pairs(configuration.findall("crm_config/cluster_property_set")),
        primitives={each.id: each for each in _primitives(configuration)},
        constraints=tuple(_interim(configuration)),
        node_attributes={
            node.get("uname", ""): _pairs(node.findall("instance_attributes"))
            for node in configuration.iterfind("nodes/node")
        },
    )


def _pairs(sets: list[Element]) -> dict[str, str]:
    """The name-value pairs of several sets; of two with one name the first counts."""
    found: dict[str, str] = {}
    for each in sets:
        for pair in each.iter("nvpair"):
            found.setdefault(pair.get("name", ""), pair.get("value", ""))
    return found


def _primitives(configuration: Element) -> Iterator[Primitive]:
    defaults = _pairs(configuration.findall("rsc_defaults/meta_attributes"))
    templates = {each.get("id"): each for each in configuration.iterfind("resources/template")}

    def collect(parent: Element, above: dict[str, str], clone: str | None) -> Iterator[Primitive]:
        for element in parent:
            if element.tag == "primitive":
                yield primitive(element, above, parent, clone)
            elif element.tag in ("group", "clone", "master"):
                inherited = above | _pairs(element.findall("meta_attributes"))
                inside = clone if element.tag == "group" else element.get("id")
                yield from collect(element, inherited, inside)

    def primitive(
        element: Element, above: dict[str, str], parent: Element, clone: str | None
    ) -> Primitive:
        template = templates.get(element.get("template"), Element("template"))
        own_meta = _pairs(element.findall("meta_attributes"))
        inherited = defaults | above | _pairs(template.findall("meta_attributes"))
        kind = template if "class" in template.attrib else element
        words = (kind.get("class"), kind.get("provider"), kind.get("type"))
        operations = element.findall("operations/op") or template.findall("operations/op")
        return Primitive(
            id=element.get("id", ""),
            agent=":".join(word for word in words if word),
            params=_pairs(template.findall("instance_attributes"))
            | _pairs(element.findall("instance_attributes")),
            meta=inherited | own_meta,
            own_meta=own_meta,
            inherited_meta=inherited,
            operations=tuple(dict(operation.attrib) for operation in operations),
            parent=parent.get("id") if parent.tag != "resources" else None,
            clone=clone,
        )

    resources = configuration.find("resources")
    return collect(resources, {}, None) if resources is not None else iter(())


def _interim(configuration: Element) -> Iterator[Constraint]:
    for element in configuration.iterfind("constraints/rsc_location"):
        name = element.get("id", "")
        kind = next((kind for prefix, kind in _INTERIM.items() if name.startswith(prefix)), None)
        if kind:
            node = next(
                (
                    expression.get("value")
                    for expression in element.iter("expression")
                    if expression.get("attribute") == "#uname"
                ),
                element.get("node"),
            )
            end = next((date.get("end") for date in element.iter("date_expression")), None)
            yield Constraint(name, element.get("rsc", ""), kind, node, end)
