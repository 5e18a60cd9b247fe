"""hxm console where there is no other node: who is passed on, who is refused, and the terminal."""

from __future__ import annotations

import re
import sys

import pexpect
import pytest

from hxm.errors import UsageError
from hxm.terminal import console
from hxm.terminal.console import pattern_of
from hxm.toolstack.remote import terminal_argv

LEAVE = b"\x1d"
ATTACH = "import sys; from hxm.terminal.console import attach; print(attach(sys.argv[1:])[:2])"


@pytest.mark.parametrize(
    ("words", "passed"),
    [
        ("console other", "[console][other]"),
        ("console 7", "[console][7]"),
        ("console -t serial -n 1 other", "[console][-t][serial][-n][1][other]"),
    ],
)
def test_an_unmanaged_domu_of_this_host_is_the_toolstacks(xen, words, passed):
    ran = xen.hxm(*words.split())
    assert (ran.status, ran.out, ran.err) == (42, f"{passed}\n", "")


def test_a_program_that_wants_a_domu_of_this_host_gets_it_at_once(xen):
    xen.program("xl", 'case "$1" in domid) echo 3;; *) echo "$@"; exit 5;; esac')
    xen.program("crm_mon", "exit 102")
    ran = xen.hxm("-v", "console", "nfs")
    assert (ran.status, ran.out, ran.err) == (5, "-v console nfs\n", "")


def test_a_cluster_that_cannot_be_asked_leaves_this_host(xen):
    xen.program("crm_mon", "exit 102")
    ran = xen.hxm("console", "nfs")
    assert (ran.status, ran.out) == (42, "[console][nfs]\n")
    assert "hxm: cannot ask the cluster; asking only this host: " in ran.err


def test_a_domu_of_a_sandbox_has_no_console(xen, sandbox):
    ran = xen.hxm("console", "sles")
    assert ran.status == 107
    assert "domUs in a sandbox have no console" in ran.err
    before = sandbox.file.read_text()
    for words in ("start nfs", "reboot nfs", "create nfs"):
        ran = sandbox.hxm(*words.split(), "--until", "login:")
        assert ran.status == 107, words
        assert "domUs in a sandbox have no console" in ran.err
    assert sandbox.file.read_text() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("start nfs --until ( ", "is not a regular expression"),
        ("start nfs --until x -W", "--until waits for the guest"),
        ("reboot -a --until x", "--until needs the names of domUs"),
        ("console", "DOMAIN is missing"),
    ],
)
def test_what_cannot_be_waited_for_is_said_before_anything_is_done(sandbox, words, said):
    env = {"CIB_file": ""} if "(" in words else {}
    ran = sandbox.hxm(*words.split(), env=env)
    assert ran.status == 2
    assert said in ran.err


def test_a_pattern_is_one_of_bytes():
    assert pattern_of("lo+gin: $").search(b"x loogin: ")
    assert pattern_of("\udcff").search(b"\xff")  # as a byte that is no letter arrives
    with pytest.raises(UsageError):
        pattern_of("[")


def test_another_nodes_console_passes_every_byte_and_notices_a_lost_node():
    argv = terminal_argv("host2", ("xl", "console", "a-b"), 6, terminal=True)
    assert argv[:5] == ("ssh", "-T", "-t", "-e", "none")
    assert "ServerAliveInterval=2" in argv
    assert argv[-1].endswith("xl console a-b'")
    assert "-t" not in terminal_argv("host2", ("xl",), 6, terminal=False)


@pytest.fixture
def attached(tmp_path):
    """Attached to a program that puts its terminal into raw mode and echoes, as xl's console."""
    guest = tmp_path / "guest"
    guest.write_text(
        "import os, tty\n"
        "tty.setraw(0)\n"
        "os.write(1, b'ready')\n"
        "while (typed := os.read(0, 1000)) and b'\\x1d' not in typed:\n"
        "    if typed == b'!': break\n"
        "    if typed == b'?': typed = str(tuple(os.get_terminal_size(0))).encode()\n"
        "    os.write(1, typed)\n"
    )
    child = pexpect.spawn(
        sys.executable,
        ["-c", ATTACH, sys.executable, str(guest)],
        dimensions=(24, 80),
        timeout=20,
    )
    child.expect_exact("ready")
    yield child
    child.close(force=True)


def test_every_byte_passes_and_the_size_follows(attached):
    every = bytes(each for each in range(256) if each != LEAVE[0])
    attached.send(every)
    attached.expect_exact(every)
    attached.send("?")
    attached.expect_exact("(80, 24)")
    attached.setwinsize(50, 132)
    for _ in range(20):
        attached.send("?")
        if attached.expect_exact(["(132, 50)", "(80, 24)"]) == 0:
            break
    else:
        raise AssertionError("the size did not follow")
    attached.send(LEAVE)
    attached.expect_exact("(True, 0)")
    attached.expect(pexpect.EOF)


def test_a_console_that_ends_by_itself_was_not_left(attached):
    attached.send("!")
    attached.expect_exact("(False, 0)")
    attached.expect(pexpect.EOF)


def test_without_a_cluster_and_a_toolstack_nobody_knows_whose_it_is(sandbox):
    ran = sandbox.hxm("console", "nfs", env={"CIB_file": "", "PATH": str(sandbox.bin)})
    assert ran.status == 102, ran
    assert "neither xl nor xm" not in ran.err


@pytest.mark.parametrize(
    ("guest", "shown"),
    [
        ("read x; echo login:", True),  # its prompt was up before
        ("echo 'Press Enter for maintenance'; read x; echo login:", False),
        ("read x; echo password:; read x; echo login:", False),  # one is enough
    ],
)
def test_an_enter_is_sent_once_and_to_nobody_who_has_said_anything(monkeypatch, guest, shown):
    monkeypatch.setattr(console, "_SILENCE", 0.5)
    argv = ("sh", "-c", guest)
    found, _ = console._shows(argv, re.compile(b"login:"), 2.0, knock=True)
    assert found is shown
