"""The launcher: alone with its own Python, and where that has no hxm any more."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

LAUNCHER = Path(__file__).parent.parent.parent / "hxm" / "launcher"
WITHOUT = os.path.realpath(sys.executable)
"""The Python under the virtual environment's, as after an upgrade: it has no hxm."""


def launch(program: str | Path, *words: str, **env: str):
    """Run the launcher, or let a Python run it."""
    argv = [program] if Path(program).name == "hxm" else [program, LAUNCHER]
    usual = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    ran = subprocess.run(
        [*argv, *words],
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


@upgraded
def test_a_package_says_how_it_is_installed_again(tmp_path):
    (tmp_path / "bin").mkdir()
    shutil.copy(LAUNCHER, tmp_path / "bin" / "hxm")
    (tmp_path / "bin" / "hxm").chmod(0o755)
    (tmp_path / "bin" / "python").symlink_to(WITHOUT)
    shutil.copy(Path(sys.prefix) / "pyvenv.cfg", tmp_path)
    (tmp_path / "remedy").write_text("apt-get install --reinstall hxm\n")
    status, _, said = launch(tmp_path / "bin" / "hxm", "list")
    assert (status, "venv" in said) == (102, False)
    assert "make it again: apt-get install --reinstall hxm\n" in said


@pytest.fixture
def installed(tmp_path):
    """The launcher in a virtual environment, and a link to it elsewhere."""
    venv = tmp_path / "a venv"
    (venv / "bin").mkdir(parents=True)
    shutil.copy(LAUNCHER, venv / "bin" / "hxm")
    (venv / "bin" / "hxm").chmod(0o755)
    (venv / "bin" / "python").symlink_to(WITHOUT)
    shutil.copy(Path(sys.prefix) / "pyvenv.cfg", venv)
    site = Path(sysconfig.get_path("purelib"))
    ours = venv / site.relative_to(sys.prefix)
    ours.parent.mkdir(parents=True)
    ours.symlink_to(site)
    (tmp_path / "hxm").symlink_to(venv / "bin" / "hxm")
    return tmp_path / "hxm"


PLANTED = {
    "by site": ("sitecustomize.py", "PYTHONPATH"),
    "by the launcher": ("os.py", "PYTHONPATH"),
    "by a command": ("shlex.py", "PYTHONPATH"),
    "at the end": ("sitecustomize.py", "PYTHONHOME"),
    "by interactive use": ("planted.py", "PYTHONSTARTUP"),
}


@pytest.mark.parametrize(("name", "variable"), PLANTED.values(), ids=PLANTED)
def test_nothing_that_is_set_for_other_programs_becomes_part_of_it(
    installed, tmp_path, name, variable
):
    planted = tmp_path / "planted"
    planted.mkdir()
    (planted / name).write_text(f"open({str(tmp_path / 'run')!r}, 'w')\n")
    words = ("guard", "judge", "xl", "destroy", "other")  # which imports shlex
    value = planted / name if variable == "PYTHONSTARTUP" else planted
    ran = launch(installed, *words, **{variable: str(value)})
    assert ran == launch(installed, *words)
    assert not (tmp_path / "run").exists()
    status, out, _ = launch(installed, "--version", **{variable: str(value)})
    assert (status, out[:4]) == (0, "hxm ")
