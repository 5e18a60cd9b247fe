"""Reads the text of `crm_mon -1`, which is all that Heartbeat 2.1 to Pacemaker 1.1.6 can print.

By the grammar that crm_mon's printf formats have had from 2.1.3 to 3.0.3, not by release. A line
that is none of it is an error: it might name a node or a resource.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from hxm.errors import CannotAsk
from hxm.model import Failure, Node, Resource
from hxm.pacemaker.crm_mon_words import ROLES, failure_in, resource_state
from hxm.pacemaker.status import TEXT, Status

_LINE = re.compile(r"(\s*)(?:[*+] )?(.*)")
_FIRST = re.compile(
    r"(?:\* )?(?:Last updated|Stack|Current DC|Cluster Summary):|"
    # with -D the summary is left out, and so is what would let anything be changed
    r"Node List:$|(?:Online|OFFLINE): \[|Node \S+: [A-Za-z]|\d+ nodes? configured"
)
_TITLE = re.compile(r"([A-Z][A-Za-z ]+):$")
_FLAGS = r"((?: \(.*\))?)"
_ACTIVE = frozenset(("Started", "Master", "Slave", "Promoted", "Unpromoted"))
_OF_INSTANCES = {"Masters": "Master", "Slaves": "Slave"}

_SECTIONS = {
    "cluster summary": "head",
    "node list": "head",
    "full list of resources": "head",
    "active resources": "head",
    "inactive resources": "head",
    "failed actions": "failures",
    "failed resource actions": "failures",
    "pending fencing actions": "fencing",
    "fencing history": "fencing",
    "failed fencing actions": "past",
    "node attributes": "past",
    "migration summary": "past",
    "operations": "past",
    "tickets": "past",
    "fencing constraints": "past",
    "negative location constraints": "past",
}
"""Every title that crm_mon has printed, whatever the case of its words.

What is past tells of nodes and resources that were listed before.
"""

_IGNORED = re.compile(
    r"=+$|Last (updated|change):|Stack: |Status of pacemakerd: |The cluster will not attempt |"
    r"No (active |inactive )?resources$|Resources:$|\*\*\* Resource management:"
)
_NODE = re.compile(r"(Guest|Remote|Container)?Node:? (\S+?)(?: \(([^()]*)\))?: ([A-Za-z].*?):?$")
_NODE_LIST = re.compile(r"(Guest|Remote)?(Online|OFFLINE|Containers): \[(.*)\]$")
_KINDS = {"Guest": "guest", "Container": "guest", "Remote": "remote"}
_CLONE = re.compile(rf"(?:Clone|Master/Slave) Set: (\S+?)(?: \[([^\]]+)\])?{_FLAGS}:?$")
_GROUP = re.compile(
    r"(?:Resource Group|(?i:container|docker|podman|rkt) (?:bundle|container)(?: set)?): "
    rf"(\S+?)(?: \[[^\]]*\])?{_FLAGS}:?$|Replica\[\d+\]$"
)
_INSTANCES = re.compile(rf"([A-Z][a-z]+){_FLAGS}: \[(.*)\]$")
_RESOURCE = re.compile(
    r"(\S+)(?:\s+\([^()]*\))?\s+\(([^()\s]+:[^()\s]+)( ORPHANED| REMOVED)?\)(:?)(.*)$"
)
_NUMBER_OF_NODES = re.compile(r"(\d+) [Nn]odes?( and \d+ resources?)? configured")
_NUMBER_OF_RESOURCES = re.compile(r"(\d+) [Rr]esources?( instances?)? configured(\.?)")
_DC = re.compile(r"Current DC: (\S+)(.*)$")
_VERSION = re.compile(r"Version: (\S+)")

_FENCING = re.compile(r"\S+ of (\S+) .*pending")


def _plain(name: str, *, container: bool) -> str:
    """A node's name without a guest's host, or (1.1.10 to 1.1.14) without its container."""
    return name.split(":" if container else "@", maxsplit=1)[0]


class _Container(NamedTuple):
    """A clone or a group: what stands further in belongs to it."""

    indent: int
    clone: str | None = None
    child: str | None = None


def parse_text(text: str) -> Status:
    """The model of crm_mon's text, as far as it tells; CannotAsk for what may hide something."""
    lines = text.split("\n")  # and at nothing else that Unicode takes for an end
    first = next((number for number, line in enumerate(lines) if _FIRST.match(line.strip())), None)
    if first is None:
        raise _unknown_form(lines)
    if lines[-1]:  # host1 may be what is left of host12
        raise CannotAsk(f"crm_mon's text ends within a line: {lines[-1].strip()[:60]!r}")
    reader = _Reader()
    for line in lines[first:]:
        reader.read(line)
    return reader.status()


def _unknown_form(lines: list[str]) -> CannotAsk:
    texts = [line.strip() for line in lines if line.strip()]
    for line in texts:
        if "onnect" in line or "not available" in line:
            return CannotAsk(f"the cluster cannot be asked: {line}", "is the cluster running here?")
    return CannotAsk(
        f"crm_mon printed a form that hxm does not know; it begins {texts[0][:60]!r}"
        if texts
        else "crm_mon printed nothing: no complete XML document, and no text"
    )


