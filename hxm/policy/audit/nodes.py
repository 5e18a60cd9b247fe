"""What the nodes say of themselves: clocks, guards, communication rings."""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from hxm.model import Cluster
from hxm.policy.state.findings import Finding

ABSENT, UNREADABLE = "-", "?"
"""In place of the checksum of a file that is missing, or cannot be read."""
_APART = 1.0
"""Seconds that two clocks may be apart: of any two that ntp keeps, they are milliseconds."""


class BootLink(NamedTuple):
    """A link or file in a folder of what is started at boot."""

    path: str
    target: str
    """The file that it leads to."""
    names: tuple[str, ...] = ()
    """What looks like the name of a domU in that file."""

    def starts(self, name: str, file: str | None) -> bool:
        """Whether it starts the domU: by its file, by a copy of that, or by libvirt's own."""
        called = os.path.basename(self.path)
        return (
            self.target == file
            or name in self.names
            or self.path.endswith(f"/libxl/autostart/{name}.xml")
            or (called == name and not self.names)
        )


class Survey(NamedTuple):
    """What a node says of itself."""

    files: Mapping[str, str] = {}
    """The checksum of each domU's file, or ABSENT, or UNREADABLE."""
    guards: Mapping[str, str] = {}
    """How each of the programs stands that a guard belongs in front of, by its path."""
    ahead: float = 0.0
    """Seconds that its clock is ahead of this host's, for certain; behind: negative."""
    auto: tuple[BootLink, ...] = ()
    """What it starts at boot."""


class Ring(NamedTuple):
    """A ring or link of corosync's."""

    name: str
    sound: bool
    bonded: bool = False
    """Whether the device under it has several networks of its own."""


def of_surveys(cluster: Cluster, surveys: Mapping[str, Survey], guarded: str) -> Iterator[Finding]:
    """Findings from the other nodes' answers; `guarded`: the state of a guard that works."""
    for node, survey in surveys.items():
        if abs(survey.ahead) > _APART:
            relation = "ahead of" if survey.ahead > 0 else "behind"
            what = f"the clock of {node} is {abs(survey.ahead):.0f} s {relation} this host's"
            yield Finding(what, f"ssh {node} date; ssh {node} ntpq -p", "clock", node)
        for path, state in survey.guards.items():
            if state != guarded:
                what = f"{path} of {node} is {state}"
                yield Finding(what, f"ssh {node} hxm guard install", "guard", node)
        for domain in cluster.managed_domains:
            for link in survey.auto:
                if link.starts(domain.name, domain.xmfile):
                    what = f"{link.path} of {node} starts {domain.name} at boot, beside the cluster"
                    yield Finding(
                        what, f"ssh {node} rm {link.path}", "auto-start", f"{domain.name} {node}"
                    )
    for node, why in cluster.unreachable.items():
        seen = cluster.node(node)
        if seen and seen.reachable:  # else that is what there is to say
            what = f"{node} was asked and gave no answer: {why}"
            yield Finding(what, f"ssh {node} {cluster.toolstack or 'xl'} list", "node-silent", node)


def of_rings(rings: Iterable[Ring]) -> Iterator[Finding]:
    """What the rings of this node are like; none: not corosync's, or not to be known."""
    known = list(rings)
    for ring in known:
        if not ring.sound:
            what = f"{ring.name} is faulty"
            yield Finding(what, "corosync-cfgtool -s", "ring-down", "")
    if len(known) == 1 and not known[0].bonded:
        what = "there is one communication ring only: if its network fails, nodes are fenced"
        yield Finding(what, "corosync.conf(5): ring1_addr for each node", "one-ring", "")
