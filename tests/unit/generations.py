"""Captured output by generation: what crm_mon printed of one cluster, and what commands changed."""

from __future__ import annotations

import re
from typing import NamedTuple
from xml.etree import ElementTree

from factories import DATA

from hxm.pacemaker.cib import Configuration, parse_configuration
from hxm.pacemaker.crm_mon import parse_status
from hxm.pacemaker.status import Status
from hxm.pacemaker.status_from_cib import complete

GENERATIONS = sorted(path.parent.name for path in DATA.glob("*/steps.txt"))
HEARTBEAT = ("heartbeat-2.1.3", "pacemaker-0.6.6")


def cib_of(generation: str, cluster: str) -> bytes:
    """The CIB whose state a sample shows."""
    folder = DATA / "cibs"
    if generation in HEARTBEAT:
        return (folder / f"hb-{cluster}.xml").read_bytes()
    v10 = folder / "v10" / f"{cluster}.xml"
    return (v10 if generation == "pacemaker-1.0.8" else folder / f"{cluster}.xml").read_bytes()


def seen(generation: str, cluster: str, form: str) -> Status:
    """A sample, and what the CIB adds to it."""
    path = DATA / generation / f"{cluster}.{form}"
    status = parse_status(path.read_bytes())
    return complete(status, parse_configuration(cib_of(generation, cluster)))


class Ran(NamedTuple):
    """A command line of a real tool: its exit status, and the CIB before and after it."""

    argv: str
    status: int
    before: Configuration
    after: Configuration


_BLOCK = re.compile(
    r"^### (\S+) rc=(\d+)\n\$ (?:\[after: (.*)\] )?(.*)\n((?:(?!### ).*\n?)*)", re.MULTILINE
)


def ran(generation: str, *names: str) -> Ran | None:
    """The first of these commands that the generation has."""
    blocks = {block[1]: block for block in _BLOCK.finditer(_text(generation))}
    name = next((name for name in names if name in blocks), None)
    if name is None:
        return None
    _, status, first, argv, diff = blocks[name].groups()
    before = _lines(cib_of(generation, "base"))
    if first:
        (earlier,) = [each[5] for each in blocks.values() if each[4] == first and not each[3]][:1]
        before = _patched(before, earlier)
    return Ran(argv, int(status), _configuration(before), _configuration(_patched(before, diff)))


def _text(generation: str) -> str:
    return (DATA / generation / "steps.txt").read_text(encoding="utf-8")


def _lines(cib: bytes) -> list[str]:
    root = ElementTree.fromstring(cib)
    for element in root.iter():
        element.text = element.text if element.text and element.text.strip() else None
        element.tail = None
    ElementTree.indent(root, "  ")
    return ElementTree.tostring(root, "unicode").replace(" />", "/>").splitlines()


_HUNK = re.compile(r"^@@ -(\d+).*\n((?:[ +-].*\n?)*)", re.MULTILINE)


def _patched(lines: list[str], diff: str) -> list[str]:
    lines, moved = list(lines), 0
    for number, hunk in _HUNK.findall(diff):
        old = [line[1:] for line in hunk.splitlines() if line[0] in " -"]
        new = [line[1:] for line in hunk.splitlines() if line[0] in " +"]
        at = int(number) - 1 + moved
        found = lines[at : at + len(old)]
        # the root's own attributes depend on how the CIB was served
        assert [line for line in found if "<cib " not in line] == [
            line for line in old if "<cib " not in line
        ]
        lines[at : at + len(old)] = new
        moved += len(new) - len(old)
    return lines


def _configuration(lines: list[str]) -> Configuration:
    return parse_configuration("\n".join(lines).encode())
