"""A host that only votes has no domUs for certain; what cannot be asked is never taken for one."""

from __future__ import annotations

import subprocess

import pytest

from hxm.cluster import start_facts
from hxm.config import Config
from hxm.model import Cluster, Node
from hxm.toolstack import domains_in, remote

KERNELS = {
    "a host that only votes": (("sys/kernel",), False, "none"),
    "the toolstack on another kernel": (("sys/kernel",), True, "asked"),
    "Xen without the toolstack": (("sys/kernel", "sys/hypervisor/type"), False, "fails"),
    "an old Xen without it": (("sys/kernel", "proc/xen"), False, "fails"),
    "Xen": (("sys/kernel", "sys/hypervisor/type"), True, "asked"),
    "nothing is known of the kernel": ((), False, "fails"),
}
XL = """#!/bin/sh
[ $1 != list ] || echo 'Name                ID Mem(MiB) VCPUs State  Time(s)'
exit 3
"""


def run(script, folder, path, *words):
    """What the script does where this folder is the root of what the kernel shows."""
    for name in ("sys", "proc"):
        script = script.replace(f" /{name}/", f" {folder}/{name}/")
    argv = ["/bin/sh", "-c", script, "sh", *words]
    return subprocess.run(argv, env={"PATH": str(path)}, capture_output=True, check=False)


@pytest.mark.parametrize("program", ["xl", "xm"])
@pytest.mark.parametrize(("there", "installed", "expected"), KERNELS.values(), ids=KERNELS)
def test_only_a_host_with_neither_xen_nor_toolstack_has_no_domus_for_certain(
    tmp_path, program, there, installed, expected
):
    for name in there:
        (tmp_path / name).mkdir(parents=True)
    tools = tmp_path / "bin"
    tools.mkdir()
    if installed:
        (tools / program).write_text(XL)
        (tools / program).chmod(0o755)
    for script, parse in (
        (remote.list_script(program), domains_in),
        (remote.named_script(program), remote.named_in),
    ):
        ran = run(script, tmp_path, tools)
        if expected == "none":
            assert ran.returncode == 0
            assert parse(program, ran.stdout) in ((), ((), {}))
        else:
            assert ran.returncode == (3 if expected == "asked" else 127)


def test_before_a_start_a_host_that_only_votes_answers(tmp_path, monkeypatch):
    (tmp_path / "sys" / "kernel").mkdir(parents=True)

    def run_here(words, nodes, _, parse):
        ran = run(words[2], tmp_path, "/usr/bin:/bin", *words[4:])
        return {name: parse(ran.stdout) for name in nodes}

    monkeypatch.setattr(start_facts, "ask_elsewhere", run_here)
    seen = Cluster((Node("host1"), Node("quorum")), (), (), {}, local_node="host1")
    answers = start_facts.ask(seen, [], Config(), starting=True)
    assert answers["quorum"].rows == ()
    assert "quorum" in start_facts.with_what_runs(seen, answers, Config()).heard
