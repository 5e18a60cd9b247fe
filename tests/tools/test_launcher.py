"""The launcher: alone with its own Python, and where that has no hxm any more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LAUNCHER = Path(__file__).parent.parent.parent / "hxm" / "launcher"
WITHOUT = os.path.realpath(sys.executable)
"""The Python under the virtual environment's, as after an upgrade: it has no hxm."""


def launch(python: str, *words: str, **env: str):
    usual = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    ran = subprocess.run(
        [python, LAUNCHER, *words],
        env=usual | env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return ran.returncode, ran.stdout, ran.stderr


upgraded = pytest.mark.skipif(
    launch(WITHOUT, "--version")[0] != 102, reason="hxm is not in a virtual environment"
)


@upgraded
def test_a_python_without_hxm_is_named_with_the_way_out():
    status, out, said = launch(WITHOUT, "list")
    assert (status, out) == (102, "")
    assert "No module named 'hxm'" in said
    assert "python3 -m venv --clear" in said
    assert "Traceback" not in said


@upgraded
def test_it_still_names_the_real_programs_and_takes_the_guard_away(guarded):
    path = guarded.xen.env["PATH"]
    env = {"PATH": path, "DPKG_ADMINDIR": guarded.xen.env["DPKG_ADMINDIR"]}
    status, _, said = launch(WITHOUT, "destroy", "nfs", **env)
    assert (status, f"the real program: {guarded.bin}/xl.hxm-real" in said) == (102, True), said
    assert launch(WITHOUT, "guard", "remove", **env) == (0, "", "")
    assert guarded.files() == guarded.snapshot


def test_nothing_that_is_set_for_other_programs_becomes_part_of_it(tmp_path):
    (tmp_path / "shlex.py").write_text("print('somebody else')\n")
    words = ("guard", "judge", "xl", "destroy", "other")  # which imports shlex
    _, out, said = launch(sys.executable, *words, PYTHONPATH=str(tmp_path))
    assert (out, "Traceback" in said) == ("", False)
