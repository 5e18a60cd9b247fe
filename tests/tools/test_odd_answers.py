"""What another host answers, and what lies in a file, may be anything: that is said, in a line."""

from __future__ import annotations

import bz2
import gzip
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BOMB = Path(__file__).parents[1] / "data" / "bomb.bz2"

NOISE = {
    "nothing": "exit 0",
    "a greeting": "echo welcome",
    "no clock": "echo hxm clock Sun",
    "a clock that runs away": "echo hxm clock 1e999",
    "a clock of letters": "printf 'hxm clock \\303\\251\\n'",
    "a name with a line end": "echo hxm auto /etc/xen/auto/x",
    "half a table": "printf 'Name ID Mem VCPUs\\nnfs 3\\n'",
    "a table of nonsense": "printf 'Name ID Mem VCPUs\\nnfs x y z - 1.0\\n'",
    "no end": "printf 'Name ID Mem VCPUs\\nnfs '; head -c 9000 /dev/zero | tr '\\0' 9",
    "brackets": "printf 'Name ID Mem VCPUs\\nhxm more\\n'; head -c 200000 /dev/zero | tr '\\0' '['",
    "escapes": "printf '\\033]0;x\\007\\n'; exit 1",
    "no text": "head -c 4000 /dev/urandom",
    "json of another kind": 'echo \'{"done": [[1]], "looks": 5, "fenced": [], "ordered": []}\'',
    "json that is deep": "head -c 200000 /dev/zero | tr '\\0' '['",
    "a flood": "exec yes nfs",
    "silence": "exec sleep 100",
    "no ssh": "exit 255",
    "killed": "kill -9 $$",
}


@pytest.fixture
def hosts(xen):
    """The cluster as if it were live, so that the other node is asked."""
    xen.as_if_live()
    (xen.folder / "hxm.toml").write_text('toolstack = "xl"\nssh_timeout = 2\n')
    return xen


@pytest.mark.parametrize("answer", NOISE.values(), ids=NOISE)
def test_a_node_that_answers_nonsense_is_unknown_and_nobody_else(hosts, answer):
    hosts.program("ssh", answer)
    listed = hosts.ok("list", "--everywhere")
    assert "hxm: the domains of host2 are unknown: " in listed.err
    assert "nfs" in listed.out
    checked = hosts.hxm("check", "--everywhere", "-o", "json")
    assert list(checked.json["unknown"]) == ["host2"]
    assert checked.json["unknown"]["host2"]
    for command in ("check", "capacity"):
        ran = hosts.hxm(command, "--everywhere", "--nagios")
        assert ran.out.startswith("HXM ") and ran.out.count("\n") == 1, ran
        assert ran.status in (0, 1, 2, 3)
        assert "host2" in ran.out or command == "capacity"
    history = hosts.ok("history", "--everywhere")
    assert "events from host2 are missing: " in history.err
    for ran in (listed, checked, history):
        assert "fault in hxm" not in ran.err
        assert "Traceback" not in ran.err


BROKEN = {
    "no cluster": lambda xen: xen.program("crm_mon", "exit 102"),
    "a cluster that talks nonsense": lambda xen: xen.program("crm_mon", "echo '<crm_mon'"),
    "bad settings": lambda xen: (xen.folder / "hxm.toml").write_text("no = = toml"),
    "a fault of our own": lambda xen: xen.program(
        "xl", f"echo '{'x' * 90}' >&2; echo 'Name ID Mem VCPUs'; echo x; exit 0"
    ),
}


@pytest.mark.parametrize("command", ["check", "capacity"])
@pytest.mark.parametrize("words", [(), ("nosuch",), ("--bogus",), ("--everywhere",)])
@pytest.mark.parametrize("trouble", [None, *BROKEN])
def test_monitoring_gets_a_line_whatever_happens(hosts, trouble, words, command):
    if trouble:
        BROKEN[trouble](hosts)
    hosts.program("ssh", "exit 255")
    ran = hosts.hxm(command, *words, "--nagios")
    assert ran.out.startswith("HXM ") and ran.out.count("\n") == 1, ran
    if trouble not in (None, "a fault of our own") or words in (("nosuch",), ("--bogus",)):
        assert ran.out.startswith("HXM UNKNOWN: "), ran
        assert ran.status == 3
    assert "Traceback" not in ran.err


def test_only_a_plugin_ends_as_one(hosts):
    """The word may be a reason."""
    ran = hosts.hxm("start", "nosuch", "--yes", "--reason", "--nagios")
    assert (ran.status, ran.out) == (105, "")


def test_a_traceback_is_no_text_for_a_terminal(hosts, monkeypatch):
    """As that of a fault which an odd answer has led to."""
    hosts.program("crm_mon", "exit 102")
    code = (
        "import sys; from hxm import cli\n"
        "def dispatch(words): raise RuntimeError(chr(27) + ']0;x')\n"
        "cli.dispatch = dispatch; sys.exit(cli.guarded(['list']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=hosts.env | {"HXM_DEBUG": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "RuntimeError: \\x1b]0;x" in done.stderr
    assert "Traceback" in done.stderr
    assert "\x1b" not in done.stderr


