"""The words of other tools that mean a command of the toolstack, which hxm passes on or refuses."""

from __future__ import annotations

from hxm.catalog.foreign.meaning import row

FOR_XL = (
    row("pause DOMAIN", "", "virsh suspend DOMAIN", "qm suspend DOMAIN", "xe vm-pause vm=DOMAIN"),
    row("unpause DOMAIN", "", "virsh resume DOMAIN", "qm resume DOMAIN", "xe vm-unpause vm=DOMAIN"),
    row(
        "save DOMAIN FILE",
        "",
        "virsh save DOMAIN FILE",
        "virsh managedsave DOMAIN",
        "xe vm-suspend vm=DOMAIN",
    ),
    row("rename DOMAIN NEW", "", "virsh domrename DOMAIN NEW", "gnt-instance rename DOMAIN NEW"),
    row("trigger DOMAIN reset", "", "virsh reset DOMAIN", "qm reset DOMAIN"),
    row("dump-core DOMAIN FILE", "", "virsh dump DOMAIN FILE"),
    row("domid DOMAIN", "", "virsh domid DOMAIN"),
    row("domname ID", "", "virsh domname ID"),
    row("block-list DOMAIN", "", "virsh domblklist DOMAIN"),
    row("network-list DOMAIN", "", "virsh domiflist DOMAIN"),
    row("vcpu-list DOMAIN", "", "virsh vcpuinfo DOMAIN", "virsh vcpucount DOMAIN"),
    row("vncviewer DOMAIN", "", "virsh vncdisplay DOMAIN", "qm vncproxy DOMAIN"),
    row("info", "", "virsh nodeinfo", "virsh capabilities"),
    row("top", "", "virsh domstats", "kubectl top pod", "kubectl top pods"),
    row("create FILE", "", "virsh create FILE"),
    row("vcpu-set DOMAIN N", "", "virsh setvcpus DOMAIN N"),
    row(
        "mem-set DOMAIN MEMORY",
        "",
        "virsh setmem DOMAIN MEMORY",
        note="in MiB; virsh's is in KiB",
    ),
    row("mem-max DOMAIN MEMORY", "", "virsh setmaxmem DOMAIN MEMORY", note="in MiB"),
)
