"""Reads the CIB's configuration, in the layout of Pacemaker 1.0 and newer and in Heartbeat's.

Heartbeat's (up to Pacemaker 0.6) wraps name-value pairs in `<attributes>`, spells with underscores
what is spelt with dashes since, and reads meta options in three places.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from xml.etree.ElementTree import Element

from hxm.errors import CannotAsk
from hxm.host import programs, safe_files
from hxm.model import Constraint, Primitive
from hxm.pacemaker import cannot_ask, cannot_read, is_help
from hxm.pacemaker.cib_rules import in_effect, is_over, said
from hxm.pacemaker.dialect import CONFIGURATION, WHOLE_CIB
from hxm.pacemaker.options import (
    defaults_of_failures,
    each_pair,
    elements_by_id,
    on_fails,
    operations_of,
    pairs,
)
from hxm.pacemaker.status import Status
from hxm.policy import is_false, is_true
from hxm.xml_reading import XmlError, parse_xml

_INTERIM = {"cli-prefer-": "prefer", "cli-ban-": "ban", "cli-standby-": "ban"}
"""Ids that the tools give to what a move or a ban leaves (cli-standby: up to 1.1.9)."""


class Configuration(NamedTuple):
    """What the administrators wrote, without the status."""

    properties: Mapping[str, str]
    primitives: Mapping[str, Primitive]
    constraints: tuple[Constraint, ...]
    node_attributes: Mapping[str, Mapping[str, str]]
    heartbeat: bool = False
    """Whether it is in Heartbeat's layout."""
    own_meta: Mapping[str, Mapping[str, str]] = {}
    """The meta options that stand at each resource itself, be it a group or a clone."""
    cib: Element | None = None
    """The whole document, status and all, if that is what was read."""
    document: bytes = b""
    """The `<configuration>` as it was read, without hxm's own lock."""
    topology: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]] = {}
    """The fencing levels of each node that has a topology, by their ids, and their devices."""

    @property
    def transient(self) -> Mapping[str, Mapping[str, str]]:
        """What is set at each node until it leaves; known of a whole CIB."""
        states = [] if self.cib is None else self.cib.findall("status/node_state")
        return {
            state.get("uname", ""): pairs(state.findall("transient_attributes/instance_attributes"))
            for state in states
        }

    @property
    def maintenance(self) -> bool:
        """Whether the cluster looks away from everything (maintenance-mode is 0.7.3 and newer)."""
        if self.heartbeat:
            return is_false(_said(self.properties, "is-managed-default"))
        return is_true(_said(self.properties, "maintenance-mode"))

    @property
    def fencing(self) -> bool:
        """Whether lost nodes are fenced; by default not before Pacemaker 0.7.

        Pacemaker 3.0.3 calls it fencing-enabled and knows the old name too; either may say no.
        """
        value = _said(self.properties, "stonith-enabled")
        if self.heartbeat:
            return is_true(value)
        return not (is_false(value) or is_false(_said(self.properties, "fencing-enabled")))


def _said(properties: Mapping[str, str], name: str) -> str:
    """A cluster property; Heartbeat also knew them with underscores."""
    return properties.get(name, properties.get(name.replace("-", "_"), ""))


def all_transient(
    status: Status, env: Mapping[str, str] | None, timeout: float
) -> Mapping[str, Mapping[str, str]]:
    """What is set at each node until it leaves; crm_mon does not tell of `terminate`.

    Which is asked for where nodes are to be fenced that are heard. Raises CannotAsk.
    """
    if not any(node.unclean and node.online for node in status.nodes):
        return status.transient
    whole = read_configuration(env, timeout, whole=True).transient
    ends = {node: known["terminate"] for node, known in whole.items() if "terminate" in known}
    hidden = {node: {**status.transient.get(node, {}), "terminate": ends[node]} for node in ends}
    return {**status.transient, **hidden}


