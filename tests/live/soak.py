"""A random walk over a live cluster: verbs, faults and timing, each step decided by the seed.

    soak.py --minutes 10 [--seed N] [--steps N] [--nodes 3]

Every decision depends on the seed and on the number of the step alone: `--seed N --steps M`
replays a failure, and `--only K` runs the failed step by itself, on a fresh lab.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from typing import Any, NamedTuple

from lab import DOMAINS, Inside, Lab, Ran
from trouble import FAULTS, calm, never_twice, ordered, repair, sane, tidy

VERBS = (
    *("migrate", "migrate", "migrate", "standby", "active", "shutdown", "start", "reboot"),
    *("destroy", "unmigrate", "unmanage", "manage", "maintenance", "default", "cleanup"),
)


class Order(NamedTuple):
    """One command of one operator: when, where, what, and after how many seconds it is killed."""

    after: float
    host: str
    words: tuple[str, ...]
    killed: float | None


class Step(NamedTuple):
    """What happens between two rests of the cluster."""

    orders: tuple[Order, ...]
    fault: str | None
    where: str
    after: float
    copying: float

    def __str__(self) -> str:
        said = [
            f"{order.after:.1f} s {order.host}: hxm {' '.join(order.words)}"
            + (f" (kill -9 {order.killed:.1f} s later)" if order.killed else "")
            for order in self.orders
        ]
        fault = f"{self.after:.1f} s {self.fault} at {self.where}" if self.fault else "no fault"
        return f"{'; '.join(said)}; {fault}"


def step_of(seed: int, number: int, hosts: list[str]) -> Step:
    """The step of this number: the same for the same seed, whatever happened before it."""
    rng = random.Random(f"{seed}/{number}")
    orders = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        verb = rng.choice(VERBS)
        host, domain, node = rng.choice(hosts), rng.choice(DOMAINS), rng.choice(hosts)
        words = {
            "migrate": (verb, domain, node),
            "standby": (verb, node),
            "active": (verb, node),
            "maintenance": (verb, rng.choice(("on", "off")), rng.choice((domain, node))),
        }.get(verb, (verb, domain))
        killed = rng.uniform(0.1, 4) if rng.random() < 0.25 else None
        orders.append(Order(rng.uniform(0, 2), host, words, killed))
    fault = rng.choice(sorted(FAULTS)) if rng.random() < 0.5 else None
    return Step(
        tuple(sorted(orders)), fault, rng.choice(hosts), rng.uniform(0, 4), rng.uniform(0.2, 2)
    )


class Walk:
    """A lab, a seed, and what was seen so far."""

    def __init__(self, lab: Lab, seed: int) -> None:
        self.lab = lab
        self.seed = seed
        self.steps = 0
        self.statuses: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.kills = 0
        self.said: list[str] = []
        """How the orders ended that did not end well."""
        self.tidied: Counter[str] = Counter()

    def go(self, number: int) -> None:
        """One step, and what must be true after it; AssertionError names the seed and the step."""
        step = step_of(self.seed, number, self.lab.hosts)
        try:
            self._take(step)
        except (AssertionError, RuntimeError, OSError, ValueError, LookupError) as error:
            raise AssertionError(
                f"seed {self.seed}, step {number}: {step}\n{error}\n"
                f"replay: make soak SEED={self.seed} STEPS={number + 1}, or ONLY={number}"
            ) from error
        self.steps += 1

    def _take(self, step: Step) -> None:
        lab = self.lab
        lab.turn("migrate", copying=step.copying)
        running = self._play(step)
        for ran, killed in running:
            if not killed:
                self.statuses[f"{ran.argv[1]} {ran.status}"] += 1
                if ran.status:
                    words = " ".join(ran.argv[1:])
                    self.said.append(f"{words}: {ran.status}, {' / '.join(ran.err.splitlines())}")
                if ran.status != -9:  # its node was switched off
                    sane(ran)
        repair(lab, step.fault)
        host = calm(lab, 120)
        never_twice(lab)
        if step.fault != "quorum lost":
            self.tidied.update(command.split()[1] for command in tidy(lab, host))
        calm(lab, 120)
        never_twice(lab)
        lab.reset()

    def _play(self, step: Step) -> list[tuple[Ran, bool]]:
        """Orders, kills and the fault at their times; the outcomes, and who was killed."""
        start = time.monotonic()
        todo: list[tuple[float, str, Any]] = [(step.after, "fault", None)]
        todo += [(order.after, "order", order) for order in step.orders]
        running: list[tuple[Inside, bool]] = []
        while todo:
            todo.sort(key=lambda each: each[0])
            due, kind, what = todo.pop(0)
            time.sleep(max(0.0, start + due - time.monotonic()))
            if kind == "kill":
                what.kill()
                self.kills += 1
            elif kind == "fault":
                if step.fault and self.lab.switch("state", step.where) == "on":
                    FAULTS[step.fault](self.lab, step.where)
                    self.faults[step.fault] += 1
            elif self.lab.switch("state", what.host) == "on":
                order = ordered(self.lab, what.host, *what.words, "--timeout", "40")
                running.append((order, what.killed is not None))
                if what.killed:
                    todo.append((due + what.killed, "kill", order))
        return [(each.ran(-9) if killed else each.wait(200), killed) for each, killed in running]

    def report(self) -> str:
        return (
            f"seed {self.seed}: {self.steps} steps, {sum(self.statuses.values())} orders "
            f"({', '.join(f'{key}: {n}' for key, n in sorted(self.statuses.items()))}), "
            f"{self.kills} kills, {sum(self.faults.values())} faults "
            f"({', '.join(f'{key}: {n}' for key, n in sorted(self.faults.items()))}), "
            f"tidied by {dict(self.tidied)}, "
            f"{self.lab.stuck} nodes that did not join any more"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1000000)
    parser.add_argument("--steps", type=int, default=100000)
    parser.add_argument("--only", type=int)
    parser.add_argument("--nodes", type=int, default=3)
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    end = time.monotonic() + given.minutes * 60
    lab = Lab(given.nodes)
    walk = Walk(lab, given.seed)
    try:
        lab.boot()
        numbers = range(given.steps) if given.only is None else [given.only]
        for number in numbers:
            if time.monotonic() > end:
                break
            print(f"{number}: {step_of(given.seed, number, lab.hosts)}", flush=True)
            walk.go(number)
            while walk.said:
                print(f"    {walk.said.pop(0)}")
    except AssertionError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        print(walk.report())
        lab.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
