"""What another node brings back for hxm check: the real script, behind an ssh of ours."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from conftest import XL

from hxm.audit.survey import parse_survey, read_readiness, surveyor
from hxm.policy.audit.nodes import ABSENT, UNREADABLE, BootLink
from hxm.policy.orders.readiness import Readiness

SSH = """
while [ "$1" != -- ]; do shift; done
[ "$2" = host3 ] && { echo "ssh: connect to host host3 port 22: Connection refused" >&2; exit 255; }
shift 2
exec sh -c "$*"
"""
MARK = "guard's mark"


@pytest.fixture
def there(tmp_path: Path, monkeypatch):
    """A folder that is a host's: programs in bin, the real ones behind a guard in real."""
    for name in ("bin", "real", "auto"):
        (tmp_path / name).mkdir()
    for name, text in (("ssh", SSH), ("xl", XL)):
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/sh\n{text}")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("HXM_REAL", str(tmp_path / "real"))
    return tmp_path


TRIES = """
if [ "$1 $2 $3" = "-N create -n" ]; then
    echo "Parsing config from $4" >&2
    grep -q refused "$4" || exit 0
    echo "Invalid domain type linux." >&2; exit 1
fi
[ "$1" = info ] && { echo "virt_caps : pv hvm"; echo "xen_major: 4"; echo "xen_minor: 17"; exit; }
"""
"""What stands in for xl when it is asked about files and hypervisor."""


def test_what_its_own_toolstack_would_not_start_comes_with_the_rest(there):
    for name, text in (("a b", "refused"), ("$(touch made)", "refused"), ("web", "")):
        (there / name).write_text(text)
    xl = there / "bin" / "xl"
    xl.write_text(xl.read_text().replace("#!/bin/sh\n", f"#!/bin/sh\n{TRIES}"))
    files = [str(there / name) for name in ("a b", "$(touch made)", "web", "absent")]
    _, answers = ask(there, *files)
    facts = answers["host2"].facts
    assert facts.refusals == dict.fromkeys(files[:2], "Invalid domain type linux.")
    assert not facts.moves_pv_live
    assert answers["host2"].survey.files[files[2]]
    found = read_readiness("xl", ["host2"], (), files[0], [], 20)
    assert found == {"host2": Readiness((), (), "Invalid domain type linux.", moves_pv_live=False)}
    assert not Path("made").exists()


def ask(there: Path, *files: str):
    answers: dict[str, Any] = {}
    autos = (str(there / "auto"), str(there / "none"))
    asker = surveyor(answers, files, MARK, autos, lambda program: f"echo {program} more")
    return asker("xl", ["host2", "host3"], 20), answers


def test_domains_files_clock_and_links_come_in_one_answer(there):
    names = ["plain", "a b", "it's", "$(touch made)", '";exit 1;"', "-n"]
    for name in names:
        (there / name).write_text(f"name = {name!r}\n")
    (there / "folder").mkdir()
    (there / "auto" / "nfs").symlink_to(there / "plain")
    (there / "auto" / "dangling").symlink_to(there / "nowhere")
    (there / "auto" / "copy").write_text("# name = 'old'\nmemory = 1\n name= \"web\" # new\n")
    (there / "auto" / "vfb").write_text("vfb = ['vncpasswd=secret']\n")
    (there / "auto" / "web.xml").write_text("<domain>\n <name>db</name><uuid/>\n</domain>")
    files = [str(there / name) for name in (*names, "absent", "folder")]
    domains, answers = ask(there, *files)
    assert domains["host3"] == "no sshd there"
    rows, uuids = domains["host2"]
    assert [each.name for each in rows] == ["Domain-0", "nfs", "other", "scratch"]
    assert uuids["nfs"] == "135631b2-d539-4d73-bc0a-16ef7192fe00"
    ((survey, _, more),) = answers.values()
    assert more == b"xl more\n"
    for path in files[: len(names)]:
        assert survey.files[path] == hashlib.md5(Path(path).read_bytes()).hexdigest()
    assert survey.files[files[-2]] == ABSENT
    assert survey.files[files[-1]] == UNREADABLE
    assert {Path(each.path).name: each[1:] for each in survey.auto} == {
        "copy": (str(there / "auto" / "copy"), ("web",)),
        "dangling": (str(there / "nowhere"), ()),
        "nfs": (str(there / "plain"), ("plain",)),
        "vfb": (str(there / "auto" / "vfb"), ()),
        "web.xml": (str(there / "auto" / "web.xml"), ("db",)),
    }
    assert survey.ahead == 0
    assert not Path("made").exists()


def test_what_a_node_has_for_a_newcomer_comes_in_one_answer(there):
    (there / "auto" / "it's").symlink_to(there / "a b")
    (there / "a b").write_text("name = 'web'\n")
    disks = [str(there / name) for name in ("absent", "a b", "$(touch made)")]
    autos = (str(there / "auto"), "/none")
    found = read_readiness("xl", ["host2", "host3"], autos, disks[1], disks, 20)
    links = (BootLink(str(there / "auto" / "it's"), disks[1], ("web",)),)
    assert found == {"host2": Readiness(links, (disks[0], disks[2])), "host3": "no sshd there"}
    assert not Path("made").exists()


@pytest.mark.parametrize(
    ("script", "kept", "state"),
    [("", False, "not guarded"), ("", True, "undone"), (f"# {MARK}xl\n", False, "broken"),
     (f"# {MARK}xl\n", True, "guarded")],
)  # fmt: skip
def test_how_its_guard_stands(there, script, kept, state):
    xl = there / "bin" / "xl"
    if kept:
        (there / "bin" / "xl.hxm-real").write_bytes(xl.read_bytes())
        (there / "bin" / "xl.hxm-real").chmod(0o755)
        (there / "real" / "xl").symlink_to(there / "bin" / "xl.hxm-real")
    xl.write_text(xl.read_text().replace("#!/bin/sh\n", f"#!/bin/sh\n{script}"))
    _, answers = ask(there)
    assert answers["host2"].survey.guards[str(xl)] == state


def test_a_toolstack_that_fails_leaves_the_node_unknown(there):
    (there / "bin" / "xl").write_text("#!/bin/sh\necho no xen >&2\nexit 1\n")
    domains, answers = ask(there)
    assert domains["host2"] == "no xen"
    assert answers == {}


@pytest.mark.parametrize(
    ("first", "last", "ahead"),
    [(100, 101, 0), (103, 104, 2), (90, 91, -9), (101.5, 101.9, 0)],
)
def test_a_clock_is_only_wrong_by_what_the_way_cannot_explain(first, last, ahead):
    text = f"hxm clock {first}\nhxm clock {last}.N\n".replace(".9.N", ".9")
    assert parse_survey(text, 99.0, 102.0).ahead == ahead
