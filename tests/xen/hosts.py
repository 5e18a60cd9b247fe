"""Two emulated Xen hosts, host1 and host2, with a shared disk and a switch for their power.

QEMU emulates them without the processor's help. Nothing leaves this machine: the hosts' network is
a pair of UDP ports on 127.0.0.1, ssh comes in through a forwarded port there. All that runs ends
with the process that made it.
"""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Self
from xml.etree import ElementTree

import image
from counters import SECTOR, Slot, read_slot

HOSTS = ("host1", "host2")
MANAGED = ("nfs", "sles")
PREFIX = "hxm-xen-"
QEMU = "qemu-system-x86_64"
PROGRAMS = (QEMU, "mmdebstrap", "mkfs.ext4", "ssh", "ssh-keygen", "setpriv")
NEEDED = {"memory": 4, "disk": 6}
"""What must be free, in GiB; the hosts' disks lie in SPACE, and are not to lie in memory."""
SPACE = Path("/var/tmp")
CPU = "max,-smap,-avx,-avx2,-f16c,-fma,-xsave,-vaes,-vpclmulqdq,-rdtscp"
"""QEMU 7.2 emulates some things wrong: with SMAP dom0 dies at once, with AVX and XSAVE at random,
with RDTSCP a PVH guest hangs."""
NOT_YET = (OSError, subprocess.SubprocessError, ElementTree.ParseError, AssertionError)
MEMORY, DOM0 = 1400, 704
BOOT = 900
"""How long anything may take, in seconds: a minute on an idle machine, many on a busy one."""


def missing() -> str:
    """Why there can be no emulated hosts on this machine, or nothing."""
    if os.getuid() != 0:
        return "only root can unpack their Debian"
    if platform.machine() != "x86_64":
        return f"{QEMU} would emulate another kind of processor than {platform.machine()}"
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    lacking = [name for name in PROGRAMS if not shutil.which(name, path=path)]
    if lacking:
        return f"not installed: {', '.join(lacking)}"
    free = {"memory": _free_memory(), "disk": shutil.disk_usage(SPACE).free / 2**30}
    return "; ".join(
        f"{free[kind]:.1f} GiB of {kind} are free, and {least} are needed"
        for kind, least in NEEDED.items()
        if free[kind] < least
    )


def _free_memory() -> float:
    """In GiB."""
    with open("/proc/meminfo") as file:
        known = dict(line.split(":") for line in file)
    return int(known["MemAvailable"].split()[0]) / 2**20


