"""A shell on a real Xen host, for people: `make xen`. Everything is gone at its end."""

from __future__ import annotations

import shlex
import subprocess
import sys

from hosts import booted

WELCOME = """
You are root on host1. host1 and host2 are emulated machines with Xen {version},
corosync, Pacemaker, ocf:heartbeat:Xen, a shared disk, and fencing that cuts their
power. Everything takes some twenty times as long as on hardware. Begin with
`hxm list`, then try:

    hxm migrate nfs host2      hxm console nfs         xl list
    hxm standby host1          hxm active host1        crm_mon -1
    hxm guard install          xl migrate nfs host2    ssh host2 xl list
    hxm enrol /etc/xen/vm3.cfg                         xl create /etc/xen/vm4.cfg
    stonith_admin --reboot host2

nfs and vm3 are PVH guests, sles and vm4 are PV, which this Xen cannot migrate live.
The guard is a matter of each host: install it on both.
For a second terminal, on host2 or host1:

    {folder}/login-host2
    {folder}/login-host1

`exit` ends both hosts, and so does the loss of host1; nothing of them remains.
"""


def main() -> int:
    with booted() as lab:
        host = lab["host1"]
        version = host.ok("xl info xen_version").strip()
        for name in lab.hosts:
            login = lab.folder / f"login-{name}"
            login.write_text(f'#!/bin/sh\nexec {shlex.join(lab[name].ssh_argv("-t"))} "$@"\n')
            login.chmod(0o700)
        print(WELCOME.format(version=version, folder=lab.folder), flush=True)
        terminal = ("-t",) if sys.stdin.isatty() else ()
        subprocess.run(host.ssh_argv(*terminal), check=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
