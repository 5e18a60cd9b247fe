"""How programs that hxm starts may end, and what they may leave behind."""

from __future__ import annotations

import os
import signal

import pytest

from hxm.errors import CannotAsk
from hxm.host import programs
from hxm.toolstack.remote import ask_elsewhere

LONG = 60.0  # seconds


@pytest.fixture
def left():
    """Pids of what a test leaves behind; ended with it."""
    pids: list[int] = []
    yield pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def test_what_a_program_leaves_in_the_background_is_not_waited_for(left):
    result = programs.output(
        ("sh", "-c", f"sleep {LONG * 2:.0f} & echo $!; echo more >&2"), timeout=LONG
    )
    left.append(int(result.stdout))
    assert (result.status, result.stderr) == (0, "more\n")
    os.kill(left[0], 0)  # nor is it ended


def test_a_program_that_closes_its_pipes_has_not_ended():
    result = programs.output(("sh", "-c", "exec >&- 2>&-; sleep 0.3; exit 7"), timeout=LONG)
    assert (result.status, result.stdout) == (7, b"")


@pytest.mark.parametrize("old", [False, True])
def test_long_answers_come_whole_whatever_the_kernel(monkeypatch, old):
    if old:
        monkeypatch.setattr(os, "pidfd_open", lambda _: (_ for _ in ()).throw(OSError()))
    for size in (1, 65536, 1 << 22):
        result = programs.output(("sh", "-c", f"head -c {size} /dev/zero; exit 3"), timeout=LONG)
        assert (len(result.stdout), result.status) == (size, 3)


def test_a_program_that_cannot_be_ended_is_given_up(monkeypatch, left):
    """As one that waits for a disk, which not even SIGKILL ends before the disk answers."""
    process = programs.Process(("sleep", f"{LONG:.0f}"))
    left.append(process.pid)
    monkeypatch.setattr(os, "killpg", lambda *_: None)
    with pytest.raises(CannotAsk, match="no answer within"):
        process.finish(timeout=0.1)
    assert os.waitpid(process.pid, os.WNOHANG) == (0, 0)


def test_a_log_names_every_program_and_never_its_xml(tmp_path, monkeypatch, capfd):
    log = tmp_path / "log"
    monkeypatch.setenv("HXM_LOG", str(log))
    tool = tmp_path / "crm_tool"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    programs.output((str(tool), "--xml-text=<nvpair value='secret'/>", "--node=\x1b\n\udcff"))
    programs.output(("false", "--vncpasswd", "secret"))
    with pytest.raises(CannotAsk):
        programs.output(("sleep", "9"), timeout=0.1)
    first, second, third = log.read_text().splitlines()
    assert first.endswith(f"exit status 0: {tool} '(35 characters)' '--node=\\x1b\\n\\udcff'")
    assert second.endswith("exit status 1: false (2 more words)")
    assert third.endswith("ended by hxm: sleep (1 more words)")
    assert log.stat().st_mode & 0o777 == 0o600
    os.mkfifo(tmp_path / "fifo")
    for no_log in ("no/folder", "fifo"):
        monkeypatch.setenv("HXM_LOG", str(tmp_path / no_log))
        assert programs.output(("true",)).status == 0
    assert capfd.readouterr() == ("", "")


def test_verbose_is_hxms_own_before_hxms_own_commands(sandbox):
    ran = sandbox.ok("-v", "nodes")
    assert "exit status 0: crm_mon" in ran.err
    assert "crm_mon" not in sandbox.ok("nodes").err


def test_the_silence_of_one_node_costs_no_other_nodes_answer(tmp_path, monkeypatch):
    """A pipe takes 64 KiB: the answer is longer."""
    ssh = tmp_path / "ssh"
    ssh.write_text(
        '#!/bin/sh\ncase "$*" in *host2*) exec sleep 100 ;; esac\nexec head -c 200000 /dev/zero\n'
    )
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    answers = ask_elsewhere(("xl", "list"), ("host2", "host3"), 3.0, len)
    assert answers == {"host2": "no answer within 3 s", "host3": 200_000}
