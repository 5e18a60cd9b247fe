"""What hxm capacity said, held against what a real cluster does when a node loses its power."""

from __future__ import annotations

import os
import random
from collections import Counter
from typing import Any

import pytest
from cib import XMFILE
from trouble import never_twice

DOM0 = 768
"""Of the stand-in for xl, in MiB."""
RANDOM = int(os.environ.get("CAPACITY", "20"))


@pytest.fixture
def sized(lab):
    """The lab; the domUs' files are as they were afterwards."""
    yield lab
    for path in (lab.shared / "knobs").iterdir():
        path.unlink()
    for name in lab.domains:
        (lab.shared / "xen/vm" / name).write_text(XMFILE.format(name=name))


def size(lab, name: str, memory: int) -> None:
    """Give a domU that runs another size, in its file as well."""
    path = lab.shared / "xen/vm" / name
    path.write_text(XMFILE.format(name=name).replace("512", str(memory)))
    lab.tool(lab.where(name), "xl", "mem-set", name, str(memory))


def leave(lab, host: str, free: int) -> None:
    """Let a host have so much memory that just this is free now."""
    rows = [line.split() for line in lab.tool(host, "xl", "list").splitlines()[2:]]
    used = sum(int(row[2]) for row in rows)
    lab.turn(f"memory@{host}", total=DOM0 + used + free)


def lose(lab, lost: str) -> tuple[dict[str, Any], dict[str, str]]:
    """What capacity says of the loss of a node, and where everything really is after it."""
    asked = lab.other(lost)
    ran = lab.hxm(asked, "capacity", "--everywhere", "--without", lost, "-o", "json")
    (said,) = ran.json["losses"]
    assert ran.status == (0 if said["fits"] else 2), ran
    lab.switch("off", lost)
    lab.until("the node is fenced", lab._nobody_lost)
    lab.until("the cluster has done what it can", lambda: lab.idle(asked))
    never_twice(lab)
    return said, {name: host for host in lab.alive() for name in lab.xl(host)}


def expected(said: dict[str, Any], before: dict[str, str], lost: str) -> dict[str, str]:
    """Where everything would be."""
    stays = {name: host for name, host in before.items() if host != lost}
    return stays | {name: each["host"] for each in said["places"] for name in each["comes"]}


def test_what_does_not_fit_after_a_power_cut_was_said_before(sized):
    lab, lost = sized, sized.where("nfs")
    second, third = [host for host in lab.hosts if host != lost]
    before = {name: lab.where(name) for name in lab.domains}
    gone = {name for name, host in before.items() if host == lost}
    leave(lab, second, 300)
    leave(lab, third, 300)
    said, real = lose(lab, lost)
    assert set(said["nowhere"]) == gone
    assert real == expected(said, before, lost)
    ran = lab.ok(second, "why", "nfs", "-o", "json")
    assert ran.json["says"] == "nfs does not run"
    told = {each["what"] for each in ran.json["reasons"]}
    assert f"not on {lost}: the node is OFFLINE" in told
    assert any("its start failed there" in each for each in told)


def test_what_fits_on_one_host_alone_comes_to_run_there(sized):
    lab, lost = sized, sized.where("nfs")
    second, third = [host for host in lab.hosts if host != lost]
    before = {name: lab.where(name) for name in lab.domains}
    leave(lab, second, 300)
    leave(lab, third, 8000)
    said, real = lose(lab, lost)
    assert said["fits"] is True
    assert real == expected(said, before, lost)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(RANDOM))
def test_whatever_the_sizes_capacity_and_the_cluster_agree(sized, seed):
    """Which of several of one size comes to a host, or goes without, is decided by who starts
    first; how many is not."""
    lab, chance = sized, random.Random(seed)
    memory = chance.choice((256, 512, 2048))
    for name in lab.domains:
        size(lab, name, memory)
    lost = chance.choice(lab.hosts)
    for host in lab.hosts:
        leave(lab, host, chance.choice((0, 100, memory + 40, 2 * memory + 80, 8000)))
    before = {name: lab.where(name) for name in lab.domains}
    said, real = lose(lab, lost)
    would = expected(said, before, lost)
    assert len(real) == len(before) - len(said["nowhere"])
    assert Counter(real.values()) == Counter(would.values())
    print(f"seed {seed}: without {lost} {said['nowhere']}, as said: {real == would}")
