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
    assert sandbox.ok("check").out == "nothing was found\n"
    assert sandbox.ok("check", "--nagios").out == "HXM OK: nothing was found\n"


def both(sandbox, text: str) -> None:
    for name in ("nfs", "sles"):
        (sandbox.file.parent / f"{name}.xm").write_text(f'name = "{name}"\n{text}\n')


def test_one_disk_in_two_domus_is_an_error_for_monitoring(sandbox):
    both(sandbox, 'disk = ["phy:/dev/vg/x,xvda,w"]\nvif = ["mac=00:16:3e:00:00:09"]')
    ran = sandbox.hxm("check")
    assert ran.status == 2
    assert "error: nfs and sles share /dev/vg/x [disk-shared]" in ran.out
    assert codes(sandbox) == codes(sandbox, "sles") == ["disk-shared", "mac-shared"]
    assert sandbox.hxm("check", "--nagios").out.startswith("HXM CRITICAL: nfs and sles share")
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


def test_an_unknown_domu_is_said(sandbox):
    assert sandbox.hxm("check", "nobody").status == 105
