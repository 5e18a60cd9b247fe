"""The table of all commands: hxm's own, and how hxm treats each of the toolstacks'.

The toolstack's part covers every command of every xm (3.0.4 to 4.4) and xl (4.1 to 4.20).
A command that is not here is refused as unknown, and a test holds the table against a captured
`xl help`. The module must stay light: it is read before every pass-through.
"""

from __future__ import annotations

from hxm.catalog.command import (
    HOST,
    LIFE,
    LOCAL,
    LOOK,
    PLACE,
    PLAN,
    READS,
    REFUSED,
    RUNTIME,
    SAFE,
    TIDY,
    TRY,
    Command,
)


def _hxm(group: str, summaries: dict[str, str], *, observes: bool = False) -> list[Command]:
    return [
        Command(name, group=group, summary=summary, observes=observes)
        for name, summary in summaries.items()
    ]


def _toolstack(
    policy: str, names: str, why: str = "", instead: str = "", *, local_only: bool = False
) -> list[Command]:
    return [
        Command(name, policy=policy, why=why, instead=instead, local_only=local_only)
        for name in names.split()
    ]


_ROWS = [
    *_hxm(
        LOOK,
        {
            "list": "list domUs cluster-wide in xl's format, with leftovers",
            "status": "show cluster, nodes, resources, failures, what needs attention",
            "nodes": "list the nodes, their state and the domUs on them",
        },
        observes=True,
    ),
    *_hxm(
        LOOK,
        {
            "watch": "show the cluster live: domUs, movements and failures",
            "why": "explain why a domU runs where it does, or why it does not",
            "history": "show past events: what happened, when, where, on whose order",
            "capacity": "check that all domUs fit if a node fails, and how much is free",
            "check": "find latent problems: shared disks, unreadable files, no guard",
            "clusters": "show the clusters that are reached through ssh, at a glance",
            "graph": "draw what runs where and what it depends on, as tree or picture",
            "help": "show this overview, or the help of a command",
        },
    ),
    *_hxm(
        LIFE,
        {
            "create": "start a domU by its configuration file or its name",
            "start": "start domUs: remove the target-role that keeps them stopped",
            "shutdown": "stop domUs cleanly and keep them stopped",
            "reboot": "stop domUs cleanly and start them again",
            "destroy": "force off a domU immediately and keep it stopped",
            "console": "open a domU's console on any node; Ctrl-] leaves it",
        },
    ),
    *_hxm(
        PLACE,
        {
            "migrate": "live-migrate domUs and leave no constraint behind",
            "unmigrate": "remove the constraints that moves and bans left behind",
            "standby": "drain a node for maintenance: move everything away from it",
            "active": "end standby: let a node take resources again",
            "balance": "spread the domUs over the nodes again, one move after the other",
        },
    ),
    *_hxm(
        TIDY,
        {
            "default": "reset temporary target-role, is-managed and maintenance",
            "manage": "let the cluster manage domUs again",
            "unmanage": "tell the cluster to leave domUs alone",
            "maintenance": "set maintenance for the cluster, a node or a domU",
            "cleanup": "clear failures, so that the cluster tries again",
            "unlock": "remove the lock that a killed hxm left behind",
        },
    ),
    *_hxm(
        PLAN,
        {
            "enrol": "put a domU under cluster management without a restart",
            "withdraw": "take a domU out of cluster management and leave it running",
            "update": "patch and reboot the hosts one by one, with a canary",
            "drill": "cause a failure on purpose and measure how the cluster recovers",
        },
    ),
    *_hxm(
        SAFE,
        {
            "backup": "back up the configuration, or list the backups",
            "diff": "compare the configuration with a backup, in words",
            "restore": "restore an earlier configuration, or parts of it",
            "undo": "revert hxm's last change, if nothing was changed since",
        },
    ),
    *_hxm(
        LOCAL,
        {
            "shell": "start an interactive shell, or run commands from a file",
            "guard": "wrap xl, xm and virsh, so that hxm is not bypassed by accident",
            "serve": "serve the status page, JSON and metrics over HTTP, read-only",
        },
    ),
    *_hxm(
        TRY,
        {"sandbox": "try hxm on a cluster in a file, and inject failures into it"},
    ),
    *_toolstack(
        READS,
        """block-list channel-list claims cpupool-list dmesg domid domname domstate dry-run
        dumppolicy event-monitor getenforce getlabel getpolicy info labels list-vm log
        network-list network-show network2-list pci-assignable-list pci-list
        pci-list-assignable-devices psr-cat-show psr-cmt-show psr-hwinfo psr-mba-show resources
        scsi-list sharing tmem-freeable tmem-list top uptime usb-list
        usb-list-assignable-devices vcpu-list vdispl-list vkb-list vm-list vncviewer vnet-list
        vsnd-list vtpm-list xenstore-quota-get""",
    ),
    *_toolstack(
        HOST,
        """addlabel cfgbootpolicy cpupool-cpu-add cpupool-cpu-remove cpupool-create cpupool-delete
        cpupool-destroy cpupool-new cpupool-numa-split cpupool-rename cpupool-start debug-keys devd
        loadpolicy makepolicy migrate-receive network-del network-new pci-assignable-add
        pci-assignable-remove resetpolicy rmlabel set-parameters setenforce setpolicy vnet-create
        vnet-delete""",
    ),
    *_toolstack(
        RUNTIME,
        """cpupool-migrate mem-max mem-set psr-cat-cbm-set psr-cat-set psr-cmt-attach psr-cmt-detach
        psr-mba-set sched-credit sched-credit2 sched-rtds sched-sedf tmem-destroy tmem-flush
        tmem-freeze tmem-set tmem-shared-auth tmem-thaw vcpu-pin vcpu-set xenstore-quota-set""",
        "the change is lost when the domU next starts or fails over",
        "edit {xmfile} as well to make it permanent",
    ),
    *_toolstack(
        RUNTIME,
        "sysrq",
        "only b, c, e, i and o stop the guest; this one does not",
    ),
    *_toolstack(
        REFUSED,
        """block-attach block-configure block-detach network-attach network-detach network2-attach
        network2-detach pci-attach pci-detach scsi-attach scsi-detach usb-attach usb-detach
        usbctrl-attach usbctrl-detach usbdev-attach usbdev-detach vdispl-attach vdispl-detach
        vkb-attach vkb-detach vsnd-attach vsnd-detach vtpm-attach vtpm-detach cd-eject cd-insert
        usb-add usb-del usb-hc-create usb-hc-destroy""",
        "a device that is not in its configuration file breaks live migration and is lost at "
        "failover",
        "edit {xmfile}, then `hxm reboot {domain}`",
        local_only=True,
    ),
    *_toolstack(
        REFUSED,
        "pause",
        "the agent reports a paused domU as running, so nothing would notice that it hangs",
        "hxm shutdown {domain}",
    ),
    *_toolstack(
        REFUSED,
        "unpause",
        "during a migration this would run a half-copied second instance; at any other time it "
        "is passed on",
        "hxm status",
    ),
    *_toolstack(
        REFUSED,
        "suspend save",
        "the monitor would find the domU gone and start a second copy",
        "hxm unmanage {domain}, then repeat this",
    ),
    *_toolstack(
        REFUSED,
        "resume",
        "only the cluster may start this domU; a resumed copy may be a second instance",
        "hxm start {domain}",
    ),
    *_toolstack(
        REFUSED,
        "dump-core",
        "it halts the domU, and the monitor would restart it during the dump",
        "hxm unmanage {domain}, then repeat this",
    ),
    *_toolstack(
        REFUSED,
        "reset trigger button-press",
        "it stops or resets the guest, and the monitor would see a failure",
        "hxm reboot {domain}",
    ),
    *_toolstack(
        REFUSED,
        "rename",
        "the agent finds the domU by its name and would start it a second time",
        "change the name in {xmfile} and in the CIB while it is stopped",
    ),
    *_toolstack(
        REFUSED,
        "remus",
        "it would run a copy on a host without the cluster's knowledge",
        "hxm migrate {domain} NODE",
    ),
    *_toolstack(
        REFUSED,
        "config-update qemu-monitor-command dt-overlay",
        "the running domU would no longer match its configuration file",
        "edit {xmfile}, then `hxm reboot {domain}`",
    ),
    *_toolstack(
        REFUSED,
        "new delete",
        "a second copy of the configuration competes with the agent's file",
        "edit {xmfile}: the cluster starts the domU from it",
    ),
]

