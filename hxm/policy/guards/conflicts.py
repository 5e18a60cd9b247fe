"""What two domUs must not have in common: a disk that is written, a uuid, a MAC, a name."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from hxm.errors import Refused

DISK, UUID, MAC, NAME = "disk-shared", "uuid-shared", "mac-shared", "name-shared"
DEVICE, FILE = "device-unreadable", "file-unreadable"
THIS_HOST, NODE, DOWN = "toolstack-silent", "node-silent", "node-down"

REMEDIES = {
    DISK: "take the disk out of one configuration, or say that it is meant: hxm(8), SHARED DISKS",
    NAME: "hxm unmanage one of the resources, and take it out of the CIB",
    UUID: "give one of them another: uuidgen",
    MAC: "give one of them another: xl-network-configuration(5)",
}
"""What to do about what two domUs have in common."""


_MANY = 100
"""With how many that have the same thing a claim is compared."""


class DiskClaim(NamedTuple):
    """A disk of a domU: `device` is the same for every path to it, `spelling` is its own path."""

    device: str
    spelling: str
    writes: bool
    shared: bool = False
    below: frozenset[str] = frozenset()
    """The devices that it lies on: the disk of a partition, the volumes under a volume."""
    path: str = ""
    """Where it must be on every host; empty: only a block script finds it."""

    def meets(self, other: DiskClaim) -> bool:
        """Whether to write to one may be to write to the other."""
        same = self.device == other.device
        return same or self.device in other.below or other.device in self.below


class Claim(NamedTuple):
    """What a domU has or would have for itself."""

    name: str
    resource: str | None = None
    """Its resource, if the cluster manages it."""
    uuid: str | None = None
    macs: tuple[str, ...] = ()
    disks: tuple[DiskClaim, ...] = ()
    fault: str = ""
    """Why not all of it is known."""
    kind: str = ""
    """What the fault is: of a DEVICE or a FILE, or THIS_HOST or a NODE cannot be asked; DOWN: by
    all that can be known there is nothing that could run a domU."""
    node: str = ""
    """The other node where it runs, by the toolstack there."""
    runs: bool = False
    """Whether a toolstack says that it runs."""
    path: str = ""
    """Its configuration file."""

    @property
    def called(self) -> str:
        """Its name for a sentence, with its resource where that is another, or its node."""
        if self.resource:
            other = f"resource {self.resource}" if self.resource != self.name else ""
        else:
            other = f"on {self.node}" if self.node else ""
        return f"{self.name} ({other})" if other else self.name


class Clash(NamedTuple):
    """Something that two domUs have in common and must not."""

    kind: str
    what: str


def between(one: Claim, other: Claim) -> Iterator[Clash]:
    """All that the two have in common and must not; disks first. Of one domU: nothing."""
    if one.resource and one.resource == other.resource:
        return
    shared = {
        (mine.spelling, its.spelling): None
        for mine in one.disks
        for its in other.disks
        if mine.meets(its) and _would_spoil(mine, its)
    }
    for mine_said, its_said in shared:
        also = f" (there {its_said})" if its_said != mine_said else ""
        yield Clash(DISK, f"{one.called} and {other.called} share {mine_said}{also}")
    if one.uuid and one.uuid == other.uuid:
        yield Clash(UUID, f"{one.called} and {other.called} have one uuid, {one.uuid}")
    for mac in sorted(set(one.macs) & set(other.macs)):
        yield Clash(MAC, f"{one.called} and {other.called} have one MAC address, {mac}")
    if not (one.resource and other.resource):
        return
    if one.name == other.name:
        yield Clash(NAME, f"the resources {one.resource} and {other.resource} are one domU")
    elif one.path and one.path == other.path and FILE in (one.kind, other.kind):
        both = f"{one.resource} and {other.resource}"
        yield Clash(NAME, f"the resources {both} have one file, {one.path}, and may be one domU")


def _would_spoil(mine: DiskClaim, its: DiskClaim) -> bool:
    """A writer must declare the disk shared (xm's w!), as Xen's block script demands."""
    return any(disk.writes and not disk.shared for disk in (mine, its))


def among(claims: Sequence[Claim]) -> Iterator[Clash]:
    """The clashes of all these domUs; what runs here unmanaged is compared with the managed."""
    for one, other in pairs(claims):
        yield from between(one, other)


def pairs(claims: Sequence[Claim]) -> Iterator[tuple[Claim, Claim]]:
    """The pairs of which `between` may find something, in the order of the claims.

    Thousands that one node makes up cost no more than they are: each is paired with those alone
    that it has something in common with, and with a few of them if all have the same.
    """
    known: dict[tuple[str, str], list[int]] = {}
    met = set()
    for number, claim in enumerate(claims):
        for key in _keys(claim):
            earlier = known.setdefault(key, [])
            met |= {(other, number) for other in earlier[:_MANY]}
            earlier.append(number)
    for one, other in sorted(met):
        yield claims[one], claims[other]


def _keys(claim: Claim) -> set[tuple[str, str]]:
    disks = {device for disk in claim.disks for device in (disk.device, *disk.below)}
    keys = {(DISK, device) for device in disks} | {(MAC, mac) for mac in claim.macs}
    keys |= {(NAME, claim.name), (FILE, claim.path), (UUID, claim.uuid or "")}
    return {(kind, value) for kind, value in keys if value}


def is_intended(one: Claim, other: Claim, ignored: Collection[str]) -> bool:
    """Whether a shared disk is one on purpose: `disk-shared`, or `disk-shared:NAME` of both.

    As with xm's w!, each of the two must say so.
    """
    return DISK in ignored or all(f"{DISK}:{claim.name}" in ignored for claim in (one, other))


def judge_new(new: Claim, others: Sequence[Claim], ignored: Collection[str] = ()) -> list[str]:
    """What there is to be warned of before a domU is created or fed by hand.

    Raises Refused if a disk that either writes, or its uuid, is another's as well, or if its disks
    are not all known. A domU of its own name on this host, which the toolstack refuses by itself,
    is not compared; one on another node is.
    """
    if new.fault:
        raise Refused(new.fault, "correct it: whose disks it would have cannot be told")
    warnings = []
    for other in others:
        if other.name == new.name and not other.resource and not other.node:
            continue
        for clash in between(new, other):
            if clash.kind == UUID:
                raise Refused(f"{clash.what}: they may be one domU", REMEDIES[UUID])
            if clash.kind != DISK:
                warnings.append(f"warning: {clash.what}")
            elif not is_intended(new, other, ignored):
                raise Refused(
                    f"{clash.what}, and not all who write to it say that they share it",
                    "two domUs that write to one disk destroy what is on it; take the disk out of "
                    "one configuration, or say that it is meant (hxm(8), SHARED DISKS)",
                )
        if other.node and other.name == new.name and not other.resource:
            warnings.append(f"warning: {other.node} runs a domU {new.name} as well")
    warnings += [f"warning: {other.fault}" for other in others if other.fault]
    return warnings
