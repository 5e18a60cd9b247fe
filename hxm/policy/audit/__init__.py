"""What `hxm check` reports: findings with a stable code, a severity, and what to do about each.

Pure: what stands in files, and what other programs and other nodes said, is handed in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from hxm.policy.state.findings import Finding

WARNING, ERROR = "warning", "error"
CODES = {
    ERROR: {
        "disk-shared": "two domUs use the same disk, and not both allow it",
        "name-shared": "two resources are the same domU",
        "runs-twice": "a domU is active on two nodes",
        "runs-unknown": "a domU runs on a node or under a name that the cluster does not know of",
        "runs-elsewhere": "a domU runs on a different node than the cluster believes",
        "half-migrated": "a migration left a domU behind under its interim name",
        "not-there": "a domU is Started, but the toolstack does not list it",
        "not-alive": "a domU is paused or crashed, which the agent reports as running",
        "not-running": "a domU, a group or another service should run, and does not",
        "about-to-stop": "the cluster is about to stop a domU that runs",
        "unsupported": "a domU runs where what starts before it, such as storage, does not",
        "not-known": "the cluster does not say where an unmanaged domU is",
        "blocked": "the cluster does nothing with a domU, or with what is active twice",
        "auto-start": "`/etc/xen/auto` or libvirt starts a managed domU at boot",
        "file-unreadable": "a domU's file cannot be read here; the finding names line and column",
        "file-refused": "the toolstack of a node would not accept a domU's file",
        "file-missing": "a domU's file is missing, or unreadable, on a node that it may run on",
        "device-unreadable": "a disk or a vif cannot be understood",
        "stop-too-short": "the timeout of stop expires before the agent would destroy the domU",
        "no-fencing": "fencing is not configured, or not for every node",
        "stop-ignored": "a stop that failed counts as done: the domU may be started twice",
        "in-guest": "a domU is active in a guest node, which is no host",
        "guest-open": "a domU may be moved into a guest node, which is no host",
        "never-seen": "a node that was never seen counts as off: its domUs may be started twice",
        "config": "`crm_verify` finds an error",
        "no-dc": "the cluster has no DC, so that nobody decides",
        "no-quorum": "this partition has no quorum and may start nothing",
        "node-lost": "a node is lost and not yet fenced",
        "all-stopped": "stop-all-resources is set, or rsc_defaults or an opt-in stop resources",
        "all-unmanaged": "rsc_defaults leave resources unmanaged, or in maintenance",
        "toolstack-silent": "the toolstack does not say which domUs run here, or with which disks",
    },
    WARNING: {
        "uuid-shared": "two domUs have the same uuid",
        "mac-shared": "two domUs have the same MAC address",
        "name-differs": "the agent and the toolstack read different names: blanks, a comment, CRLF",
        "file-differs": "a domU's file is not the same on every node",
        "not-live": "allow-migrate is not set",
        "pv-not-live": "the hypervisor cannot migrate a PV domU live",
        "preserved": "a domU that has ended is preserved, which the agent reports as running",
        "misspelt": "an option has the spelling of another generation, and no effect",
        "short-timeout": "an operation has less time than the agent asks for in its metadata",
        "no-monitor": "a domU has no monitor, or none that is enabled",
        "mem-management": "allow_mem_management: the agent edits files and balloons every domU",
        "utilization": "utilization attributes have no effect, or are set on one side only",
        "no-order": "a domU does not wait for the storage that most others, at least 3, wait for",
        "no-interleave": "a clone restarts on all nodes when what it follows comes or goes on one",
        "no-such-node": "a location constraint names a node that the cluster does not have",
        "about-to-move": "the cluster will move or restart a domU, or stop it after maintenance",
        "no-stickiness": "any change may move a domU, also while others migrate",
        "no-ping-rule": "a domU lacks a rule that most others, at least 3, have, as of pingd",
        "fences-itself": "a fencing resource may run on the only node that it fences",
        "agent-missing": "the agent of domUs that may run here is not installed",
        "left-behind": "an interim setting is still in the CIB; the finding names its age",
        "expired": "a constraint has expired, or one that lets a domU run does within a week",
        "failed": "an action has failed and was not cleaned up",
        "fail-count": "there is a fail count without a failed action",
        "complaint": "`crm_verify` warns",
        "node-away": "a node is offline, joining, shutting down, or in standby by on-fail",
        "host-barred": "a host that is as it should be may run no domU",
        "node-unhealthy": "the health of a node keeps everything off it, or counts against it",
        "orphan": "a resource is no longer configured, but the cluster still knows it",
        "mixed": "the members have different versions",
        "clock": "a node's clock differs by more than a second, besides the time that ssh takes",
        "one-ring": "corosync uses a single network, which is not a bond",
        "ring-down": "one of corosync's rings is faulty",
        "guard": "xl, xm or virsh is not guarded as it should be",
        "last-look": "the guard's last look cannot ask a node whether a domU runs there",
        "node-silent": "a node did not answer",
    },
}
"""All that there is to find: every code, under its severity, and what it stands for."""
_SEVERITY = {code: severity for severity, codes in CODES.items() for code in codes}


def severity_of(finding: Finding) -> str:
    """How bad it is, by its code."""
    return _SEVERITY[finding.code]


PASSING = (
    *("runs-twice", "runs-unknown", "runs-elsewhere", "half-migrated"),
    *("not-there", "not-alive", "not-running", "about-to-stop", "about-to-move", "unsupported"),
)
"""What one look may see while a guest reboots, or while the cluster is just about to act."""


def still_found(first: Iterable[Finding], again: Iterable[Finding]) -> list[Finding]:
    """The findings of a second look, without those that may pass and were new in it."""
    known = {(finding.code, finding.subject) for finding in first}
    return [
        finding
        for finding in again
        if finding.code not in PASSING or (finding.code, finding.subject) in known
    ]


def chosen(
    findings: Iterable[Finding], ignored: Collection[str], subject: str | None
) -> list[Finding]:
    """Those that are not ignored (a code, or code:subject) and concern the subject, worst first."""
    concerned = [
        finding
        for finding in dict.fromkeys(findings)
        if not {finding.code, *(f"{finding.code}:{name}" for name in finding.subject.split())}
        & set(ignored)
        and (subject is None or subject in finding.subject.split())
    ]
    return sorted(concerned, key=lambda finding: severity_of(finding) != ERROR)
