"""Nodes in namespaces: the launcher, the lab's init, which is its power switch, and each node's.

    launcher.py FOLDER PARENT HOST...

The launcher stays in the foreground. When it ends, or its parent does, everything is gone: the
lab's init is PID 1 of a PID namespace and dies with the launcher, and the kernel kills the rest.
Runs on the system's Python alone, as root or as an ordinary user with user namespaces.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from contextlib import suppress

NEWNS, NEWUTS, NEWIPC = 0x20000, 0x4000000, 0x8000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_BIND, MS_REC, MS_PRIVATE = 1, 4096, 16384, 1 << 18
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
WAY_IN, MIGRATIONS = 2222, 8002
"""TCP ports of a node: the stand-in ssh's, and the one that xl receives domUs on."""

libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *values: object) -> None:
    if getattr(libc, name)(*values) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}{values}: {os.strerror(error)}")


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    _call("mount", source.encode(), target.encode(), kind.encode(), flags, data.encode())


def die_with_parent(parent: int | None = None, with_signal: int = signal.SIGKILL) -> None:
    """Also if it has died before; `parent` is a pidfd, needless where its end ends all."""
    _call("prctl", 1, with_signal, 0, 0, 0)
    if parent is not None and select.select([parent], [], [], 0)[0]:
        os._exit(1)


def ip(*words: str, check: bool = True) -> None:
    subprocess.run(("ip", *words), check=check, stderr=None if check else subprocess.DEVNULL)


# The launcher


def main() -> None:
    folder, parent, *hosts = sys.argv[1:]
    held = os.open(folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)  # tells a living lab's folder from a dead one's
    die_with_parent(os.pidfd_open(int(parent)), signal.SIGTERM)
    user, group = os.getuid(), os.getgid()
    if user != 0:
        _call("unshare", NEWUSER)
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"0 {user} 1"),
            ("gid_map", f"0 {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    _call("unshare", NEWNS | NEWPID | NEWNET | NEWUTS | NEWIPC)
    launcher = os.pidfd_open(os.getpid())
    init = os.fork()
    if not init:
        die_with_parent(launcher)
        Switch(folder, hosts, rootless=user != 0).run()
        os._exit(0)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(init, signal.SIGKILL))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.waitpid(init, 0)
    remove(folder)


def remove(folder: str) -> None:
    """Overlay's work folders have no mode at all for an ordinary user."""
    for root, folders, _ in os.walk(folder):
        for name in folders:
            path = os.path.join(root, name)
            if not os.path.islink(path):
                with suppress(OSError):
                    os.chmod(path, 0o700)
    shutil.rmtree(folder, ignore_errors=True)


# The lab's init: power and cables


