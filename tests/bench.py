"""What hxm costs, as ratios against the tools beside it in the same run: `make bench`.

Nothing is asserted: a figure is only comparable with the others of its run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HXM = str(Path(sys.argv[1]).resolve())


def measure(argv: list[str], env: dict[str, str], rounds: int) -> tuple[float, float, int]:
    """The best wall and CPU time in seconds, and the peak memory in KiB, of several runs."""
    wall, cpu, memory = [], [], 0
    for _ in range(rounds):
        start = time.perf_counter()
        process = subprocess.Popen(
            argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall.append(time.perf_counter() - start)
        cpu.append(usage.ru_utime + usage.ru_stime)
        memory = max(memory, usage.ru_maxrss)
    return min(wall), min(cpu), memory


def report(title: str, peer: list[str], ours: list[str], env: dict[str, str], rounds: int) -> None:
    """One line: both, and their ratio."""
    if not shutil.which(peer[0], path=env["PATH"]):
        print(f"{title:<42} {peer[0]} is not installed")
        return
    their_wall, their_cpu, their_memory = measure(peer, env, rounds)
    our_wall, our_cpu, our_memory = measure(ours, env, rounds)
    print(
        f"{title:<42} wall {our_wall * 1000:7.1f} / {their_wall * 1000:7.1f} ms ="
        f" {our_wall / their_wall:5.2f}   cpu {our_cpu * 1000:7.1f} / {their_cpu * 1000:7.1f} ms"
        f"   memory {our_memory // 1024:4} / {their_memory // 1024:4} MiB"
    )


def python_alone(env: dict[str, str], rounds: int) -> float:
    """The wall time in seconds of an interpreter that does nothing."""
    return measure([str(Path(HXM).with_name("python")), "-c", ""], env, rounds)[0]


def main() -> None:
    """The small cluster, a pass-through, and large clusters."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        xl = folder / "xl"
        xl.write_text("#!/bin/sh\nexit 0\n")
        xl.chmod(0o755)
        env = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"}
        with_xl = {**env, "PATH": f"{folder}:{env['PATH']}"}

        print(f"python alone {python_alone(env, 20) * 1000:.1f} ms; ours / theirs = ratio")
        subprocess.run([HXM, "sandbox", "new", name + "/small"], check=True, capture_output=True)
        small = {**env, "CIB_file": name + "/small/cib.xml"}
        report("hxm list / crm_mon -1", ["crm_mon", "-1"], [HXM, "list"], small, 20)
        report("hxm status / crm_mon -1", ["crm_mon", "-1"], [HXM, "status"], small, 20)
        report("hxm list / crm status", ["crm", "status"], [HXM, "list"], small, 5)
        report("hxm list / pcs resource", ["pcs", "resource"], [HXM, "list"], small, 5)
        report("hxm uptime / xl uptime", [str(xl), "uptime"], [HXM, "uptime"], with_xl, 20)
        plain = [str(xl) + ".hxm-real", "list"]
        # nothing else may be found, and so guarded, on the machine that this runs on
        hidden = {**with_xl, "HXM_REAL": name + "/real", "PATH": str(folder)}
        subprocess.run([HXM, "guard", "install"], env=hidden, check=True, capture_output=True)
        report("a read through the guard / xl", plain, [str(xl), "list"], hidden, 50)
        with_tools = {**hidden, "PATH": f"{folder}:/usr/bin:/bin"}  # a shell script removes it
        subprocess.run([HXM, "guard", "remove"], env=with_tools, check=True, capture_output=True)

        for nodes, domains in ((16, 300), (32, 1000)):
            of_size(env, folder, nodes, domains)


CRM_MON = ["crm_mon", "--output-as=xml", "--inactive"]
SIMULATE = ["crm_simulate", "-sL"]
PLANS = (
    "migrate vm20 host3",
    "standby host3",
    "shutdown vm20",
    "maintenance on",
    "unmanage vm20",
    "capacity",
)
"""What is planned against one answer of the scheduler; `capacity` asks for one a node."""
MEASURED_ONCE = 500
"""DomUs from which on every run takes so long that one is exact enough."""


def of_size(env: dict[str, str], folder: Path, nodes: int, domains: int) -> None:
    """Readings and plans on a cluster of that size."""
    place = folder / f"{nodes}x{domains}"
    options = ["--nodes", str(nodes), "--domains", str(domains)]
    subprocess.run([HXM, "sandbox", "new", str(place), *options], check=True, capture_output=True)
    there = {**env, "CIB_file": str(place / "cib.xml")}
    rounds, plans = (2, PLANS) if domains < MEASURED_ONCE else (1, PLANS[:-1])
    size = f"{nodes}x{domains}"
    for words in ("status -o json", "list"):
        report(f"{size}: {words} / crm_mon", CRM_MON, [HXM, *words.split()], there, rounds)
    for words in plans:
        dry = [] if words == "capacity" else ["--dry-run"]
        title = f"{size}: {words} / crm_simulate"
        report(title, SIMULATE, [HXM, *words.split(), *dry], there, rounds)


main()
