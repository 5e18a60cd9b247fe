"""Holds hxm's reading of configurations against the real xl's, on random ones: `make real-xl`.

xl is that of Debian's packages, unpacked and not installed; `xl create -n` prints what it has read
as JSON, and a stand-in for the hypervisor lets it come so far. What xl refuses is not compared.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from hxm.cluster.claims import claim
from hxm.domu.config_file import XmFileError, domain_name
from hxm.guard.create_line import settings_of

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "xl"
PACKAGES = (
    "xen-utils-4.17", "libxenmisc4.17", "libxenstore4", "libxentoollog1", "libxentoolcore1",
    "libxencall1", "libxenevtchn1", "libxenforeignmemory1", "libxengnttab1", "libxenhypfs1",
    "libxendevicemodel1", "libyajl2", "libnl-3-200", "libnl-route-3-200",
)  # fmt: skip
DISKS = (
    "phy:", "file:", "tap:aio:", "tap2:", "drbd:res", "/dev/vg/x", "/dev/sda1", ",", ",", ",",
    "raw", "qcow2", "xvda", "hdc", "hdc:cdrom", ",w", ",r", "vdev=xvdb", "access=ro", "access=rw",
    "access=w!", "format=raw", "cdrom", "devtype=cdrom", "script=block-x", "backend=dom0",
    "discard", "w", "r", "rw", "target=",
)  # fmt: skip
VIFS = (
    "mac=", "mac=", "00:16:3e:00:00:01", "00-16-3E-0-0-2", ",", ",", "bridge=br0", "type=vif",
    "script=x", "rate=1Mb/s", "mac=00:16:3e:00:00:0f", "ip=1.2.3.4", "model=e1000",
)  # fmt: skip
NAMES = ('name="a"', 'name = "b"', "name='c'", 'name+="d"', 'name="e";', 'name="f" # x',
         "name=007", 'name="g"\\', '; name="h"', 'name="i" ; memory=65', 'name="k k"')  # fmt: skip


def unpacked() -> tuple[Path, dict[str, str]]:
    """The real xl, and the environment that it runs in."""
    root, stand_in = CACHE / "root", CACHE / "nohv.so"
    if not stand_in.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "-qq", "download", *PACKAGES], cwd=CACHE, check=True)
        for package in CACHE.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", str(package), str(root)], check=True)
        source = str(HERE / "nohv.c")
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(stand_in), source], check=True)
    (libraries,) = (path.parent for path in root.glob("usr/lib/*/libxlutil.so.4.17"))
    env = {**os.environ, "LD_LIBRARY_PATH": str(libraries), "LD_PRELOAD": str(stand_in)}
    return root / "usr/lib/xen-4.17/bin/xl", env


def reading_of_xl(xl: Path, env: dict[str, str], path: Path, more: list[str]) -> object:
    """The name, the disks and the addresses, or None if xl refuses the configuration."""
    argv = [str(xl), "create", "-n", str(path), *more]
    ran = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=20)
    if ran.returncode != 0:
        return None
    found = json.loads(ran.stdout)
    disks = [
        (each["pdev_path"], bool(each.get("readwrite")))
        for each in found.get("disks", ())
        if each.get("pdev_path")
    ]
    macs = [each["mac"] for each in found.get("nics", ()) if each.get("mac")]
    return found["c_info"].get("name"), disks, macs


def reading_of_hxm(path: Path, more: list[str]) -> object:
    """The same by hxm, or None if it refuses the configuration, which is always safe."""
    try:
        settings = settings_of(str(path), more, xm=False)
    except XmFileError:
        return None
    found = claim(domain_name(settings) or "", settings)
    disks = [(each.said, each.writes) for each in found.disks]
    return None if found.fault else (found.name, disks, list(found.macs))


def text_of(chance: random.Random) -> str:
    disk = "".join(chance.choices(DISKS, k=chance.randint(2, 9)))
    disk = chance.choice([disk, disk, "/dev/vg/x,raw,xvda,w"])
    vif = "".join(chance.choices(VIFS, k=chance.randint(0, 7)))
    names = chance.choices(NAMES, k=chance.randint(1, 3))
    lists = f"disk = [ {json.dumps(disk)} ]\nvif = [ {json.dumps(vif)} ]"
    return "\n".join(["memory = 64", 'kernel = "/bin/true"', *names, lists, ""])


def main(count: int, seed: int) -> int:
    """Status 1 if the two read one configuration differently, or xl takes none at all."""
    xl, env = unpacked()
    chance, accepted, wrong = random.Random(seed), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "domU.cfg"
        for _ in range(count):
            path.write_text(text_of(chance))
            more = chance.choices(NAMES[:6], k=chance.randint(0, 2))
            wanted, got = reading_of_xl(xl, env, path, more), reading_of_hxm(path, more)
            accepted += wanted is not None
            if None not in (wanted, got) and wanted != got:
                wrong += 1
                print(f"{path.read_text()}{more}\n  xl:  {wanted}\n  hxm: {got}")
    print(f"seed {seed}: {count} configurations, {accepted} that xl takes, {wrong} read otherwise")
    return 0 if accepted and not wrong else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2] or random.randrange(1 << 30))))
