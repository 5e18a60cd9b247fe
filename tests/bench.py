"""What hxm costs, as ratios against the tools beside it in the same run: `make bench`.

Nothing is asserted: a figure is only comparable with the others of its run. CPU time is that of the
whole process tree, and less shaken by what else the machine does than the wall time. The table at
the end is the one of CONTRIBUTING. `make bench SIZES=32x1000` measures that size alone, however
long it takes, with what is left out of the usual three minutes.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from hxm.pacemaker.dialect import DIALECTS
from hxm.pacemaker.simulate import commit, scratch
from hxm.plan import Step

HXM = str(Path(sys.argv[1]).resolve())
TESTS = Path(__file__).parent
CHOSEN = sys.argv[2:]
BEGAN = time.monotonic()
ENOUGH = float("inf") if CHOSEN else 160.0
"""Seconds after which nothing more is begun: all of it stays under three minutes."""
ASKS = 107
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
    if process.returncode not in (0, ASKS):
        print(f"{' '.join(argv)} ended with {process.returncode}", flush=True)
    return Cost(*map(min, zip(*costs, strict=True)))


def report(title: str, theirs: Cost, ours: Cost) -> str:
    """Print one line, with both and their ratio; returns the ratio of the CPU times."""
    print(
        f"{title:<44} cpu {ours.cpu * 1000:8.1f} / {theirs.cpu * 1000:7.1f} ms ="
        f" {ours.cpu / theirs.cpu:6.2f}   wall {ours.wall / theirs.wall:6.2f}"
        f"   memory {ours.memory // 1024:4} / {theirs.memory // 1024:4} MiB",
        flush=True,
    )
    return f"{ours.cpu / theirs.cpu:.1f}"


def late(title: str) -> bool:
    """Whether there is no time left for it, which is said."""
    over = time.monotonic() - BEGAN > ENOUGH
    if over:
        print(f"{title:<44} not measured: it would take too long", flush=True)
    return over


def against(title: str, peer: list[str], words: str, env: dict[str, str], rounds: int) -> str:
    """Compare hxm with these words to a peer, if that is installed; returns the ratio."""
    if not shutil.which(peer[0], path=env["PATH"]):
        print(f"{title:<44} {peer[0]} is not installed", flush=True)
        return ""
    if late(title):
        return ""
    return report(title, measure(peer, env, rounds), measure([HXM, *words.split()], env, rounds))


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
    (folder / "readlink").symlink_to(shutil.which("readlink") or "readlink")  # hxm's first line
    hidden = {**with_xl, "HXM_REAL": f"{folder}/real", "PATH": str(folder)}
    subprocess.run([HXM, "guard", "install"], env=hidden, check=True, capture_output=True)
    plain = measure([f"{xl}.hxm-real", "list"], hidden, 50)
    report("a read through the guard / xl", plain, measure([str(xl), "list"], hidden, 50))
    with_tools = {**hidden, "PATH": f"{folder}:/usr/bin:/bin"}  # a shell script removes it
    subprocess.run([HXM, "guard", "remove"], env=with_tools, check=True, capture_output=True)


def median(argv: list[str], env: dict[str, str]) -> float:
    """The wall time in ms: the median of fifteen runs."""
    times = []
    for _ in range(15):
        start = time.perf_counter()
        subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=True)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def of_ssh(folder: Path) -> None:
    """A list through a real sshd, against crm_mon through the same one over an open connection."""
    sys.path[:0] = [str(TESTS / "tools"), str(TESTS)]
    from conftest import Sandbox
    from far import Far, free_port, missing

    title = "2 x 2: list --on / 1.5 x ssh crm_mon -1 + 40 ms"
    if why := missing():
        print(f"{title}: {why}")
        return
    cluster = Sandbox(folder).make()
    cluster.as_if_live()
    far = Far(cluster)
    near, slow = far.ports["host1"], free_port()
    link = [sys.executable, str(TESTS / "slow_link.py"), str(slow), str(near), "10"]
    config = far.folder / "client"
    crm_mon = ["ssh", "-F", str(config), "-S", f"{far.sockets}/%p", "-o", "ControlMaster=auto"]
    crm_mon += ["-o", "ControlPersist=60", "host1", f"{far.folder}/host1.bin/crm_mon", "-1"]
    process = subprocess.Popen(link)
    try:
        for port, how in ((near, "no delay"), (slow, "20 ms to and fro")):
            config.write_text(config.read_text().replace(f"Port {near}", f"Port {port}"))
            for argv in (crm_mon, [HXM, "list"]):  # which open the connections
                subprocess.run(argv, env=far.env, check=True, capture_output=True)
            theirs, ours = median(crm_mon, far.env), median([HXM, "list"], far.env)
            print(f"{title}, {how}: {ours:.0f} / {1.5 * theirs + 40:.0f} ms", flush=True)
    finally:
        process.kill()
        far.end()


def of_why(size: str, words: str, theirs: Cost, env: dict[str, str], rounds: int) -> None:
    """What a reason costs, and how often the scheduler was asked for it."""
    why = [HXM, *words.split()]
    ran = subprocess.run([*why, "-o", "json"], env=env, check=True, capture_output=True)
    runs = json.loads(ran.stdout)["simulations"]
    title = f"{size}: {words} ({runs} runs) / crm_simulate"
    report(title, theirs, measure(why, env, rounds))


class Size(NamedTuple):
    """A cluster, what is asked about in it, and how often."""

    nodes: int
    domains: int
    domain: str
    other: str
    node: str
    rounds: int
    simulations: tuple[str, ...] = ()
    """What asks the scheduler more than once; measured once."""
    alone: tuple[str, ...] = ()
    """What does so for each node: longer than all the rest, so only where the size is chosen."""

    @property
    def name(self) -> str:
        return f"{self.nodes} x {self.domains:,}"


REASONS = ("why {domain}", "why {domain} {node}")
SIZES = (
    Size(2, 2, "nfs", "sles", "host2", 5, REASONS),
    Size(8, 100, "vm20", "vm21", "host3", 3),
    Size(16, 300, "vm20", "vm21", "host3", 1, (*REASONS, "capacity"), ("update plan",)),
    Size(32, 1000, "vm20", "vm21", "host3", 1, (), ("capacity",)),
)
USUAL = ("2x2", "16x300", "32x1000")
READINGS = {"list": CRM_MON, "status -o json": CRM_MON}
OTHERS = (["crm", "status"], ["pcs", "resource"])
PLANS = ("migrate {domain} {node}", "standby {node}", "shutdown {domain}", "maintenance on")
PLANS_BACK = ("active {node}", "start {domain}", "default {domain}", "unmigrate {other}")
ORDERS = ("standby {node}", "active {node}", "migrate {domain} {node}")
"""What is carried out, in this order: on the smallest cluster, or where the size is chosen."""


def done_and_left(size: Size, file: str) -> None:
    """Have the node in standby, the domain told to stop, and the constraint of a move left."""
    steps = [
        Step("standby", "", {"node": size.node}),
        Step("set-meta", "", {"resource": size.domain, "name": "target-role", "value": "Stopped"}),
        Step("move", "", {"resource": size.other, "node": "host1"}),
    ]
    (dialect,) = [dialect for dialect in DIALECTS if dialect.key == "2.1"]
    with scratch(file) as copy:
        copy.foresee(dialect, steps)
        copy.settle()
        commit(copy, file)


def of_size(env: dict[str, str], folder: Path, size: Size) -> dict[str, str]:
    """Readings and plans on a cluster of that size: the row of the table."""
    options = (f"--nodes={size.nodes}", f"--domains={size.domains}")
    there = sandbox(env, folder / f"{size.nodes}x{size.domains}", *options)
    row = {"nodes x domUs": size.name}
    for words, peer in READINGS.items():
        row[words] = against(
            f"{size.name}: {words} / crm_mon", peer, words, there, max(2, size.rounds)
        )
    for peer in OTHERS if size.nodes < 32 else ():
        against(f"{size.name}: list / {' '.join(peer)}", peer, "list", there, 1)
    theirs = measure(SIMULATE, there, max(2, size.rounds))

    def of_plan(form: str) -> None:
        words = form.format(**size._asdict())
        title, row[words.split()[0]] = f"{size.name}: plan {words} / crm_simulate", ""
        if not late(title):
            ours = measure([HXM, *words.split(), "--dry-run"], there, size.rounds)
            row[words.split()[0]] = report(title, theirs, ours)

    for form in PLANS:
        of_plan(form)
    file = Path(there["CIB_file"])
    fresh = file.read_bytes()
    for form in ORDERS if CHOSEN or size is SIZES[0] else ():
        words = form.format(**size._asdict())
        ours = measure([HXM, *words.split(), "--yes"], there, 1)
        report(f"{size.name}: {words}, carried out / crm_simulate", theirs, ours)
    file.write_bytes(fresh)
    done_and_left(size, str(file))
    for form in PLANS_BACK:
        of_plan(form)
    file.write_bytes(fresh)
    return row


def of_simulations(folder: Path, env: dict[str, str], size: Size) -> None:
    """What asks the scheduler more than once, on the cluster that `of_size` has made."""
    there = {**env, "CIB_file": str(folder / f"{size.nodes}x{size.domains}" / "cib.xml")}
    theirs = measure(SIMULATE, there, size.rounds)
    for form in (*size.simulations, *(size.alone if CHOSEN else ())):
        words = form.format(**size._asdict())
        title = f"{size.name}: {words} / crm_simulate"
        if late(title):
            break
        if form in REASONS:
            of_why(size.name, words, theirs, there, size.rounds)
        else:
            report(title, theirs, measure([HXM, *words.split()], there, 1))


def main() -> None:
    """A pass-through, and clusters of all sizes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"}
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed hxm is compiled
        python = measure([str(Path(HXM).with_name("python")), "-c", ""], env, 20)
        print(f"python alone {python.wall * 1000:.1f} ms; ours / theirs = ratio")
        if not CHOSEN:
            of_xl(env, folder)
            (folder / "ssh").mkdir()
            of_ssh(folder / "ssh")
        sizes = [size for size in SIZES if f"{size.nodes}x{size.domains}" in (CHOSEN or USUAL)]
        rows = []
        for size in sizes:
            rows.append(of_size(env, folder, size))
            of_simulations(folder, env, size)
    for cells in ([*rows[0]], ["---"] * len(rows[0]), *([*row.values()] for row in rows)):
        print(f"| {' | '.join(cells)} |")
    print(f"took {time.monotonic() - BEGAN:.0f} s")


main()