def read_configuration(
    env: Mapping[str, str] | None = None,
    timeout: float = programs.TOOL_TIMEOUT,
    *,
    whole: bool = False,
) -> Configuration:
    """Ask cibadmin for the configuration, or for the `whole` CIB, which tells the status as well.

    A CIB_file is read without it, in half the time. Raises CannotAsk if there is no answer, or
    none that makes sense.
    """
    if file := (env or os.environ).get("CIB_file"):
        try:
            return parse_configuration(safe_files.read_whole(file))
        except OSError as error:
            raise CannotAsk(f"{file} cannot be read: {error.strerror}") from None
        except CannotAsk:
            raise cannot_read(file) from None
    if not whole:
        result = programs.output(CONFIGURATION, env, timeout)
        if not is_help(result):  # from before 1.0.4, where there was no --scope
            if result.status != 0:
                raise cannot_ask(result)
            return parse_configuration(result.stdout)
    result = programs.output(WHOLE_CIB, env, timeout)
    if result.status != 0:
        raise cannot_ask(result)
    return parse_configuration(result.stdout)


def parse_configuration(document: bytes) -> Configuration:
    """The model of a `<configuration>`, or of a whole `<cib>`. Raises CannotAsk for neither."""
    try:
        root = parse_xml(document)
    except XmlError as error:
        raise CannotAsk(f"the CIB is no complete XML document ({error})") from None
    configuration = root if root.tag == "configuration" else root.find("configuration")
    if configuration is None or configuration.find("resources") is None:
        raise CannotAsk(f"the CIB is a <{root.tag}> without resources")
    heartbeat = _is_heartbeats(root, configuration)
    node_attributes = {
        node.get("uname", ""): pairs(node.findall("instance_attributes"))
        for node in configuration.iterfind("nodes/node")
        if node.get("type") != "ping"  # an address of Heartbeat's, not a member
    }
    return Configuration(
        properties=pairs(configuration.findall("crm_config/cluster_property_set")),
        primitives={entry.id: entry for entry in _primitives(configuration, heartbeat)},
        constraints=tuple(_interim(configuration)),
        node_attributes=node_attributes,
        heartbeat=heartbeat,
        own_meta=dict(_own_meta(configuration, heartbeat)),
        cib=root if root.tag == "cib" else None,
        document=configuration_in(document),
        topology=_topology(configuration, node_attributes),
    )


def _topology(
    configuration: Element, nodes: Mapping[str, Mapping[str, str]]
) -> Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]]:
    if configuration.find("fencing-topology/fencing-level") is None:
        return {}
    from hxm.pacemaker.topology import topology_of  # few clusters have one

    return topology_of(configuration, nodes)


_LOCK, _LOCK_END = b'<cluster_property_set id="hxm-lock">', b"</cluster_property_set>"


def configuration_in(document: bytes) -> bytes:
    """The `<configuration>` of a document, as it stands there, but for hxm's own lock."""
    start, end = document.find(b"<configuration"), document.rfind(b"</configuration>")
    inside = document[max(start, 0) : end + len(b"</configuration>")]
    parts, position = [], 0
    while (begin := inside.find(_LOCK, position)) >= 0:
        if (end := inside.find(_LOCK_END, begin)) < 0:
            break
        parts.append(inside[position:begin].rstrip())
        position = end + len(_LOCK_END)
    return b"".join((*parts, inside[position:]))


def _is_heartbeats(root: Element, configuration: Element) -> bool:
    """Whether the layout is Heartbeat's: only later ones name their schema."""
    if "validate-with" in root.attrib:
        return root.get("validate-with") == "pacemaker-0.6"
    return (
        root.get("cib_feature_revision", root.get("have_quorum")) is not None
        or configuration.find(".//attributes") is not None
    )