class Switch:
    """PID 1 of the lab: switches nodes on and off, plugs cables, and is asked over a socket."""

    def __init__(self, folder: str, hosts: list[str], *, rootless: bool) -> None:
        self.folder = folder
        self.hosts = hosts
        self.rootless = rootless
        self.running: dict[str, tuple[int, int]] = {}
        self.cables: dict[str, str] = {}
        self.boots = 0

    def run(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        mount("", "/", "", MS_REC | MS_PRIVATE)
        mount("proc", "/proc", "proc")
        no_sysrq()
        ip("link", "set", "lo", "up")
        ip("link", "add", "br0", "type", "bridge")
        ip("addr", "add", "10.99.0.254/24", "dev", "br0")
        ip("link", "set", "br0", "up")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(f"{self.folder}/switch")
        os.chmod(f"{self.folder}/switch", 0o666)
        listener.listen(50)
        for host in self.hosts:
            self.on(host)
        while True:
            if select.select([listener], [], [], 0.2)[0]:
                self._serve(listener.accept()[0])
            self._notice_the_dead()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            client.settimeout(2)
            verb, _, host = client.recv(200).decode().strip().partition(" ")
            answer = f"{verb} which node? There are: {' '.join(self.hosts)}"
            if host in self.hosts and verb in ("cut", "join") and host not in self.running:
                answer = f"{host} is off: lab on {host}"
            elif host in self.hosts and verb in ("on", "off", "cut", "join", "state"):
                try:
                    answer = getattr(self, verb)(host) or "ok"
                except (OSError, subprocess.SubprocessError) as error:
                    answer = f"failed: {error}"
            client.sendall(answer.encode() + b"\n")

    def _notice_the_dead(self) -> None:
        for host, (outer, _) in list(self.running.items()):
            if os.waitpid(outer, os.WNOHANG)[0]:
                del self.running[host]

    def state(self, host: str) -> str:
        return "on" if host in self.running else "off"

    def off(self, host: str) -> None:
        """Returns when every process of the node is gone: the kernel sees to it."""
        if host in self.running:
            outer, inner = self.running.pop(host)
            os.kill(inner, signal.SIGKILL)
            os.waitpid(outer, 0)
            ip("link", "del", self.cables[host], check=False)

    def cut(self, host: str) -> None:
        ip("link", "set", self.cables[host], "nomaster")

    def join(self, host: str) -> None:
        ip("link", "set", self.cables[host], "master", "br0")

    def on(self, host: str) -> None:
        if host in self.running:
            return
        self.boots += 1
        told, tell = os.pipe()
        go_read, go_write = os.pipe()
        outer = os.fork()
        if not outer:
            die_with_parent()
            for each in set(map(int, os.listdir("/proc/self/fd"))) - {0, 1, 2, tell, go_read}:
                with suppress(OSError):
                    os.close(each)
            _call("unshare", NEWNS | NEWPID | NEWNET | NEWUTS | NEWIPC)
            inner = os.fork()
            if not inner:
                die_with_parent()
                os.read(go_read, 1)
                run_node(self.folder, host, self.hosts.index(host) + 1, rootless=self.rootless)
            os.write(tell, struct.pack("i", inner))
            os.waitpid(inner, 0)
            os._exit(0)
        os.close(tell)
        os.close(go_read)
        inner = struct.unpack("i", os.read(told, 4))[0]
        cable = f"v{self.hosts.index(host) + 1}x{self.boots}"
        ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", str(outer))
        ip("link", "set", cable, "master", "br0", "up")
        os.write(go_write, b"g")
        os.close(told)
        os.close(go_write)
        self.running[host], self.cables[host] = (outer, inner), cable


def no_sysrq() -> None:
    """Pacemaker's panic writes to it, which would reboot the machine."""
    if os.path.exists("/proc/sysrq-trigger"):
        mount("/dev/null", "/proc/sysrq-trigger", "", MS_BIND)


# A node's init


def run_node(folder: str, host: str, number: int, *, rootless: bool) -> None:
    """PID 1 of a node: never returns."""
    try:
        Node(folder, host, number).run(rootless=rootless)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is written down
        with open(f"{folder}/nodes/{host}/log/init", "a") as file:
            file.write(f"{type(error).__name__}: {error}\n")
    finally:
        os._exit(1)


class Node:
    """Mounts, network, services, and the ways in."""

    def __init__(self, folder: str, host: str, number: int) -> None:
        self.folder = folder
        self.home = f"{folder}/nodes/{host}"
        self.host = host
        self.number = number
        self.env = {
            "PATH": PATH,
            "HOME": f"{self.home}/root",
            "TMPDIR": f"{self.home}/tmp",
            "LANG": "C.UTF-8",
            "TERM": os.environ.get("TERM", "dumb"),
            "LAB": folder,
            "USER": "root",
            "HXM_REAL": "/run/hxm/real",  # what /usr/lib/hxm/real would be: a node's own
        }

    def run(self, *, rootless: bool) -> None:
        socket.sethostname(self.host)
        self._mount(rootless=rootless)
        ip("link", "set", "lo", "up")
        ip("addr", "add", f"10.99.0.{self.number}/24", "dev", "eth0")
        ip("link", "set", "eth0", "up")
        listeners = {self._local(): self._enter, self._tcp(WAY_IN): self._log_in}
        listeners[self._tcp(MIGRATIONS)] = self._receive
        self._start("corosync", "-f")
        waiting = True
        while True:
            if waiting and self._quorum_can_be_asked():
                # earlier, pacemakerd would sleep for a second
                self._start("pacemakerd")
                waiting = False
            for ready in select.select(listeners, [], [], 0.02 if waiting else 0.5)[0]:
                client = ready.accept()[0]
                if not os.fork():
                    try:
                        listeners[ready](client)
                    except (OSError, ValueError, KeyError) as error:
                        print(f"{self.host}: {error}", file=sys.stderr)
                    finally:
                        os._exit(0)
                client.close()
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass

    def _mount(self, *, rootless: bool) -> None:
        mount("", "/", "", MS_REC | MS_PRIVATE)
        mount("proc", "/proc", "proc")
        no_sysrq()
        mount("sysfs", "/sys", "sysfs", MS_RDONLY)
        mount("tmpfs", "/run", "tmpfs", 0, "mode=755")
        mount("tmpfs", "/dev/shm", "tmpfs")
        xattr = ",userxattr" if rootless else ""
        upper, work = f"{self.home}/etc", f"{self.home}/work"
        layers = f"lowerdir=/etc,upperdir={upper},workdir={work}{xattr}"
        mount("overlay", "/etc", "overlay", 0, layers)
        layers = f"upperdir={self.home}/sbin,workdir={self.home}/sbin-work{xattr}"
        lower = f"lowerdir={self.folder}/sbin:/usr/sbin,{layers}"
        mount("overlay", "/usr/sbin", "overlay", 0, lower)
        for name, target in (
            ("pacemaker", "/var/lib/pacemaker"),
            ("corosync", "/var/lib/corosync"),
            ("log", "/var/log"),
        ):
            mount(f"{self.home}/{name}", target, "", MS_BIND)
        mount(f"{self.folder}/shared/xen", "/etc/xen", "", MS_BIND)
        for name in ("/run/crm", "/run/xl", "/run/resource-agents", "/run/lock", "/run/sshd"):
            os.makedirs(name)
        os.chmod("/run/sshd", 0o755)
        if not rootless:
            shutil.chown("/run/crm", "hacluster", "haclient")

    def _start(self, *argv: str) -> None:
        with open(f"/var/log/{argv[0]}.out", "a") as file:
            subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env=self.env,
                start_new_session=True,
                cwd="/",
            )

    @staticmethod
    def _quorum_can_be_asked() -> bool:
        with open("/proc/net/unix") as file:
            return "@quorum" in file.read()

    def _local(self) -> socket.socket:
        """The way in for the tests, which no network can cut."""
        path = f"{self.home}/in"
        with suppress(FileNotFoundError):
            os.unlink(path)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(100)
        return listener

    def _tcp(self, port: int) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((f"10.99.0.{self.number}", port))
        listener.listen(50)
        return listener

    def _enter(self, client: socket.socket) -> None:
        """Run what the client sends, on the descriptors that it sends; killed if it goes."""
        message, descriptors, _, _ = socket.recv_fds(client, 1 << 16, 3)
        order = json.loads(message)
        child = os.fork()
        if not child:
            os.setsid()
            for number, descriptor in enumerate(descriptors):
                os.dup2(descriptor, number)
            if order.get("terminal"):
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            os.closerange(3, 100)
            os.chdir(order.get("cwd", "/"))
            argv = order["argv"]
            with suppress(OSError):
                os.execvpe(argv[0], argv, self.env | order.get("env", {}))
            os._exit(127)
        for descriptor in descriptors:
            os.close(descriptor)
        client.sendall(struct.pack("!i", self._outcome(child, client)))

    def _log_in(self, client: socket.socket) -> None:
        """A command line from a stand-in ssh, over the network."""
        (size,) = struct.unpack("!I", client.recv(4, socket.MSG_WAITALL))
        command = client.recv(size, socket.MSG_WAITALL).decode()
        out, err = (os.open(f"/run/{os.getpid()}.{each}", os.O_CREAT | os.O_RDWR) for each in "oe")
        child = os.fork()
        if not child:
            os.setsid()
            os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
            os.dup2(out, 1)
            os.dup2(err, 2)
            os.closerange(3, 100)
            os.execve("/bin/sh", ["sh", "-c", command], self.env)
        status = self._outcome(child, client)
        texts = []
        for descriptor in (out, err):
            os.lseek(descriptor, 0, os.SEEK_SET)
            with os.fdopen(descriptor, "rb") as file:
                texts.append(file.read())
        client.sendall(struct.pack("!iII", status, *map(len, texts)) + b"".join(texts))

    def _receive(self, client: socket.socket) -> None:
        """A domU that arrives from another node."""
        os.dup2(client.fileno(), 0)
        os.dup2(client.fileno(), 1)
        os.closerange(3, 100)
        os.execvpe("xl", ["xl", "migrate-receive"], self.env)

    @staticmethod
    def _outcome(child: int, client: socket.socket) -> int:
        ended = os.pidfd_open(child)
        while True:
            ready = select.select([ended, client.fileno()], [], [])[0]
            if ended in ready:
                return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if not client.recv(100):
                with suppress(ProcessLookupError):
                    os.killpg(child, signal.SIGKILL)
                os.waitpid(child, 0)
                time.sleep(0.01)
                os._exit(0)


if __name__ == "__main__":
    main()
