"""Cuts the power of the host that runs nfs, again and again, every other time while it is drained.

    cuts.py [NUMBER]

After each cut both domUs must run on the other host, once; each writes who it is to the shared
disk, and so finds any other instance. Ends with 1 at the first double start.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time

from hosts import BOOT, MANAGED, Lab, missing


def main() -> int:
    if why := missing():
        print(f"there can be no emulated hosts here: {why}", file=sys.stderr)
        return 1
    number = int(sys.argv[1]) if sys.argv[1:] else 20
    with Lab() as lab:
        lab.boot()
        print("both hosts run", flush=True)
        for count in range(1, number + 1):
            print(
                f"{time.strftime('%H:%M:%S')} cut {count}: {cut(lab, drained=count % 2 == 0)}",
                flush=True,
            )
            if doubles := lab.doubles():
                print("\n".join(doubles))
                return 1
        print(f"{number} power cuts, {len(lab.switch.cut)} fenced, 0 double starts")
    return 0


def cut(lab: Lab, *, drained: bool) -> str:
    """One power cut, and what came of it, when the cluster has settled."""
    (victim,) = lab.where("nfs")
    other = next(name for name in lab.hosts if name != victim)
    before = {guest: lab.slot(guest) for guest in MANAGED}
    order = None
    said = f"{victim} loses its power"
    if drained:
        argv = (*lab[other].ssh_argv(), f"hxm standby {victim} --yes")
        order = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        delay = random.uniform(5, 60)
        time.sleep(delay)
        said += f" {delay:.0f} s into its drain"
    lab[victim].off()
    fenced = len(lab.switch.cut)
    seconds = lab.until("nfs writes again", lambda: alive(lab, "nfs"))
    back = lab.slot("nfs")
    lab.until(f"{victim} is fenced", lambda: len(lab.switch.cut) > fenced)
    said += f"; nfs writes after {seconds:.0f} s on {back.host} (start {back.starts})"
    if order:
        order.wait(2 * BOOT)
        lab.until(
            "the drain is over", lambda: not lab[other].run(f"hxm active {victim}").returncode
        )
    lab.until("the cluster has settled", lab.settled, 2 * BOOT)
    lab.until("both write", lambda: all(alive(lab, guest) for guest in MANAGED))
    more = {guest: lab.slot(guest).starts - before[guest].starts for guest in MANAGED}
    fenced = len(lab.switch.cut) - fenced
    return f"{said}; fenced {fenced}; starts {more}; double starts {len(lab.doubles())}"


def alive(lab: Lab, guest: str) -> bool:
    """Whether the guest writes."""
    before = lab.slot(guest)
    time.sleep(10)
    return lab.slot(guest) != before


if __name__ == "__main__":
    sys.exit(main())
