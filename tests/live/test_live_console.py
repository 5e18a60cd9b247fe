"""hxm console on a real terminal, through a real ssh where it is installed, and --until."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
from contextlib import contextmanager

import pexpect
import pexpect.fdpexpect
import pytest
from test_nodes import REAL_SSH, sshd

__all__ = ["sshd"]
LEAVE = b"\x1d"


class Typed:
    """A program in a node, on a terminal of its own that the test types at."""

    def __init__(self, lab, host, *argv, env=None) -> None:
        self.fd, theirs = pty.openpty()
        self.resize(24, 80)
        self.program = lab.start(host, *argv, env=env, descriptors=(theirs,) * 3, terminal=True)
        os.close(theirs)
        self.screen = pexpect.fdpexpect.fdspawn(self.fd, timeout=40)

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def sees(self, *texts):
        for text in texts:
            self.screen.expect_exact(text.encode() if isinstance(text, str) else text)

    def types(self, text):
        self.screen.send(text)

    def gets(self, text):
        """What the guest answers an Enter with; what is typed before it listens is lost."""
        for _ in range(20):
            self.types("\r")
            if self.screen.expect_exact([text.encode(), pexpect.TIMEOUT], timeout=1) == 0:
                return
        raise AssertionError(f"no {text!r}: {self.screen.before!r}")


@contextmanager
def terminal(lab, host, *argv, **options):
    typed = Typed(lab, host, *argv, **options)
    try:
        yield typed
    finally:
        typed.program.kill()
        os.close(typed.fd)


def test_a_console_follows_its_domu_to_another_node(lab):
    here = lab.where("nfs")
    asker, other = lab.other(here), lab.other(here, lab.other(here))
    with terminal(lab, asker, "hxm", "console", "nfs") as typed:
        typed.sees(f"console of nfs on {here}: Enter for a prompt, Ctrl-] to leave")
        typed.gets("nfs login: ")
        every = bytes(each for each in range(256) if each not in (0x0D, LEAVE[0]))
        typed.types(every)
        typed.sees(every)
        typed.resize(50, 132)
        typed.types("\rsize\r")
        typed.sees("columns=132, lines=50")
        lab.ok(lab.other(here), "migrate", "nfs", other, "--no-wait")
        typed.sees(f"nfs moved from {here} to {other}: the console continues there")
        typed.gets("nfs login: ")
        typed.types(LEAVE)
        typed.sees(f"left the console of nfs on {other}; nfs still runs")
        assert typed.program.wait(10).status == 0
    lab.until("the move is over", lab.idle)


def test_a_console_ends_when_the_domu_is_shut_down(lab):
    with terminal(lab, "host1", "hxm", "console", "sles") as typed:
        typed.sees("Ctrl-] to leave")
        typed.gets("login: ")
        lab.ok("host2", "shutdown", "sles")
        typed.sees("sles has stopped, which ended its console; to start it: hxm start sles")
        assert typed.program.wait(10).status == 0
    ran = lab.hxm("host1", "console", "sles")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == ("hxm: sles does not run, so it has no console\n     hxm start sles\n")
    ran = lab.ok("host1", "start", "sles", "--until", "sles login:")
    assert "sles: started on" in ran.out
    assert "sles printed 'sles login:' on its console after" in ran.out


@pytest.mark.thorough
def test_a_start_is_not_done_before_the_guest_says_so(lab):
    lab.turn("console", silent=True)
    ran = lab.hxm("host1", "reboot", "nfs", "--until", "login:", "--timeout", "15")
    assert ran.status == 124, ran
    assert "nfs runs, but did not print 'login:' on its console within" in ran.err
    assert "Linux version" in ran.err


@pytest.mark.thorough
def test_a_node_that_is_lost_takes_the_console_to_where_the_domu_starts_anew(lab):
    here = lab.where("nfs")
    with terminal(lab, lab.other(here), "hxm", "console", "nfs") as typed:
        typed.sees("Ctrl-] to leave")
        typed.gets("login: ")
        lab.switch("off", here)
        typed.sees(f"nfs moved from {here} to ")
        typed.gets("login: ")
        typed.types(LEAVE)
        typed.sees("left the console")


def test_a_console_through_a_real_ssh(lab, sshd):
    if lab.where("nfs") != "host2":
        lab.ok("host1", "migrate", "nfs", "host2")
    with terminal(lab, "host1", "hxm", "console", "nfs", env=REAL_SSH) as typed:
        typed.sees("console of nfs on host2")
        typed.gets("nfs login: ")
        typed.types("~.\r")
        typed.sees("~.", "nfs login: ")
        typed.resize(50, 132)
        typed.types("size\r")
        typed.sees("columns=132, lines=50")
        typed.types(LEAVE)
        typed.sees("left the console of nfs on host2")
        assert typed.program.wait(10).status == 0
    _, there = sshd
    (there / "keys").write_text("")
    with terminal(lab, "host1", "hxm", "console", "nfs", env=REAL_SSH) as typed:
        typed.sees("hxm: the console of nfs on host2 cannot be reached: it lets nobody in")
        assert typed.program.wait(10).status == 102
