"""Captures what Xen 4.17 makes of a thousand disk specifications and of a thousand command lines.

The unit tests read both: what libxlutil reads, and which lines would take something of nfs's.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from pathlib import Path

import real
from compare import facts_in
from grammar import spec_of
from lines import Line, line_of

DATA = Path(__file__).parents[1] / "data" / "xen-4.17"
COUNT = 1000
HARMLESS = 250
"""Lines that take nothing of nfs's, which show that not everything is refused."""


def write_specs(library: real.Libxlu) -> None:
    """One line for each: the specification, and the disk or null."""
    chance = random.Random(417)
    specs = sorted({spec_of(chance) for _ in range(COUNT)})
    found = {spec: library.disk(spec) for spec in specs}
    entries = (
        f"{json.dumps(spec)}: {json.dumps(disk and facts_in(disk))}" for spec, disk in found.items()
    )
    (DATA / "disk-grammar.json").write_text("{\n" + ",\n".join(entries) + "\n}\n")


def write_lines(library: real.Libxlu) -> None:
    """One line for each: its words, the text of the file in it, and whose it would use."""
    chance = random.Random(417)
    harmful: list[Line] = []
    harmless: list[Line] = []
    with tempfile.TemporaryDirectory() as folder:
        while len(harmful) < COUNT or len(harmless) < HARMLESS:
            if line := line_of(chance, library, Path(folder)):
                (harmful if line.harm else harmless).append(line)
    entries = map(json.dumps, (*harmful[:COUNT], *harmless[:HARMLESS]))
    (DATA / "command-lines.json").write_text("[\n" + ",\n".join(entries) + "\n]\n")


def main() -> int:
    real.unpack()
    with real.libxlu() as library:
        write_specs(library)
        write_lines(library)
    return 0


if __name__ == "__main__":
    sys.exit(main())
