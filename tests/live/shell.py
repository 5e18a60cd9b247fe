"""A shell on a node of a real cluster, for people: `make lab`. Everything is gone at its end."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import tty
from contextlib import suppress

from lab import Inside, Lab, missing

WELCOME = """
You are root on {host}, one of {count} nodes that run corosync, Pacemaker and ocf:heartbeat:Xen in
namespaces of this machine. The domUs are stand-ins; everything else is real. Try:

    hxm list                    hxm status                  crm_mon -1
    hxm migrate nfs host2       hxm standby host1           hxm active host1
    hxm destroy sles            hxm start sles              hxm list --everywhere
    hxm migrate nfs host3 --dry-run
    xl list                     ssh host2 xl list           hxm pause nfs
    lab off host2               lab fail migrate            lab help

`exit` ends the lab; nothing of it remains.
"""


def main() -> int:
    if why := missing():
        print(f"there can be no lab here: {why}", file=sys.stderr)
        return 1
    print("booting three nodes ...", flush=True)
    lab = Lab(3)
    try:
        lab.boot()
        host = lab.hosts[0]
        print(WELCOME.format(host=host, count=len(lab.hosts)), flush=True)
        rc = lab.folder / "bashrc"
        rc.write_text("PS1='\\h:\\w# '\ncd\n")
        argv = ("bash", "--noprofile", "--rcfile", str(rc))
        home = lab.folder / "nodes" / host
        if sys.stdin.isatty():
            return _on_a_terminal(home, argv)
        return Inside(home, argv, {}, (0, 1, 2)).wait(3600).status
    finally:
        lab.close()


def _on_a_terminal(home, argv) -> int:
    """The shell has a terminal of its own: it is the leader of another session."""
    ours, theirs = pty.openpty()
    size = fcntl.ioctl(0, termios.TIOCGWINSZ, b"\0" * 8)
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
    before = termios.tcgetattr(0)
    shell = Inside(home, argv, {}, (theirs, theirs, theirs), terminal=True)
    os.close(theirs)
    tty.setraw(0)
    try:
        while True:
            ready = select.select([0, ours, shell.door], [], [])[0]
            if 0 in ready:
                os.write(ours, os.read(0, 4096))
            if ours in ready:
                with suppress(OSError):
                    os.write(1, os.read(ours, 4096))
            elif shell.door in ready:
                return struct.unpack("!i", shell.door.recv(4))[0]
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


if __name__ == "__main__":
    sys.exit(main())
