"""hxm watch on a terminal and into a pipe, and the display of an order, on a cluster in a file."""

from __future__ import annotations

import pexpect
from test_shell import terminal


def test_a_watch_shows_what_others_do(sandbox):
    with terminal(sandbox, "watch", "--interval", "1") as typed:
        typed.sees("quorum | 2 nodes | 2 domUs run", "nfs", "looks/min")
        sandbox.ok("standby", "host1")
        typed.sees("host1 standby", "nfs: Started, host2")
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
