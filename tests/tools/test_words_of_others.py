"""Names, reasons and what other programs say reach a terminal as words, and forge nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

ESCAPE = "evil\x1b]0;owned\x07\x9b2J\u202etxt"
FORGED = "x)\n2026-11-29 01:00:00  0.0 s  ordered: destroy nfs  alice@host1 (test"
IN_XML = "evil&#10;row &#x9b;2J&#x202e;txt"
EVERYTHING = """
list
list --long
list -o csv
list -o tsv
list -o github
list -o plain
nodes
status
check
why nfs
graph
graph -o dot
graph -o mermaid
history
capacity
migrate nfs host2 --dry-run
standby host1 --dry-run
diff before.xml
list no\x1bsuch
history no\x1bsuch
diff /no/\x1bsuch
frobnic\x1bate
"""


def words_only(ran) -> None:
    for text in (ran.out, ran.err):
        for line in text.split("\n"):
            assert line.replace("\t", "").isprintable(), ascii(line)


def test_a_reason_forges_no_row_of_the_history(sandbox):
    sandbox.ok("standby", "host2", "--yes", "--reason", ESCAPE)
    sandbox.ok("active", "host2", "--yes", "--reason", FORGED)
    ran = sandbox.ok("history")
    words_only(ran)
    assert not [line for line in ran.out.splitlines() if line.startswith("2026-11-29 01:00")]
    assert f"({FORGED})".replace("\n", "\\n") in ran.out
    assert [row["note"] for row in sandbox.ok("history", "-o", "json").json["events"]].count(FORGED)


@pytest.mark.parametrize("line", EVERYTHING.strip().splitlines())
def test_no_command_prints_what_a_terminal_obeys(sandbox, line):
    (Path(sandbox.env["TMPDIR"]) / "before.xml").write_bytes(sandbox.file.read_bytes())
    sandbox.replace('name="cluster-name" value="', f'name="cluster-name" value="{IN_XML}')
    sandbox.replace(
        "<resources>",
        f'<resources><primitive id="odd" class="ocf" provider="heartbeat" type="Xen">'
        f'<instance_attributes id="odd-ia"><nvpair id="odd-n" name="name" value="{IN_XML}"/>'
        f'<nvpair id="odd-x" name="xmfile" value="/etc/{IN_XML}"/></instance_attributes>'
        f"</primitive>",
    )
    ran = sandbox.hxm(*line.split(" "), cwd=sandbox.env["TMPDIR"])
    assert "fault in hxm" not in ran.err
    words_only(ran)


def test_a_password_is_shown_by_nothing_that_compares(sandbox):
    """As a mount of CIFS has it, and a device that fences."""
    sandbox.ok("backup")
    sandbox.replace(
        "<resources>",
        '<resources><primitive id="fs" class="ocf" provider="heartbeat" type="Filesystem">'
        '<instance_attributes id="fs-ia"><nvpair id="fs-o" name="options" '
        'value="username=u,password=HUSH,vers=3"/><nvpair id="fs-d" name="directory" value="/mnt"/>'
        '<nvpair id="fs-p" name="ipmi_pw" value="HUSH"/></instance_attributes></primitive>',
    )
    sandbox.ok("backup")
    sandbox.replace("HUSH", "HUSH-HUSH")
    for words in (
        ("diff",),
        ("diff", "1"),
        ("diff", "1", "-o", "json"),
        ("diff", "1", "-o", "csv"),
        ("restore", "1", "--dry-run"),
        ("restore", "1", "--dry-run", "-o", "json"),
        ("restore", "1", "--yes"),
        ("history",),
        ("undo", "--dry-run"),
        ("undo", "--yes"),
    ):
        ran = sandbox.ok(*words)
        assert "HUSH" not in ran.out + ran.err, ran
    journal = (sandbox.file.parent / "journal").read_text()
    assert "HUSH" not in journal


def test_what_a_toolstack_calls_a_domain(xen):
    xen.program(
        "xl",
        "printf 'Name                                        ID   Mem VCPUs\\tState\\tTime(s)\\n'\n"
        "printf 'o\\033]0;x\\007dd  3  512  1  -b----  7.5\\n'",
    )
    for form in ("table", "csv"):
        ran = xen.ok("list", "-o", form)
        words_only(ran)
        assert "o\\x1b]0;x\\x07dd" in ran.out


def test_what_ssh_says_of_a_node(xen):
    xen.as_if_live()
    xen.program("ssh", "printf 'bad \\033]0;PWN\\007\\n' >&2; exit 255")
    ran = xen.ok("list", "--everywhere")
    words_only(ran)
    assert "the domains of host2 are unknown: bad \\x1b]0;PWN\\x07" in ran.err
