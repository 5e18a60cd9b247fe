"""hxm shell on a real terminal, on a cluster in a file; and scripts for it."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager, suppress

import pexpect
import pyte

PROMPT = "hxm sandbox xen ok>"


class Terminal:
    """A hxm that is typed at, and the screen as somebody in front of it would read it."""

    def __init__(self, sandbox, *words, size=(30, 100)) -> None:
        home = {"HOME": str(sandbox.folder), "TERM": "xterm"}
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "hxm", *words],
            env={**sandbox.env, **home},
            dimensions=size,
            encoding="utf-8",
        )
        self.screen = pyte.HistoryScreen(size[1], size[0], history=1000, ratio=1)
        self.stream = pyte.Stream(self.screen)
        setattr(self.screen, "write_process_input", self.child.send)  # noqa: B010 - where the cursor is
        self.mark = 0

    def lines(self):
        """All that was ever shown, and not painted over."""
        gone = [
            "".join(c.data for _, c in sorted(line.items())) for line in self.screen.history.top
        ]
        return [*gone, *self.screen.display]

    def sees(self, *texts, within=30):
        """Each of the texts is shown, below where the last line was typed."""
        end = time.monotonic() + within
        missing = [*texts]
        while missing:
            shown = "\n".join(line.rstrip() for line in self.lines()[self.mark :])
            missing = [text for text in texts if text not in shown]
            assert time.monotonic() < end, f"not shown: {missing}\n{shown}"
            with suppress(pexpect.TIMEOUT, pexpect.EOF):
                self.stream.feed(self.child.read_nonblocking(1 << 16, 0.1))

    def types(self, text):
        self.child.send(text)

    def enters(self, text):
        self.mark = len(self.screen.history.top) + self.screen.cursor.y + 1
        self.child.send(text + "\r")


@contextmanager
def terminal(sandbox, *words):
    typed = Terminal(sandbox, *words)
    try:
        yield typed
    finally:
        typed.child.close(force=True)


def leaves(typed):
    typed.types("\x04")
    typed.child.expect(pexpect.EOF)
    typed.child.close()
    assert typed.child.exitstatus == 0


def test_an_evening_in_the_shell(sandbox):
    with terminal(sandbox) as typed:
        typed.sees(PROMPT, "quorum | 2 nodes | 2 domUs run")
        typed.enters("migrate nfs host2")
        typed.sees("nfs: host1 -> host2, live", PROMPT)
        typed.types("stand\t")
        typed.sees("ok> standby")
        typed.types("\x15standby host1 --rea\t")
        typed.sees("standby host1 --reason")
        typed.enters("'to see it'")
        typed.sees("host1 is in standby", "hxm sandbox xen host1 standby>", "1 of 2 nodes")
        typed.enters("migrate nfs host1")
        typed.sees("host1 cannot take a domU: it is in standby")
        typed.enters("active host1 ?")
        typed.sees("Usage: hxm active")
        typed.enters("list 'nfs")
        typed.sees("no closing quotation")
        typed.types("\x12migr")
        typed.sees("migrate nfs host1")
        typed.types("\x03")
        typed.enters("exit")
        typed.child.expect(pexpect.EOF)
    assert sandbox.nodes_of("nfs") == ["host2"]
    history = sandbox.folder / ".hxm_history"
    assert "+migrate nfs host2\n" in history.read_text()
    assert history.stat().st_mode & 0o077 == 0
    assert "to see it" in (sandbox.file.parent / "journal").read_text()


def test_what_is_passed_on_ends_and_the_shell_goes_on(xen):
    with terminal(xen, "shell") as typed:
        typed.sees(PROMPT)
        typed.enters("info -n")
        typed.sees("[info][-n]", PROMPT)
        typed.enters("pause nfs")
        typed.sees("pause is refused", PROMPT)
        typed.enters("shell")
        typed.sees("this is already an hxm shell", PROMPT)
        leaves(typed)


def test_ctrl_c_ends_a_command_and_not_the_shell(xen):
    xen.program("xl", 'case "$1" in top) echo begun; exec sleep 60;; esac; exec true')
    with terminal(xen, "shell") as typed:
        typed.sees(">")
        typed.enters("top")
        typed.sees("begun")
        typed.types("\x03")
        typed.sees(">")
        typed.types("half a li")
        typed.sees("half")
        typed.types("\x03")
        typed.sees(">")
        leaves(typed)


def test_a_cluster_that_does_not_answer_never_keeps_the_prompt(sandbox):
    sandbox.program("crm_mon", "exec sleep 60")
    with terminal(sandbox, "shell") as typed:
        typed.sees("hxm sandbox xen ...>", "asking the cluster")
        typed.types("migrate \t")
        typed.types("\x15help unlo\t\r")
        typed.sees("Usage: hxm unlock", ">")
        leaves(typed)


def test_a_cluster_that_is_down_is_said_to_be(sandbox):
    sandbox.program("crm_mon", "echo no >&2; exit 102")
    sandbox.program("cibadmin", "echo no >&2; exit 102")
    with terminal(sandbox, "shell") as typed:
        typed.sees("hxm sandbox xen no answer>")
        leaves(typed)


NIGHT = """# tonight
migrate nfs host2 --reason 'new disk'   # live
hxm standby host9

