"""What hxm costs, as ratios against the tools beside it in the same run: `make bench`.

Nothing is asserted: a figure is only comparable with the others of its run. CPU time is that of the
whole process tree, and less shaken by what else the machine does than the wall time.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

HXM = str(Path(sys.argv[1]).resolve())
CRM_MON = ["crm_mon", "--output-as=xml", "--inactive"]
SIMULATE = ["crm_simulate", "-sL"]


class Cost(NamedTuple):
    """Wall and CPU time in seconds, and the peak memory in KiB."""

    wall: float
    cpu: float
    memory: int


def measure(argv: list[str], env: dict[str, str], rounds: int) -> Cost:
    """The best of several runs."""
    costs = []
    for _ in range(rounds):
        start = time.perf_counter()
        process = subprocess.Popen(
            argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - start
        costs.append(Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss))
    return Cost(*map(min, zip(*costs, strict=True)))


def report(title: str, theirs: Cost, ours: Cost) -> None:
    """One line: both, and their ratio."""
    print(
        f"{title:<44} cpu {ours.cpu * 1000:8.1f} / {theirs.cpu * 1000:7.1f} ms ="
        f" {ours.cpu / theirs.cpu:6.2f}   wall {ours.wall / theirs.wall:6.2f}"
        f"   memory {ours.memory // 1024:4} / {theirs.memory // 1024:4} MiB",
        flush=True,
    )


def against(title: str, peer: list[str], words: str, env: dict[str, str], rounds: int) -> None:
    """Compare hxm with these words to a peer, if that is installed."""
    if not shutil.which(peer[0], path=env["PATH"]):
        print(f"{title:<44} {peer[0]} is not installed")
        return
    report(title, measure(peer, env, rounds), measure([HXM, *words.split()], env, rounds))


def sandbox(env: dict[str, str], place: Path, *options: str) -> dict[str, str]:
    """The environment of a new sandbox."""
    subprocess.run([HXM, "sandbox", "new", str(place), *options], check=True, capture_output=True)
    return {**env, "CIB_file": str(place / "cib.xml")}


def of_xl(env: dict[str, str], folder: Path) -> None:
    """What goes to xl as it is, through hxm and through the guard."""
    xl = folder / "xl"
    xl.write_text("#!/bin/sh\nexit 0\n")
    xl.chmod(0o755)
    with_xl = {**env, "PATH": f"{folder}:{env['PATH']}"}
    against("hxm uptime / xl uptime", [str(xl), "uptime"], "uptime", with_xl, 20)
    # nothing else may be found, and so guarded, on the machine that this runs on
    hidden = {**with_xl, "HXM_REAL": f"{folder}/real", "PATH": str(folder)}
    subprocess.run([HXM, "guard", "install"], env=hidden, check=True, capture_output=True)
    plain = measure([f"{xl}.hxm-real", "list"], hidden, 50)
    report("a read through the guard / xl", plain, measure([str(xl), "list"], hidden, 50))
    with_tools = {**hidden, "PATH": f"{folder}:/usr/bin:/bin"}  # a shell script removes it
    subprocess.run([HXM, "guard", "remove"], env=with_tools, check=True, capture_output=True)


def of_two_hosts(env: dict[str, str]) -> None:
    """The smallest cluster: here what counts is the start of a program."""
    against("2x2: list / crm_mon -1", ["crm_mon", "-1"], "list", env, 20)
    against("2x2: status / crm_mon -1", ["crm_mon", "-1"], "status", env, 20)
    against("2x2: list / crm status", ["crm", "status"], "list", env, 3)
    against("2x2: list / pcs resource", ["pcs", "resource"], "list", env, 3)
    theirs = measure(SIMULATE, env, 10)
    for words in ("why nfs", "why nfs host2"):
        of_why("2x2", words, theirs, env, 10)


def of_why(size: str, words: str, theirs: Cost, env: dict[str, str], rounds: int) -> None:
    """What a reason costs, and how often the scheduler was asked for it."""
    why = [HXM, *words.split()]
    ran = subprocess.run([*why, "-o", "json"], env=env, check=True, capture_output=True)
    runs = json.loads(ran.stdout)["simulations"]
    title = f"{size}: {words} ({runs} runs) / crm_simulate"
    report(title, theirs, measure(why, env, rounds))


class Size(NamedTuple):
    """A large cluster, and what is asked of it."""

    nodes: int
    domains: int
    rounds: int
    plans: tuple[str, ...]


SIZES = (
    Size(
        16,
        300,
        2,
        (
            "migrate vm20 host3",
            "standby host3",
            "shutdown vm20",
            "maintenance on",
            "unmanage vm20",
            "capacity",
            "update plan",
        ),
    ),
    Size(32, 1000, 1, ("migrate vm20 host3", "standby host3", "shutdown vm20", "maintenance on")),
)
"""`capacity` asks the scheduler once a node, `update plan` several times."""
AFTER = (("standby host3", "active host3"), ("shutdown vm20", "start vm20"))
"""What is done, and then the plan that takes it back."""
WHOLE = ("capacity", "update plan")
"""Plans that change nothing by themselves, measured once."""


def of_size(env: dict[str, str], folder: Path, size: Size) -> None:
    """Readings and plans on a cluster of that size; at the smaller the orders, too."""
    name = f"{size.nodes}x{size.domains}"
    options = (f"--nodes={size.nodes}", f"--domains={size.domains}")
    there = sandbox(env, folder / name, *options)
    for words in ("status -o json", "list"):
        against(f"{name}: {words} / crm_mon", CRM_MON, words, there, size.rounds)
    theirs = measure(SIMULATE, there, size.rounds)
    for words in ("why vm20", "why vm20 host3"):
        of_why(name, words, theirs, there, size.rounds)
    for words in size.plans:
        dry, rounds = ([], 1) if words in WHOLE else (["--dry-run"], size.rounds)
        ours = measure([HXM, *words.split(), *dry], there, rounds)
        report(f"{name}: plan {words} / crm_simulate", theirs, ours)
    for words, back in AFTER if size.rounds > 1 else ():
        report(f"{name}: {words} / crm_simulate", theirs, measure(done(words), there, 1))
        ours = measure([HXM, *back.split(), "--dry-run"], there, size.rounds)
        report(f"{name}: plan {back} / crm_simulate", theirs, ours)


def done(words: str) -> list[str]:
    """The command line of an order that is carried out."""
    return [HXM, *words.split(), "--yes"]


def main() -> None:
    """The small cluster, a pass-through, and large clusters."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"}
        python = measure([str(Path(HXM).with_name("python")), "-c", ""], env, 20)
        print(f"python alone {python.wall * 1000:.1f} ms; ours / theirs = ratio")
        of_two_hosts(sandbox(env, folder / "2x2"))
        of_xl(env, folder)
        for size in SIZES:
            of_size(env, folder, size)
    print(f"took {time.monotonic() - began:.0f} s")


main()
