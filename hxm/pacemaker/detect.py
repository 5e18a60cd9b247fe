"""Which generation the cluster is of, and how hxm knows."""

from __future__ import annotations

from typing import NamedTuple

from hxm.pacemaker.cib import Configuration
from hxm.pacemaker.dialect import (
    DIALECTS,
    OLDEST,
    Dialect,
    dialect_of,
    dialect_of_feature_set,
)
from hxm.pacemaker.status import Status

_XML_2_1, _XML_3_0 = (2, 9), (2, 42)
"""The api-version of crm_mon's XML from 2.1.0 and from 3.0.2 on."""


class Detected(NamedTuple):
    """A generation, and the grounds for it."""

    dialect: Dialect
    why: str
    mixed: str = ""
    """What there is to say of an upgrade that is under way."""


def detect(status: Status, configuration: Configuration, configured: str = "auto") -> Detected:
    """The generation by which the cluster is to be handled: that of its oldest member."""
    mixed = _mixture(status)
    if configured != "auto":
        return Detected(named(configured), "set in the configuration", mixed)
    if configuration.heartbeat:  # its versions look like newer ones of Pacemaker's
        return Detected(OLDEST, "the CIB is in Heartbeat's layout", mixed)
    version = status.version or configuration.properties.get("dc-version", "")
    dialect, why = dialect_of(version), f"the DC reports {version}"
    if dialect is None:
        dialect, why = _by_tools(status)
    # of members that are all alike the DC's version is told more exactly
    for feature_set in set(status.feature_sets) if mixed else ():
        member = dialect_of_feature_set(feature_set)
        if member and member.since < dialect.since:
            dialect, why = member, f"the oldest member has the feature set {feature_set}"
    return Detected(dialect, why, mixed)


def named(key: str) -> Dialect:
    """The generation that `config.DIALECTS` calls so."""
    return next(dialect for dialect in DIALECTS if dialect.key == key)


def _mixture(status: Status) -> str:
    sets = sorted(set(status.feature_sets))
    if len(sets) > 1:
        return f"the members are of different versions (feature sets {', '.join(sets)})"
    # a member that joins or has just been lost has no attributes: crm_mon takes it for an old one
    unknown = any(node.online and not node.member for node in status.nodes)
    return "the members are of different versions" if status.mixed and not unknown else ""


def _by_tools(status: Status) -> tuple[Dialect, str]:
    """Without a DC there is nobody to report the cluster's version: this node's tools stand in."""
    if status.form == "pacemaker-result":
        numbers = tuple(int(word) for word in status.tools.split(".") if word.isdecimal())
        key = "3.0" if numbers >= _XML_3_0 else "2.1" if numbers >= _XML_2_1 else "2.0"
        return named(key), f"crm_mon's XML is of version {status.tools}"
    if dialect := dialect_of(status.tools):
        return dialect, f"crm_mon is of version {status.tools}"
    return named("1.0"), "neither crm_mon nor the CIB names a version"