standby host1 --yes
"""


def test_a_file_is_carried_out_up_to_the_first_failure(sandbox):
    path = sandbox.folder / "night.hxm"
    path.write_text(NIGHT)
    ran = sandbox.hxm("shell", "-f", str(path))
    assert ran.status == 105
    assert f"hxm: {path}, line 3: standby host9: ended with status 105" in ran.err
    assert sandbox.nodes_of("nfs") == ["host2"]
    assert 'name="standby"' not in sandbox.configuration()
    ran = sandbox.hxm("shell", "-f", str(path), "--keep-going")
    assert ran.status == 105
    assert 'name="standby"' in sandbox.configuration()


def test_lines_come_from_standard_input_as_well(sandbox):
    ran = sandbox.hxm("shell", stdin=None, input=b"list nfs -o json\nlist other\nstatus\n")
    assert ran.status == 105
    assert ran.out.count('"nfs"') >= 1
    assert "hxm: stdin, line 2: list other: ended with status 105" in ran.err
    assert "Nodes" not in ran.out


def test_lines_on_the_stdin_of_hxm_itself_are_carried_out(sandbox, tmp_path):
    ran = sandbox.hxm(stdin=None, input=b"list nfs\nlist other\n")
    assert ran.status == 105
    assert "nfs" in ran.out
    path = tmp_path / "night.hxm"
    path.write_text("list nfs\nnonsense\n")
    with path.open("rb") as file:
        assert sandbox.hxm(stdin=file).status == 2
    assert "COMMAND" in sandbox.ok().out


def test_a_file_with_a_mistake_is_not_begun(sandbox):
    path = sandbox.folder / "night.hxm"
    path.write_text("migrate nfs host2\nmigrate 'sles host1\n")
    ran = sandbox.hxm("shell", "-f", str(path))
    assert (ran.status, ran.out) == (2, "")
    assert f"hxm: {path}, line 2: no closing quotation" in ran.err
    assert sandbox.nodes_of("nfs") == ["host1"]
    assert os.listdir(sandbox.scratch) == []


def test_a_line_that_is_no_text_is_a_command_like_any_other(sandbox, tmp_path):
    script = tmp_path / "lines"
    script.write_bytes(b"\xef\xbb\xbfnodes\nlist caf\xe9\n")
    strict = {"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "utf-8:strict"}
    with script.open() as lines:
        ran = sandbox.hxm("shell", stdin=lines, env=strict)
    assert ran.status == 105
    assert "host1" in ran.out
    assert "line 2" in ran.err
    assert "fault" not in ran.err


def test_a_script_that_calls_itself_ends(sandbox, tmp_path):
    script = tmp_path / "night.hxm"
    script.write_text(f"shell -f {script}\n")
    assert sandbox.hxm("shell", "-f", str(script)).status == 107


def test_a_plan_is_folded_at_blanks_and_its_command_lines_stay_whole(sandbox):
    sandbox.tool("crm_resource", "--ban", "--resource=sles", "--node=host1")
    typed = Terminal(sandbox, "unmigrate", "--dry-run", size=(30, 80))
    typed.sees(
        "  cli-ban-sles-on-host1: sles must not run on host1 (not set by hxm on this\n      host)",
        "nothing was changed",
    )
    typed = Terminal(sandbox, "shutdown", "-a", "--dry-run", size=(30, 80))
    typed.sees(
        "  crm_resource --resource=nfs --meta --set-parameter=target-role --parameter-val\nue="
    )
