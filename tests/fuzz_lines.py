"""A fuzzer of hxm's command line: `CIB_file=SANDBOX python tests/fuzz_lines.py SECONDS SEED`.

Each case is a line of known and odd words, in a child process that has loaded hxm already. A line
may be refused; it may not hang, be killed, show a fault of hxm's, a secret of the CIB, or a letter
that a terminal would obey. What changes the host itself (`guard`) or never ends is left out.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from hxm import catalog, cli
from hxm.arguments import backups, options

LONGEST = 60
"""Seconds that a line may take, whatever the machine is busy with."""
OMITTED = ("serve", "shell", "watch", "console", "top", "vncviewer", "guard", "sandbox")
COMMANDS = [name for name in catalog.COMMANDS if name not in OMITTED]
OWN = [name for name in COMMANDS if not catalog.COMMANDS[name].policy]
STATUSES = {0, 1, 2, 3, 102, 105, 106, 107, 109, 124, 130}
NAMES = ("nfs", "sles", "host1", "host2", "evms", "ilo-host1", "all", "1", "2", "99")
ODD = [
    *("", "-", "--", "---", "-x", "--xyz", "-é", "\u202e", "\x1b[31m", "\x9b31m", "a" * 3000),
    *("0", "-1", "1e999", "nan", "inf", "9" * 20, "9" * 5000, "٣", "²", "\n", "a b", "a\nb", "\t"),
    *("'", '"', "$(id)", "`id`", ";", "*", "?", "[", "../../etc/passwd", "/", "/dev/null"),
    *("/dev/zero", ".", "..", "./odd", "%s", "{0}", "\udcff", "=", "a=b", "=,", "\\", "#uname"),
    *(
        "json",
        "html",
        "csv",
        "yesterday",
        "1d",
        "14:30",
        "2026-01-01",
        "2026-11-26 14:30",
        "STONITH",
    ),
]
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def _options() -> list[str]:
    """All options of all commands."""
    annotated = (vars(module).values() for module in (options, backups))
    found = (note for values in annotated for value in values for note in _notes(value))
    return sorted({name for note in found for name in getattr(note, "spellings", ())})


def _notes(value: Any) -> tuple[Any, ...]:
    return getattr(value, "__metadata__", ())


OPTIONS = _options()


def line(random_: random.Random) -> list[str]:
    """Words that may be a command line."""
    command = random_.choice(OWN if random_.random() < 0.75 else COMMANDS)
    if random_.random() < 0.05:
        command = command[: random_.randrange(1, len(command) + 1)]
    words = [command]
    if random_.random() < 0.6:
        words.append(random_.choice(NAMES))
    words += [_word(random_) for _ in range(random_.randrange(5))]
    if random_.random() < 0.1:
        words.insert(0, random_.choice(("-v", "-N", "-f", "-vf", "-x", "--", "")))
    if {"drill", "update"} & {*words} or words[0] not in catalog.COMMANDS:
        words.append("--dry-run")
    return [word.replace("\0", "") for word in words]


def _word(random_: random.Random) -> str:
    kind = random_.random()
    if kind < 0.3:
        return random_.choice(ODD)
    if kind < 0.45:
        return random_.choice(NAMES)
    if kind < 0.8:
        value = random_.choice(("", "", f"={random_.choice(ODD)}", f"={random_.choice(NAMES)}"))
        return random_.choice(OPTIONS) + value
    if kind < 0.85:
        return random_.choice(COMMANDS)
    letters = (range(1, 128), range(1, 0x300), range(0x2000, 0x2070))
    return "".join(chr(random_.choice(random_.choice(letters))) for _ in range(8))


class Ended(NamedTuple):
    """How a line ended: its status, negative if a signal did it, and what it printed."""

    status: int
    printed: str


def run(words: list[str]) -> Ended:
    """Run a line in a child of its own, with its output in a file."""
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if not child:
            os.setpgid(0, 0)
            nothing = os.open(os.devnull, os.O_RDONLY)
            for descriptor, target in ((nothing, 0), (output.fileno(), 1), (output.fileno(), 2)):
                os.dup2(descriptor, target)
            signal.alarm(LONGEST)  # which a program that takes hxm's place inherits
            sys.argv = ["hxm", *words]
            cli.main()
        _, status = os.waitpid(child, 0)
        output.seek(0)
        return Ended(os.waitstatus_to_exitcode(status), output.read().decode("utf-8", "replace"))


def fault_of(ended: Ended, secrets: list[str]) -> str:
    """What is wrong with the way in which a line ended, or nothing."""
    if ended.status == -signal.SIGALRM:
        return f"hangs for {LONGEST} s"
    if ended.status not in STATUSES:
        return f"ends with status {ended.status}"
    if "Traceback" in ended.printed or "fault in hxm" in ended.printed:
        return "shows a fault of hxm's"
    if odd := OBEYED.search(ended.printed):
        return f"prints {odd[0]!a}"
    return next(("shows a secret" for secret in secrets if secret in ended.printed), "")


def main() -> None:
    """Try lines for some seconds, on the same sandbox again and again, and tell of the faults."""
    seconds, seed = float(sys.argv[1]), int(sys.argv[2])
    random_ = random.Random(seed)
    cib = os.environ["CIB_file"]
    whole = Path(cib).read_bytes()
    secrets = re.findall(r'name="[^"]*passw[^"]*" value="([^"]{4,})"', whole.decode())
    kept = shutil.copytree(Path(cib).parent, Path(tempfile.mkdtemp()) / "kept")
    end, faults, statuses = time.monotonic() + seconds, 0, Counter[int]()
    while time.monotonic() < end or not statuses:
        words = line(random_)
        ended = run(words)
        statuses[ended.status] += 1
        if why := fault_of(ended, secrets):
            faults += 1
            print(f"{why}: {words!a}: {ended.printed[-600:]!a}")
        if sum(statuses.values()) % 10 == 0:
            shutil.copytree(kept, Path(cib).parent, dirs_exist_ok=True)
    shutil.rmtree(kept.parent)
    print(f"{sum(statuses.values())} lines in {seconds:g} s, seed {seed}: {faults} faults")
    print(f"statuses: {dict(sorted(statuses.items()))}")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
