"""hxm as its users run it, on the real Pacemaker tools and a cluster in a file."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import forked
import pytest
from guarded_host import Host

TOOLS = ("crm_mon", "crm_simulate", "crm_resource", "crm_attribute", "cibadmin")

HOME = Path(tempfile.mkdtemp(prefix="hxm-sandbox-"))
"""Every sandbox is seen by one path: where that of its files changes, a domU is to restart."""
atexit.register(shutil.rmtree, HOME)


class Ran:
    """What a command line of hxm did."""

    def __init__(self, process: subprocess.CompletedProcess[bytes]) -> None:
        self.status = process.returncode
        self.out = process.stdout.decode("utf-8", "surrogateescape")
        self.err = process.stderr.decode("utf-8", "surrogateescape")

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self) -> str:
        return f"status {self.status}\n{self.out}\n{self.err}"


class Sandbox:
    """A cluster in a file, and what the cluster's own tools say of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        here = HOME / "now"
        here.unlink(missing_ok=True)
        here.symlink_to(folder)
        self.file = here / "xen" / "cib.xml"
        self.bin = folder / "bin"
        self.bin.mkdir()
        path = f"{self.bin}:{os.environ['PATH']}:/usr/sbin"
        self.env = {**os.environ, "PATH": path, "CIB_file": str(self.file)}
        self.env.pop("HXM_DEBUG", None)
        self.env["HXM_CONFIG"] = str(folder / "hxm.toml")
        self.scratch = folder / "scratch"
        self.scratch.mkdir()
        self.env["TMPDIR"] = str(self.scratch)

    def make(self, *options: str) -> Sandbox:
        """A new sandbox: hxm makes the first of its kind, and the others are copies of that."""
        template = HOME / f"template {' '.join(options)}"
        if template.exists():
            shutil.copytree(template, self.file.parent)
        else:
            assert self.hxm("sandbox", "new", str(self.file.parent), *options).status == 0
            shutil.copytree(self.file.parent, template)
        return self

    def hxm(self, *words: str, env: dict[str, str] | None = None, **options) -> Ran:
        return Ran(forked.run(words, {**self.env, **(env or {})}, **options))

    def ok(self, *words: str, **options) -> Ran:
        ran = self.hxm(*words, **options)
        assert ran.status == 0, ran
        return ran

    def tool(self, *argv: str) -> str:
        return subprocess.run(
            argv, capture_output=True, env=self.env, check=True, timeout=60
        ).stdout.decode()

    def configuration(self) -> str:
        return self.tool("cibadmin", "--query", "--scope=configuration")

    def nodes_of(self, resource: str) -> list[str]:
        """Where crm_mon itself sees the resource."""
        root = ElementTree.fromstring(self.tool("crm_mon", "--output-as=xml", "--inactive"))
        return [
            node.get("name", "")
            for element in root.iter("resource")
            if element.get("id") == resource
            for node in element.iterfind("node")
        ]

    def replace(self, old: str, new: str) -> None:
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))

    def program(self, name: str, script: str) -> None:
        """A stand-in for a program, found before the real one."""
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def as_if_live(self) -> None:
        """From now on the cluster is no file to hxm, but to its tools; host1 is here."""
        file = self.env.pop("CIB_file")
        for tool in TOOLS:
            real = shutil.which(tool, path="/usr/sbin:/usr/bin")
            self.program(tool, f'CIB_file="${{CIB_file:-{file}}}" exec {real} "$@"')
        self.program("crm_node", "echo host1")


@pytest.fixture
def bare(tmp_path: Path) -> Sandbox:
    """No cluster yet."""
    missing = [tool for tool in TOOLS if not shutil.which(tool, path="/usr/sbin:/usr/bin")]
    assert not missing, f"the tests need {missing} of pacemaker-cli-utils"
    return Sandbox(tmp_path)


@pytest.fixture
def sandbox(bare: Sandbox) -> Sandbox:
    """A sandbox's cluster: host1 with nfs, host2 with sles."""
    return bare.make()


XL = r"""
case "$1" in
list) [ "$2" = -l ] && { cat "$XL_LONG" 2>/dev/null || echo "[]"; exit; }
      printf 'Name                                        ID   Mem VCPUs\tState\tTime(s)\n'
      printf '%-40s %5d %5d %5d     %s  %8.1f\n' Domain-0 0 768 1 r----- 263.4 \
          nfs 3 512 1 -b---- 7.5 other 7 128 1 -b---- 1.5 scratch 9 64 1 -b---- 0.5;;
vm-list) echo 'UUID                                  ID    name'
         echo '135631b2-d539-4d73-bc0a-16ef7192fe00  3    nfs'
         echo '235631b2-d539-4d73-bc0a-16ef7192fe00  7    other';;
*) for word; do printf '[%s]' "$word"; done; echo; exit 42;;
esac
"""


@pytest.fixture
def xen(sandbox: Sandbox) -> Sandbox:
    """The same, seen from a host whose xl runs nfs and an unmanaged domU, other."""
    sandbox.program("xl", XL)
    sandbox.env["HXM_TEST_CIB"] = str(sandbox.file)
    return sandbox


@pytest.fixture
def host(xen: Sandbox) -> Host:
    """That host, on which the guard can be installed."""
    return Host(xen)


@pytest.fixture
def guarded(host: Host) -> Host:
    """The same, with the guard."""
    host.xen.ok("guard", "install")
    return host
