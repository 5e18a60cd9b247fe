"""What hxm thinks of each of virsh's commands, for domUs that libvirt's Xen driver runs.

virsh knows no prefixes: a command is its whole name. One that is not here is refused for a managed
domU, and passed for every other. The names are those of virsh(1) of libvirt 9.0.
"""

from __future__ import annotations

from hxm.catalog.command import READS, REFUSED, RUNTIME, Command

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


def _rows(policy: str, names: str, why: str = "", instead: str = "") -> list[Command]:
    return [Command(name, policy=policy, why=why, instead=instead) for name in names.split()]


VIRSH = {
    row.name: row
    for row in (
        *_rows(READS, _READS),
        *_rows(
            REFUSED,
            "create start restore resume managedsave-remove",
            "the cluster alone starts this domU, and any other start may be that of a second "
            "instance",
            "hxm start {domain}",
        ),
        *_rows(
            REFUSED,
            "shutdown dompmsuspend inject-nmi send-process-signal send-key",
            "the monitor would take it for a failure and start it again",
            "hxm shutdown {domain}",
        ),
        *_rows(
            REFUSED,
            "reboot reset dompmwakeup",
            "a monitor that finds the domU gone meanwhile starts it a second time",
            "hxm reboot {domain}",
        ),
        *_rows(
            REFUSED,
            "destroy",
            "the monitor would find the domU gone and start it again",
            "hxm destroy {domain}",
        ),
        *_rows(
            REFUSED,
            "migrate migrate-setmaxdowntime migrate-setspeed migrate-postcopy domjobabort",
            "the monitor would find it gone here and start it again, and it would run on both "
            "hosts",
            "hxm migrate {domain} NODE",
        ),
        *_rows(
            REFUSED,
            "suspend",
            "the agent reports a paused domU as running, so nothing would notice that it hangs",
            "hxm shutdown {domain}",
        ),
        *_rows(
            REFUSED,
            "save managedsave dump snapshot-create snapshot-create-as snapshot-revert",
            "the monitor would find the domU gone and start a second copy",
            "hxm unmanage {domain}, then repeat this",
        ),
        *_rows(
            REFUSED,
            "domrename",
            "the agent finds the domU by its name and would start it a second time",
            "change the name in {xmfile} and in the CIB while it is stopped",
        ),
        *_rows(
            REFUSED,
            "autostart",
            "libvirt would start it at boot, beside the cluster",
            "leave its start to the cluster",
        ),
        *_rows(
            REFUSED,
            "define edit undefine save-image-define save-image-edit managedsave-define "
            "managedsave-edit",
            "libvirt's own copy of the configuration competes with the agent's file",
            "edit {xmfile}: the cluster starts the domU from it",
        ),
        *_rows(
            REFUSED,
            "attach-device attach-disk attach-interface detach-device detach-device-alias "
            "detach-disk detach-interface update-device change-media blockcommit blockcopy "
            "blockpull blockresize domif-setlink update-memory-device "
            "qemu-monitor-command qemu-agent-command",
            "a device that is not in its configuration file breaks live migration and is lost at "
            "failover",
            "edit {xmfile}, then `hxm reboot {domain}`",
        ),
        *_rows(
            RUNTIME,
            "setmem setmaxmem setvcpus setvcpu vcpupin emulatorpin iothreadpin schedinfo memtune "
            "blkiotune blkdeviotune numatune domiftune set-user-password "
            "set-lifecycle-action",
            "the change is lost when the domU next starts or fails over",
            "edit {xmfile} as well to make it permanent",
        ),
    )
}
