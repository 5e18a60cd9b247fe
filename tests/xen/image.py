"""What the emulated hosts are made of: Debian's Xen and Pacemaker, hxm from this tree, guests.

Everything comes from Debian's packages and, for hxm's libraries, from pip; it lies in .cache/xen
and is made again when what it is made of has changed.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import lzma
import os
import re
import shutil
import struct
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
TREE = HERE.parent.parent
CACHE = TREE / ".cache" / "xen"
ROOT = CACHE / "root"
XEN = "4.17"
PACKAGES = (
    *("systemd-sysv", "udev", "kmod", "procps", "psmisc", "busybox-static", "cpio", "netbase"),
    *("iproute2", "iputils-ping", "openssh-server", f"xen-utils-{XEN}", "xenstore-utils"),
    *("pacemaker", "corosync", "resource-agents", "pacemaker-cli-utils", "bsdutils"),
    *("linux-image-amd64", "initramfs-tools", "python3-venv", "less"),
)
EARLY_MODULES = "virtio_pci virtio_blk virtio_net ext4"
HOST_MODULES = ("virtio_pci", "virtio_blk", "ext4", "virtio_net", "virtio_console")
GUEST_MODULES = ("net/xen-netfront", "block/xen-blkfront")
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
FOR_THE_HOSTS = (
    *("--python-version", "3.11", "--only-binary=:all:"),
    *("--platform", "manylinux_2_28_x86_64", "--platform", "manylinux2014_x86_64"),
)
INSTALL = ("/opt/hxm/bin/pip", "install", "-q", "--no-index", "--find-links", "/tmp/wheels")
# the initramfs is made while the kernel is installed
EARLY = (
    'mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"; '
    'printf "MODULES=list\\nCOMPRESS=gzip\\n" >"$1/etc/initramfs-tools/conf.d/lab"; '
    f'printf "%s\\n" {EARLY_MODULES} >"$1/usr/share/initramfs-tools/modules.d/lab"'
)
# the package itself would have GRUB configured; the machine's own apt knows its way to a mirror
HYPERVISOR = (
    'cd "$1/tmp"; export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"; '
    f"apt-get download -qq -o APT::Sandbox::User=root xen-hypervisor-{XEN}-amd64; "
    'dpkg -x xen-hypervisor-*.deb "$1/usr/local/lib/xen"; rm xen-hypervisor-*.deb'
)
GUESTS = ("nfs", "sles", "vm3", "vm4")
SLICE = 16
"""What each guest has of the disk that the hosts share, in MiB."""


LIMIT = 1800
"""How long one program that builds may take, in seconds."""


def run(*argv: object, **options) -> subprocess.CompletedProcess[bytes]:
    """A program that must succeed; what it says is shown only if it does not."""
    ran = subprocess.run(
        [*map(str, argv)], capture_output=True, check=False, timeout=LIMIT, **options
    )
    if ran.returncode != 0:
        sys.exit(f"{argv[0]} failed: {(ran.stdout + ran.stderr).decode(errors='replace')[-3000:]}")
    return ran


@contextmanager
def built() -> Iterator[None]:
    """The files that a host boots from, in CACHE: xen, vmlinuz, initrd, disk and key.

    Nobody else changes them meanwhile; a lab copies them, and lets go.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _build()
        yield


def _build() -> None:
    # what dom0 held once would stay in a root that is used again: its names count
    names = sorted(str(path.relative_to(HERE)) for path in (HERE / "dom0").rglob("*"))
    _once("root", repr((PACKAGES, EARLY, HYPERVISOR, names)), _debian)
    root = (CACHE / "root.stamp").read_text()
    _once("libraries", f"{_dependencies()} {root}", _libraries)
    folders = (HERE, TREE / "hxm", TREE / "etc")
    ours = (TREE / "pyproject.toml", *(path for top in folders for path in top.rglob("*")))
    files = sorted(path for path in ours if path.is_file() and path.suffix != ".pyc")
    _once(
        "disk",
        (CACHE / "libraries.stamp").read_text()
        + repr([(str(path), path.read_bytes()) for path in files]),
        _disk,
    )


