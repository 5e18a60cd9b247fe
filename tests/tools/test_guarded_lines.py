"""Command lines that would take something of a managed domU's, typed to xl: the guard passes none.

Xen 4.17 has said of each line what it takes (tests/xl). `make test` types a few, `make faults` all
the captured ones and as many that are made up anew.
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
CAPTURED = json.loads((TESTS / "data" / "xen-4.17" / "command-lines.json").read_text())
HARMFUL = [line for line in CAPTURED if line[2]]
HARMLESS = [line for line in CAPTURED if not line[2]]
BATCH = 100


@pytest.fixture
def ran(guarded):
    """Types a line where nfs has the uuid of the captured ones; returns status and output."""
    folder = guarded.xen.folder
    with (folder / "xen" / "nfs.xm").open("a") as file:
        file.write('uuid = "135631b2-d539-4d73-bc0a-16ef7192fe00"\n')

    def here(text: str) -> str:
        return text.replace("vg/nfs", "evms/san2/vm2").replace("vg/./nfs", "evms/./san2/vm2")

    def ran(words: list[str], made: str) -> tuple[int, str]:
        (folder / "made.cfg").write_bytes(here(made).encode("utf-8", "surrogateescape"))
        status, out, _ = guarded.run(*map(here, words))
        return status, out

    return ran


def passed(ran, lines) -> list[list[str]]:
    """The lines of which xl got to see something: it prints whatever it is given."""
    return [words for words, made, _ in lines if ran(words, made)[1]]


def test_a_sample_of_them_never_passes(ran):
    assert [words for words, made, _ in HARMFUL[::50] if ran(words, made) != (107, "")] == []


def test_what_takes_nothing_of_it_passes(ran):
    refused = [words for words, made, _ in HARMLESS[::50] if ran(words, made)[0] != 42]
    assert refused == []


@pytest.mark.thorough
@pytest.mark.parametrize("batch", range(len(HARMFUL) // BATCH))
def test_none_of_a_thousand_passes(ran, batch):
    assert passed(ran, HARMFUL[batch * BATCH : (batch + 1) * BATCH]) == []


@pytest.mark.thorough
@pytest.mark.parametrize("batch", range(len(HARMFUL) // BATCH))
def test_none_that_is_made_up_now_passes(ran, tmp_path, batch):
    sys.path.insert(0, str(TESTS / "xl"))
    from lines import Line, line_of
    from real import libxlu, unpack

    unpack()
    seed = time.time_ns() + batch
    chance = random.Random(seed)
    lines: list[Line] = []
    with libxlu() as library:
        while len(lines) < BATCH:
            line = line_of(chance, library, tmp_path)
            lines += [line] if line and line.harm else []
    assert passed(ran, lines) == [], f"seed {seed}"
