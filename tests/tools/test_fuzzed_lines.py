"""Whatever is typed, hxm does it or refuses it: a sample of what tests/fuzz_lines.py tries."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

FUZZER = Path(__file__).parents[1] / "fuzz_lines.py"
SAMPLE, THOROUGH = 20, 900
"""Seconds."""
HARMLESS = ("xl", "xm", "virsh", "ssh", "systemctl")
"""Programs that act on this host or on others, each with a stand-in that does nothing."""


@pytest.mark.parametrize(
    ("seconds", "seed"),
    [
        (SAMPLE, int(os.environ.get("HXM_SEED", "1"))),
        pytest.param(THOROUGH, int(time.time()), marks=pytest.mark.thorough),
    ],
    ids=["sample", "thorough"],
)
def test_no_line_hangs_or_shows_a_fault_or_a_secret(sandbox, seconds, seed):
    for program in HARMLESS:
        sandbox.program(program, "exit 1")
    here = sandbox.folder / "here"
    here.mkdir()
    done = subprocess.run(
        [sys.executable, FUZZER, str(seconds), str(seed)],
        env={
            **sandbox.env,
            "PYTHONPATH": str(FUZZER.parents[1]),
            "HXM_REAL": str(sandbox.folder / "none"),
            "HOME": str(sandbox.folder),
        },
        cwd=here,
        capture_output=True,
        text=True,
        timeout=seconds + 300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
