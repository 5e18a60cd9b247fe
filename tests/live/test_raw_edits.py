"""The guard's last look in a real cluster: what Pacemaker would start twice is started once."""

from __future__ import annotations

import os
import random

import pytest
import raw_edits
from lab import Lab
from trouble import calm, never_twice

SEED = int(os.environ.get("SEED", "0")) or random.randrange(1 << 30)
ATTEMPTS = 6
"""How often a domU is overtaken where it is to run twice in the end."""


def test_a_domu_that_is_on_its_way_is_started_nowhere_else(guarded):
    raw_edits.overtake(guarded, "nfs")
    never_twice(guarded)
    raw_edits.rest(guarded)


def test_random_raw_edits_start_nothing_twice(guarded, capsys):
    count = raw_edits.edits(guarded, random.Random(SEED), 15)
    raw_edits.rest(guarded)
    with capsys.disabled():
        refused = raw_edits.refused(guarded)
        print(f"\nraw edits, seed {SEED}: {count} edits, {refused} starts refused")


@pytest.mark.thorough
def test_without_the_guard_it_runs_twice():
    """That the two above can fail; the lab is one that nobody else uses."""
    lab = Lab(3)
    try:
        lab.boot()
        for _ in range(ATTEMPTS):
            raw_edits.overtake(lab, "nfs")
            if lab.doubles():
                return
        pytest.fail(f"{ATTEMPTS} times nothing ran twice: nothing is shown by the tests above")
    finally:
        lab.close()


def test_what_it_refuses_is_in_the_log_and_cleanup_lets_it_be_tried_again(guarded):
    lab = guarded
    here = lab.where("vm3")
    third = next(host for host in lab.hosts if host != here)
    lab.tool(lab.hosts[0], "crm_resource", "--ban", "--resource", "vm3", "--node", third)
    calm(lab)
    lab.ok(here, "shutdown", "vm3")
    real = "/usr/sbin/xl.hxm-real"
    lab.tool(third, real, "create", "/etc/xen/vm/vm3")  # behind everybody's back
    ran = lab.hxm(here, "start", "vm3", "--yes")
    assert (ran.status, third in ran.err) == (107, True), ran
    role = ("--resource=vm3", "--meta", "--delete-parameter=target-role")
    lab.tool(here, "crm_resource", *role)
    refusal = f"vm3 is not created here: it runs on {third} (as vm3)"
    lab.until("its start is refused", lambda: refusal in logs(lab))
    never_twice(lab)
    calm(lab)
    lab.tool(third, real, "destroy", "vm3")
    lab.ok(here, "cleanup", "vm3", "--yes")
    assert lab.where("vm3") != third
    lab.tool(lab.hosts[0], "crm_resource", "--clear", "--resource", "vm3")


def logs(lab: Lab) -> str:
    return "".join(
        path.read_text(errors="replace")
        for path in lab.folder.glob("nodes/*/log/pacemaker/pacemaker.log")
    )
