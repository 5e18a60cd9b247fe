"""A forecast never touches another CIB than its own copy."""

from __future__ import annotations

import shutil

import pytest

ORDERS = {
    "standby host1": "crm_attribute",
    "migrate nfs host2": "crm_resource",
    "shutdown nfs": "crm_resource",
    "unmigrate": "crm_resource",
}
NEED_NO_TOOL = ("standby host1", "migrate nfs host2", "shutdown nfs", "unmigrate")
"""What hxm writes into a copy by itself."""


@pytest.mark.parametrize(("words", "program"), ORDERS.items(), ids=ORDERS)
def test_a_tool_that_loses_cib_file_is_never_given_a_copy_to_change(sandbox, words, program):
    if words == "unmigrate":
        sandbox.ok("migrate", "nfs", "host2", "--keep")
    real = shutil.which(program, path=sandbox.env["PATH"])
    live = sandbox.folder / "live.xml"
    live.write_bytes(sandbox.file.read_bytes())
    wrapper = sandbox.bin / program
    wrapper.write_text(f'#!/bin/sh\nCIB_file={live} exec {real} "$@"\n')
    wrapper.chmod(0o755)
    before = live.read_bytes()
    for more in ((), ("--dry-run",)):
        ran = sandbox.hxm(*words.split(), *more)
        if more and words in NEED_NO_TOOL:
            assert ran.status == 0, ran
        else:
            assert ran.status == 102, ran
            assert f"{wrapper} does not work on the file that CIB_file names" in ran.err
        assert live.read_bytes() == before
    wrapper.unlink()
    sandbox.ok(*words.split())
