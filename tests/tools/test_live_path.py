"""The way of a running cluster, without one: tools that act on a file, and a scheduler beside it.

What only real daemons show is tested in a real cluster; this needs no root and no namespaces.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

TOOLS = ("crm_mon", "cibadmin", "crm_resource", "crm_attribute", "crm_simulate")
REAL = {tool: shutil.which(tool, path="/usr/sbin:/usr/bin") for tool in TOOLS}
WRAPPER = """\
[ -n "$CIB_file" ] && exec {real} "$@"
export CIB_file={file}
{before}
flock {file}.lock {real} "$@"
status=$?
{after}
exit $status"""


class Live:
    """A cluster that moves by itself: its scheduler runs every `pace` seconds, until the end."""

    def __init__(self, sandbox) -> None:
        self.sandbox = sandbox
        self.file = sandbox.env.pop("CIB_file")
        for tool in TOOLS:
            self.wrap(tool)
        (sandbox.folder / "hxm.toml").write_text(
            f'poll = 0.1\njournal = "{sandbox.folder}/journal"\n'
            f'backups = "{sandbox.folder}/backups"\n'
        )
        self.over = threading.Event()
        self.paused = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def wrap(self, tool: str, before: str = "", after: str = "") -> None:
        real = shlex.quote(str(REAL[tool]))
        script = WRAPPER.format(real=real, file=self.file, before=before, after=after)
        self.sandbox.program(tool, script)

    def _run(self) -> None:
        while not self.over.wait(0.2):
            if not self.paused.is_set():
                self.tick()

    def tick(self) -> None:
        with open(f"{self.file}.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            subprocess.run(
                [REAL["crm_simulate"], "-SX", "-Q", f"--xml-file={self.file}"],
                env={**os.environ, "CIB_file": self.file},
                check=True,
                capture_output=True,
            )

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "hxm", *words],
            env=self.sandbox.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def journal(self) -> list[dict[str, Any]]:
        path = self.sandbox.folder / "journal"
        return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def live(sandbox):
    cluster = Live(sandbox)
    cluster.thread.start()
    yield cluster
    cluster.over.set()
    cluster.thread.join()


def test_a_migration_is_waited_for_seen_live_and_leaves_nothing(live):
    before = live.sandbox.configuration()
    ran = live.sandbox.ok("migrate", "nfs", "host2")
    assert "nfs: host1 -> host2, live" in ran.out
    assert live.sandbox.nodes_of("nfs") == ["host2"]
    assert live.sandbox.configuration() == before


def test_a_reboot_is_both_a_stop_and_a_start(live):
    before = live.sandbox.configuration()
    assert "nfs: restarted on host1" in live.sandbox.ok("reboot", "nfs").out
    assert live.sandbox.configuration() == before
    ran = live.sandbox.hxm("reboot", "nfs", "--no-wait")
    assert ran.status == 2
    assert live.sandbox.configuration() == before


def test_what_is_only_ordered_is_not_called_done(live):
    ran = live.sandbox.ok("shutdown", "nfs", "--no-wait", "-o", "json")
    assert ran.json["result"] == "ordered"
    assert ran.json["left"]


def test_a_timeout_names_what_is_left_and_the_way_back(live):
    live.paused.set()
    ran = live.sandbox.hxm("reboot", "nfs", "--timeout", "0")
    assert ran.status == 124
    assert "restarted" not in ran.out
    assert "target-role=Stopped" in ran.err
    assert "to undo it: hxm start nfs" in ran.err
    live.paused.clear()
    live.sandbox.ok("start", "nfs")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whatever_stops_hxm_between_two_steps_it_says_what_is_left(live, number):
    live.paused.set()
    flag = live.sandbox.folder / "done"
    live.wrap("crm_resource", after=f"touch {flag}; sleep 2")
    process = live.start("migrate", "nfs", "host2")
    while not flag.exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert b"left: cli-prefer-nfs" in err
    assert b"hxm unmigrate nfs" in err
    begun, ended = live.journal()
    assert (begun["outcome"], ended["status"]) == ("begun", 130)
    assert "cli-prefer-nfs" in ended["left"]


def test_a_killed_migration_is_still_known_as_whose_it_was(live):
    live.paused.set()
    flag = live.sandbox.folder / "done"
    live.wrap("crm_resource", after=f"touch {flag}; sleep 2")
    process = live.start("migrate", "nfs", "host2")
    while not flag.exists():
        time.sleep(0.05)
    process.kill()
    process.communicate()
    assert "s ago: migrate nfs to host2)" in live.sandbox.ok("list").err


def test_a_look_that_fails_once_is_repeated(live):
    count = live.sandbox.folder / "looks"
    live.wrap("crm_mon", before=f'echo >>{count}; [ "$(wc -l <{count})" = 3 ] && exit 102')
    live.sandbox.ok("reboot", "nfs")
    assert live.sandbox.nodes_of("nfs")


def test_no_order_waits_for_a_node_that_was_away_before(live):
    live.paused.set()
    with open(live.file, encoding="utf-8") as file:
        text = file.read()
    away = text.replace(
        'uname="host2" in_ccm="true" crmd="online" join="member"',
        'uname="host2" in_ccm="true" crmd="online" join="pending"',
    )
    assert away != text
    with open(live.file, "w", encoding="utf-8") as file:
        file.write(away)
    live.sandbox.ok("maintenance", "on", "--timeout", "20")


def test_what_the_cluster_has_still_to_do_is_not_blamed_on_the_order(live):
    live.paused.set()
    live.sandbox.tool("crm_resource", "-r", "sles", "--meta", "-p", "target-role", "-v", "Stopped")
    live.sandbox.ok("maintenance", "on", "nfs")


def test_a_tool_that_fails_midway_leaves_nothing_unnamed(live):
    live.wrap("crm_resource", before='case "$*" in *sles*) echo no >&2; exit 1;; esac')
    ran = live.sandbox.hxm("shutdown", "nfs", "sles")
    assert ran.status == 1
    assert "left: nfs: target-role=Stopped" in ran.err
    assert "hxm start nfs sles" in ran.err
