"""hxm killed before and after every change that it makes: as before or as ordered, and named."""

from __future__ import annotations

import pytest
from trouble import calm, killed, never_twice, sampled, tidy

CALLS = {"migrate": 4, "standby": 3, "unmigrate": 3, "destroy": 4, "reboot": 5}
"""How many there are, so that none is forgotten when a verb comes to make more."""
CASES = [
    (verb, f"{number}-{when}")
    for verb, count in CALLS.items()
    for number in range(1, count + 1)
    for when in ("before", "after")
]
USUAL = [
    ("migrate", "2-after"),
    ("migrate", "4-before"),
    ("standby", "2-after"),
    ("unmigrate", "2-after"),
    ("destroy", "3-before"),
    ("reboot", "3-after"),
]


def prepare(lab, verb):
    """The command line, where it is typed, and where nfs may be afterwards."""
    here = lab.where("nfs")
    there = lab.other(here)
    if verb == "unmigrate":
        lab.tool(here, "crm_resource", "--ban", "--resource=nfs", f"--node={there}")
        lab.until("it is settled", lab.idle)
    words = {
        "migrate": ("migrate", "nfs", there),
        "standby": ("standby", here),
        "unmigrate": ("unmigrate", "nfs"),
        "destroy": ("destroy", "nfs"),
        "reboot": ("reboot", "nfs"),
    }[verb]
    # destroy from elsewhere: one of its steps goes through ssh
    return words, there if verb == "destroy" else here


@pytest.mark.parametrize("verb", CALLS)
def test_every_change_is_counted(lab, verb):
    words, host = prepare(lab, verb)
    ran, calls = killed(lab, host, words, "none")
    assert ran.status == 0, ran
    assert len(calls) == CALLS[verb], calls
    tidy(lab, host)


@pytest.mark.parametrize(("verb", "point"), sampled(USUAL, CASES))
def test_killed(lab, verb, point):
    number = int(point.split("-")[0])
    words, host = prepare(lab, verb)
    where = lab.where("nfs")
    ran, calls = killed(lab, host, words, point)
    assert ran.status == -9, ran
    assert len(calls) == number
    calm(lab)
    never_twice(lab)
    found = lab.nodes_of("nfs")
    as_ordered = {
        "migrate": [words[-1]],
        "standby": None,  # somewhere
        "unmigrate": [where],
        "destroy": [],
        "reboot": None if found else [],
    }[verb]
    if as_ordered is None:
        assert len(found) == 1
    else:
        assert found in ([where], as_ordered), lab.story()
    others = lab.other(host)
    done = tidy(lab, others)
    if number > 1 or "after" in point:
        assert done or point == f"{CALLS[verb]}-after"
    calm(lab)
    never_twice(lab)
    assert lab.ok(others, "list", "-o", "json").json["left"] == []