def _variants(
    sets: list[Element], by_id: Mapping[str | None, Element]
) -> dict[str, tuple[str, ...]]:
    """The values of each parameter that has several: by rules one or the other counts."""
    if len(sets) < 2:
        return {}
    values_of: dict[str, dict[str, None]] = {}
    for name, value in each_pair(sets, by_id):
        values_of.setdefault(name, {})[value] = None
    return {name: tuple(values) for name, values in values_of.items() if len(values) > 1}


_META_0_6 = {
    "target_role": "target-role",
    "is_managed": "is-managed",
    "allow_migrate": "allow-migrate",
    "resource_stickiness": "resource-stickiness",
    "resource_failure_stickiness": "resource-failure-stickiness",
    "multiple_active": "multiple-active",
}
_ROLES = {"started": "Started", "stopped": "Stopped", "master": "Master", "slave": "Slave"}


def _meta(element: Element, heartbeat: bool, by_id: Mapping[str | None, Element]) -> dict[str, str]:
    """The meta options that stand at a resource, as they are spelt and take effect today.

    Heartbeat takes them from XML attributes, meta_attributes and instance_attributes, the first
    of them counts (get_meta_attributes in complex.c), and none that is spelt with a dash.
    """
    sets = _meta_sets(element, by_id)
    if not heartbeat:
        return pairs(in_effect(sets, element.attrib), by_id)
    attributes = dict(element.attrib)
    for name, value in pairs(sets + element.findall("instance_attributes")).items():
        attributes.setdefault(name, value)
    meta = {_META_0_6[name]: value for name, value in attributes.items() if name in _META_0_6}
    if (role := meta.get("target-role")) is not None:
        meta["target-role"] = _ROLES.get(role.lower(), role)
    return {name: value for name, value in meta.items() if value != "#default"}


def _of_container(
    element: Element, heartbeat: bool, by_id: Mapping[str | None, Element]
) -> dict[str, str]:
    """What a container gives to what is in it; a master is what 2.0 calls a promotable clone."""
    meta = _meta(element, heartbeat, by_id)
    return {"promotable": "true", **meta} if element.tag.startswith("master") else meta


def _meta_sets(element: Element, by_id: Mapping[str | None, Element]) -> list[Element]:
    sets = element.findall("meta_attributes")
    return [by_id.get(options.get("id-ref"), options) for options in sets]


_Given = dict[str, tuple[str, str, str]]
"""What gives each option; where that is to be changed by hand the id of its set, and its rule."""


def _given(sets: list[Element], by_id: Mapping[str | None, Element], place: str) -> _Given:
    given: _Given = {}
    for options in sets:
        rules = "; ".join(filter(None, map(said, options.iterfind("rule"))))
        for name, _ in each_pair([options], by_id):
            given.setdefault(name, (place, options.get("id", ""), rules))
    return given


def _own_sets(
    element: Element, by_id: Mapping[str | None, Element]
) -> dict[str, tuple[tuple[str, str], ...]]:
    """The sets of the resource itself, and their rules, for each option of several, or of one.

    The set that counts now is the first. One set without a rule is what everybody has.
    """
    sets = _meta_sets(element, by_id)
    if not sets[1:] and not any(options.find("rule") is not None for options in sets):
        return {}
    holding = in_effect(sets, element.attrib)
    standing: dict[str, list[tuple[str, str]]] = {}
    for options in (*holding, *(options for options in sets if options not in holding)):
        for name, (_, given, rule) in _given([options], by_id, "").items():
            standing.setdefault(name, []).append((given, rule))
    return {name: tuple(where) for name, where in standing.items() if where[1:] or where[0][1]}


_RESOURCES = ("primitive", "group", "clone", "master", "master_slave", "bundle")


def _own_meta(configuration: Element, heartbeat: bool) -> Iterator[tuple[str, Mapping[str, str]]]:
    by_id = elements_by_id(configuration)
    for element in configuration.iterfind("resources//*"):
        if element.tag in _RESOURCES:
            yield element.get("id", ""), _meta(element, heartbeat, by_id)


