"""The table of all commands: hxm's own, and what hxm thinks of each of the toolstacks'.

The toolstack's part covers every command that any xm (3.0.4 to 4.4) or xl (4.1 to 4.20) has had.
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
            "list": "the domUs of the whole cluster in xl's columns, and what was left",
            "status": "cluster, nodes, all resources, failures, and what needs attention",
            "nodes": "the nodes, their condition and what runs on them",
        },
        observes=True,
    ),
    *_hxm(
        LOOK,
        {
            "watch": "the list, live: what moves, and what fails as it happens",
            "why": "why a domU runs where it does, or why it does not",
            "history": "what happened to domUs and nodes, when, where, and by whose order",
            "capacity": "whether everything still fits when a node is lost, and what more",
            "check": "what would hurt one day: shared disks, unreadable files, no guard",
            "graph": "what runs on what and depends on what, as a tree or a picture",
            "help": "this overview, or a command's own help",
        },
    ),
    *_hxm(
        LIFE,
        {
            "create": "start a domU, named by its configuration file or by name",
            "start": "start domUs: remove the target-role that keeps them stopped",
            "shutdown": "stop domUs cleanly and keep them stopped",
            "reboot": "stop domUs cleanly and start them again",
            "destroy": "stop a domU at once, without asking it, and keep it stopped",
            "console": "the console of a domU, wherever it runs or goes; Ctrl-] leaves it",
        },
    ),
    *_hxm(
        PLACE,
        {
            "migrate": "move a domU to another node, live, and leave no constraint behind",
            "unmigrate": "remove what moves and bans left behind",
            "standby": "drain a node for maintenance: everything on it moves away",
            "active": "let a node take resources again after standby",
        },
    ),
    *_hxm(
        TIDY,
        {
            "default": "remove target-role, is-managed and maintenance set in passing",
            "manage": "hand domUs back to the cluster",
            "unmanage": "tell the cluster to leave domUs alone",
            "maintenance": "tell the cluster to leave everything, a node or a domU alone",
            "cleanup": "forget failures, so that the cluster tries again",
            "unlock": "remove the lock on the cluster that a killed hxm left behind",
        },
    ),
    *_hxm(
        PLAN,
        {
            "enrol": "put a domU under the cluster, running or not, without a restart",
            "withdraw": "take a domU out of the cluster, and leave it running",
            "update": "patch and reboot the hosts one after the other, with a canary",
            "drill": "break something on purpose, and see what the cluster makes of it",
        },
    ),
    *_hxm(
        SAFE,
        {
            "backup": "keep the configuration, write it into a file, list what is kept",
            "diff": "what the configuration differs in from a backup, in words",
            "restore": "put an earlier configuration, or parts of it, back in place",
            "undo": "take the last change by hxm back, if nothing was changed since",
        },
    ),
    *_hxm(
        LOCAL,
        {
            "shell": "a prompt that shows the cluster; or commands from a file",
            "guard": "a guard in front of xl, xm and virsh, so that none goes past hxm",
            "serve": "the status page, JSON and metrics over HTTP, to read only",
        },
    ),
    *_hxm(
        TRY,
        {"sandbox": "a cluster in a file to try hxm on, and troubles to put into it"},
    ),
    *_toolstack(
        READS,
        """block-list channel-list claims cpupool-list dmesg domid domname domstate dry-run
        dumppolicy getenforce getlabel getpolicy info labels list-vm log network-list
        network2-list pci-assignable-list pci-list pci-list-assignable-devices psr-cat-show
        psr-cmt-show psr-hwinfo psr-mba-show resources scsi-list sharing tmem-freeable tmem-list
        top uptime usb-list usb-list-assignable-devices vcpu-list vdispl-list vkb-list vm-list
        vncviewer vnet-list vsnd-list vtpm-list xenstore-quota-get""",
    ),
    *_toolstack(
        HOST,
        """addlabel cfgbootpolicy cpupool-cpu-add cpupool-cpu-remove cpupool-create cpupool-delete
        cpupool-destroy cpupool-new cpupool-numa-split cpupool-rename cpupool-start debug-keys devd
        loadpolicy makepolicy migrate-receive pci-assignable-add pci-assignable-remove resetpolicy
        rmlabel set-parameters setenforce setpolicy vnet-create vnet-delete
        xenstore-quota-set""",
    ),
    *_toolstack(
        RUNTIME,
        """cpupool-migrate mem-max mem-set psr-cat-cbm-set psr-cat-set psr-cmt-attach psr-cmt-detach
        psr-mba-set sched-credit sched-credit2 sched-rtds sched-sedf tmem-destroy tmem-freeze
        tmem-set tmem-shared-auth tmem-thaw vcpu-pin vcpu-set""",
        "it is lost when the domU next starts or fails over",
        "change {xmfile} as well if it is to stay",
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
        "edit {xmfile} and `hxm reboot {domain}`, or add --local-only",
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
        "while it is migrated this would run a half-copied second instance; at any other time it "
        "passes",
        "hxm status",
    ),
    *_toolstack(
        REFUSED,
        "suspend save",
        "the monitor would find it gone and start a second copy",
        "hxm unmanage {domain}, then repeat this",
    ),
    *_toolstack(
        REFUSED,
        "resume",
        "the cluster alone starts this domU; a resumed copy may be its second instance",
        "hxm start {domain}",
    ),
    *_toolstack(
        REFUSED,
        "dump-core",
        "it halts the domU, and the monitor would restart it in the middle of the dump",
        "hxm unmanage {domain}, then repeat this",
    ),
    *_toolstack(
        REFUSED,
        "reset trigger button-press",
        "it stops or resets the guest, which the monitor would take for a failure",
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
        "it would run a copy on a host that the cluster does not know of",
        "hxm migrate {domain} NODE",
    ),
    *_toolstack(
        REFUSED,
        "config-update qemu-monitor-command dt-overlay",
        "the running domU would no longer be what its configuration file says",
        "edit {xmfile} and `hxm reboot {domain}`",
    ),
    *_toolstack(
        REFUSED,
        "new delete",
        "xend's own copy of the configuration competes with the agent's file",
        "edit {xmfile}, which is what the cluster starts it from",
    ),
]

COMMANDS = {row.name: row for row in _ROWS}

_BY_HAND = [
    *_toolstack(READS, "list help console"),
    *_toolstack(
        REFUSED,
        "create start",
        "the cluster alone starts this domU, and any other start may be that of a second instance",
        "hxm start {domain}",
    ),
    *_toolstack(
        REFUSED,
        "shutdown",
        "the monitor would find it gone and start it again",
        "hxm shutdown {domain}",
    ),
    *_toolstack(
        REFUSED,
        "reboot",
        "a monitor that finds it gone meanwhile starts it a second time",
        "hxm reboot {domain}",
    ),
    *_toolstack(
        REFUSED,
        "destroy",
        "the monitor would find it gone and start it again",
        "hxm destroy {domain}",
    ),
    *_toolstack(
        REFUSED,
        "migrate",
        "the monitor would find it gone here and start it again, and it would run on both hosts",
        "hxm migrate {domain} NODE",
    ),
    *_toolstack(
        REFUSED,
        "restore",
        "the cluster alone starts this domU; a restored copy may be its second instance",
        "hxm start {domain}",
    ),
    *_toolstack(
        REFUSED,
        "shell serve",
        "what is ordered in it goes past the guard",
        "type each command by itself",
    ),
]
"""The verbs that hxm shares with the toolstack, for whoever types them past hxm.