COMMANDS = {row.name: row for row in _ROWS}

_BY_HAND = [
    *_toolstack(READS, "list help console"),
    *_toolstack(
        REFUSED,
        "create start",
        "only the cluster may start this domU; any other start may create a second instance",
        "hxm start {domain}",
    ),
    *_toolstack(
        REFUSED,
        "shutdown",
        "the monitor would find the domU gone and start it again",
        "hxm shutdown {domain}",
    ),
    *_toolstack(
        REFUSED,
        "reboot",
        "a monitor that finds the domU gone meanwhile starts it a second time",
        "hxm reboot {domain}",
    ),
    *_toolstack(
        REFUSED,
        "destroy",
        "the monitor would find the domU gone and start it again",
        "hxm destroy {domain}",
    ),
    *_toolstack(
        REFUSED,
        "migrate",
        "the monitor would find it gone here and start it again: it would run on both hosts",
        "hxm migrate {domain} NODE",
    ),
    *_toolstack(
        REFUSED,
        "restore",
        "only the cluster may start this domU; a restored copy may be a second instance",
        "hxm start {domain}",
    ),
    *_toolstack(
        REFUSED,
        "shell serve",
        "commands typed in it bypass the guard",
        "run each command separately",
    ),
]
"""The verbs that hxm shares with the toolstack, when they are typed without hxm.

The double run after migrate was seen with Xen 4.17 and Pacemaker 2.1.5.
"""

