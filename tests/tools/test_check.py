"""hxm check on a cluster in a file, with real files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest


def codes(sandbox, *words: str) -> list[str]:
    ran = sandbox.hxm("check", "-o", "json", *words)
    assert ran.status in (0, 1, 2), ran
    return [each["code"] for each in ran.json["findings"]]


def test_a_healthy_cluster_has_no_finding(sandbox):
    assert sandbox.ok("check").out == "no problems found\n"
    assert (
        sandbox.ok("check", "--nagios").out
        == "HXM OK: no problems found | errors=0;;0 warnings=0;0\n"
    )


def test_a_toolstack_that_does_not_tell_which_disks_its_domus_have_is_named(xen):
    long = xen.folder / "long"
    long.write_text("libxl: error: unknown\n")
    xen.env["XL_LONG"] = str(long)
    ran = xen.hxm("check")
    assert "this host's other domUs are unknown: xl list -l" in ran.out
    assert "toolstack-silent" in codes(xen)


def both(sandbox, text: str) -> None:
    for name in ("nfs", "sles"):
        (sandbox.file.parent / f"{name}.xm").write_text(f'name = "{name}"\n{text}\n')


def test_one_disk_in_two_domus_is_an_error_for_monitoring(sandbox):
    both(sandbox, 'disk = ["phy:/dev/vg/x,xvda,w"]\nvif = ["mac=00:16:3e:00:00:09"]')
    ran = sandbox.hxm("check")
    assert ran.status == 2
    assert "error: nfs and sles share /dev/vg/x [disk-shared]" in ran.out
    assert codes(sandbox) == codes(sandbox, "sles") == ["disk-shared", "mac-shared"]
    said = sandbox.hxm("check", "--nagios").out
    assert said.startswith("HXM CRITICAL: nfs and sles share")
    assert said.endswith(" | errors=1;;0 warnings=1;0\n")
    config = Path(sandbox.env["HXM_CONFIG"])
    config.write_text('ignore = "disk-shared:nfs"\n')
    assert sandbox.hxm("check").status == 1
    config.write_text('ignore = "disk-shared mac-shared"\n')
    assert sandbox.ok("check")


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (b'name = "nfs" \n', None, ""),
        (b'name = "nfs";\n', None, ""),
        (b'name = "server"\n', "name-differs", "is of server"),
        (b"name = f()\n", "file-unreadable", r"nfs\.xm:1:8: "),
        (b'name = "nfs"\ndisk = ["what"]\n', "device-unreadable", "a disk of nfs"),
    ],
)
def test_files_that_are_read_differently_or_not_at_all(sandbox, text, code, said):
    (sandbox.file.parent / "nfs.xm").write_bytes(text)
    ran = sandbox.hxm("check", "nfs")
    assert codes(sandbox, "nfs") == [code] * bool(code)
    assert re.search(said, ran.out)


def test_without_the_parameter_the_agent_reads_the_file(sandbox):
    sandbox.replace('<nvpair id="nfs-ia-name" name="name" value="nfs"/>', "")
    for text, code in ((b'name="server" # x\n', 1), (b'name="server"\r\n', 1), (b"name='s'\n", 0)):
        (sandbox.file.parent / "nfs.xm").write_bytes(text)
        assert codes(sandbox).count("name-differs") == code, text


def test_a_missing_file_and_two_resources_of_one_domu(sandbox):
    (sandbox.file.parent / "sles.xm").unlink()
    assert codes(sandbox) == ["file-unreadable"]
    sandbox.replace('name="name" value="sles"', 'name="name" value="nfs"')
    assert {"name-shared", "file-unreadable"} <= set(codes(sandbox))


MONITOR = '<op id="nfs-monitor" interval="10s" name="monitor" timeout="60s"/>'
MIGRATE = '<nvpair id="nfs-meta_attributes-allow-migrate" name="allow-migrate" value="true"/>'
LATE = '<nvpair id="late" name="shutdown_timeout" value="85"/>'
MEMORY = '<nvpair id="memory" name="memory" value="512"/>'
ORDER = '<rsc_order id="nfs_depends_configpool" first="configpool" then="nfs" kind="Optional"/>'
CONSTRAINTS = "</constraints>"
FAILED = '<nvpair id="failed" name="fail-count-nfs#monitor_10000" value="2"/>'
BAN = """<rsc_location id="cli-ban-sles-on-host1" rsc="sles"><rule id="r" score="-INFINITY"
boolean-op="and"><expression id="e" attribute="#uname" operation="eq" value="host1" type="string"/>
<date_expression id="d" operation="lt" end="2026-01-01 21:45:44Z"/></rule></rsc_location>"""
CASES = {
    "no monitor": (MONITOR, "", ["no-monitor"]),
    "a monitor that is off": (MONITOR, MONITOR.replace("/>", ' enabled="false"/>'),
                              ["no-monitor"]),
    "short": ('name="stop" timeout="90s"', 'name="stop" timeout="5s"', ["short-timeout"] * 2),
    "old spelling": (MIGRATE, MIGRATE.replace('"allow-migrate"', '"allow_migrate"'), ["misspelt"]),
    "the plug too late": (MIGRATE, MIGRATE + "</meta_attributes><instance_attributes id='x'>" +
                          LATE + "</instance_attributes><meta_attributes id='y'>",
                          ["stop-too-short", "about-to-move"]),
    "utilization that nothing heeds": (MIGRATE, MIGRATE + "</meta_attributes><utilization id='u'>" +
                          MEMORY + "</utilization><meta_attributes id='y'>",
                          ["utilization"] * 2),
    "twice": (MONITOR, MONITOR + MONITOR.replace("nfs-monitor", "nfs-other"), ["config"]),
    "a device on its node": ('operation="eq" value="host2"', 'operation="eq" value="host3"',
                             ["no-such-node", "fences-itself"]),
    "no order, of two domUs": (ORDER, "", []),
    "expired": (CONSTRAINTS, BAN + CONSTRAINTS, ["expired"]),
    "holds": (CONSTRAINTS, BAN.replace("2026", "2099") + CONSTRAINTS, ["left-behind"]),
    "a fail count": ('name="pingd" value="100"/>', 'name="pingd" value="100"/>' + FAILED,
                     ["fail-count"]),
    "fencing is off": ('name="stonith-enabled" value="true"', 'name="stonith-enabled" value="no"',
                       ["no-fencing"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_stands_in_the_cib(sandbox, name):
    old, new, expected = CASES[name]
    text = sandbox.file.read_text()
    assert old in text
    sandbox.file.write_text(text.replace(old, new, 1 if name == "a fail count" else -1))
    assert codes(sandbox) == expected


def test_what_was_left_has_its_age_from_the_journal(sandbox):
    sandbox.ok("shutdown", "nfs")
    assert re.search(
        r"target-role=Stopped \(by \w+, \d+ s ago: shut down nfs", sandbox.hxm("list").err
    )
    sandbox.ok("start", "nfs")
    sandbox.tool("crm_resource", "-r", "nfs", "-m", "-p", "target-role", "-v", "Stopped")
    ran = sandbox.hxm("check")
    assert "nfs: target-role=Stopped (not set by hxm on this host) [left-behind]" in ran.out


def test_a_cluster_that_cannot_be_asked_is_unknown_to_monitoring(sandbox):
    sandbox.file.unlink()
    ran = sandbox.hxm("check", "--nagios")
    assert (ran.status, ran.out[:20]) == (3, "HXM UNKNOWN: CIB_file"[:20])
    assert sandbox.hxm("check").status == 102


def test_an_unknown_domu_is_said(sandbox):
    assert sandbox.hxm("check", "nobody").status == 105