What migrate ends with was seen with Xen 4.17 and Pacemaker 2.1.5.
"""

BY_HAND = {row.name: row for row in (*_ROWS, *_BY_HAND) if row.policy}
"""Every command of any xl or xm, as the guard in front of the toolstack judges it."""

ALIASES = {
    "balloon": "mem-set",
    "set-vcpus": "vcpu-set",
    "vif-list": "network-list",
    "vbd-create": "block-attach",
    "vbd-destroy": "block-detach",
    "vbd-list": "block-list",
}
"""xm's other names for its commands (xm 4.4, xen/xm/main.py)."""

_CRM = "hxm-from-crm(7) translates crm's and pcs's commands"
ELSEWHERE = {
    **dict.fromkeys(
        ["configure", "property", "resource", "ban", "constraint", "cluster", "stonith"], _CRM
    ),
    "stop": "it is: hxm shutdown DOMAIN",
    "move": "it is: hxm migrate DOMAIN NODE",
    "clear": "it is: hxm unmigrate",
    "online": "it is: hxm active NODE",
    "unstandby": "it is: hxm active NODE",
    "version": "it is: hxm --version",
}
"""What crm, pcs and virsh call things that neither xl nor xm has a word for, and what to type.

A prefix of one of hxm's own commands is none of them: `hxm node` is short for nodes.
"""

EXACT_ONLY = frozenset({"migrate-receive", "qemu-monitor-command"})
"""Internal commands, which must not stand in the way of `hxm mig`."""

_BYGONE = """
    addlabel block-configure cfgbootpolicy cpupool-delete cpupool-new cpupool-start delete domstate
    dry-run dumppolicy getlabel getpolicy labels list-vm log makepolicy network2-attach
    network2-detach network2-list new pci-list-assignable-devices psr-cat-cbm-set reset resetpolicy
    resources rmlabel sched-sedf scsi-attach scsi-detach scsi-list setpolicy
    tmem-destroy tmem-freeable tmem-freeze tmem-list tmem-set tmem-shared-auth tmem-thaw usb-add
    usb-attach usb-del usb-detach usb-hc-create usb-hc-destroy usb-list-assignable-devices
    vnet-create vnet-delete vnet-list
"""
BYGONE = frozenset(_BYGONE.split())
"""Commands that no xl of today has: a prefix means one of them only if it means nothing else."""


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
