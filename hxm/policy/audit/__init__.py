"""What `hxm check` reports: findings with a stable code, a severity, and what to do about each.

Pure: what stands in files, and what other programs and other nodes said, is handed in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from hxm.policy.findings import Finding

WARNING, ERROR = "warning", "error"
CODES = {
    ERROR: {
        "disk-shared": "two domUs have one disk, and not both say that they share it",
        "name-shared": "two resources are one domU",
        "runs-twice": "a domU is active on two nodes",
        "runs-unknown": "a domU runs where, or under a name by which, the cluster does not know it",
        "runs-elsewhere": "a domU runs on another node than the cluster believes",
        "half-migrated": "a domU is left over under its name in a migration",
        "not-there": "a domU is Started, and the toolstack does not have it",
        "not-alive": "a domU is paused or crashed, which the agent takes for running",
        "not-running": "a domU is to run, and is stopped",
        "blocked": "a failure keeps the cluster from doing anything with a domU",
        "auto-start": "`/etc/xen/auto` or libvirt starts a domU at boot, beside the cluster",
        "file-unreadable": "a domU's file cannot be read here; with line and column",
        "file-refused": "a node's own toolstack would not start a domU's file",
        "file-missing": "a domU's file is missing, or unreadable, on a node that it may run on",
        "device-unreadable": "a disk or a vif cannot be understood",
        "stop-too-short": "the cluster gives a stop up before the agent would pull the plug",
        "no-fencing": "there is no fencing, or none for a node",
        "config": "`crm_verify` finds an error",
        "no-dc": "nobody decides",
        "no-quorum": "this partition may start nothing",
        "node-lost": "a node is lost and not yet fenced",
        "all-stopped": "stop-all-resources is set",
        "toolstack-silent": "whether domUs run here, or with which disks, is not known",
    },
    WARNING: {
        "uuid-shared": "two domUs have one uuid",
        "mac-shared": "two domUs have one MAC address",
        "name-differs": "the agent reads another name than the toolstack: blanks, a comment, CRLF",
        "file-differs": "a domU's file is not the same on every node",
        "not-live": "allow-migrate is not set",
        "pv-not-live": "a PV domU, on a hypervisor that cannot migrate it live",
        "preserved": "a domU is kept after its end, which the agent takes for running",
        "misspelt": "an option is spelt as in another generation, and so without effect",
        "short-timeout": "an operation has less time than the agent asks for in its metadata",
        "no-monitor": "a domU has no monitor, or none that is enabled",
        "mem-management": "allow_mem_management: the agent edits files and balloons every domU",
        "utilization": "utilization attributes that nothing heeds, or that one side alone has",
        "no-order": "a domU does not wait for the storage that most others wait for",
        "no-ping-rule": "a domU lacks a rule that most others have, such as that of pingd",
        "fences-itself": "a fencing resource may run on the only node that it fences",
        "agent-missing": "the agent of domUs that may run here is not installed",
        "left-behind": "something that was meant for a while stands in the CIB; with its age",
        "expired": "a constraint whose time is over stands in the CIB",
        "failed": "an action has failed and was not cleaned up",
        "fail-count": "failures are counted, with no failed action to show for it",
        "complaint": "`crm_verify` warns",
        "node-away": "a node is offline, joining, shutting down, or in standby by on-fail",
        "node-unhealthy": "node-health-strategy keeps everything off a node",
        "orphan": "a resource is no longer configured, and still known",
        "mixed": "the members are of different versions",
        "clock": "a node's clock is more than a second from this host's, beyond what ssh takes",
        "one-ring": "one network carries all of corosync's messages, and it is no bond",
        "ring-down": "one of corosync's rings is faulty",
        "guard": "xl, xm or virsh is not guarded as it should be",
        "last-look": "before a domU starts here, the guard cannot ask a node whether it runs there",
        "node-silent": "a node was asked and gave no answer",
    },
}
"""All that there is to find: every code, under its severity, and what it stands for."""
_SEVERITY = {code: severity for severity, codes in CODES.items() for code in codes}


def severity_of(finding: Finding) -> str:
    """How bad it is, by its code."""
    return _SEVERITY[finding.code]


PASSING = (
    *("runs-twice", "runs-unknown", "runs-elsewhere", "half-migrated"),
    *("not-there", "not-alive", "not-running"),
)
"""What one look may see while a guest reboots, or while the cluster is just about to act."""


def lasting(first: Iterable[Finding], again: Iterable[Finding]) -> list[Finding]:
    """What a second look found, but for what may pass and was not there at the first."""
    known = {(each.code, each.subject) for each in first}
    return [
        each for each in again if each.code not in PASSING or (each.code, each.subject) in known
    ]


def chosen(
    findings: Iterable[Finding], ignored: Collection[str], subject: str | None
) -> list[Finding]:
    """Those that are not ignored (a code, or code:subject) and concern the subject, worst first."""
    found = [
        each
        for each in dict.fromkeys(findings)
        if not {each.code, *(f"{each.code}:{name}" for name in each.subject.split())} & set(ignored)
        and (subject is None or subject in each.subject.split())
    ]
    return sorted(found, key=lambda each: severity_of(each) != ERROR)
