"""The Pacemaker tools of other Debian suites, unpacked by .ci/generations: says which there are."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
UNPACKED = ROOT / ".cache" / "generations"
SUITES = ("bullseye", "bookworm", "trixie", "forky", "sid")


def version_of(suite: str) -> str | None:
    """The version of a suite's tools, or None where they are not unpacked."""
    program = UNPACKED / suite / "bin" / "crm_mon"
    if not os.access(program, os.X_OK):
        return None
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return said.stdout.split("\n")[0].removeprefix("Pacemaker ").strip() or None


def pytest_terminal_summary(terminalreporter) -> None:
    found = {suite: version_of(suite) for suite in SUITES}
    ran = [f"{version} ({suite})" for suite, version in found.items() if version]
    missing = [suite for suite, version in found.items() if not version]
    terminalreporter.line(f"real tools of Pacemaker: {', '.join(ran) or 'none'}")
    if missing:
        terminalreporter.line(f"not run, .ci/generations could not have them: {', '.join(missing)}")
