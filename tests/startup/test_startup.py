"""Start-up is a feature: what a fresh interpreter has loaded, and when."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec

import pytest

HEAVY = ["typer", "click", "rich", "lxml", "re", "typing", "subprocess", "dataclasses", "json"]
FOR_TERMINALS = HEAVY[:4]
FOR_OLD_CLUSTERS = ["crm_mon_text", "status_from_cib", "heartbeat_edit", "apply"]
REPORT = f"""
import sys
sys.path[:0] = {sys.path!r}
def report():
    import os
    names = {{name.split(".")[0] for name in sys.modules}}
    print("loaded:", *sorted(names & set(os.environ["NAMES"].split())), flush=True)
"""


def fresh(code: str, names: list[str], **env: str) -> list[str]:
    """The lines that a fresh interpreter prints; report() tells which of `names` it has loaded."""
    usual = {"PATH": os.environ["PATH"], "HXM_CONFIG": "/nonexistent", "NAMES": " ".join(names)}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", REPORT + code],
        env=usual | env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_the_measure_itself_sees_what_is_loaded():
    assert fresh("report()", HEAVY) == ["loaded:"]
    assert fresh("import lxml\nreport()", HEAVY) == ["loaded: lxml"]


def test_looking_a_command_up_never_loads_anything_heavy():
    assert fresh("import hxm.cli\nreport()", HEAVY) == ["loaded:"]


PASSED = ("info", "console nfs", "vcpu-list", "-v uptime")


@pytest.mark.parametrize("line", PASSED)
def test_a_pass_through_never_loads_anything_heavy(line, tmp_path):
    """A stand-in for xl takes the interpreter's place; what is loaded is told just before."""
    xl = tmp_path / "xl"
    xl.write_text('#!/bin/sh\necho "xl $*"\n')
    xl.chmod(0o755)
    code = f"""
import os
import hxm.cli
execve = os.execve
def watched(*all):
    report()
    execve(*all)
os.execve = watched
hxm.cli.dispatch({line.split()!r})
"""
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    assert fresh(code, HEAVY, **env) == ["loaded:", f"xl {line}"]


@pytest.mark.parametrize(("program", "loaded"), [("xl", False), ("/usr/sbin/xm", True)])
def test_one_toolstack_never_loads_the_other(program, loaded):
    code = "import hxm.toolstack.remote as remote\nremote.of(PROGRAM).parse_uuids('')\n"
    code += "print('hxm.toolstack.xm' in sys.modules)"
    assert fresh(f"PROGRAM = {program!r}\n{code}", []) == [str(loaded)]


needs_pacemaker = pytest.mark.skipif(
    not shutil.which("crm_mon", path=f"{os.environ['PATH']}:/usr/sbin"), reason="no Pacemaker"
)


@needs_pacemaker
def test_a_list_for_a_script_never_loads_what_only_a_terminal_needs(tmp_path):
    folder = tmp_path / "sandbox"
    make = f"import hxm.cli\nsys.exit(hxm.cli.guarded(['sandbox', 'new', {str(folder)!r}]))"
    subprocess.run([sys.executable, "-c", REPORT + make], check=True, capture_output=True)
    code = "import hxm.cli\nassert hxm.cli.guarded(['list']) == 0\nreport()"
    lines = fresh(code, FOR_TERMINALS, CIB_file=str(folder / "cib.xml"))
    assert lines[0].startswith("Name ")
    assert lines[-1] == "loaded:"
    for_old_clusters = {f"hxm.pacemaker.{name}" for name in FOR_OLD_CLUSTERS}
    assert all(map(find_spec, for_old_clusters)), "a module has another name now"
    code += f"\nprint(*(set(sys.modules) & {for_old_clusters!r}))"
    assert fresh(code, [], CIB_file=str(folder / "cib.xml"))[-1] == ""
