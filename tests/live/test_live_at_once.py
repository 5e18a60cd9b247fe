"""Several operators at the same instant: one wins, the others are told by whom and since when."""

from __future__ import annotations

import re
import time

import pytest
from trouble import calm, never_twice, tidy

TOLD = re.compile(
    r"hxm: root on host\d \(process \d+\) is at '[^']+' for \d+ s: one change at a time"
)


def test_two_operators_with_conflicting_orders(lab):
    here = lab.where("nfs")
    there = lab.other(here)
    third = lab.other(here, there)
    lab.turn("migrate.nfs", copying=2)
    orders = [
        lab.start(there, "hxm", "migrate", "nfs", there),
        lab.start(third, "hxm", "migrate", "nfs", third),
        lab.start(here, "hxm", "destroy", "nfs"),
    ]
    ran = [each.wait() for each in orders]
    winners = [each for each in ran if each.status == 0]
    assert len(winners) == 1, ran
    for each in ran:
        if each.status != 0:
            assert each.status == 107, each
            assert TOLD.search(each.err) or "is being migrated" in each.err, each
    assert any(TOLD.search(each.err) for each in ran), ran
    calm(lab)
    never_twice(lab)
    tidy(lab, here)


def test_twenty_at_once(lab):
    words: list[tuple[str, ...]] = [("unmanage", name) for name in lab.domains] + [
        ("standby", host) for host in lab.hosts
    ]
    words += [("migrate", "nfs", host) for host in lab.hosts]
    orders = [
        lab.start(lab.hosts[number % 3], "hxm", *words[number % len(words)], "--yes")
        for number in range(20)
    ]
    ran = [each.wait(300) for each in orders]
    assert {each.status for each in ran} <= {0, 1, 107}, ran
    assert any(each.status == 0 for each in ran), ran
    assert any(TOLD.search(each.err) for each in ran), ran
    calm(lab)
    never_twice(lab)
    tidy(lab, lab.hosts[0])


def _held_by_a_killed_one(lab, host):
    lab.turn("migrate.nfs", copying=1)
    order = lab.start(host, "hxm", "migrate", "nfs", lab.other(lab.where("nfs")))
    lab.until("it has the lock", lambda: "hxm-lock" in lab.configuration())
    order.kill()


def test_a_killed_holder_blocks_nobody_on_its_own_node(lab):
    _held_by_a_killed_one(lab, "host1")
    listed = lab.ok("host1", "list").err
    assert "hxm-lock: root on host1" in listed
    assert "and has ended" in listed
    assert "hxm unlock" in listed
    calm(lab)
    started = time.monotonic()
    ran = lab.ok("host1", "unmanage", "sles")
    assert "took over the lock of root on host1" in ran.err
    assert time.monotonic() - started < 30
    assert "hxm-lock" not in lab.configuration()
    tidy(lab, "host1")


def test_a_killed_holder_blocks_nobody_on_another_node(lab):
    _held_by_a_killed_one(lab, "host1")
    calm(lab)
    assert "hxm-lock" in lab.ok("host2", "list").err
    assert "its process has ended" in lab.ok("host2", "unmanage", "sles").err
    tidy(lab, "host2")


def test_a_holder_that_cannot_be_asked_blocks_until_its_node_is_lost(lab):
    lab.turn("migrate.nfs", copying=1)
    lab.turn("ssh@host3", rc=255, msg="Permission denied (publickey,password).")
    order = lab.start("host3", "hxm", "migrate", "nfs", lab.other(lab.where("nfs")))
    lab.until("it has the lock", lambda: "hxm-lock" in lab.configuration())
    order.kill()
    calm(lab)
    ran = lab.hxm("host2", "unlock")
    assert ran.status == 107, ran
    assert "host3 does not say whether its process is alive" in ran.err
    lab.switch("off", "host3")
    lab.until("it is lost", lambda: lab.node("host3", lab.mon("host2"))["online"] == "false")
    calm(lab)
    lab.ok("host2", "unlock")
    assert "hxm-lock" not in lab.configuration()
    tidy(lab, "host2")


@pytest.mark.thorough
def test_the_lock_of_a_waiting_one_is_renewed(lab):
    lab.turn("migrate.nfs", copying=23)
    here = lab.where("nfs")
    order = lab.start(here, "hxm", "migrate", "nfs", lab.other(here))
    lab.until("it is renewed", lambda: _renewed(lab), 40)
    lab.ok(here, "unlock", "--force")
    ran = order.wait()
    assert ran.status == 1, ran
    assert "the cluster's lock was taken over" in ran.err
    assert "cli-prefer-nfs" in ran.err
    calm(lab)
    tidy(lab, here)


def _renewed(lab) -> bool:
    text = lab.configuration()
    if "hxm-lock" not in text:
        return False
    since, renewed = (
        re.search(f'name="hxm-lock-{each}" value="(\\d+)"', text)[1]
        for each in ("since", "renewed")
    )
    return int(renewed) > int(since)


def test_ctrl_c_and_a_closed_terminal_leave_no_lock_unsaid(lab):
    lab.turn("migrate.nfs", copying=2)
    for name in ("INT", "TERM", "HUP"):
        here = lab.where("nfs")
        order = lab.start(here, "hxm", "migrate", "nfs", lab.other(here))
        lab.until("it migrates", lambda: "hxm-lock" in lab.configuration())
        time.sleep(0.5)
        lab.run(here, "sh", "-c", f"pkill -{name} -f 'hxm migrat[e]'")
        ran = order.wait()
        assert ran.status == 130, ran
        left = "left: the cluster's lock" in ran.err  # it migrates by now, or not yet
        assert left == ("hxm-lock" in lab.configuration()), ran
        calm(lab)
        tidy(lab, here)
