"""What the cluster's own tools say of its configuration, of an agent, and of its rings."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element, ElementTree

from hxm.errors import CannotAsk
from hxm.host import files, programs
from hxm.pacemaker.dialect import METADATA, RINGS, VERIFY
from hxm.pacemaker.times import seconds
from hxm.policy.audit.nodes import Ring
from hxm.xml_reading import XmlError, parse_xml

_AGENTS = "/usr/lib/ocf"
_LINE = re.compile(
    r"(?:^|.*[\s:])(?P<how>error|warning|ERROR|WARN|validity error)\s*:\s*(?:\w+:\s+)?(?P<said>.+)"
)
_LOGGED = re.compile(r"crm_verify(?:\[|: \[)\d+\]")
"""How lines of before 1.1 begin; their warnings only tell how the scheduler thinks."""
_SUMMARIES = ("found during check", "Configuration invalid", "Configuration may need")
_GENERAL = "did not pass"  # ... schema validation: what exactly did not stands before it
_SETTLED = ("deprecated", "STONITH", "fencing-enabled")
"""Messages to skip: harmless ones, and those that `hxm check` words itself."""


class Complaint(NamedTuple):
    """A line of crm_verify's."""

    error: bool
    text: str


def read_complaints(cib: Element) -> list[Complaint]:
    """What crm_verify says of a CIB's configuration; the status, which changes, is left out."""
    copy = Element("cib", cib.attrib)
    copy.extend([*cib.findall("configuration"), Element("status")])
    with tempfile.TemporaryDirectory(prefix="hxm-verify-") as folder:
        file = os.path.join(folder, "cib.xml")
        ElementTree(copy).write(file)  # the folder is its owner's alone
        argv = [word.format(file=file) for word in VERIFY]
        result = programs.output(argv, files=(file,))
    text = result.stderr + result.text
    return parse_complaints(text, valid=result.status == 0)


def parse_complaints(text: str, *, valid: bool) -> list[Complaint]:
    """Each complaint once, in the forms of Heartbeat 2.1 to Pacemaker 3.0.

    What 3.0 says of a CIB that is not `valid` is not marked as an error.
    """
    unmarked = "warning" if valid else "error"
    complaints: dict[Complaint, None] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        if any(known_part in line for known_part in (*_SUMMARIES, *_SETTLED)):
            continue
        known = _LINE.match(line)
        how, words = (known["how"], known["said"]) if known else (unmarked, line)
        error = how.lower() not in ("warning", "warn")
        if error or not _LOGGED.search(line):
            complaints[Complaint(error, words)] = None
    exact = [complaint for complaint in complaints if _GENERAL not in complaint.text]
    return exact if any(complaint.error for complaint in exact) else list(complaints)


def read_actions(agents: Iterable[str]) -> dict[str, dict[str, float]]:
    """The seconds that each agent of this host asks for each action; without one: nothing.

    crm_resource is asked, and where it is too old for that, the agent itself.
    """
    by_agent = {}
    for agent in agents:
        if (text := _metadata(agent)) is not None:
            by_agent[agent] = parse_actions(text)
    return by_agent


def _metadata(agent: str) -> bytes | None:
    kind, provider, name = [*agent.split(":"), "", ""][:3]
    own = os.path.join(_AGENTS, "resource.d", provider, name)
    for argv, env in (
        ([word.format(agent=agent) for word in METADATA], None),
        ([own, "meta-data"], {"OCF_ROOT": _AGENTS}),
    ):
        try:
            result = programs.output(argv, env)
        except CannotAsk:
            continue
        if kind == "ocf" and result.status == 0 and b"<resource-agent" in result.stdout:
            return result.stdout
    return None


def parse_actions(metadata: bytes) -> dict[str, float]:
    """The seconds of each action in an agent's metadata; of several monitors the shortest."""
    try:
        root = parse_xml(metadata[metadata.find(b"<") :])
    except XmlError:
        return {}
    by_action: dict[str, float] = {}
    for action in root.iterfind("actions/action"):
        if given := seconds(action.get("timeout", "")):
            name = action.get("name", "")
            by_action[name] = min(by_action.get(name, given), given)
    return by_action


def read_rings() -> list[Ring]:
    """Corosync's rings, seen from this node; none where there is no corosync to ask."""
    if not programs.find(RINGS[0]):
        return []
    result = programs.output(RINGS)
    text = "" if result.status else result.text
    return list(parse_rings(text, _bonded_address))


def parse_rings(text: str, bonded: Callable[[str], bool]) -> Iterator[Ring]:
    """The rings (corosync 1 and 2) or links (3) in what corosync-cfgtool -s prints.

    A link is faulty if it does not reach a node that another link reaches. `bonded` tells of the
    address of a single one whether a bond carries it.
    """
    parts = re.split(r"(?m)^(RING|LINK) ID (\d+).*$", text)[1:]
    rings = list(zip(parts[::3], parts[1::3], parts[2::3], strict=True))
    reached = [
        set(re.findall(r"nodeid:?\s+(\d+):\s+(?:connected|localhost)", ring[2])) for ring in rings
    ]
    everybody = set().union(*reached)
    for (kind, number, status), here in zip(rings, reached, strict=True):
        address = re.search(r"(?:addr|id)\s*=\s*(\S+)", status)
        yield Ring(
            f"{kind.lower()} {number}",
            "FAULTY" not in status and here >= everybody,
            len(rings) == 1 and address is not None and bonded(address[1]),
        )


def _bonded_address(address: str) -> bool:
    try:
        words = programs.output(("ip", "-o", "addr", "show", "to", address)).stdout.split()
    except CannotAsk:
        return False
    return len(words) > 1 and _bonded(words[1].decode("ascii", "replace"))


def _bonded(device: str) -> bool:
    """Whether a network device, or one below it (a bridge's port), is a bond."""
    folder = os.path.join("/sys/class/net", device.partition("@")[0])
    if files.is_folder(os.path.join(folder, "bonding")):
        return True
    below = [name for name in files.names_in(folder) if name.startswith("lower_")]
    return any(_bonded(name.removeprefix("lower_")) for name in below)