def _once(name: str, made_of: str, make) -> None:
    """Make it unless it is there, and made of the same."""
    stamp = CACHE / f"{name}.stamp"
    digest = hashlib.sha256((made_of + str(stamp.parent)).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    stamp.unlink(missing_ok=True)
    make()
    stamp.write_text(digest)


def _sources() -> str:
    """This machine's own mirrors of Debian, with the suite that the hosts are made of."""
    sites = run("apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages").stdout
    lines = []
    for site in sorted({*sites.decode().split()}):
        if re.search(r"/debian/?$", site):
            lines.append(f"deb {site} bookworm main")
        elif re.search(r"/debian-security/?$", site):
            lines.append(f"deb {site} bookworm-security main")
    if not lines:
        sys.exit("apt knows no mirror of Debian: apt-get update")
    return "\n".join(lines) + "\n"


def _debian() -> None:
    print(f"unpacking Debian 12 with Xen {XEN} and Pacemaker, a minute or two", flush=True)
    shutil.rmtree(ROOT, ignore_errors=True)
    run(
        *("mmdebstrap", "--mode=root", "--variant=minbase", f"--include={','.join(PACKAGES)}"),
        *(f"--essential-hook={EARLY}", f"--customize-hook={HYPERVISOR}"),
        *("--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*"),
        *("bookworm", ROOT, "-"),
        input=_sources().encode(),
    )


def _disk() -> None:
    print("installing hxm, making the disk of the hosts", flush=True)
    _hxm()
    for path in (HERE / "dom0").rglob("*"):
        if path.is_file():
            target = ROOT / path.relative_to(HERE / "dom0")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            # not as the clone's umask left it
            target.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
    _keys()
    for name in ("cib", "pengine", "cores", "blackbox"):
        (ROOT / "var/lib/pacemaker" / name).mkdir(exist_ok=True)
    run("chroot", ROOT, "chown", "-R", "hacluster:haclient", "/var/lib/pacemaker")
    run("chroot", ROOT, "chmod", "600", "/var/lib/pacemaker/cib/cib.xml", "/root/.ssh/config")
    run("chroot", ROOT, "systemctl", "enable", "lab-host")
    kernel = max((ROOT / "lib/modules").iterdir(), key=os.path.getmtime).name
    lab = ROOT / "var/lib/lab"
    lab.mkdir(exist_ok=True)
    # PVH wants an uncompressed kernel, and PV is slow with another
    (lab / "vmlinux").write_bytes(uncompressed((ROOT / f"boot/vmlinuz-{kernel}").read_bytes()))
    shutil.copy(ROOT / f"boot/vmlinuz-{kernel}", CACHE / "vmlinuz")
    (packed,) = (ROOT / "usr/local/lib/xen/boot").glob("xen-*.gz")
    (CACHE / "xen").write_bytes(gzip.decompress(packed.read_bytes()))
    shutil.rmtree(CACHE / "pack", ignore_errors=True)
    _initrd(kernel)
    _guest(kernel)
    disk = CACHE / "disk"
    disk.unlink(missing_ok=True)
    run("truncate", "-s", "2500M", disk)
    run("mkfs.ext4", "-q", "-F", "-d", ROOT, disk)


def _dependencies() -> list[str]:
    with open(TREE / "pyproject.toml", "rb") as file:
        return tomllib.load(file)["project"]["dependencies"]


def _libraries() -> None:
    """As hxm-install(7) says for a host without network: wheels for its Python, then pip."""
    shutil.rmtree(ROOT / "opt/hxm", ignore_errors=True)
    run("chroot", ROOT, "python3", "-m", "venv", "/opt/hxm")
    wanted = _dependencies()
    with _wheels() as wheels:
        run(*PIP, "download", *FOR_THE_HOSTS, "-d", wheels, *wanted)
        run("chroot", ROOT, *INSTALL, *wanted)


def _hxm() -> None:
    with _wheels() as wheels:
        run(*PIP, "wheel", "--no-deps", "-w", wheels, TREE)
        run("chroot", ROOT, *INSTALL, "--force-reinstall", "--no-deps", "hxm")
    link = ROOT / "usr/local/sbin/hxm"
    link.unlink(missing_ok=True)
    link.symlink_to("/opt/hxm/bin/hxm")


@contextmanager
def _wheels() -> Iterator[Path]:
    """Where INSTALL finds what it installs."""
    folder = ROOT / "tmp/wheels"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def _keys() -> None:
    """root of each host may log in on the other, and this machine's user on both."""
    ssh = ROOT / "root/.ssh"
    ssh.chmod(0o700)
    if not (ssh / "id_ed25519").exists():
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", ssh / "id_ed25519")
    shutil.copy(ssh / "id_ed25519.pub", ssh / "authorized_keys")
    shutil.copy(ssh / "id_ed25519", CACHE / "key")
    public = (ROOT / "etc/ssh/ssh_host_ed25519_key.pub").read_text()
    (ssh / "known_hosts").write_text(f"host1,host2,10.77.0.1,10.77.0.2 {public}")


def uncompressed(kernel: bytes) -> bytes:
    """The ELF file in a bzImage that xz has packed (Documentation/arch/x86/boot.rst)."""
    setup_sectors = kernel[0x1F1]
    offset, length = struct.unpack_from("<II", kernel, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    return lzma.LZMADecompressor().decompress(kernel[start : start + length])


def _guest(kernel: str) -> None:
    """The guests' only file system: busybox and scripts, in memory."""
    for folder in ("tmp", "sbin", "usr/bin", "usr/sbin"):
        (CACHE / "pack" / folder).mkdir(parents=True)
    modules = [ROOT / f"lib/modules/{kernel}/kernel/drivers/{name}.ko" for name in GUEST_MODULES]
    target = ROOT / "usr/local/share/lab/domu.cpio"
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(_pack("domu", modules))


def _initrd(kernel: str) -> None:
    """What a host needs to mount its disk."""
    words = ("chroot", ROOT, "modprobe", "-S", kernel, "--show-depends", "-a", *HOST_MODULES)
    lines = [line.split() for line in run(*words).stdout.decode().splitlines()]
    modules = list(dict.fromkeys(line[1] for line in lines if line[0] == "insmod"))
    (CACHE / "pack/root").mkdir(parents=True)
    (CACHE / "pack/lib").mkdir()
    names = "".join(f"{os.path.basename(module)}\n" for module in modules)
    (CACHE / "pack/lib/order").write_text(names)
    packed = _pack("initrd", [f"{ROOT}{module}" for module in modules])
    (CACHE / "initrd").write_bytes(gzip.compress(packed))


def _pack(name: str, modules: Sequence[str | Path]) -> bytes:
    """CACHE/pack, one of our folders, busybox and kernel modules as an initramfs."""
    pack = CACHE / "pack"
    shutil.copytree(HERE / name, pack, dirs_exist_ok=True)
    for folder in ("bin", "lib", "proc", "sys", "dev"):
        (pack / folder).mkdir(exist_ok=True)
    shutil.copy(ROOT / "bin/busybox", pack / "bin")
    for module in modules:
        shutil.copy(module, pack / "lib")
    paths = "\n".join(str(path.relative_to(pack)) for path in sorted(pack.rglob("*")))
    cpio = (f"{ROOT}/usr/bin/cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0")
    packed = run(*cpio, input=paths.encode(), cwd=pack).stdout
    shutil.rmtree(pack)
    return packed


def shared_disk(path: Path) -> None:
    """The disk that both hosts see: a partition for each guest, all zeros."""
    with open(path, "wb") as file:
        file.truncate((1 + len(GUESTS) * SLICE) << 20)
        file.write(partition_table())


def partition_table() -> bytes:
    """A master boot record with a partition of SLICE MiB for each guest, the first at 1 MiB."""
    entries = (
        struct.pack(
            "<8B2I", 0, 255, 255, 255, 0x83, 255, 255, 255, offset(guest) // 512, SLICE << 11
        )
        for guest in GUESTS
    )
    return bytes(446) + b"".join(entries) + b"\x55\xaa"


def offset(guest: str) -> int:
    """Where a guest's partition begins on the shared disk, in bytes."""
    return (1 + GUESTS.index(guest) * SLICE) << 20
