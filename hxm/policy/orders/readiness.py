"""What each node has for a domU that is to be enrolled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from hxm.plan import Objection
from hxm.policy import listed
from hxm.policy.audit.files import keeps_the_dead
from hxm.policy.audit.nodes import BootLink
from hxm.policy.guards import FORCE, YES
from hxm.policy.guards.live_pv import never_live
from hxm.policy.orders.enrol import Newcomer


class Readiness(NamedTuple):
    """What a node has for a domU that is to be enrolled."""

    auto: tuple[BootLink, ...]
    """What it starts at boot."""
    lacking: tuple[str, ...]
    """The disks that are not there."""
    refusal: str = ""
    """Why its toolstack would not start the file, in its own words."""
    moves_pv_live: bool = True
    """False: its hypervisor is known to be unable to migrate a PV domU live."""


def started_at_boot(new: Newcomer, by_node: Mapping[str, Readiness | str]) -> Iterator[Objection]:
    """A node that starts the domU at boot, or may, and why."""
    for node, answer in by_node.items():
        if isinstance(answer, str):
            yield Objection(
                f"whether {node} starts {new.name} at boot, and has its disks, cannot be told: "
                f"{answer}",
                "ask again; --force enrols it anyway",
                lifted_by=FORCE,
            )
            continue
        for link in answer.auto:
            if link.starts(new.name, new.path):
                yield Objection(
                    f"{link.path} of {node} starts {new.name} at boot, beside the cluster",
                    f"rm {link.path}, on {node}",
                )


def refused(new: Newcomer, by_node: Mapping[str, Readiness | str]) -> Iterator[Objection]:
    """A node whose own toolstack would not start the file."""
    for node, answer in by_node.items():
        if not isinstance(answer, str) and answer.refusal:
            yield Objection(
                f"{node} would not start {new.path}: {answer.refusal}",
                "correct the file: xl.cfg(5); --force enrols it as it is",
                lifted_by=FORCE,
            )


def file_warnings(new: Newcomer, by_node: Mapping[str, Readiness | str]) -> Iterator[str]:
    """What there is to be warned of in the file, and in what the hypervisors make of it."""
    if new.preserved:
        yield keeps_the_dead(new.path, new.preserved)
    cold = [
        node
        for node, answer in by_node.items()
        if not isinstance(answer, str) and not answer.moves_pv_live
    ]
    if new.pv and cold:
        yield never_live(new.name, cold)


def disk_warnings(lacking: Mapping[str, Sequence[str]]) -> list[str]:
    """What there is to be warned of where nodes lack disks."""
    return [f"{listed(disks)} is not there on {node}" for node, disks in lacking.items() if disks]


def without_disks(new: Newcomer, lacking: Mapping[str, Sequence[str]]) -> Iterator[Objection]:
    """It would be started, and each of the nodes lacks some of its disks."""
    if not new.places and lacking and all(lacking.values()):
        disks = dict.fromkeys(path for paths in lacking.values() for path in paths)
        yield Objection(
            f"{new.name} would be started, and no node has all its disks: {listed([*disks])}",
            "make them first; --yes lets the cluster try it anyway",
            lifted_by=YES,
        )
