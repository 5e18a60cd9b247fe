"""One row of the table of commands, and the policies for a toolstack's commands.

Light, and below everything: it is read before every pass-through, and by the policy.
"""

from __future__ import annotations

LOOK, LIFE, PLACE, TIDY = "Look", "Life cycle", "Placement", "Hygiene"
PLAN, SAFE, LOCAL, TRY = "Planned work", "Backup and undo", "This host", "Sandbox"
GROUPS = (LOOK, LIFE, PLACE, TIDY, PLAN, SAFE, LOCAL, TRY)
"""Of hxm's own commands, as the overview and the manual have them."""

XL_OPTIONS = "vftTN"
"""xl's options before the command (xl.c of 4.17: "+vftTN"); none takes a value."""

READS = "reads"
"""Changes nothing: goes straight to the toolstack."""
HOST = "host"
"""Concerns the host or arrives from another one, never a managed domU: straight through."""
RUNTIME = "runtime"
"""Changes the running domU until its next start: passed, with a warning for a managed one."""
REFUSED = "refused"
"""Goes behind the cluster's back: refused for a managed domU, passed for every other."""


class Command:
    """One row: who carries the command out, and what there is to say about it."""

    __slots__ = ("group", "instead", "local_only", "name", "observes", "policy", "summary", "why")

    def __init__(
        self,
        name: str,
        *,
        group: str = "",
        summary: str = "",
        observes: bool = False,
        policy: str = "",
        why: str = "",
        instead: str = "",
        local_only: bool = False,
    ) -> None:
        self.name = name
        self.group = group
        self.summary = summary
        self.observes = observes
        """Reads the cluster and takes plain operands: the readers are started at once."""
        self.policy = policy
        self.why = why
        self.instead = instead
        self.local_only = local_only
        """`--local-only` passes it: the change is wanted on the running domU alone."""

    def remedy(self, domain: str = "DOMAIN", xmfile: str = "its configuration file") -> str:
        """What to do instead, or as well; empty where there is nothing to say."""
        also = "; or add --local-only" if self.local_only else ""
        return self.instead.format(domain=domain, xmfile=xmfile) + also


DEADLY_SYSRQ = frozenset("bceio")
"""The SysRq letters that reboot, crash, kill or power off the guest."""