def _primitives(configuration: Element, heartbeat: bool) -> Iterator[Primitive]:
    defaults: dict[str, str] = {}
    default_sets = configuration.findall("rsc_defaults/meta_attributes")
    if heartbeat:
        properties = pairs(configuration.findall("crm_config/cluster_property_set"))
        if managed := _said(properties, "is-managed-default"):
            defaults["is-managed"] = managed
    templates = {one.get("id"): one for one in configuration.iterfind("resources/template")}
    by_id, usual = elements_by_id(configuration), defaults_of_failures(configuration)

    def collect(
        parent: Element, above: dict[str, str], given: _Given, clone: str | None
    ) -> Iterator[Primitive]:
        for element in parent:
            if element.tag == "primitive":
                yield primitive(element, above, given, parent, clone)
            elif element.tag in ("group", "clone", "master", "master_slave", "bundle"):
                meta, name = _of_container(element, heartbeat, by_id), element.get("id", "")
                inside = clone if element.tag == "group" else name
                here = dict.fromkeys(meta, (name, "", ""))
                yield from collect(element, above | meta, given | here, inside)

    def primitive(
        element: Element,
        above: dict[str, str],
        given: _Given,
        parent: Element,
        clone: str | None,
    ) -> Primitive:
        template = templates.get(element.get("template"), Element("template"))
        kind = template if "class" in template.attrib else element
        own_meta = _meta(element, heartbeat, by_id)
        by_default = in_effect(default_sets, kind.attrib)
        by_template = in_effect(_meta_sets(template, by_id), template.attrib)
        inherited = defaults | pairs(by_default, by_id) | above | pairs(by_template, by_id)
        words = (kind.get("class"), kind.get("provider"), kind.get("type"))
        operations = operations_of(element, template, by_id)
        own, inherited_sets = (_parameter_sets(source, by_id) for source in (element, template))
        return Primitive(
            id=element.get("id", ""),
            agent=":".join(word for word in words if word),
            params=pairs(inherited_sets, by_id) | pairs(own, by_id),
            meta=inherited | own_meta,
            own_meta=own_meta,
            inherited_meta=inherited,
            inherited_from=dict.fromkeys(defaults, ("is-managed-default", "", ""))
            | _given(by_default, by_id, "rsc_defaults")
            | given
            | _given(by_template, by_id, f"the template {template.get('id')}"),
            operations=tuple(dict(operation.attrib) for operation in operations),
            parent=parent.get("id") if parent.tag != "resources" else None,
            clone=clone,
            variants=_variants([*own, *inherited_sets], by_id),
            own_sets={} if heartbeat else _own_sets(element, by_id),
            on_fail=on_fails(operations, usual, kind.attrib),
        )

    resources = configuration.find("resources")
    return collect(resources, {}, {}, None) if resources is not None else iter(())


def _parameter_sets(source: Element, by_id: Mapping[str | None, Element]) -> list[Element]:
    sets = source.findall("instance_attributes")
    return [by_id.get(options.get("id-ref"), options) for options in sets]


def _interim(configuration: Element) -> Iterator[Constraint]:
    for element in configuration.iterfind("constraints/rsc_location"):
        name = element.get("id", "")
        kind = next((kind for prefix, kind in _INTERIM.items() if name.startswith(prefix)), None)
        if kind:
            if any(score.startswith("-") for score in _scores(element)):
                kind = "ban"
            node = next(
                (
                    expression.get("value")
                    for expression in element.iter("expression")
                    if expression.get("attribute") == "#uname"
                ),
                element.get("node"),
            )
            end = next((date.get("end") for date in element.iter("date_expression")), None)
            yield Constraint(name, element.get("rsc", ""), kind, node, end, is_over(end))


def _scores(location: Element) -> Iterator[str]:
    """The scores that a location gives, itself or by its rules."""
    for scored in (location, *location.iterfind("rule")):
        yield scored.get("score", "")
