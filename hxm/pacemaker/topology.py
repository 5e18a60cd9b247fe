"""The fencing topology: the levels of devices by which each node is fenced."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element

Levels = tuple[tuple[str, tuple[str, ...]], ...]
"""The ids of levels in their order, each with its devices."""


def topology_of(
    configuration: Element, nodes: Mapping[str, Mapping[str, str]]
) -> dict[str, Levels]:
    """Of each node that has a topology its levels; `nodes` are theirs, with lasting attributes.

    Levels by name count before those by pattern or attribute (find_topology_for_host in fenced).
    """
    by_target: dict[tuple[str, ...], list[Element]] = {}
    for level in configuration.iterfind("fencing-topology/fencing-level"):
        names = ("target", "target-pattern", "target-attribute", "target-value")
        by_target.setdefault(tuple(level.get(name, "") for name in names), []).append(level)
    targets = sorted(by_target, key=lambda target: not target[0])
    levels: dict[str, Levels] = {}
    for node, attributes in nodes.items():
        target = next((one for one in targets if _is_meant(one, node, attributes)), None)
        if target:
            ordered = sorted(by_target[target], key=lambda level: level.get("index", ""))
            levels[node] = tuple((level.get("id", ""), _devices(level)) for level in ordered)
    return levels


def _devices(level: Element) -> tuple[str, ...]:
    return tuple(filter(None, (name.strip() for name in level.get("devices", "").split(","))))


def _is_meant(target: tuple[str, ...], node: str, attributes: Mapping[str, str]) -> bool:
    name, pattern, attribute, value = target
    if name:
        return name.lower() == node.lower()
    if pattern:
        try:
            return re.search(pattern, node) is not None
        except re.error:
            return False
    return bool(attribute) and attributes.get(attribute) == value
