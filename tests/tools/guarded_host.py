"""A host with a guard on it: stand-ins for xl and virsh, and a cluster in a file."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys

VIRSH = r"""
case "$*" in *domname*3) echo nfs; exit;; *domname*) exit 1;; esac
for word; do printf '[%s]' "$word"; done; echo; exit 43
"""


class Host:
    """A host with a guard: its programs are called as everybody calls them."""

    def __init__(self, xen) -> None:
        self.xen = xen
        self.bin, self.real = xen.bin, xen.folder / "real"
        xen.env["HXM_REAL"] = str(self.real)
        xen.env["HXM_ROOT"] = str(xen.folder / "root")
        xen.env["DPKG_ADMINDIR"] = str(xen.folder / "dpkg")
        (xen.folder / "dpkg" / "info").mkdir(parents=True)
        (xen.folder / "dpkg" / "status").touch()
        (xen.folder / "dpkg" / "updates").mkdir()
        cib = xen.folder / "root/var/lib/pacemaker/cib/cib.xml"
        cib.parent.mkdir(parents=True)
        cib.write_text(f'<cib>\n<node id="1" uname="{os.uname().nodename}"/>\n</cib>\n')
        xen.program("virsh", VIRSH)
        hxm = shlex.quote(sys.executable)
        xen.program("hxm", f'exec {hxm} -m hxm "$@"')
        self.snapshot = self.files()

    def files(self) -> dict[str, tuple[object, ...]]:
        """What stands in the folder of programs, to the byte."""
        return {
            path.name: (
                os.readlink(path) if path.is_symlink() else path.read_bytes(),
                path.lstat().st_mode,
                path.lstat().st_mtime_ns,
            )
            for path in self.bin.iterdir()
        }

    def run(self, *words: str, **env: str):
        ran = subprocess.run(
            [str(self.bin / words[0]), *words[1:]],
            capture_output=True,
            text=True,
            env=self.xen.env | env,
            cwd=self.xen.folder,
            check=False,
            timeout=60,
        )
        return ran.returncode, ran.stdout, ran.stderr

    def run_by_agent(self, *words: str, **env: str):
        """As the cluster's executor has it run: the guard knows it by the name of its process."""
        executor = self.xen.folder / "pacemaker-execd"
        if not executor.exists():
            shutil.copy("/bin/sh", executor)
        ran = subprocess.run(
            [executor, "-c", '"$@"; exit $?', "sh", str(self.bin / words[0]), *words[1:]],
            capture_output=True,
            text=True,
            env=self.xen.env | {"OCF_RESOURCE_INSTANCE": "nfs"} | env,
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=60,
        )
        return ran.returncode, ran.stdout, ran.stderr
