"""The policy of hxm, pure: from a cluster and an order to a decision, in steps and reasons.

Nothing in this package starts a program, reads a file or knows how a tool is spelt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hxm.errors import Refused
from hxm.model import Cluster, Domain, Phase, Step


class Objection(NamedTuple):
    """A reason not to do it as ordered, and what lifts it: `--force`, `--yes`, or nothing."""

    message: str
    hint: str = ""
    status: int = Refused.status
    lifted_by: str = ""


class Translate(NamedTuple):
    """Do it through the cluster."""

    verb: str
    about: str
    """The order in one line: `migrate nfs to host2`."""
    subjects: tuple[str, ...]
    """The resources that the order is about: their changes are wanted."""
    phases: tuple[Phase, ...]
    expects: frozenset[str] = frozenset()
    """The kinds of movement that the order means for its subjects; others are asked about."""
    objections: tuple[Objection, ...] = ()
    warnings: tuple[str, ...] = ()
    rollback: tuple[Step, ...] = ()
    """What takes the order back if its first phase does not get where it should."""
    otherwise: Translate | None = None
    """A stronger way, for when the scheduler would not follow this one."""
    drains: str | None = None
    """The node that is to be empty in the end."""
    done: str = ""
    """What there is to say at the end, where the movements do not say it all."""


class PassThrough(NamedTuple):
    """No managed domU is concerned: the toolstack does it."""

    warning: str = ""


class Nothing(NamedTuple):
    """It is so already."""

    message: str


Decision = Translate | PassThrough | Nothing


def meta_step(domain: Domain, name: str, value: str) -> Step:
    """Set a meta option at the domU's own resource."""
    values = {"resource": domain.resource or "", "name": name, "value": value}
    return Step("set-meta", f"set {name} of {domain.name} to {value}", values)


def clear_meta_step(domain: Domain, name: str) -> Step:
    """Remove a meta option from the domU's own resource."""
    values = {"resource": domain.resource or "", "name": name}
    return Step("clear-meta", f"remove {name} of {domain.name}", values)


def own_meta(cluster: Cluster, domain: Domain) -> dict[str, str]:
    """The meta options that stand at the domU's own resource."""
    primitive = cluster.primitives.get(domain.resource or "")
    return dict(primitive.own_meta) if primitive else {}


def is_true(said: str) -> bool:
    """As Pacemaker reads a boolean (crm_str_to_boolean): also yes, on, y and 1, in any case."""
    return said.lower() in ("true", "yes", "on", "y", "1")


def is_false(said: str) -> bool:
    """As Pacemaker reads a boolean: also no, off, n and 0, in any case."""
    return said.lower() in ("false", "no", "off", "n", "0")


def keeps_stopped(meta: Mapping[str, str]) -> bool:
    """Whether these meta options keep a domU from running; roles are read in any case."""
    return meta.get("target-role", "Started").lower() == "stopped"


def listed(words: list[str] | tuple[str, ...], limit: int = 12) -> str:
    """A list for a sentence: `nfs, sles`, or `nfs, sles, ... (1000 in all)`."""
    if not words:
        return "none"
    shown = ", ".join(words[:limit])
    return shown if len(words) <= limit else f"{shown}, ... ({len(words)} in all)"