class Host:
    """An emulated machine: power on, power off, and a way in."""

    def __init__(self, lab: Lab, name: str) -> None:
        self.lab, self.name, self.number = lab, name, HOSTS.index(name) + 1
        self.folder = lab.folder / name
        self.folder.mkdir()
        self.port = lab.ports[self.number - 1]
        self.qemu: subprocess.Popen[bytes] | None = None
        self.init = "/usr/local/sbin/lab-init"
        self.power = threading.Lock()
        image.run(
            *("cp", "--sparse=always", "--reflink=auto", image.CACHE / "disk", self.folder / "disk")
        )

    def on(self) -> None:
        """Returns as soon as the power is on."""
        with self.power:
            if self.state() == "off" and not self.lab.closed:
                # QEMU ends with the thread that has started it
                self.lab.starter.submit(self._start).result()

    def _start(self) -> None:
        files = self.lab.folder
        here, there = self.lab.ports[1 + self.number], self.lab.ports[4 - self.number]
        linux = f"{files}/vmlinuz console=hvc0 quiet net.ifnames=0 mitigations=off nokaslr"
        net = "local.type=inet,local.host=127.0.0.1,remote.type=inet,remote.host=127.0.0.1"
        mac = f"52:54:00:77:00:0{self.number}", f"52:54:00:78:00:0{self.number}"
        words = (
            # QEMU would translate into 1 GiB of memory
            *(QEMU, "-accel", "tcg,thread=multi,tb-size=256"),
            *("-cpu", CPU, "-m", f"{MEMORY}M"),
            *("-nodefaults", "-vga", "none", "-display", "none", "-no-reboot"),
            *("-chardev", f"file,id=console,path={self.folder}/console,append=on"),
            *("-serial", "chardev:console", "-kernel", f"{files}/xen"),
            *("-append", f"console=com1 com1=115200 noreboot dom0_mem={DOM0}M,max:{DOM0}M"),
            "-initrd",
            f"{linux} init={self.init} lab.host={self.number},{files}/initrd",
            *("-drive", f"if=none,id=root,format=raw,cache=unsafe,file={self.folder}/disk"),
            *("-device", "virtio-blk-pci,drive=root"),
            "-drive",
            f"if=none,id=shared,format=raw,cache=none,file.locking=off,file={self.lab.disk}",
            *("-device", "virtio-blk-pci,drive=shared,share-rw=on"),
            *("-netdev", f"dgram,id=cluster,{net},local.port={here},remote.port={there}"),
            *("-device", f"virtio-net-pci,netdev=cluster,mac={mac[0]}"),
            *("-netdev", f"user,id=way-in,restrict=on,hostfwd=tcp:127.0.0.1:{self.port}-:22"),
            *("-device", f"virtio-net-pci,netdev=way-in,mac={mac[1]}"),
            *("-chardev", f"socket,id=power,path={self.folder}/power"),
            *("-device", "virtio-serial-pci", "-device", "virtserialport,chardev=power,name=power"),
        )
        with open(self.folder / "qemu", "a") as out:
            self.qemu = subprocess.Popen(
                ("setpriv", "--pdeathsig", "KILL", *words),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def off(self) -> None:
        """As if the plug were pulled; returns when nothing of the host is left."""
        with self.power:
            if self.qemu:
                self.qemu.kill()
                self.qemu.wait()

    def state(self) -> str:
        return "on" if self.qemu and self.qemu.poll() is None else "off"

    def ssh_argv(self, *options: str) -> tuple[str, ...]:
        return (
            *("ssh", "-q", "-p", str(self.port), "-i", str(self.lab.folder / "key")),
            *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
            *("-o", f"ControlPath={self.folder}/ssh", "-o", "ControlMaster=auto"),
            *("-o", "ControlPersist=600", "-o", "ConnectTimeout=60"),
            *("-o", "ServerAliveInterval=30", "-F", "/dev/null"),
            *(*options, "root@127.0.0.1"),
        )

    def run(self, command: str, timeout: float = BOOT) -> subprocess.CompletedProcess[str]:
        """A command of root's shell there, with its output; it may fail."""
        return subprocess.run(
            (*self.ssh_argv(), command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def ok(self, command: str, timeout: float = BOOT) -> str:
        """The output of a command that must succeed."""
        ran = self.run(command, timeout)
        assert ran.returncode == 0, (
            f"{self.name}: {command}\n{ran.returncode}\n{ran.stdout}{ran.stderr}"
        )
        return ran.stdout


class Cut(NamedTuple):
    """A host whose power the switch has cut, and what was seen at that moment."""

    host: str
    seen: object


class Switch:
    """The power switch, as the fence agents ask it: a line each, answered when it is done.

    Each line begins with a word that its answer begins with too.
    """

    def __init__(self, hosts: dict[str, Host], look: Callable[[], object] = lambda: None) -> None:
        self.hosts = hosts
        self.look = look
        self.unheard: set[str] = set()
        """Hosts that do not reach the switch, as if it were on the network that they have lost."""
        self.cuts: list[Cut] = []

    def order(self, line: str) -> str:
        """What is answered to a line of an agent's."""
        tag, *words = line.split() or [""]
        return f"{tag} {self._answer(words)}"

    def _answer(self, words: list[str]) -> str:
        match words:
            case ["list"]:
                return " ".join(self.hosts)
            case [verb, name] if name in self.hosts:
                return self._one(verb, name)
            case _:
                return "list, or on, off, reboot, status of: " + " ".join(self.hosts)

    def _one(self, verb: str, name: str) -> str:
        host = self.hosts[name]
        match verb:
            case "status":
                return host.state()
            case "on":
                host.on()
            case "off" | "reboot":
                self.cuts.append(Cut(name, self.look()))
                host.off()
                if verb == "reboot":
                    host.on()
            case _:
                return f"no such order: {verb}"
        return "ok"

    def serve(self, host: str, listener: socket.socket) -> None:
        """A host connects its serial line each time that it is switched on."""
        with suppress(OSError):
            while True:
                line, _ = listener.accept()
                threading.Thread(target=self._talk, args=(host, line), daemon=True).start()

    def _talk(self, host: str, line: socket.socket) -> None:
        with suppress(OSError), line, line.makefile("rw") as talk:
            for order in talk:
                if host not in self.unheard:
                    talk.write(self.order(order) + "\n")
                    talk.flush()


class Lab:
    """Both hosts, what lies between them, and how the cluster on them is asked."""

    def __init__(self) -> None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _interrupt)
        self.closed = False
        self.starter = ThreadPoolExecutor(1)
        self.hosts: dict[str, Host] = {}
        with ExitStack() as undo:
            with image.built():
                sweep()
                self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=SPACE))
                undo.callback(shutil.rmtree, self.folder, ignore_errors=True)
                self.held = os.open(self.folder, os.O_RDONLY)
                undo.callback(os.close, self.held)
                fcntl.flock(self.held, fcntl.LOCK_EX)
                for name in ("xen", "vmlinuz", "initrd", "key"):
                    shutil.copy(image.CACHE / name, self.folder)
                self.disk = self.folder / "shared"
                image.shared_disk(self.disk)
                self.ports = free_ports(4)
                self.hosts = {name: Host(self, name) for name in HOSTS}
            self.switch = Switch(self.hosts, lambda: self.slot("nfs").run)
            for host in self.hosts.values():
                listener = undo.enter_context(socket.socket(socket.AF_UNIX))
                listener.bind(str(host.folder / "power"))
                listener.listen()
                words = (host.name, listener)
                threading.Thread(target=self.switch.serve, args=words, daemon=True).start()
            undo.callback(self._power_off)
            self.undo = undo.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind and issubclass(kind, Exception):
            self._show_consoles()
        self.undo.close()

    def _power_off(self) -> None:
        self.closed = True
        for host in self.hosts.values():
            host.off()
            with suppress(OSError, subprocess.SubprocessError):
                subprocess.run(
                    host.ssh_argv("-O", "exit"), capture_output=True, timeout=10, check=False
                )
        self.starter.shutdown()

    def _show_consoles(self) -> None:
        """What the hosts printed last: it goes with them."""
        for host in self.hosts.values():
            for name in ("qemu", "console"):
                with suppress(OSError):
                    last = (host.folder / name).read_text(errors="replace").splitlines()[-8:]
                    print(f"{host.name}, {name}:", *last, sep="\n    ", file=sys.stderr)

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    def other(self, name: str) -> str:
        """The name of the other host."""
        return next(host for host in self.hosts if host != name)

    # The cluster

    def boot(self) -> Lab:
        """Switch both on; returns when the cluster runs its domUs."""
        for host in self.hosts.values():
            host.on()
        # their disk can be read without taking the hosts' time
        self.until("nfs and sles run", self._booting)
        self.until("the cluster runs nfs and sles", self.settled)
        return self

    def _booting(self) -> bool:
        dead = [host.name for host in self.hosts.values() if host.state() == "off"]
        if dead:
            raise RuntimeError(f"the emulator of {', '.join(dead)} has ended")
        return all(self.slot(name).written for name in MANAGED)

    def settled(self) -> bool:
        """Whether both hosts are in the cluster and every domU of it runs once."""
        root = self.mon()
        nodes = [node for node in root.iterfind("nodes/node") if node.get("online") == "true"]
        clean = all(node.get("unclean") == node.get("pending") == "false" for node in nodes)
        return len(nodes) == 2 and clean and all(len(self.where(d, root)) == 1 for d in MANAGED)

    def mon(self) -> ElementTree.Element:
        """The cluster as the first host tells it that answers."""
        for host in self.hosts.values():
            if host.state() == "on":
                ran = host.run("crm_mon -1 --output-as=xml --inactive")
                if ran.returncode == 0:
                    return ElementTree.fromstring(ran.stdout)
        raise OSError("no host answers")

    def where(self, resource: str, root: ElementTree.Element | None = None) -> list[str]:
        """The nodes that run a resource, and do not start, stop or move it."""
        found = self.mon() if root is None else root
        return [
            node.get("name", "")
            for each in found.iterfind("resources//resource")
            if each.get("id") == resource and each.get("role") == "Started"
            for node in each.iterfind("node")
            if each.get("pending") in (None, "Monitoring")
        ]

    def slot(self, guest: str) -> Slot:
        """What a guest has written about itself, read past the hosts."""
        return read_slot(self.disk, image.offset(guest))

    def doubles(self) -> list[str]:
        """What found that it was not alone on its disk; must be empty at all times."""
        return [slot.double for guest in image.GUESTS if (slot := self.slot(guest)).double]

    def forget_double(self, guest: str) -> None:
        """Take away what a test wanted to find."""
        with open(self.disk, "r+b") as disk:
            disk.seek(image.offset(guest) + SECTOR)
            disk.write(bytes(SECTOR))

    def until(self, what: str, condition: Callable[[], object], timeout: float = BOOT) -> float:
        """Wait for a condition, which is not asked any more after the time; returns the seconds.

        An error of asking counts as no.
        """
        start = time.monotonic()
        error: object = ""
        while time.monotonic() < start + timeout:
            try:
                if condition():
                    return time.monotonic() - start
                error = ""
            except NOT_YET as e:
                error = e
            time.sleep(3)  # to ask takes a host's time
        raise AssertionError(f"not within {timeout} s: {what} {error}")


@contextmanager
def booted() -> Iterator[Lab]:
    """A lab that runs its domUs; says how long that took, or ends the program with what lacks."""
    if why := missing():
        sys.exit(f"there can be no emulated hosts here: {why}")
    start = time.monotonic()
    try:
        with Lab() as lab:
            print("booting two Xen hosts: two minutes, or up to ten on a busy machine", flush=True)
            lab.boot()
            print(f"ready after {time.monotonic() - start:.0f} s", flush=True)
            yield lab
    except KeyboardInterrupt:
        sys.exit(130)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def sweep() -> None:
    """Remove what a lab has left that was killed: nobody holds its lock."""
    for path in SPACE.glob(PREFIX + "*"):
        with suppress(OSError):
            folder = os.open(path, os.O_RDONLY)
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path)
            finally:
                os.close(folder)


def free_ports(number: int) -> list[int]:
    """TCP and UDP ports of 127.0.0.1 that nothing uses now."""
    found: list[int] = []
    while len(found) < number:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
            with suppress(OSError):
                udp.bind(("127.0.0.1", port))
                found.append(port)
    return found
