"""What in the CIB proves that a step was carried out: a row for every kind of step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple
from xml.etree.ElementTree import Element, fromstring

from hxm.model import UPDATE, Constraint
from hxm.pacemaker.cib import Configuration
from hxm.plan import Step, StepKind
from hxm.policy import is_true

Values = Mapping[str, str]


class Check(NamedTuple):
    """How to see in the CIB that a step was carried out."""

    holds: Callable[[Values, Configuration], bool] | None
    """None: it leaves no trace in the CIB, and its exit status has to do."""
    whole_cib: bool = False
    """Whether it needs the whole document, with the status, and not only the configuration."""


def borne_out(step: Step, configuration: Configuration) -> bool:
    """Whether the CIB shows the effect of the step; True for a step that leaves no trace.

    Raises KeyError for a step that is not done in the CIB, or of an unknown kind.
    """
    holds = CHECKS[step.kind].holds
    return holds is None or holds(step.values, configuration)


def _meta_option(values: Values, configuration: Configuration) -> bool:
    """The option has the value, or without a value is gone.

    Of a clone's child the tools set the clone's (1.1 and newer).
    """
    primitive = configuration.primitives.get(values["resource"])
    if primitive is None:
        own = configuration.own_meta.get(values["resource"])
        return own is not None and own.get(values["name"]) == values.get("value")
    options = primitive.meta if primitive.clone else primitive.own_meta
    return options.get(values["name"]) == values.get("value")


def _own(values: Values, configuration: Configuration) -> list[Constraint]:
    return [
        constraint
        for constraint in configuration.constraints
        if constraint.resource == values["resource"]
    ]


def _preferred(values: Values, configuration: Configuration) -> bool:
    return any(
        constraint.kind == "prefer" and constraint.node == values["node"]
        for constraint in _own(values, configuration)
    )


def _preferred_and_banned(values: Values, configuration: Configuration) -> bool:
    banned = any(constraint.kind == "ban" for constraint in _own(values, configuration))
    return banned and _preferred(values, configuration)


def _cleared(values: Values, configuration: Configuration) -> bool:
    """Newer tools leave a cli-standby of older ones (1.1.9) alone when they clear."""
    return not any(constraint.made_by_a_move for constraint in _own(values, configuration))


def _no_constraint(values: Values, configuration: Configuration) -> bool:
    return all(constraint.id != values["constraint"] for constraint in configuration.constraints)


def _not_preferred(values: Values, configuration: Configuration) -> bool:
    preference = f"cli-prefer-{values['resource']}"
    return all(constraint.id != preference for constraint in _own(values, configuration))


def _not_banned(values: Values, configuration: Configuration) -> bool:
    return not any(
        constraint.kind == "ban" and constraint.node == values["source"]
        for constraint in _own(values, configuration)
    )


def _node_attribute(name: str) -> Check:
    def is_on(values: Values, configuration: Configuration) -> bool:
        attributes = configuration.node_attributes.get(values["node"], {})
        return is_true(attributes.get(name, ""))

    return Check(is_on)


def _no_node_attribute(name: str) -> Check:
    """Neither one that stays nor one until the node's next start, which the status section has."""

    def is_gone(values: Values, configuration: Configuration) -> bool:
        node = values["node"]
        permanent = configuration.node_attributes.get(node, {})
        return name not in permanent and name not in configuration.transient.get(node, {})

    return Check(is_gone, whole_cib=True)


def _marked(values: Values, configuration: Configuration) -> bool:
    return configuration.properties.get(UPDATE) == values["state"]


def _unmarked(_: Values, configuration: Configuration) -> bool:
    return UPDATE not in configuration.properties


def _released(values: Values, configuration: Configuration) -> bool:
    return configuration.properties.get("hxm-lock") != values["holder"]


def _elements(cib: Element) -> dict[str | None, Element]:
    """What is configured, by id."""
    return {
        element.get("id"): element
        for part in cib.iterfind("configuration")
        for element in part.iter()
    }


def _loaded(values: Values, configuration: Configuration) -> bool:
    """Every element that has an id stands there with its own attributes."""
    if configuration.cib is None:
        return False
    present = _elements(configuration.cib)
    return all(
        (element := present.get(wanted.get("id"))) is not None
        and element.tag == wanted.tag
        and wanted.attrib.items() <= element.attrib.items()
        for wanted in fromstring(values["xml"]).iter()
        if wanted.get("id")
    )


def _deleted(values: Values, configuration: Configuration) -> bool:
    if configuration.cib is None:
        return False
    return _elements(configuration.cib).keys().isdisjoint(values["ids"].split())


def _forgotten(values: Values, configuration: Configuration) -> bool:
    return configuration.cib is not None and all(
        history.get("id") != values["resource"]
        for history in configuration.cib.iter("lrm_resource")
    )


def _restored(values: Values, configuration: Configuration) -> bool:
    from hxm.pacemaker.cib_document import same

    with open(values["file"], "rb") as file:
        return same(file.read(), configuration.document)


_BY_ITS_STATUS = Check(None)

CHECKS: Mapping[StepKind, Check] = {
    "set-meta": Check(_meta_option),
    "clear-meta": Check(_meta_option),
    "clear-meta-above": Check(_meta_option),
    "cleanup": _BY_ITS_STATUS,
    "cleanup-on": _BY_ITS_STATUS,
    "move": Check(_preferred),
    "move-and-ban": Check(_preferred_and_banned),
    "clear": Check(_cleared),
    "delete-constraint": Check(_no_constraint),
    "unmove": Check(_not_preferred),
    "unban": Check(_not_banned),
    "standby": _node_attribute("standby"),
    "clear-standby": _no_node_attribute("standby"),
    "node-maintenance": _node_attribute("maintenance"),
    "clear-node-maintenance": _no_node_attribute("maintenance"),
    "fence": _BY_ITS_STATUS,
    "maintenance": Check(lambda _, configuration: configuration.maintenance),
    "clear-maintenance": Check(lambda _, configuration: not configuration.maintenance),
    "mark-update": Check(_marked),
    "unmark-update": Check(_unmarked),
    "claim": _BY_ITS_STATUS,
    "renew": _BY_ITS_STATUS,
    "release": Check(_released),
    "load-xml": Check(_loaded, whole_cib=True),
    "delete-xml": Check(_deleted, whole_cib=True),
    "forget": Check(_forgotten, whole_cib=True),
    "restore": Check(_restored),
}
"""Every kind of step that is done in the CIB."""
