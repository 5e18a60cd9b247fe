"""Nodes behind real sshds on the loopback: their tools act on a sandbox, and its scheduler runs."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import forked
from conftest import Ran
from test_live_path import Live

SSHD = "/usr/sbin/sshd"
_CLIENT = """\
Host {name}
    HostName 127.0.0.1
    Port {port}
    IdentityFile {folder}/key
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known_hosts
    HostKeyAlias {name}
"""
_SERVER = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
PidFile {folder}/{name}.pid
UsePAM no
StrictModes no
PasswordAuthentication no
LogLevel QUIET
SetEnv HXM_REAL={folder}/{name}.bin TMPDIR={there} HOME={there} PATH={folder}/{name}.public:{usual}
"""


XL = r"""
case "$1" in
list) [ "$2" = -l ] && { echo "[]"; exit; }
    printf 'Name                                        ID   Mem VCPUs\tState\tTime(s)\n'
    printf 'Domain-0                                     0   768     1     r-----     263.4\n'
    ;;
console) for name; do :; done; echo "login of $name"; exec cat;;
*) echo "xl $*";;
esac"""
"""A toolstack that lists dom0 alone."""


def missing() -> str:
    """Why there can be no sshd here, or nothing."""
    if os.getuid() != 0 or not os.path.exists(SSHD) or not shutil.which("ssh"):
        return "a real sshd takes openssh-server, and root"
    return ""


class Far:
    """Two nodes, and a workstation from which they are reached."""

    def __init__(self, sandbox, program: str = "", live: Live | None = None) -> None:
        self.sandbox, self.live = sandbox, live
        self.program_text = program
        """What Python is to run instead of hxm."""
        self.folder = folder = sandbox.folder / "far"
        self.there = folder / "there"
        self.there.mkdir(parents=True)
        for name in ("key", "host_key"):
            argv = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
            subprocess.run(argv, check=True)
        os.makedirs("/run/sshd", exist_ok=True)
        host_key = (folder / "host_key.pub").read_text()
        known, client = "", ""
        self.sshds: dict[str, subprocess.Popen[bytes]] = {}
        self.ports: dict[str, int] = {}
        for name in ("host1", "host2"):
            port = self.ports[name] = free_port()
            known += f"{name} {host_key}"
            client += _CLIENT.format(name=name, port=port, folder=folder)
            (folder / name).write_text(
                _SERVER.format(
                    name=name,
                    port=port,
                    folder=folder,
                    there=self.there,
                    usual="/usr/bin:/bin",
                )
            )
            self._tools(name)
            self.start(name)
        (folder / "known_hosts").write_text(known)
        (folder / "client").write_text(client)
        here = folder / "here"
        here.mkdir()
        script = here / "ssh"
        script.write_text(
            f'#!/bin/sh\necho >>{folder}/calls\nexec /usr/bin/ssh -F {folder}/client "$@"\n'
        )
        script.chmod(0o755)
        home = pwd.getpwuid(os.getuid()).pw_dir
        self.sockets = tempfile.mkdtemp(prefix="hxm-far-", dir="/tmp")  # they need short paths
        self.env = {
            "PATH": f"{here}:/usr/bin:/bin",
            "HOME": home,
            "HXM_REAL": str(here),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "HXM_CONFIG": str(folder / "hxm.toml"),
            "XDG_RUNTIME_DIR": self.sockets,
            "XDG_STATE_HOME": str(folder / "state"),
            "TMPDIR": str(folder / "here"),
            "HXM_ON": "lab",
        }
        (folder / "hxm.toml").write_text(
            'poll = 0.1\nssh_timeout = 3\n[clusters.lab]\nnodes = ["host1", "host2"]\n'
        )

    def _tools(self, name: str) -> None:
        there = self.folder / f"{name}.bin"
        there.mkdir()
        (self.folder / f"{name}.public").mkdir()
        for source in self.sandbox.bin.iterdir():
            shutil.copy(source, there / source.name)
        self.program(name, "uname", f"echo {name}")
        self.program(name, "crm_node", f"echo {name}")

    def program(self, node: str, name: str, script: str, folder: str = "bin") -> None:
        """A stand-in for a program of a node; in its folder `public` a guard can stand."""
        path = self.folder / f"{node}.{folder}" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def start(self, name: str) -> None:
        """Switch the node's sshd on."""
        argv = (SSHD, "-D", "-e", "-f", str(self.folder / name))
        with open(self.folder / f"{name}.log", "wb") as log:
            self.sshds[name] = subprocess.Popen(argv, start_new_session=True, stderr=log)
        for _ in range(200):
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", self.ports[name])) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError((self.folder / f"{name}.log").read_text())

    def kill(self, name: str) -> None:
        """Cut the node off: its sshd, and every connection to it."""
        listener = self.sshds[name].pid
        os.kill(listener, signal.SIGSTOP)  # it would accept another one meanwhile
        for pid in [listener, *children_of(listener)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.sshds[name].wait()

    def end(self) -> None:
        for name, sshd in self.sshds.items():
            if sshd.poll() is None:
                self.kill(name)
        shutil.rmtree(self.sockets, ignore_errors=True)  # ssh removes its own meanwhile

    def hxm(self, *words: str, **env: str) -> Ran:
        seconds = int(os.environ.get("FAR_TIMEOUT", "100"))
        if not self.program_text:
            return Ran(forked.run(words, self.env | env, timeout=seconds))
        argv = [sys.executable, "-c", self.program_text, *words]
        done = subprocess.run(
            argv,
            capture_output=True,
            env=self.env | env,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=seconds,
        )
        return Ran(done)

    def ok(self, *words: str, **env: str) -> Ran:
        ran = self.hxm(*words, **env)
        assert ran.status == 0, ran
        return ran

    def calls(self) -> list[str]:
        """The command lines of ssh since the last time."""
        path = self.folder / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    def left(self) -> list[Path]:
        """What hxm left on the nodes."""
        return [*self.there.iterdir()]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def children_of(pid: int) -> list[int]:
    """All that the process started, and so on."""
    found = subprocess.run(
        ("ps", "-e", "-o", "pid=,ppid="), capture_output=True, text=True, check=True
    ).stdout
    pairs = [tuple(map(int, line.split())) for line in found.splitlines()]
    known = {pid}
    for _ in range(8):
        known |= {child for child, parent in pairs if parent in known}
    return [*(known - {pid})]
