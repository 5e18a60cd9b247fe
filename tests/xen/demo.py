"""A proof of concept on two real Xen hosts: `make xen-demo`.

Each command runs as it is shown. The exit status is 1 if something did not happen as promised.
"""

from __future__ import annotations

import re
import sys
import threading
import time

from consoles import Console
from counters import longest_silence
from hosts import BOOT, MANAGED, Host, Lab, booted


class Story:
    """Tells and runs; remembers what did not come out as promised."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.broken: list[str] = []
        bold = sys.stdout.isatty()
        self.before, self.after = ("\x1b[1m", "\x1b[0m") if bold else ("", "")

    def say(self, text: str) -> None:
        print(f"\n{self.before}# {text}{self.after}", flush=True)

    def run(self, host: Host, command: str, status: int = 0) -> str:
        """A command as it is typed, what it shows, how long it took."""
        print(f"\n{self.before}{host.name}:~ # {command}{self.after}", flush=True)
        start = time.monotonic()
        ran = host.run(f"{command} 2>&1", 2 * BOOT)
        print(ran.stdout, end="")
        told = f"exit status {ran.returncode}, " if ran.returncode else ""
        print(f"[{told}{time.monotonic() - start:.0f} s]", flush=True)
        self.promise(ran.returncode == status, f"`{command}` ended with {ran.returncode}")
        return ran.stdout

    def promise(self, kept: bool, text: str) -> None:
        if not kept:
            self.broken.append(text)
            print(f"NOT AS PROMISED: {text}", flush=True)

    def guest(self, host: Host, guest: str, command: str) -> str:
        """A command typed on a guest's console, through hxm, and what it shows."""
        print(f"\n{self.before}{host.name}:~ # hxm console {guest}{self.after}", flush=True)
        with Console(host, f"hxm console {guest}", guest) as console:
            shown = console.type(command)
            console.leave()
        print(f"{self.before}{console.prompt}{command}{self.after}")
        if shown:
            print(shown)
        print("[Ctrl-]]", flush=True)
        return shown


def proof_of_concept(story: Story) -> None:
    """Writes during a live migration arrive, all of them."""
    lab = story.lab
    source, target = nodes_of(lab, "nfs")
    story.say(f"nfs writes a file of 8 MiB to its disk, and moves to {target.name} meanwhile.")
    story.guest(source, "nfs", "proof write")
    before = lab.slot("nfs")
    migrated = threading.Event()
    silent: list[float] = []
    watcher = threading.Thread(
        target=lambda: silent.append(longest_silence(lambda: lab.slot("nfs"), migrated.is_set)),
        daemon=True,
    )
    watcher.start()
    story.run(source, f"hxm migrate nfs {target.name} --reason 'proof of concept'")
    migrated.set()
    watcher.join()
    after = lab.slot("nfs")
    shown = story.guest(source, "nfs", "proof check")
    sums = re.findall(r"\b[0-9a-f]{32}\b", shown)
    story.promise(len(sums) == 2 and sums[0] == sums[1], f"two equal md5: {sums}")
    story.promise(after.run == before.run, "nfs was not restarted")
    story.promise(lab.where("nfs") == [target.name], f"nfs runs on {target.name}")
    written = after.written - before.written
    print(f"\nnfs was silent for {silent[0]:.1f} s; it wrote {written} times during the migration")


def nodes_of(lab: Lab, guest: str) -> tuple[Host, Host]:
    """Where a guest runs, and the other host."""
    (name,) = lab.where(guest)
    return lab[name], lab[lab.other(name)]


def raw_migration(story: Story) -> None:
    here, there = nodes_of(story.lab, "nfs")
    story.say("By hand, out of habit: it would then run on both hosts.")
    story.run(here, f"xl migrate nfs {there.name}", 107)


def drain(story: Story) -> None:
    here, there = nodes_of(story.lab, "nfs")
    story.say(f"{here.name} wants patches. This Xen moves no PV guest live; hxm knows before.")
    story.run(here, f"hxm migrate sles {here.name} --yes")
    story.run(here, f"hxm standby {here.name} --reason patches", 107)
    story.run(here, f"hxm standby {here.name} --reason patches --yes")
    for guest in MANAGED:
        story.promise(story.lab.where(guest) == [there.name], f"{guest} runs on {there.name}")
    story.run(here, "xl list")
    story.run(here, f"hxm active {here.name}")


def failed_migration(story: Story) -> None:
    here, there = nodes_of(story.lab, "nfs")
    story.say(
        "A live migration that fails becomes a restart; hxm says so. Here root's key is missing."
    )
    story.run(here, "mv /root/.ssh/id_ed25519 /root/.ssh/away")
    run = story.lab.slot("nfs").run
    told = story.run(here, f"hxm migrate nfs {there.name} --yes", 1)
    story.promise("not live" in told, "hxm says that it was not live")
    story.lab.until("nfs runs anew", lambda: story.lab.slot("nfs").run != run)
    story.run(here, "mv /root/.ssh/away /root/.ssh/id_ed25519")
    story.run(here, "hxm cleanup nfs")


def power_cut(story: Story) -> None:
    lab = story.lab
    here, there = nodes_of(lab, "nfs")
    story.say(f"{here.name} loses its power.")
    before = lab.slot("nfs")
    here.off()
    start = time.monotonic()
    lab.until("nfs is back", lambda: lab.slot("nfs").run not in ("", before.run))
    after = lab.slot("nfs")
    print(f"\nnfs runs on {after.host} {time.monotonic() - start:.0f} s after the power cut")
    story.promise(after.host == there.name, f"nfs runs on {there.name}")
    fenced = [cut.host for cut in lab.switch.cuts if cut.seen == before.run]
    story.promise(fenced[-1:] == [here.name], f"{here.name} was fenced before that")
    lab.until(f"{here.name} is back", lab.settled)
    print(
        f"{here.name} was fenced, and is back in the cluster after {time.monotonic() - start:.0f} s"
    )
    story.run(there, "hxm list")
    story.run(there, "hxm history nfs --everywhere")


def main() -> int:
    start = time.monotonic()
    with booted() as lab:
        story = Story(lab)
        story.say("Two real Xen hosts under Pacemaker; xl is guarded on both.")
        for host in lab.hosts.values():
            story.run(host, "hxm guard install")
        story.run(lab["host1"], "hxm list")
        for part in (proof_of_concept, raw_migration, drain, failed_migration, power_cut):
            part(story)
        doubles = lab.doubles()
        story.promise(not doubles, f"no guest ran twice: {doubles}")
        starts = ", ".join(
            f"{guest} was started {lab.slot(guest).starts} times" for guest in MANAGED
        )
        seconds = time.monotonic() - start
        print(f"\n{starts}; double starts: {len(doubles)}; {seconds:.0f} s in all")
        return 1 if story.broken else 0


if __name__ == "__main__":
    sys.exit(main())