NOT_FILES = {"a fifo": os.mkfifo, "a device": lambda path: os.symlink("/dev/zero", path)}
READERS = (
    "diff {}",
    "restore {}",
    "restore {} --dry-run",
    "create {} --dry-run",
    "enrol {} --dry-run",
    "serve --token-file {}",
    "shell --file {}",
    "shell -f {} --keep-going",
    "backup {}",
    "diff 1 {}",
    "migrate --file {} host2",
    "-- create {}",
)


@pytest.mark.parametrize("make", NOT_FILES.values(), ids=NOT_FILES)
@pytest.mark.parametrize("line", READERS)
def test_what_is_no_regular_file_is_never_opened(sandbox, make, line):
    path = sandbox.folder / "odd"
    make(path)
    ran = sandbox.hxm(*line.format(path).split(), timeout=20)
    assert ran.status in (1, 2, 105, 107), ran
    assert ran.err.count("\n") <= 2
    assert "fault in hxm" not in ran.err


@pytest.mark.parametrize("make", NOT_FILES.values(), ids=NOT_FILES)
@pytest.mark.parametrize(
    "place", ["HXM_CONFIG", "CIB_file", "HXM_LOG", "journal", "xmfile", "transitions"]
)
def test_nor_one_that_is_configured(sandbox, make, place):
    path = sandbox.folder / ("pe-input-1.bz2" if place == "transitions" else "odd")
    if place == "journal":
        path = sandbox.file.parent / "journal"
    make(path)
    env = {place: str(path)} if place.isupper() or place == "CIB_file" else {}
    if place == "transitions":
        (sandbox.folder / "hxm.toml").write_text(f'transitions = "{sandbox.folder}"\n')
    if place == "xmfile":
        xmfile = sandbox.file.parent / "nfs.xm"
        assert xmfile.exists()
        xmfile.unlink()
        xmfile.symlink_to(path)
    for command in ("list", "check", "history", "capacity"):
        ran = sandbox.hxm(command, env=env, timeout=20)
        assert "fault in hxm" not in ran.err
        assert (ran.status != 0) == (place in ("HXM_CONFIG", "CIB_file")) or command in (
            "check",
            "capacity",
        ), ran


def test_a_transition_is_unpacked_only_so_far(sandbox):
    """The second is 2 kB that unpack to 6 GB."""
    (sandbox.folder / "hxm.toml").write_text(f'transitions = "{sandbox.folder}"\n')
    cib = sandbox.file.read_bytes()
    (sandbox.folder / "pe-input-1.bz2").write_bytes(bz2.compress(cib))
    (sandbox.folder / "pe-input-3.gz").write_bytes(gzip.compress(cib))
    before = sandbox.ok("history", "--pieces").json["looks"]
    assert len(before) >= 1
    shutil.copy(BOMB, sandbox.folder / "pe-input-2.bz2")
    limited = ("prlimit", "--as=1000000000")
    done = subprocess.run(
        [*limited, sys.executable, "-m", "hxm", "history", "--pieces"],
        env=sandbox.env,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


DEEP = b"<cib>" + b"<configuration><resources>" + b"<group>" * 3000 + b"</group>" * 3000
DEEP += b"</resources></configuration></cib>"
DOCUMENTS = {
    "deep groups": (DEEP, "deeper than 200"),
    "deep nonsense": (b"<a>" * 200_000 + b"</a>" * 200_000, "deeper than 200"),
    "entities": (b'<!DOCTYPE a [<!ENTITY b "c">]><cib>&b;</cib>', "entities"),
    "cut off": (b"<cib><configuration>", "cannot be read"),
    "no encoding": (b'<?xml version="1.0" encoding="klingon"?><cib/>', "unknown encoding"),
    "half of UTF-16": (b"\xff\xfe<\0c", "UTF-16|cannot be read|truncated"),
}


@pytest.mark.parametrize(("document", "why"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_document_that_is_refused_is_refused_in_a_line(sandbox, document, why):
    path = sandbox.folder / "odd.xml"
    path.write_bytes(document)
    ran = sandbox.hxm("diff", str(path))
    assert ran.status == 107, ran
    assert re.search(why, ran.err), ran
    status = sandbox.hxm("status", env={"CIB_file": str(path)})
    assert status.status == 102, status
    assert "fault in hxm" not in status.err


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "latin-1"])
def test_a_backup_in_another_encoding_is_read(sandbox, encoding):
    text = sandbox.file.read_text().partition("?>")[2] or sandbox.file.read_text()
    assert text.lstrip().startswith("<cib")
    names = {"latin-1": "ISO-8859-1", "utf-8-sig": "UTF-8"}
    head = f'<?xml version="1.0" encoding="{names.get(encoding, "UTF-16")}"?>'
    path = sandbox.folder / "odd.xml"
    path.write_bytes((head + text.replace("ilo", "ilo")).encode(encoding))
    assert "no differences" in sandbox.ok("diff", str(path)).out
    assert sandbox.ok("restore", str(path), "--dry-run").status == 0