class _Reader:
    """What the lines so far have told."""

    def __init__(self) -> None:
        self.section = "head"
        self.full = False
        self.nodes: dict[str, Node] = {}
        self.resources: list[Resource] = []
        self.numbers: dict[str, int] = {}
        """Where a resource stands among them that may be listed again, under another node."""
        self.placed: set[tuple[str | None, str]] = set()
        """The nodes of each clone's instances."""
        self.failures: list[Failure] = []
        self.fencing: list[str] = []
        self.dc: str | None = None
        self.version = ""
        self.quorum = self.maintenance = self.mixed = False
        self.nodes_said = self.resources_said = 0
        self.inside: list[_Container] = []
        self.at: tuple[int, str] | None = None
        """The node whose resources may follow (crm_mon -n), and how far in it stands."""

    def read(self, line: str) -> None:
        """Take in one line."""
        match = _LINE.match(line.rstrip())
        indent, text = (len(match[1].expandtabs(4)), match[2]) if match else (0, "")
        if not text:
            self.at = None
        elif not indent and (title := _TITLE.match(line.rstrip())):
            self._title(title[1])
        elif self.section == "failures":
            failure_in(text, self.failures)
        elif self.section == "fencing":
            if pending := _FENCING.match(text):
                self.fencing.append(pending[1])
        elif self.section == "head" and not any(
            self._understood(pattern, take, indent, text) for pattern, take in _GRAMMAR
        ):
            raise CannotAsk(f"crm_mon printed a line that hxm does not know: {line.strip()!r}")

    def _understood(self, pattern: re.Pattern[str], take: _Take, indent: int, text: str) -> bool:
        match = pattern.match(text)
        if match:
            take(self, indent, match)
        return bool(match)

    def _title(self, title: str) -> None:
        known = title.lower()
        if known not in _SECTIONS:
            raise CannotAsk(f"crm_mon printed a section that hxm does not know: {title!r}")
        self.section, self.inside, self.at = _SECTIONS[known], [], None
        self.full = self.full or known == "full list of resources"

    # The summary

    def take_dc(self, _: int, match: re.Match[str]) -> None:
        self.dc = None if match[1] == "NONE" else match[1]
        if version := re.search(r"\(version ([^()\s]+)\)", match[2]):
            self.version = version[1]
        self.quorum = match[2].endswith("partition with quorum")
        self.mixed = "MIXED-VERSION" in match[2]

    def take_own_version(self, _: int, match: re.Match[str]) -> None:
        self.version = match[1]

    def take_disabled(self, *_: object) -> None:
        self.maintenance = True

    def take_all_stopped(self, *_: object) -> None:
        self.maintenance = False  # stop-all-resources is announced by the same line

    def take_count_nodes(self, _: int, match: re.Match[str]) -> None:
        self.nodes_said = int(match[1])

    def take_count_resources(self, _: int, match: re.Match[str]) -> None:
        # with a full stop: each of them is listed by its id (up to 1.1.9)
        self.resources_said = int(match[1]) if match[3] else 0

    # The nodes

    def take_node(self, indent: int, match: re.Match[str]) -> None:
        kind, name, number, state = match.groups()
        name = _plain(name, container=kind == "Container")
        self._add_node(name, number or "", state, _KINDS.get(kind, "member"))
        self.inside, self.at = [], (indent, name)

    def take_node_list(self, _: int, match: re.Match[str]) -> None:
        kind = _KINDS.get("Container" if match[2] == "Containers" else match[1], "member")
        for word in re.sub(r"\([^()]*\)", "", match[3]).split():
            name = _plain(word, container=match[2] == "Containers")
            self._add_node(name, "", "OFFLINE" if match[2] == "OFFLINE" else "online", kind)

    def _add_node(self, name: str, number: str, state: str, kind: str) -> None:
        words = set(re.split(r"[^\w-]+", state.split(", feature set", maxsplit=1)[0]))
        known = words & {"online", "standby", "maintenance", "pending", "OFFLINE", "UNCLEAN"}
        if not known or state.count("(") != state.count(")"):
            raise CannotAsk(f"crm_mon says of {name} what hxm does not know: {state!r}")
        self.nodes[name] = Node(
            name,
            number,
            online=not words & {"OFFLINE", "offline"},
            standby="standby" in words and "on-fail" not in words,
            standby_onfail="on-fail" in words,
            maintenance="maintenance" in words,
            pending="pending" in words,
            unclean="UNCLEAN" in words,
            kind=kind,
        )

    # The resources

    def _enter(self, container: _Container) -> None:
        self._leave(container.indent)
        self.inside.append(container)

    def _leave(self, indent: int) -> None:
        while self.inside and self.inside[-1].indent >= indent:
            self.inside.pop()

    def take_clone(self, indent: int, match: re.Match[str]) -> None:
        self.at = None
        self._enter(_Container(indent, match[1], match[2]))

    def take_group(self, indent: int, _: re.Match[str]) -> None:
        self.at = None
        self._enter(_Container(indent, self._innermost(indent).clone))

    def _innermost(self, indent: int) -> _Container:
        self._leave(indent)
        return next(
            (primitive for primitive in reversed(self.inside) if primitive.clone), _Container(0)
        )

    def take_instances(self, indent: int, match: re.Match[str]) -> None:
        """`Started: [ host1 host2 ]`: the clone's instances, by their nodes or by their ids."""
        role = _OF_INSTANCES.get(match[1], match[1])
        clone = self._innermost(indent)
        self.full = False  # an instance of a group is announced with each of its members
        if not clone.clone or role not in ROLES:
            raise CannotAsk(f"crm_mon printed a line that hxm does not know: {match[0]!r}")
        for name in match[3].split():
            nodes = () if role == "Stopped" else (name,)
            if nodes and (clone.clone, name) in self.placed:
                continue  # 1.1 with --show-detail lists an instance twice
            self._add(
                Resource(clone.child or clone.clone, "", role, nodes=nodes, clone=clone.clone)
            )

    def _add(self, resource: Resource) -> None:
        self.numbers.setdefault(resource.id, len(self.resources))
        if len(resource.nodes) == 1:
            self.placed.add((resource.clone, resource.nodes[0]))
        self.resources.append(resource)

    def take_resource(self, indent: int, match: re.Match[str]) -> None:
        name, agent, lost, colon, rest = match.groups()
        node = self.at[1] if self.at and indent > self.at[0] and not self.inside else None
        resource = resource_state(rest, match[0], under_node=bool(node), named=bool(colon))
        if node:
            resource = resource._replace(nodes=(node,), role=resource.role.replace("?", "Started"))
        role = resource.role.replace("?", "Started" if resource.nodes else "Stopped")
        if role in _ACTIVE and not resource.nodes:
            raise CannotAsk(f"crm_mon does not say where: {match[0]!r}")
        provider, _, kind = agent.partition("::")
        if kind.startswith("ocf:"):  # up to Heartbeat 2.1.3 and Pacemaker 0.6.2
            agent = f"ocf:{provider}:{kind.removeprefix('ocf:')}"
        resource = resource._replace(
            id=name,
            agent=agent.replace("::", ":"),
            role=role,
            orphaned=resource.orphaned or bool(lost),
            clone=self._innermost(indent).clone,
        )
        number = self.numbers.get(name) if self.at and not resource.clone else None
        if number is None:
            self._add(resource)
            return
        other = self.resources[number]  # listed under each of its nodes
        self.resources[number] = other._replace(nodes=(*other.nodes, *resource.nodes))

    def status(self) -> Status:
        """All of it. Raises CannotAsk if less was listed than was announced."""
        if not self.nodes:
            raise CannotAsk(f"crm_mon speaks of {self.nodes_said} nodes and lists 0")
        if self.full and len(self.resources) < self.resources_said:
            raise CannotAsk(
                f"crm_mon speaks of {self.resources_said} resources and lists {len(self.resources)}"
            )
        if lost := {node for resource in self.resources for node in resource.nodes} - set(
            self.nodes
        ):
            raise CannotAsk(f"crm_mon runs something on {min(lost)}, which is no node of it")
        if self.dc in self.nodes:
            self.nodes[self.dc] = self.nodes[self.dc]._replace(dc=True)
        return Status(
            nodes=tuple(self.nodes[name] for name in sorted(self.nodes)),
            resources=tuple(self.resources),
            failures=tuple(self.failures),
            history=(),
            pending_fencing=tuple(dict.fromkeys(self.fencing)),
            dc=self.dc,
            version=self.version,
            quorum=self.quorum,
            maintenance=self.maintenance,
            fencing=True,
            form=TEXT,
            mixed=self.mixed,
            unlisted=max(0, self.nodes_said - len(self.nodes)),
        )


_Take = Callable[[_Reader, int, re.Match[str]], None]
_GRAMMAR: tuple[tuple[re.Pattern[str], _Take], ...] = (
    (_IGNORED, lambda *_: None),
    (_DC, _Reader.take_dc),
    (_VERSION, _Reader.take_own_version),
    (re.compile(r"\*\*\* Resource management is DISABLED"), _Reader.take_disabled),
    (re.compile(r"The cluster will keep all resources stopped"), _Reader.take_all_stopped),
    (_NUMBER_OF_NODES, _Reader.take_count_nodes),
    (_NUMBER_OF_RESOURCES, _Reader.take_count_resources),
    (_NODE, _Reader.take_node),
    (_NODE_LIST, _Reader.take_node_list),
    (_CLONE, _Reader.take_clone),
    (_GROUP, _Reader.take_group),
    (_INSTANCES, _Reader.take_instances),
    (_RESOURCE, _Reader.take_resource),
)
