"""What a row of the tables of other tools' words consists of."""

from __future__ import annotations

from typing import NamedTuple

TOOLS = {
    "crm": "crm",
    "pcs": "pcs",
    "virsh": "libvirt",
    "kubectl": "Kubernetes",
    "patronictl": "Patroni",
    "qm": "Proxmox",
    "ha-manager": "Proxmox HA",
    "gnt-instance": "Ganeti",
    "gnt-node": "Ganeti",
    "gnt-cluster": "Ganeti",
    "gnt-job": "Ganeti",
    "gnt-backup": "Ganeti",
    "gnt": "Ganeti",
    "xe": "XenServer",
}


class Meaning(NamedTuple):
    """One thing to be done: how hxm is told, and how the other tools are."""

    command: str
    """What follows `hxm`; empty if hxm has no such command, which `note` then explains."""
    words: str
    """Single words that mean this without their tool, or with nothing else that is known."""
    elsewhere: tuple[tuple[str, str], ...]
    """The tool, and the command line that follows its name; see `patterns`."""
    note: str = ""


def row(command: str, words: str, *lines: str, note: str = "") -> Meaning:
    """One row: each line begins with its tool."""
    split = (line.partition(" ") for line in lines)
    return Meaning(command, words, tuple((tool, rest) for tool, _, rest in split), note)
