"""Random edits of the CIB, by the cluster's own tools, while domUs migrate and the DC changes.

    raw_edits.py [--minutes 30] [--seed N] [--unguarded]

Nobody waits for a migration to end before the next edit, and nothing asks hxm: this is what other
tools do. If the DC is lost as well, the next one does not wait for the migration: Pacemaker 2.1.5
then stops the domU on the source alone, and starts it on a third node while it runs on the target.
With the guard on every node no domU may run twice, and in the end each is Started where it runs.
"""

from __future__ import annotations

import argparse
import random
import sys
import time

from lab import Lab
from trouble import calm, dc_of, never_twice

DOMAINS = ("nfs", "sles", "vm3", "vm4")
ROUND = 20.0
"""Seconds of edits between two rests of the cluster."""
SELDOM = 6.0
"""Seconds at least between two losses of the DC."""


def edit(chance: random.Random, lab: Lab, name: str) -> tuple[str, ...]:
    """One command that changes where a domU may run."""
    host = chance.choice(lab.hosts)
    score = chance.choice(("INFINITY", "500"))
    prefer = f'<rsc_location id="raw-{name}" rsc="{name}" node="{host}" score="{score}"/>'
    commands = (
        ("crm_resource", "--move", "--resource", name, "--node", host, "--force"),
        ("crm_resource", "--clear", "--resource", name),
        ("crm_resource", "--ban", "--resource", name, "--node", host),
        ("cibadmin", "--modify", "--allow-create", "--scope=constraints", f"--xml-text={prefer}"),
        ("cibadmin", "--delete", "--xpath", f"//rsc_location[@id='raw-{name}']"),
        ("crm_standby", "-N", host, "-v", "on"),
        ("crm_standby", "-N", host, "-D"),
    )
    return chance.choice((commands[0], commands[0], *commands))


def lose_dc(lab: Lab) -> None:
    """The DC's controller crashes; pacemakerd starts it again, and another node is elected."""
    if dc := dc_of(lab):
        lab.run(dc, "sh", "-c", "kill -9 $(pidof pacemaker-controld)")


def overtake(lab: Lab, name: str) -> None:
    """Migrate a domU, and send it to a third node while it is under way and the DC is lost."""
    settle(lab)
    here = lab.where(name)
    there, third = (host for host in lab.hosts if host != here)
    lab.turn("migrate", copying=3, gap=1)
    lab.run(here, "crm_resource", "--move", "--resource", name, "--node", there, "--force")
    time.sleep(1)
    lose_dc(lab)
    lab.run(third, "crm_resource", "--move", "--resource", name, "--node", third, "--force")
    time.sleep(SELDOM)
    settle(lab)


def settle(lab: Lab) -> None:
    """Wait for the cluster; a crashed controller may leave an action that it waits for for ever."""
    try:
        calm(lab, 40)
    except AssertionError:
        lab.tool(lab.alive()[0], "crm_resource", "--refresh")
        calm(lab)


def edits(lab: Lab, chance: random.Random, seconds: float) -> int:
    """Edits for so many seconds, of two domUs at a time; returns how many there were."""
    end, count, lost = time.monotonic() + seconds, 0, 0.0
    names = chance.sample(lab.domains, 2)
    while time.monotonic() < end:
        lab.turn("migrate", copying=chance.uniform(0.2, 3), gap=chance.uniform(0, 1))
        lab.run(chance.choice(lab.alive()), *edit(chance, lab, chance.choice(names)))
        count += 1
        if time.monotonic() - lost > SELDOM and chance.random() < 0.3:
            lose_dc(lab)
            lost = time.monotonic()
        time.sleep(chance.choice((0, 0.3, 1)))
    return count


def rest(lab: Lab) -> None:
    """Take all edits back; raises AssertionError if a domU ran twice, or is not known to run."""
    settle(lab)
    never_twice(lab)
    lab.reset()
    never_twice(lab)
    running = {host: lab.xl(host) for host in lab.hosts}
    root = lab.mon()
    for name in lab.domains:
        places = [host for host, names in running.items() if name in names]
        assert places == lab.nodes_of(name, root), f"{name} runs on {places}\n{lab.story()}"


def refused(lab: Lab) -> int:
    """How many starts the last look has refused, by the cluster's own logs."""
    logs = lab.folder.glob("nodes/*/log/pacemaker/pacemaker.log")
    return sum(log.read_text(errors="replace").count("is not created here") for log in logs)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1000000)
    parser.add_argument("--unguarded", action="store_true", help="shows that the test can fail")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    chance, count, rounds = random.Random(given.seed), 0, 0
    end = time.monotonic() + given.minutes * 60
    lab = Lab(3, DOMAINS)
    try:
        lab.boot()
        if not given.unguarded:
            for host in lab.hosts:
                lab.ok(host, "guard", "install")
        while time.monotonic() < end:
            count += edits(lab, chance, ROUND)
            rest(lab)
            overtake(lab, chance.choice(DOMAINS))
            rest(lab)
            rounds += 1
            print(f"{rounds} rounds, {count} edits, {refused(lab)} starts refused", flush=True)
    except AssertionError as error:
        print(f"seed {given.seed}, after {count} edits: {error}", file=sys.stderr)
        return 1
    finally:
        lab.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
