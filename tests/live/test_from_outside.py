"""A workstation on the lab's network: Python and ssh, and no Pacemaker; real sshds on the nodes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from test_nodes import SSHD

LEAVE = "\x1d"
SERVER = """
Port 22
HostKey {keys}/host_key
AuthorizedKeysFile {keys}/key.pub
StrictModes no
UsePAM no
PidFile /run/sshd.pid
SetEnv TMPDIR={keys}/there HXM_REAL=/run/hxm/real PATH=/usr/sbin:/usr/bin:/sbin:/bin
"""
CLIENT = """
Host {host}
    HostName 10.99.0.{number}
    HostKeyAlias all
    IdentityFile {keys}/key
    UserKnownHostsFile {keys}/known_hosts
"""
ONLY_SSH = 'mount -t tmpfs none /usr/sbin && ! command -v crm_mon && exec "$@"'


class Workstation:
    """A host beside the nodes, and what is typed there."""

    def __init__(self, lab) -> None:
        self.lab = lab
        self.home = home = lab.folder / "desk"  # sockets need short paths
        shutil.rmtree(home, ignore_errors=True)
        for name in ("bin", "there"):
            (home / name).mkdir(parents=True)
        for name in ("key", "host_key"):
            argv = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / name))
            subprocess.run(argv, check=True)
        (home / "known_hosts").write_text(f"all {(home / 'host_key.pub').read_text()}")
        hosts = enumerate(lab.hosts, 1)
        client = [CLIENT.format(host=host, number=number, keys=home) for number, host in hosts]
        (home / "client").write_text("".join(client))
        (home / "server").write_text(SERVER.format(keys=home))
        ssh = home / "bin" / "ssh"
        ssh.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {home}/client "$@"\n')
        ssh.chmod(0o755)
        nodes = json.dumps(lab.hosts)
        patient = "poll = 0.3\nssh_timeout = 20"  # five labs at once on two cores
        (home / "hxm.toml").write_text(f"{patient}\n[clusters.lab]\nnodes = {nodes}\n")
        children = Path(f"/proc/{lab.launcher.pid}/task/{lab.launcher.pid}/children").read_text()
        network = f"--net=/proc/{children.split()[0]}/ns/net"
        within = ("nsenter", network, "unshare", "-m", "sh", "-c", ONLY_SSH, "sh")
        self.start = (*within, sys.executable, "-m", "hxm")
        self.env = {
            "PATH": f"{home}/bin:/usr/bin:/bin",
            "HXM_REAL": f"{home}/bin",
            "HXM_ON": "lab",
            "HXM_CONFIG": f"{home}/hxm.toml",
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
            "XDG_STATE_HOME": f"{home}/state",
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "TERM": "xterm",
        }
        for host in lab.hosts:
            lab.tool(host, SSHD, "-f", f"{home}/server")

    def begin(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            (*self.start, *words),
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ok(self, *words: str) -> str:
        order = self.begin(*words)
        printed, _ = order.communicate(timeout=200)
        assert order.returncode == 0, f"{printed}\n{self.lab.story()}"
        return printed


@pytest.fixture
def desk(lab):
    if not os.path.exists(SSHD) or os.getuid() != 0 or not shutil.which("ssh-keygen"):
        pytest.skip("a real sshd takes openssh-server, and root")
    yield Workstation(lab)
    for host in lab.alive():
        lab.run(host, "sh", "-c", "kill $(cat /run/sshd.pid)")


def test_a_day_at_a_desk(lab, desk):
    table = desk.ok("list")
    assert all(name in table for name in lab.domains)
    here = lab.where("nfs")
    there = lab.other(here)
    assert f"nfs: {here} -> {there}, live" in desk.ok("migrate", "nfs", there)
    assert lab.where("nfs") == there
    screen = pexpect.spawn(desk.start[0], [*desk.start[1:], "console", "nfs"], env=desk.env)
    screen.timeout = 60
    screen.expect_exact(f"console of nfs on {there}: Enter for a prompt, Ctrl-] to leave")
    while screen.expect_exact(["nfs login: ", pexpect.TIMEOUT], timeout=1):
        screen.send("\r")
    assert f"nfs: {there} -> {here}, live" in desk.ok("migrate", "nfs", here)
    screen.expect_exact(f"nfs moved from {there} to {here}: the console continues there")
    screen.send(LEAVE)
    screen.expect_exact("nfs still runs")
    screen.close()
    assert f"{here} is in standby" in desk.ok("standby", here, "--yes")
    assert here not in map(lab.where, lab.domains)
    desk.ok("active", here)
    assert "nfs: stopped" in desk.ok("shutdown", "nfs")
    assert lab.nodes_of("nfs") == []
    desk.ok("start", "nfs")
    assert lab.nodes_of("nfs")
    assert "are unknown" not in desk.ok("list", "--everywhere")
    assert not list((desk.home / "there").iterdir()), "nothing is left on a node"


@pytest.mark.parametrize("verb", ["migrate", "standby"])
def test_the_node_that_is_asked_dies_in_the_middle(lab, desk, verb):
    """While the domU moves between the two others; the order goes on through one of them."""
    dc = lab.mon().find("summary/current_dc").get("name")
    asked = lab.other(dc)
    if lab.where("nfs") == asked:
        desk.ok("migrate", "nfs", dc)
    source = lab.where("nfs")
    target = lab.other(asked, source)
    toml = desk.home / "hxm.toml"
    nodes = json.dumps([asked, dc])
    toml.write_text(f"poll = 0.3\n[clusters.lab]\nnodes = {nodes}\n")
    since = len(lab.lines())
    words = ("migrate", "nfs", target) if verb == "migrate" else ("standby", source, "--yes")
    order = desk.begin(*words)
    lab.until("a move begins", lambda: any(e["op"] == "migrate" for e in lab.events(since)))
    lab.switch("off", asked)
    printed, _ = order.communicate(timeout=200)
    assert printed.count(f"{asked} does not answer") == 1, printed
    assert lab.where("nfs") != source
    restarted = "restarted, not live" in printed  # Pacemaker may give the migration up
    assert (order.returncode, f"nfs: {source} -> " in printed) == (restarted, True), printed
