"""Takes the host that runs nfs out of service, again and again, in three ways in turn.

    cuts.py [NUMBER]

Its power is cut; its power is cut while it is drained; its network is cut, so that it lives on with
its domUs until it is fenced. Each domU writes who it is to the shared disk, and so finds any other
instance. Ends with 1 at the first double start, and where nfs was started before its old host was
fenced.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time

from counters import Slot
from hosts import BOOT, MANAGED, Lab, booted

WAYS = ("power", "power in a drain", "network")


def main() -> int:
    number = int(sys.argv[1]) if sys.argv[1:] else 20
    with booted() as lab:
        try:
            for count in range(1, number + 1):
                begun = time.strftime("%H:%M:%S")
                print(f"{begun} cut {count}: {cut(lab, WAYS[count % 3 - 1])}", flush=True)
                if lab.doubles():
                    return 1
        finally:
            print(*lab.doubles(), sep="\n", flush=True)
        print(f"{number} cuts, {len(lab.switch.cuts)} fenced, {len(lab.doubles())} double starts")
    return 0


def cut(lab: Lab, way: str) -> str:
    """One cut, and what came of it, when the cluster has settled."""
    (victim,) = lab.where("nfs")
    there = lab.other(victim)
    before = {guest: lab.slot(guest) for guest in MANAGED}
    fenced = len(lab.switch.cuts)
    drain = begin_drain(lab, victim) if way == "power in a drain" else None
    said = f"{way} of {victim}{', ' + stage(lab, drain) if drain else ''}"
    if way == "network":
        lab.switch.unheard.add(victim)
        lab[victim].ok("ip link set eth0 down")
    else:
        lab[victim].off()
    start = time.monotonic()
    lab.until(
        f"{victim} is fenced", lambda: any(c.host == victim for c in lab.switch.cuts[fenced:])
    )
    lab.switch.unheard.clear()
    (own,) = (c for c in lab.switch.cuts[fenced:] if c.host == victim)
    assert own.seen == before["nfs"].run, f"nfs was started before {victim} was fenced"
    said += f"; fenced after {time.monotonic() - start:.0f} s"
    lab.until(f"nfs runs on {there}", lambda: lab.where("nfs") == [there])
    lab.until("nfs writes", lambda: alive(lab, "nfs"))
    said += f"; nfs writes on {there} after {time.monotonic() - start:.0f} s"
    if drain:
        said += f"; hxm standby: {end_of(drain)}"
        lab.until(
            "the drain is over", lambda: not lab[there].run(f"hxm active {victim}").returncode
        )
    lab.until("the cluster has settled", lab.settled, 2 * BOOT)
    lab.until("both write", lambda: all(alive(lab, guest) for guest in MANAGED))
    starts = {guest: lab.slot(guest).starts - before[guest].starts for guest in MANAGED}
    assert starts["nfs"] in ((0, 1) if drain else (1,)), starts
    return f"{said}; starts {starts}; double starts {len(lab.doubles())}"


def begin_drain(lab: Lab, victim: str) -> subprocess.Popen[str]:
    """Returns at a random moment after the node has been put in standby."""
    drain = subprocess.Popen(
        (*lab[lab.other(victim)].ssh_argv(), f"hxm standby {victim} --yes"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lab.until(f"{victim} is in standby", lambda: standby(lab, victim))
    time.sleep(random.uniform(0, 40))
    return drain


def standby(lab: Lab, name: str) -> bool:
    node = lab.mon().find(f"nodes/node[@name='{name}']")
    return node is not None and node.get("standby") == "true"


def stage(lab: Lab, drain: subprocess.Popen[str]) -> str:
    """How far the drain is at the cut."""
    if drain.poll() is not None:
        return "the drain had ended"
    roles = {
        each.get("id"): each.get("pending") or each.get("role")
        for each in lab.mon().iterfind("resources//resource")
    }
    return ", ".join(f"{guest} {roles.get(guest)}" for guest in MANAGED)


def end_of(drain: subprocess.Popen[str]) -> str:
    printed, _ = drain.communicate(timeout=2 * BOOT)
    last = printed.strip().splitlines()[-1:] or ["nothing"]
    return f"{drain.returncode}, {last[0].strip()}"


def alive(lab: Lab, guest: str) -> bool:
    """Whether the guest writes."""
    before: Slot = lab.slot(guest)
    time.sleep(10)
    return lab.slot(guest) != before


if __name__ == "__main__":
    sys.exit(main())
