"""What a host's own toolstack says of files and of live migration: the real xl's words."""

from __future__ import annotations

import pytest
from factories import DATA

from hxm.toolstack.host_facts import HostFacts, facts_script, parse_facts
from hxm.toolstack.memory import can_log_dirty

XEN = DATA / "xen-4.17"
INFO = (XEN / "xl-info.txt").read_text()
TRIED = (XEN / "xl-dry-runs.txt").read_bytes()
"""What the script printed with xl 4.17.7, a stand-in for the hypervisor under it."""
NO_XEN = (XEN / "xl-dry-runs-no-xen.txt").read_bytes()
XM = b"""hxm tried 1 /etc/xen/a
hxm said Error: Invalid disk specifier: phy:/dev/x
hxm tried 1 /etc/xen/b
hxm said Error: Unable to connect to xend: Connection refused. Is xend running?
hxm tried 1 /etc/xen/c
hxm said Traceback (most recent call last):
hxm tried 0 /etc/xen/d
"""


def test_what_xl_would_not_start_is_named_with_its_own_words():
    found = parse_facts(TRIED, "xl")
    assert found.refusals == {
        "/etc/xen/type.cfg": "Invalid domain type linux.",
        "/etc/xen/kernel.cfg": "Neither kernel nor bootloader specified",
        "/etc/xen/passwd.cfg": "/etc/xen/passwd.cfg:4: config parsing error: syntax error, "
        "unexpected STRING, expecting $end",
        "/etc/xen/disk.cfg": "/etc/xen/disk.cfg: config parsing error in disk specification: "
        "unknown value for access: near `w!' in `phy:/dev/vg/a,xvda,w!'",
        "/etc/xen/cpus.cfg": "Invalid pcpu range: @CPUS@.",
    }
    assert not found.moves_pv_live


def test_a_host_without_xen_refuses_nothing():
    assert NO_XEN.count(b"hxm tried 1 ") == 6
    assert parse_facts(NO_XEN, "xl") == HostFacts()


@pytest.mark.parametrize(
    "printed", [b"", b"hello\n", b"hxm tried 127 /x\nhxm said xl: not found\n"]
)
def test_what_is_no_answer_is_unknown(printed):
    assert parse_facts(printed, "xl") == HostFacts()


def test_xm_refuses_by_its_errors_alone():
    assert parse_facts(XM, "xm").refusals == {"/etc/xen/a": "Invalid disk specifier: phy:/dev/x"}


def test_xm_is_asked_of_no_files_elsewhere():
    assert "create" not in facts_script("xm")
    assert 'xm create -n "$file" name=hxm' in facts_script("xm", here=True)


VERSIONS = {
    "as captured on Debian 12": (INFO, False),
    "with shadow paging": (INFO.replace("hap gnttab", "hap shadow gnttab"), True),
    "an xl that does not tell": (INFO.replace(": 17", ": 12"), True),
    "xm": ("xen_major : 3\nxen_minor : 3\n", True),
    "nothing": ("", True),
}


@pytest.mark.parametrize(("text", "able"), VERSIONS.values(), ids=VERSIONS)
def test_whether_pv_domus_move_live(text, able):
    assert can_log_dirty(text) == able
