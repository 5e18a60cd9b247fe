"""A short random walk; `make soak MINUTES=10` takes a long one."""

from __future__ import annotations

import os
import time

from soak import Walk, step_of

SECONDS = 40


def test_a_step_depends_on_nothing_but_seed_and_number():
    hosts = ["host1", "host2", "host3"]
    assert [step_of(7, n, hosts) for n in range(50)] == [step_of(7, n, hosts) for n in range(50)]
    assert len({str(step_of(7, n, hosts)) for n in range(50)}) == 50


def test_a_random_walk(lab, capsys):
    seed = int(os.environ.get("SEED", int(time.time()) % 1000000))
    walk = Walk(lab, seed)
    end = time.monotonic() + SECONDS
    number = 0
    while time.monotonic() < end:
        walk.go(number)
        number += 1
    with capsys.disabled():
        print(f"\nsoak: {walk.report()}")
