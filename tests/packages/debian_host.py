"""A Debian host that is thrown away: a folder over one of .cache/hosts, in its own namespaces."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOSTS = ROOT / ".cache" / "hosts"
ENTER = """
rm -rf "$TOP/work/work/incompat"
mount -t overlay overlay \
    -o "volatile,lowerdir=$LOWER,upperdir=$TOP/upper,workdir=$TOP/work" "$TOP/root"
mount -t proc proc "$TOP/root/proc"
mount -t devpts devpts "$TOP/root/dev/pts"
mkdir -p "$TOP/root/src" "$TOP/root/out"
mount --bind -o ro "$SRC" "$TOP/root/src"
mount --bind "$OUT" "$TOP/root/out"
cp /etc/resolv.conf "$TOP/root/etc/"
[ "$NETWORK" ] || ip link set lo up
[ ! "$PIP_CERT" ] || cp "$PIP_CERT" "$TOP/root/tmp/pip.crt"
export PIP_CERT="${PIP_CERT:+/tmp/pip.crt}"
exec chroot "$TOP/root" bash -euc "$0" "$@"
"""
"""Nothing waits for the disk: `volatile`, of which a mark stays (incompat). PIP_CERT names the
certificates for a package index that only this machine knows."""
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}
TRACES = ("proc", "dev", "src", "out", "tmp", "var/cache", "var/log", "var/lib/apt", "var/lib/dpkg")
"""Where something may change that a package does not answer for."""


class Host:
    """What is mounted is gone with each script; /src is this tree, /out the packages' folder."""

    def __init__(self, suite: str, top: Path, out: Path) -> None:
        if os.geteuid() != 0 or not (HOSTS / suite).is_dir():
            pytest.skip(f"no Debian host with {suite}: make test-packages, as root")
        self.suite, self.top, self.out = suite, top, out
        for name in ("upper", "work", "root"):
            (top / name).mkdir(parents=True)

    def run(self, script: str, *words: str, network: bool = False) -> str:
        """What the script, for bash -eu, prints on both streams; it must end with 0."""
        status, printed = self.try_out(script, *words, network=network)
        assert status == 0, f"{self.suite}: {script}: {status}\n{printed[-4000:]}"
        return printed

    def try_out(self, script: str, *words: str, network: bool = False) -> tuple[int, str]:
        unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        ran = subprocess.run(
            [*unshare, *([] if network else ["--net"]), "sh", "-euc", ENTER, script, "sh", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=3600,
            env=ENVIRONMENT
            | {
                "LOWER": str(HOSTS / self.suite),
                "TOP": str(self.top),
                "SRC": str(ROOT),
                "OUT": str(self.out),
                "NETWORK": "yes" if network else "",
                "PIP_CERT": os.environ.get("PIP_CERT", ""),
            },
        )
        return ran.returncode, ran.stdout

    def files(self) -> set[str]:
        """All files but those under TRACES."""
        left_out = " -o ".join(f"-path /{folder}" for folder in TRACES)
        return set(self.run(rf"find / \( {left_out} \) -prune -o -print").splitlines())

    def throw_away(self) -> None:
        shutil.rmtree(self.top)
