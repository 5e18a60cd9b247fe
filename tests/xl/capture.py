"""Captures what libxlutil makes of a thousand specifications, for the unit tests."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import real
from compare import facts_in
from grammar import spec_of

DATA = Path(__file__).parents[1] / "data" / "xen-4.17" / "disk-grammar.json"
COUNT = 1000


def main() -> int:
    """Writes one line for each: the specification, and the disk or null."""
    real.unpack()
    chance = random.Random(417)
    specs = sorted({spec_of(chance) for _ in range(COUNT)})
    with real.libxlu() as library:
        found = {spec: library.disk(spec) for spec in specs}
    lines = (
        f"{json.dumps(spec)}: {json.dumps(disk and facts_in(disk))}" for spec, disk in found.items()
    )
    DATA.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
