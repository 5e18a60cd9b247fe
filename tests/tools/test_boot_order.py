"""systemd's own verdict on xendomains behind the guard, with the real units of each Debian."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

DATA = Path(__file__).parent.parent / "data" / "systemd"
SUITES = sorted(path.name for path in DATA.iterdir() if path.is_dir())
OLD_DROP_IN = "[Unit]\nAfter=corosync.service pacemaker.service heartbeat.service\n"

pytestmark = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd")


@pytest.fixture
def root(host):
    """What systemd would boot, under the guard's own root."""
    return host.xen.folder / "root"


def lay_out(root: Path, suite: str) -> None:
    shutil.copytree(DATA / suite, root, dirs_exist_ok=True)
    units, own = root / "usr/lib/systemd/system", root / "etc/systemd/system"
    for name in ("multi-user", "sysinit", "basic", "shutdown", "network-online", "remote-fs"):
        (units / f"{name}.target").write_text(f"[Unit]\nDescription={name}\n")
    wants = own / "multi-user.target.wants"
    wants.mkdir(parents=True)
    for name in ("corosync", "pacemaker", "xendomains"):
        if (units / f"{name}.service").exists():
            (wants / f"{name}.service").symlink_to(f"/usr/lib/systemd/system/{name}.service")
    runlevel = root / "etc/rc3.d"
    runlevel.mkdir()
    (runlevel / "S01xendomains").symlink_to("../init.d/xendomains")


def cycles(root: Path) -> str:
    units = ("multi-user.target", "xendomains.service")
    argv = ["systemd-analyze", "verify", "--man=no", f"--root={root}", *units]
    ran = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    lines = ran.stderr.splitlines()
    # A cycle that systemd cannot break by dropping a job is an error: "Failed to create
    # xendomains.service/start: Transaction order is cyclic".  Which of the two it is
    # differs from run to run.
    cyclic = [line for line in lines if "ordering cycle" in line or "is cyclic" in line]
    assert not [line for line in lines if "Failed to" in line and line not in cyclic]
    return "\n".join(cyclic)


@pytest.mark.parametrize("suite", SUITES)
def test_nothing_is_thrown_out_of_the_boot(host, root, suite):
    lay_out(root, suite)
    host.xen.ok("guard", "install")
    assert cycles(root) == ""
    host.xen.ok("guard", "status")
    host.xen.ok("guard", "remove")
    assert not (root / "etc/systemd/system/xendomains.service").exists()


def test_systemd_tells_of_a_cycle_where_there_is_one(root):
    lay_out(root, "trixie")
    drop_in = root / "etc/systemd/system/xendomains.service.d/x.conf"
    drop_in.parent.mkdir()
    drop_in.write_text(OLD_DROP_IN)
    assert cycles(root) != ""
