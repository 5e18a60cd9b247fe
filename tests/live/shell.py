"""A shell on a node of a real cluster, for people: `make lab`. Everything is gone at its end."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shlex
import signal
import struct
import sys
import termios
import tty
from contextlib import suppress
from pathlib import Path

from lab import Inside, Lab, missing

WELCOME = """
You are root on {host}, one of {count} nodes that run corosync, Pacemaker and
ocf:heartbeat:Xen in namespaces of this machine. The domUs are stand-ins;
everything else is real. Begin with `hxm list`, then try:

    hxm                   hxm watch             hxm console nfs
    hxm status            hxm migrate nfs {other} --dry-run   crm_mon -1
    hxm standby host2     hxm active host2      hxm list --everywhere
    hxm destroy sles      hxm start sles        hxm pause nfs
    xl list               ssh host2 xl list     ssh host3 hxm unmanage nfs
    lab off host2         lab fail migrate      lab help

For a second terminal:
    {again}
`exit` ends the lab; nothing of it remains.
"""


def main() -> int:
    if len(sys.argv) == 3:
        return _enter(Path(sys.argv[1]), sys.argv[2])
    if why := missing():
        print(f"there can be no lab here: {why}", file=sys.stderr)
        return 1
    print("booting three nodes ...", flush=True)
    lab = Lab(3)
    try:
        lab.boot()
        host = lab.hosts[0]
        other = lab.other(lab.where("nfs"))
        again = shlex.join([sys.executable, sys.argv[0], str(lab.folder), "host2"])
        said = WELCOME.format(host=host, count=len(lab.hosts), other=other, again=again)
        print(said, flush=True)
        rc = lab.folder / "bashrc"
        rc.write_text("PS1='\\h:\\w# '\ncd\n")
        return _enter(lab.folder, host)
    finally:
        lab.close()


def _enter(folder: Path, host: str) -> int:
    home = folder / "nodes" / host
    argv = ("bash", "--noprofile", "--rcfile", str(folder / "bashrc"))
    if sys.stdin.isatty():
        return _on_a_terminal(home, argv)
    return Inside(home, argv, {}, (0, 1, 2)).wait(3600).status


def _on_a_terminal(home, argv) -> int:
    """The shell has a terminal of its own: it is the leader of another session."""
    ours, theirs = pty.openpty()

    def resize(*_: object) -> None:
        fcntl.ioctl(ours, termios.TIOCSWINSZ, fcntl.ioctl(0, termios.TIOCGWINSZ, b"\0" * 8))

    resize()
    signal.signal(signal.SIGWINCH, resize)
    before = termios.tcgetattr(0)
    shell = Inside(home, argv, {}, (theirs, theirs, theirs), terminal=True)
    os.close(theirs)
    tty.setraw(0)
    try:
        while True:
            ready = select.select([0, ours, shell.door.fileno()], [], [])[0]
            if 0 in ready:
                os.write(ours, os.read(0, 4096))
            if ours in ready and (shown := _read(ours)):
                os.write(1, shown)
            elif shell.door.fileno() in ready:
                answer = shell.door.recv(4)
                return struct.unpack("!i", answer)[0] if len(answer) == 4 else 1
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def _read(terminal: int) -> bytes:
    """What the shell has to show; nothing, with an error from the kernel, when it has gone."""
    with suppress(OSError):
        return os.read(terminal, 4096)
    return b""


if __name__ == "__main__":
    sys.exit(main())
