"""How the guard treats each command of virsh, for domUs of libvirt's Xen driver.

virsh knows no prefixes: a command is its whole name. One that is not here is refused for a managed
domU, and passed for every other. The names are those of virsh(1) of libvirt 9.0.
"""

from __future__ import annotations

from hxm.catalog import BY_HAND
from hxm.catalog.command import REFUSED, Command

_READS = """
    backup-dumpxml capabilities cd checkpoint-dumpxml checkpoint-info checkpoint-list
    checkpoint-parent connect console cpu-baseline cpu-compare cpu-models cpu-stats domblkerror
    domblkinfo domblklist domblkstat domcapabilities domcontrol domdirtyrate-calc domdisplay
    domfsinfo domhostname domid domif-getlink domifaddr domiflist domifstat dominfo domjobinfo
    domlaunchsecinfo dommemstat domname domstate domstats domtime domuuid domxml-from-native
    domxml-to-native dumpxml echo event exit find-pool-sources-as find-storage-pool-sources
    freecell freepages get-user-sshkeys guestinfo help hostname hypervisor-cpu-baseline
    hypervisor-cpu-compare iface-begin iface-bridge iface-commit iface-define iface-destroy
    iface-dumpxml iface-edit iface-list iface-mac iface-name iface-rollback iface-start
    iface-unbridge iface-undefine iothreadinfo list managedsave-dumpxml maxvcpus
    migrate-getmaxdowntime migrate-getspeed net-autostart net-create net-define net-destroy
    net-dhcp-leases net-dumpxml net-edit net-event net-info net-list net-name net-port-create
    net-port-delete net-port-dumpxml net-port-list net-start net-undefine net-update net-uuid
    node-memory-tune nodecpumap nodecpustats nodedev-autostart nodedev-create nodedev-define
    nodedev-destroy nodedev-detach nodedev-dumpxml nodedev-event nodedev-info nodedev-list
    nodedev-reattach nodedev-reset nodedev-start nodedev-undefine nodeinfo nodememstats
    nodesevinfo nwfilter-binding-create nwfilter-binding-delete nwfilter-binding-dumpxml
    nwfilter-binding-list nwfilter-define nwfilter-dumpxml nwfilter-edit nwfilter-list
    nwfilter-undefine pool-autostart pool-build pool-capabilities pool-create pool-create-as
    pool-define pool-define-as pool-delete pool-destroy pool-dumpxml pool-edit pool-event
    pool-info pool-list pool-name pool-refresh pool-start pool-undefine pool-uuid pwd
    qemu-monitor-event quit save-image-dumpxml screenshot secret-define secret-dumpxml
    secret-event secret-get-value secret-list secret-set-value secret-undefine snapshot-current
    snapshot-dumpxml snapshot-info snapshot-list snapshot-parent sysinfo ttyconsole uri vcpucount
    vcpuinfo version vncdisplay vol-clone vol-create vol-create-as vol-create-from vol-download
    vol-dumpxml vol-info vol-key vol-list vol-name vol-path vol-pool
"""
"""Those that change nothing, or the host's networks and pools and never a domU."""


def _like(command: str, names: str) -> list[Command]:
    """Those that are treated as a command of xl's is, and for its reason."""
    row = BY_HAND[command]
    return [
        Command(name, policy=row.policy, why=row.why, instead=row.instead) for name in names.split()
    ]


VIRSH = {
    row.name: row
    for row in (
        *_like("list", _READS),
        *_like("create", "create start restore resume managedsave-remove"),
        *_like("shutdown", "shutdown dompmsuspend"),
        *_like("reset", "inject-nmi send-process-signal send-key"),
        *_like("reboot", "reboot reset dompmwakeup"),
        *_like("destroy", "destroy"),
        *_like(
            "migrate",
            "migrate migrate-setmaxdowntime migrate-setspeed migrate-postcopy domjobabort",
        ),
        *_like("pause", "suspend"),
        *_like("save", "save managedsave dump snapshot-create snapshot-create-as snapshot-revert"),
        *_like("rename", "domrename"),
        Command(
            "autostart",
            policy=REFUSED,
            why="libvirt would start it at boot, beside the cluster",
            instead="leave its start to the cluster",
        ),
        *_like(
            "new",
            "define edit undefine save-image-define save-image-edit managedsave-define "
            "managedsave-edit",
        ),
        *_like(
            "block-attach",
            "attach-device attach-disk attach-interface detach-device detach-device-alias "
            "detach-disk detach-interface update-device change-media blockcommit blockcopy "
            "blockpull blockresize domif-setlink update-memory-device "
            "qemu-monitor-command qemu-agent-command",
        ),
        *_like(
            "mem-set",
            "setmem setmaxmem setvcpus setvcpu vcpupin emulatorpin iothreadpin schedinfo memtune "
            "blkiotune blkdeviotune numatune domiftune set-user-password "
            "set-lifecycle-action",
        ),
    )
}
