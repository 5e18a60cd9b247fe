"""hxm watch on a terminal and into a pipe, and the display of an order, on a cluster in a file."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pexpect
from test_shell import leaves, terminal


def test_a_watch_shows_what_others_do(sandbox):
    with terminal(sandbox, "watch", "--interval", "1") as typed:
        typed.sees("quorum | 2 nodes | 2 domUs run", "nfs", "polls/min")
        sandbox.ok("standby", "host1")
        typed.sees("host1 standby", "nfs: host1 -> host2")
        typed.types("n")
        typed.sees("Running", "nfs sles")
        typed.types("f")
        typed.sees("hxm active host1")
        typed.types("q")
        typed.child.expect(pexpect.EOF)
        typed.child.close()
        assert typed.child.exitstatus == 0


def test_a_watch_says_how_old_it_is_when_there_is_no_answer(sandbox):
    with terminal(sandbox, "watch", "--interval", "1") as typed:
        typed.sees("2 domUs run")
        sandbox.program("crm_mon", "echo gone >&2; exit 102")
        typed.sees("tools cannot read", "3 s old", "nfs")
        typed.types("\x03")
        typed.child.expect(pexpect.EOF)


def test_a_watch_that_is_told_to_end_leaves_the_terminal_and_its_programs_in_order(sandbox):
    sandbox.program("crm_mon", f"echo $$ >{sandbox.folder}/pid; exec sleep 60")
    for end in ("q", signal.SIGTERM, signal.SIGHUP):
        with terminal(sandbox, "watch") as typed:
            typed.sees("asking the cluster")
            asked = until_written(sandbox.folder / "pid")
            if end == "q":
                typed.types(end)
            else:
                typed.child.kill(end)
            typed.child.expect(pexpect.EOF)
            assert "\x1b[?1049l" in typed.child.before
            assert "\x1b[?25h" in typed.child.before
            typed.child.close()
            assert typed.child.exitstatus == (0 if end == "q" else 130)
            until_gone(asked)


def test_a_shell_that_is_left_ends_its_programs(sandbox):
    sandbox.program("crm_mon", f"echo $$ >{sandbox.folder}/pid; exec sleep 60")
    with terminal(sandbox, "shell") as typed:
        typed.sees("hxm sandbox xen ...>")
        asked = until_written(sandbox.folder / "pid")
        leaves(typed)
        until_gone(asked)


def until_written(path):
    """The word that a program writes into the file, which is then gone."""
    end = time.monotonic() + 20
    while not (path.exists() and (word := path.read_text().strip())):
        assert time.monotonic() < end
        time.sleep(0.01)
    path.unlink()
    return word


def until_gone(process):
    """Killed, whether or not anybody has taken note of it."""
    end = time.monotonic() + 5
    while os.path.exists(f"/proc/{process}") and Path(f"/proc/{process}/cmdline").read_bytes():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_without_a_terminal_the_list_is_printed_again_and_again(sandbox):
    ran = sandbox.ok("watch", "--count", "2", "--interval", "1")
    assert ran.out.count("quorum | 2 nodes | 2 domUs run") == 2
    assert ran.out.count("Name ") == 2
    assert "\x1b" not in ran.out
    for none in ("0", "nan", "inf"):
        assert sandbox.hxm("watch", "--interval", none).status == 2


def test_an_order_shows_its_way_on_a_terminal_alone(sandbox):
    with terminal(sandbox, "migrate", "nfs", "host2") as typed:
        typed.sees("s  nfs: move host1 -> host2, live", "nfs: host1 -> host2, live")
        typed.child.expect(pexpect.EOF)
    assert sandbox.ok("migrate", "nfs", "host1").err == ""
