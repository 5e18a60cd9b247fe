"""What goes wrong in a cluster, what must still be true, and how hxm itself tidies up."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import pytest
from lab import Inside, Lab, Ran

STATUSES = {0, 1, 2, 102, 105, 106, 107, 109, 124, 130}
"""All that hxm may end with."""
_FULL = (
    'for folder in "$TMPDIR" /var/log; do mount -t tmpfs -o size=8k tmpfs "$folder"; '
    'dd if=/dev/zero of="$folder/full" bs=1k 2>/dev/null; done; true'
)
_ROOM = 'umount "$TMPDIR" /var/log; true'


def dc_of(lab: Lab) -> str:
    dc = lab.mon().find("summary/current_dc")
    return "" if dc is None else dc.get("name", "")


def _pacemaker(lab: Lab, host: str) -> None:
    lab.run(host, "sh", "-c", "kill $(pidof pacemakerd)")


def _controller(lab: Lab, host: str) -> None:
    lab.run(host, "sh", "-c", "kill -9 $(pidof pacemaker-controld)")


def _quorum(lab: Lab, host: str) -> None:
    """Everybody for himself: nobody has quorum, and nobody can fence."""
    for each in lab.alive():
        lab.switch("cut", each)


FAULTS: dict[str, Callable[[Lab, str], object]] = {
    "power cut": lambda lab, host: lab.switch("off", host),
    "link cut": lambda lab, host: lab.switch("cut", host),
    "pacemaker stopped": _pacemaker,
    "controller killed": _controller,
    "quorum lost": _quorum,
    "toolstack hangs": lambda lab, host: lab.turn(f"list@{host}", delay=25),
    "disk full": lambda lab, host: lab.run(host, "sh", "-c", _FULL),
}


def sampled(usual: Sequence[tuple[Any, ...]], cases: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Those of every `make test`, then the others, for which only `make faults` has the time."""
    others = [each for each in cases if each not in usual]
    return [*usual, *(pytest.param(*each, marks=pytest.mark.thorough) for each in others)]


def repair(lab: Lab, fault: str | None) -> None:
    """Undo what a cluster does not get over by itself; a node that has no power stays off."""
    for path in (lab.shared / "knobs").iterdir():
        path.unlink()
    if fault:
        time.sleep(2.5)  # a lost node is noticed after a second; before, all seems well
    for host in lab.alive():
        lab.run(host, "sh", "-c", _ROOM)
        if fault == "quorum lost":
            lab.switch("join", host)


def sane(ran: Ran) -> None:
    """However it ended: a status that is documented, no traceback, and something said."""
    assert ran.status in STATUSES, ran
    assert "Traceback" not in ran.err, ran
    assert "fault in hxm" not in ran.err, ran
    assert ran.out or ran.err, ran
    assert len(ran.err.splitlines()) <= 12, ran


def never_twice(lab: Lab) -> None:
    """By the lock on the disks, and by asking every node."""
    assert not lab.doubles(), lab.story()
    running = [name for host in lab.alive() for name in lab.xl(host) if "--" not in name]
    assert len(running) == len(set(running)), f"doubles: {running}\n{lab.story()}"


def calm(lab: Lab, timeout: float = 90) -> str:
    """Wait until the cluster has got over it; returns a node that can be asked."""

    def over() -> bool:
        return lab.all_back() and lab.idle(lab.alive()[0])

    try:
        lab.until("the cluster is over it", over, timeout / 2)
    except AssertionError:
        lab.unstick()
        lab.until("the cluster is over it", over, timeout)
    return lab.alive()[0]


def tidy(lab: Lab, host: str) -> list[str]:
    """Whatever is left is named by hxm and removed by the command that it names; those commands.

    Names of things that do not exist count as nothing: the configuration is compared in the end.
    """
    done: list[str] = []
    answers: list[Ran] = []
    for _ in range(8):
        if lab.configuration(host) == lab.first:
            return done
        listed = lab.ok(host, "list", "-o", "json").json["left"]
        listed += lab.ok(host, "status", "-o", "json").json["findings"]
        ways = [each["do"] for each in listed if each["do"].startswith("hxm ")]
        assert ways, f"left, and not named\n{lab.configuration(host)}\n{lab.ok(host, 'status')}"
        command = ways[0].split(",")[0]
        ran = lab.hxm(host, *shlex.split(command)[1:], "--yes")
        sane(ran)
        done.append(command)
        answers.append(ran)
        if ran.status != 0:
            calm(lab)
    raise AssertionError(f"still left after {answers}\n{lab.configuration(host)}")


def said_done_and_is(lab: Lab, verb: str, name: str, nodes: dict[str, str], ran: Ran) -> None:
    """Status 0 means that the cluster itself says so, at that moment, wherever it can be asked."""
    if ran.status != 0 or "ordered:" in ran.out:
        return
    with suppress(AssertionError, ValueError, IndexError):
        asker = nodes["ASKER"]  # a node that is cut off knows only what was
        root, text = lab.mon(asker), lab.configuration(asker)
        found = [
            node.get("name")
            for each in root.iterfind("resources//resource")
            if each.get("id") == name
            for node in each.iterfind("node")
        ]
        there = [
            each.get("id")
            for each in root.iterfind("resources//resource")
            if nodes["SOURCE"] in [node.get("name") for node in each.iterfind("node")]
        ]
        managed = {
            each.get("id"): each.get("managed") for each in root.iterfind("resources//resource")
        }
        right = {
            "migrate": found == [nodes["TARGET"]],
            "shutdown": not found,
            "destroy": not found,
            "reboot": len(found) == 1,
            "start": len(found) == 1,
            "default": len(found) == 1 and 'name="target-role"' not in text,
            "unmigrate": "cli-" not in text,
            "standby": not there,
            "active": 'name="standby"' not in text,
            "unmanage": managed.get(name) == "false",
            "maintenance": managed.get(name) == "false",
            "manage": managed.get(name) == "true",
        }[verb]
        if not right:
            raise RuntimeError(f"{ran}\nbut {name} runs on {found}\n{text}\n{lab.story()}")


def ordered(lab: Lab, host: str, *words: str, **options) -> Inside:
    """An order of an operator on a node, under way."""
    return lab.start(host, "hxm", *words, "--yes", **options)


def killed(lab: Lab, host: str, words: Sequence[str], point: str) -> tuple[Ran, list[str]]:
    """What hxm did until it was killed before or after a call that changes something, and those."""
    count = lab.folder / "count"
    for path in (count, lab.folder / "count.calls"):
        path.unlink(missing_ok=True)
    env = {
        "PATH": f"{lab.folder}/kill:/usr/sbin:/usr/bin:/sbin:/bin",
        "KILL_AT": point,
        "KILL_COUNT": str(count),
    }
    ran = lab.run(host, "hxm", *words, "--yes", env=env)
    return ran, (lab.folder / "count.calls").read_text().splitlines()
