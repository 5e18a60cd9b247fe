"""What `hxm check` reports: findings with a stable code, a severity, and what to do about each.

Pure: what stands in files, and what other programs and other nodes said, is handed in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

WARNING, ERROR = "warning", "error"
CODES = {
    ERROR: {
        "disk-shared": "a disk of two domUs, not shared by both",
        "name-shared": "two resources for one domU",
        "runs-twice": "on two nodes at once",
        "runs-unknown": "where, or under a name by which, the cluster does not know it",
        "runs-elsewhere": "than the cluster believes, which will start it again",
        "half-migrated": "left over under its name in a migration",
        "not-there": "Started, and the toolstack does not have it",
        "not-alive": "paused or crashed, which the agent takes for running",
        "not-running": "to run, and stopped",
        "blocked": "by a failure, so that the cluster does nothing with it",
        "auto-start": "in `/etc/xen/auto`, beside the cluster",
        "file-unreadable": "with line and column",
        "file-missing": "on a node that the domU may run on",
        "device-unreadable": "a disk or a vif that cannot be understood",
        "stop-too-short": "the cluster gives up before the agent pulls the plug",
        "no-fencing": "none at all, or none for a node",
        "config": "what `crm_verify` calls an error",
        "no-dc": "nobody decides",
        "no-quorum": "and what follows from no-quorum-policy",
        "node-lost": "and not yet fenced",
        "all-stopped": "by stop-all-resources",
        "toolstack-silent": "whether domUs run here is not known",
    },
    WARNING: {
        "uuid-shared": "by two domUs",
        "mac-shared": "by two domUs",
        "name-differs": "the agent reads another name than the toolstack: blanks, a comment, CRLF",
        "file-differs": "from the same file on another node",
        "not-live": "no allow-migrate",
        "misspelt": "an option that this generation spells another way, and so without effect",
        "short-timeout": "below what the agent itself asks for",
        "no-monitor": "none, or none that is enabled",
        "mem-management": "the agent edits files and balloons every domU",
        "no-order": "not after the storage that most domUs wait for",
        "no-ping-rule": "without a rule that most domUs have, such as that of pingd",
        "fences-itself": "a fencing resource may run on the only node that it fences",
        "agent-missing": "on this node",
        "left-behind": "a constraint or an option that was meant for a while, with its age",
        "expired": "a constraint whose time is over",
        "failed": "an action, not yet cleaned up",
        "fail-count": "of a resource, with no failure to show for it",
        "complaint": "what `crm_verify` calls a warning",
        "node-away": "offline, or about to come",
        "orphan": "no longer configured, still known",
        "mixed": "members of different versions",
        "clock": "more than a second apart from this host's, whatever ssh took",
        "one-ring": "a single network carries the cluster's messages, and no bond does",
        "ring-down": "one of them is faulty",
        "guard": "not as it should be in front of xl, xm or virsh",
        "node-silent": "asked, and gave no answer",
    },
}
"""All that there is to find: every code, under its severity, and what it stands for."""
_SEVERITY = {code: severity for severity, codes in CODES.items() for code in codes}


class Problem(NamedTuple):
    """One thing that is not as it should be."""

    code: str
    severity: str
    subject: str
    """The domUs, nodes or programs that it is about; empty: the cluster."""
    what: str
    do: str


def problem(code: str, subject: str, what: str, do: str) -> Problem:
    """A finding, with the severity of its code."""
    return Problem(code, _SEVERITY[code], subject, what, do)


def chosen(
    problems: Iterable[Problem], ignored: Collection[str], subject: str | None
) -> list[Problem]:
    """Those that are not ignored (a code, or code:subject) and concern the subject, worst first."""
    found = [
        each
        for each in dict.fromkeys(problems)
        if not {each.code, *(f"{each.code}:{name}" for name in each.subject.split())} & set(ignored)
        and (subject is None or subject in each.subject.split())
    ]
    return sorted(found, key=lambda each: each.severity != ERROR)
