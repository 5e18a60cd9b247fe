"""The lab itself: several side by side, no trace left, power and cables that really work."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from lab import LAUNCHER, Lab

KILLED = """
import sys; sys.path.insert(0, {here!r})
from lab import Lab
lab = Lab(2, ["nfs"]); lab.until("a node", lambda: lab.run("host1", "true").status == 0)
print(lab.folder, lab.launcher.pid, flush=True)
import time; time.sleep(60)
"""


def _processes_of(folder: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if f"LAB={folder}".encode() in (path / "environ").read_bytes():
                found.append((path / "cmdline").read_bytes().decode())
        except OSError:
            continue
    return found


def test_a_killed_test_run_leaves_no_trace(lab):
    script = KILLED.format(here=str(Path(__file__).parent))
    run = subprocess.Popen((sys.executable, "-c", script), stdout=subprocess.PIPE, text=True)
    folder, launcher = run.stdout.readline().split()
    assert _processes_of(folder)
    run.send_signal(signal.SIGKILL)
    run.wait()
    lab.until("its folder is gone", lambda: not os.path.exists(folder), 20)
    lab.until("its launcher is gone", lambda: not os.path.exists(f"/proc/{launcher}"), 10)
    assert _processes_of(folder) == []


def test_a_launcher_whose_parent_is_gone_already_starts_nothing(lab, tmp_path):
    gone = subprocess.Popen("true")
    gone.wait()
    argv = (*LAUNCHER, str(tmp_path), str(gone.pid), "host1")
    ran = subprocess.run(argv, capture_output=True, check=False, timeout=20)
    assert ran.returncode == 1
    assert not (tmp_path / "switch").exists()


def test_two_labs_side_by_side_do_not_notice_each_other(lab):
    other = Lab(2, ["nfs"])
    try:
        other.boot()
        other.switch("off", other.where("nfs"))
        assert lab.idle()
        assert {lab.node(host)["online"] for host in lab.hosts} == {"true"}
    finally:
        other.close()


def test_nothing_leaves_the_machine(lab):
    links = subprocess.run(("ip", "-o", "addr"), capture_output=True, text=True, check=True)
    assert "10.99." not in links.stdout
    routes = lab.tool("host1", "ip", "-o", "route").splitlines()
    assert [line.split()[0] for line in routes] == ["10.99.0.0/24"]


def test_the_power_switch_is_truthful_and_fencing_uses_it(lab):
    host = lab.other(lab.mon().find("summary/current_dc").get("name"))
    there = [name for name in lab.domains if lab.nodes_of(name) == [host]]
    lab.switch("off", host)
    lab.until("it is fenced", lambda: lab.node(host)["unclean"] == "false", 30)
    lab.until(
        "its domUs run elsewhere",
        lambda: all(lab.where(name) != host for name in there),
        40,
    )


def test_a_cut_cable_ends_in_fencing_and_not_in_two_instances(lab):
    host = lab.hosts[2]
    lab.switch("cut", host)
    lab.until("it was switched off", lambda: lab.switch("state", host) == "off", 40)
    lab.until(
        "it was fenced", lambda: ("fence", host) in [(e["op"], e["name"]) for e in lab.events()]
    )


def test_the_stand_in_ssh_goes_over_the_network(lab):
    ran = lab.run("host1", "ssh", "-o", "BatchMode=yes", "--", "host2", "hostname; exit 3")
    assert (ran.status, ran.out) == (3, "host2\n")
    lab.switch("cut", "host2")
    ran = lab.run("host1", "ssh", "-o", "ConnectTimeout=1", "--", "host2", "hostname")
    assert ran.status == 255
    assert "ssh: connect to host host2 port 22" in ran.err


ORDINARY = """
import os, sys; sys.path.insert(0, {here!r})
from lab import Lab, missing
assert os.getuid() != 0
if missing():
    sys.exit(missing())
lab = Lab(2, ["nfs"])
try:
    lab.boot()
    here = lab.where("nfs")
    print(lab.ok(here, "migrate", "nfs", lab.other(here)).out)
    lab.switch("off", lab.other(here))
    lab.until("it runs on the other", lambda: lab.where("nfs") == here)
    assert not lab.doubles()
finally:
    lab.close()
"""


def test_an_ordinary_user_can_have_one(lab):
    if os.getuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("there is nobody else to be")
    script = ORDINARY.format(here=str(Path(__file__).parent))
    user = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    if subprocess.run((*user, sys.executable, "-c", "import hxm"), check=False).returncode:
        pytest.skip("the checkout is root's alone")
    ran = subprocess.run(
        (*user, sys.executable, "-c", script),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HOME": "/nonexistent"},
    )
    if "no namespaces" in ran.stderr:
        pytest.skip(ran.stderr.strip())
    assert ran.returncode == 0, ran.stderr
    assert "live" in ran.stdout


def test_a_shell_for_people(lab):
    """`make lab`, with what is typed in a pipe."""
    ran = subprocess.run(
        (sys.executable, Path(__file__).parent / "shell.py"),
        input="hxm list\nlab cut host3\nlab twice\nhostname; exit 7\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 7, ran
    assert "hxm standby host2" in ran.stdout
    assert "Started" in ran.stdout
    assert ran.stdout.splitlines()[-2:] == ["nothing", "host1"]