BY_HAND = {row.name: row for row in (*_ROWS, *_BY_HAND) if row.policy}
"""Every command of any xl or xm, as the guard in front of the toolstack judges it."""

ALIASES = {
    "balloon": "mem-set",
    "pool-cpu-add": "cpupool-cpu-add",
    "pool-cpu-remove": "cpupool-cpu-remove",
    "pool-create": "cpupool-create",
    "pool-delete": "cpupool-delete",
    "pool-destroy": "cpupool-destroy",
    "pool-list": "cpupool-list",
    "pool-migrate": "cpupool-migrate",
    "pool-new": "cpupool-new",
    "pool-start": "cpupool-start",
    "set-vcpus": "vcpu-set",
    "vif-list": "network-list",
    "vbd-create": "block-attach",
    "vbd-destroy": "block-detach",
    "vbd-list": "block-list",
}
"""xm's other names for its commands (xm 4.4, xen/xm/main.py)."""

EXACT_ONLY = frozenset({"migrate-receive", "qemu-monitor-command", "clusters"})
"""Commands that have no short form: they must not make `hxm mig` ambiguous, and `hxm cluster` is
what other tools have."""

_BYGONE = """
    addlabel block-configure cfgbootpolicy cpupool-delete cpupool-new cpupool-start delete
    domstate dry-run dumppolicy event-monitor getlabel getpolicy labels list-vm log makepolicy
    network-del network-new network-show network2-attach network2-detach network2-list new
    pci-list-assignable-devices psr-cat-cbm-set reset resetpolicy resources rmlabel sched-sedf
    scsi-attach scsi-detach scsi-list setpolicy tmem-destroy tmem-flush tmem-freeable
    tmem-freeze tmem-list tmem-set tmem-shared-auth tmem-thaw usb-add usb-attach usb-del
    usb-detach usb-hc-create usb-hc-destroy usb-list-assignable-devices vnet-create vnet-delete
    vnet-list
"""
BYGONE = frozenset(_BYGONE.split())
"""Commands that no current xl has: a prefix means one of them only if it means nothing else."""


NEVER_GUESSED = frozenset(
    [
        "destroy",
        "drill",
        "guard",
        "reboot",
        "restore",
        "sandbox",
        "shutdown",
        "standby",
        "undo",
        "unmanage",
        "withdraw",
    ]
)
"""What stops, breaks or unprotects something is not proposed for a word that looks like it."""


def near(word: str) -> str:
    """The harmless command of hxm's own that was surely meant by a slip; empty if none."""
    import difflib

    own = [row.name for row in _ROWS if row.group and row.name not in NEVER_GUESSED]
    alike = difflib.get_close_matches(word, own, 1, _ALIKE)
    return alike[0] if alike and alike[0][0] == word[:1] else ""


_ALIKE = 0.75
"""As difflib measures it: lsit and migrat are near enough, drain (drill) is not."""


def candidates(word: str) -> list[str]:
    """The commands that `word` names, as xl looks them up: exactly, else by prefix."""
    if word in COMMANDS:
        return [word]
    if word in ALIASES:
        return [ALIASES[word]]
    fitting = {
        ALIASES.get(name, name)
        for name in (*COMMANDS, *ALIASES)
        if word and name.startswith(word) and name not in EXACT_ONLY
    }
    return sorted(fitting - BYGONE or fitting)
