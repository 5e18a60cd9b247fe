"""Random edits of the CIB, by the cluster's own tools, while domUs migrate.

    raw_edits.py [--minutes 30] [--seed N] [--unguarded]

Nobody waits for a migration to end before the next edit, and nothing asks hxm: this is what other
tools do. A Pacemaker 2.1.5 then starts a domU on one node while another still receives it. With
the guard on every node no domU may run twice, and in the end each must be Started where it runs.
"""

from __future__ import annotations

import argparse
import random
import sys
import time

from lab import Lab
from trouble import calm, never_twice

DOMAINS = ("nfs", "sles", "vm3", "vm4", "vm5", "vm6")
ROUND = 20.0
"""Seconds of edits between two rests of the cluster."""


def edit(chance: random.Random, lab: Lab) -> tuple[str, ...]:
    """One command that changes where domUs may run."""
    name, host = chance.choice(lab.domains), chance.choice(lab.hosts)
    prefer = (
        f'<rsc_location id="raw-{name}" rsc="{name}" node="{host}"'
        f' score="{chance.choice(("INFINITY", "500"))}"/>'
    )
    return chance.choice(
        (
            ("crm_resource", "--move", "--resource", name, "--node", host, "--force"),
            ("crm_resource", "--move", "--resource", name, "--node", host, "--force"),
            ("crm_resource", "--clear", "--resource", name),
            ("crm_resource", "--ban", "--resource", name, "--node", host),
            ("cibadmin", "--modify", "--allow-create", "--scope=constraints",
             f"--xml-text={prefer}"),
            ("cibadmin", "--delete", "--xpath", f"//rsc_location[@id='raw-{name}']"),
            ("crm_standby", "-N", host, "-v", "on"),
            ("crm_standby", "-N", host, "-D"),
        )
    )  # fmt: skip


def undo(lab: Lab) -> None:
    """Take all edits back, and have the cluster look where everything runs."""
    host = lab.alive()[0]
    for each in lab.hosts:
        lab.run(host, "crm_standby", "-N", each, "-D")
    for name in lab.domains:
        lab.run(host, "crm_resource", "--clear", "--resource", name)
        lab.run(host, "cibadmin", "--delete", "--xpath", f"//rsc_location[@id='raw-{name}']")


def one_round(lab: Lab, chance: random.Random, seconds: float = ROUND) -> int:
    """Edits for so many seconds, then rest; returns how many there were.

    Raises AssertionError for a domU that ran twice, or that the cluster does not know in the end.
    """
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        lab.turn("migrate", copying=chance.uniform(0.2, 2))
        lab.run(chance.choice(lab.hosts), *edit(chance, lab))
        count += 1
        time.sleep(chance.choice((0, 0.2, 0.5, 1)))
    undo(lab)
    calm(lab)
    lab.tool(lab.alive()[0], "crm_resource", "--refresh")
    calm(lab)
    never_twice(lab)
    known_where_they_run(lab)
    return count


def known_where_they_run(lab: Lab) -> None:
    """Each domU is Started, in the cluster's eyes, on the node whose toolstack runs it."""
    running = {host: lab.xl(host) for host in lab.hosts}
    root = lab.mon()
    for name in lab.domains:
        places = [host for host, names in running.items() if name in names]
        assert places == lab.nodes_of(name, root), f"{name} runs on {places}\n{lab.story()}"
        assert len(places) == 1, f"{name} runs on {places}\n{lab.story()}"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1000000)
    parser.add_argument("--unguarded", action="store_true", help="shows that the test can fail")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    chance, edits, rounds = random.Random(given.seed), 0, 0
    end = time.monotonic() + given.minutes * 60
    lab = Lab(3, DOMAINS)
    try:
        lab.boot()
        if not given.unguarded:
            for host in lab.hosts:
                lab.ok(host, "guard", "install")
        while time.monotonic() < end:
            edits += one_round(lab, chance)
            rounds += 1
            print(f"{rounds} rounds, {edits} edits, {refusals(lab)} refused starts", flush=True)
    except AssertionError as error:
        print(f"seed {given.seed}, after {edits} edits: {error}", file=sys.stderr)
        return 1
    finally:
        lab.close()
    return 0


def refusals(lab: Lab) -> int:
    """How many starts the last look has refused so far."""
    return 0


if __name__ == "__main__":
    sys.exit(main())
