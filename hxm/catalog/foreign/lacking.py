"""The verbs of other tools that hxm does not have, and what to do instead.

With `equivalents` these are most verbs of these tools that concern virtual machines, nodes or
the cluster (crmsh 4.4, pcs 0.11, virsh 9, kubectl 1.30, patronictl 3, Proxmox VE 8, Ganeti 3, xe).
"""

from __future__ import annotations

from hxm.catalog.foreign.meaning import Meaning

TRANSLATIONS = "hxm-from-crm(7) translates the commands of crm, pcs and others"


def _beyond(note: str, *lines: str) -> Meaning:
    """`lines` are a tool, perhaps more words, a colon, and verbs."""
    elsewhere: list[tuple[str, str]] = []
    for line in lines:
        before, _, verbs = line.partition(":")
        tool, _, words = before.partition(" ")
        elsewhere += ((tool, f"{words} {verb}".strip()) for verb in verbs.split())
    return Meaning("", "", tuple(elsewhere), note)


BEYOND = (
    _beyond(
        "the cluster itself starts the domUs that it manages: hxm enrol FILE hands it one",
        "virsh: autostart",
    ),
    _beyond(
        "it is the cluster's configuration that hxm restore takes, never a domU's state",
        "virsh: restore",
    ),
    _beyond(
        "a live migration cannot be broken off; how far it is: hxm watch",
        "virsh: domjobinfo domjobabort migrate-setmaxdowntime migrate-setspeed migrate-getspeed "
        "migrate-postcopy migrate-compcache",
    ),
    _beyond(
        "a migration stays within one cluster; to another: hxm shutdown DOMAIN, "
        "hxm withdraw DOMAIN, and there hxm enrol FILE",
        "qm: remote-migrate",
    ),
    _beyond(
        "an order of hxm's is no job: hxm history tells of each, hxm undo takes the last one back",
        "gnt-job: info watch wait cancel archive autoarchive change-priority",
    ),
    _beyond(
        "disks are left to the storage's own tools, for example lvcreate --snapshot",
        "virsh: snapshot-create snapshot-create-as snapshot-list snapshot-revert snapshot-delete "
        "snapshot-current snapshot-info checkpoint-create backup-begin blockcopy blockcommit "
        "blockpull blockresize blockjob domblkstat domblkinfo vol-list pool-list pool-start",
        "qm: snapshot listsnapshot delsnapshot rollback disk resize rescan move-disk importdisk "
        "template clone unlink",
        "gnt-instance: activate-disks deactivate-disks grow-disk recreate-disks replace-disks "
        "snapshot",
        "gnt-backup: export import list remove",
        "gnt-node: volumes list-storage modify-storage repair-storage",
        "xe: vm-snapshot vm-clone vm-copy vm-export vm-import snapshot-list snapshot-revert "
        "vdi-list sr-list vm-disk-add vm-cd-eject vm-cd-insert",
        "kubectl: cp",
    ),
    _beyond(
        "edit the domU's configuration file, then: hxm reboot DOMAIN",
        "virsh: edit desc attach-device attach-disk attach-interface detach-device detach-disk "
        "detach-interface update-device change-media iface-list vcpupin emulatorpin memtune "
        "blkiotune schedinfo cpu-stats metadata",
        "qm: set cloudinit pending",
        "gnt-instance: modify reinstall",
        "xe: vm-param-set vm-param-get vm-param-list vm-memory-limits-set vm-vif-list vm-install",
        "kubectl: annotate label scale autoscale",
    ),
    _beyond(
        "the cluster's configuration: crm configure, pcs or cibadmin; what changed: hxm diff",
        "crm: configure cib corosync options template site ra script resource node cluster alert",
        "crm configure: show edit group clone ms rename property rsc_defaults op_defaults location "
        "colocation order tag acl_target role fencing_topology modgroup upgrade commit rsctest",
        "crm resource: meta param secret trace untrace promote demote utilization operations",
        "crm node: attribute status-attr server delete",
        "pcs: config property alert tag acl stonith quorum cluster booth dr qdevice",
        "pcs resource: meta update create-bundle bundle clone unclone group ungroup op defaults "
        "utilization promotable agents providers standards describe config debug-start "
        "debug-monitor move-with-constraint",
        "pcs resource relocate: clear",
        "crm configure load: update",
        "pcs node: attribute add-guest remove-guest add-remote remove-remote",
        "pcs cluster: node edit cib-upgrade config sync uidgid link",
        "pcs stonith: list describe create update delete enable disable level sbd config",
        "pcs constraint: location colocation order ticket delete remove config ref",
        "patronictl: edit-config show-config configure dsn query",
        "kubectl: edit patch replace set config taint",
        "ha-manager: config groups groupadd groupconfig groupremove groupset",
        "gnt-cluster: modify info",
        "gnt-node: modify",
    ),
    _beyond(
        "fencing is the cluster's: hxm status says whom it waits for, and what confirms it",
        "crm node: fence clearstate",
        "pcs stonith: fence confirm cleanup",
        "gnt-node: powercycle power",
        "xe: host-power-on",
    ),
    _beyond(
        "Pacemaker is started on the host itself: systemctl start pacemaker; a host that is to go "
        "down: hxm standby NODE first",
        "crm cluster: start stop restart enable disable init join remove add rename run "
        "wait_for_startup copy geo_init geo_join",
        "pcs cluster: start stop enable disable setup destroy kill auth reload",
        "pcs: host client",
        "gnt-node: add remove",
        "gnt-cluster: init destroy master-failover redist-conf",
        "xe: pool-join pool-eject host-shutdown host-reboot pool-ha-enable pool-ha-disable",
        "patronictl: reinit reload flush",
    ),
    _beyond(
        "log in to the guest, or: hxm console DOMAIN",
        "virsh: send-key sendkey screenshot qemu-monitor-command qemu-agent-command domifaddr "
        "domdisplay set-user-password dompmsuspend dompmwakeup",
        "qm: guest agent sendkey monitor showcmd wait",
        "kubectl: port-forward proxy debug",
    ),
)
