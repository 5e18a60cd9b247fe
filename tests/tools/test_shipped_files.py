"""The files in etc/: the programs that read them accept them, and they allow what they say."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hxm.catalog import COMMANDS
from hxm.catalog.command import LOOK

ETC = Path(__file__).parents[2] / "etc"
SUDOERS = ETC / "sudoers.d" / "hxm"
PROGRAM = "/usr/local/sbin/hxm"


def needs(program: str):
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    return pytest.mark.skipif(not shutil.which(program, path=path), reason=f"no {program}")


def run(*argv: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60, **options)


@needs("visudo")
def test_visudo_accepts_the_file_for_sudo():
    done = run("visudo", "-c", "-f", str(SUDOERS))
    assert done.returncode == 0, done


def test_whoever_may_look_may_use_every_command_that_looks():
    allowed = set(re.findall(rf"{PROGRAM} ([a-z]+)", SUDOERS.read_text()))
    assert allowed == {row.name for row in COMMANDS.values() if row.group == LOOK} - {"help"}
    assert all(not COMMANDS[name].policy for name in allowed)


LOOKING = ["list", "list nfs", "list -o json", "list --everywhere", "status", "why nfs host2"]
LOOKING += [
    "history --since 3d",
    "check --everywhere --nagios",
    "graph -o svg",
    "watch",
    "clusters",
]
CHANGING = ["", "destroy nfs", "l", "-v list", "listing", "why", "diff /etc/shadow", "raw", "shell"]
CHANGING += ["restore 1", "backup /etc/x", "serve", "console nfs", "guard remove", "-- destroy nfs"]
CHANGING += [
    "list --on ssh://root@host9",
    "list nfs --on=prod",
    "--on prod list",
    "clusters --on x",
]


@needs("sudo")
@pytest.mark.skipif(os.geteuid() != 0, reason="sudo lists another user's rights for root alone")
def test_sudo_lets_those_look_and_do_no_more(tmp_path):
    """Asked of sudo itself, in a file system of its own where the file is sudo's only one."""
    if run("unshare", "-m", "true").returncode != 0:
        pytest.skip("no namespaces")
    sudoers = tmp_path / "sudoers"
    sudoers.write_text(SUDOERS.read_text().replace("%xenwatch", "nobody"))
    sudoers.chmod(0o440)
    program = tmp_path / "sbin" / "hxm"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    script = f"""
        set -e
        mount --bind {sudoers} /etc/sudoers
        mount --bind {program.parent} /usr/local/sbin
        while read -r line; do
            if sudo -n -l -U nobody {PROGRAM} $line >/dev/null 2>&1
            then echo "yes $line"
            else echo "no $line"
            fi
        done"""
    done = run("unshare", "-m", "sh", "-c", script, input="\n".join([*LOOKING, *CHANGING]) + "\n")
    expected = [f"yes {line}" for line in LOOKING] + [f"no {line}" for line in CHANGING]
    assert [line.rstrip() for line in done.stdout.splitlines()] == [x.rstrip() for x in expected]


@needs("systemd-analyze")
def test_systemd_accepts_the_unit(tmp_path):
    program = tmp_path / "hxm"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / "hxm-serve.service"
    text = (ETC / "systemd" / "system" / "hxm-serve.service").read_text()
    assert PROGRAM in text
    unit.write_text(text.replace(PROGRAM, str(program)))
    done = run("systemd-analyze", "verify", "--man=no", str(unit))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    for setting in (
        "MemoryMax=1G",
        "OOMPolicy=continue",
        "DynamicUser=yes",
        "ProtectSystem=strict",
        "TasksMax=",
    ):
        assert f"\n{setting}" in text


@needs("logrotate")
def test_the_history_goes_on_after_logrotate(sandbox):
    """It rotates twice, and compresses the older one."""
    journal = sandbox.file.parent / "journal"
    settings = sandbox.folder / "logrotate"
    text = (ETC / "logrotate.d" / "hxm").read_text()
    settings.write_text(text.replace("/var/log/hxm.journal", str(journal)))
    settings.chmod(0o644)
    for number in range(3):
        sandbox.ok("standby", "host2", "--yes", "--reason", f"number {number}")
        sandbox.ok("active", "host2", "--yes")
        if number < 2:
            state = str(sandbox.folder / "state")
            done = run("logrotate", "--force", "--state", state, str(settings))
            assert done.returncode == 0, done
            assert not journal.exists() or journal.stat().st_mode & 0o777 == 0o600
    names = sorted(path.name for path in journal.parent.glob("journal*"))
    assert names == ["journal", "journal.1", "journal.2.gz"]
    events = sandbox.ok("history", "-o", "json").json["events"]
    reasons = [event["note"] for event in events if event["source"] == "journal" and event["note"]]
    assert reasons == ["number 0", "number 1", "number 2"]
    oldest = journal.with_name("journal.2.gz")
    entry = json.loads(gzip.decompress(oldest.read_bytes()).splitlines()[0])
    assert entry["why"] == "number 0"
    os.utime(oldest, (1, 1))
    events = sandbox.ok("history", "-o", "json").json["events"]
    assert "number 0" not in str(events)
