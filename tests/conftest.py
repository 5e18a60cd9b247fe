"""A test under tests/unit that starts a real program is an error; timings are never asserted."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("hxm", deadline=None)
settings.load_profile("hxm")

UNIT = Path(__file__).parent / "unit"


@pytest.fixture(autouse=True)
def _no_real_program(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not request.path.is_relative_to(UNIT):
        return

    def refuse(*words: object, **_: object) -> None:
        pytest.fail(f"a unit test starts a real program: {words}")

    monkeypatch.setattr(os, "posix_spawnp", refuse)
    monkeypatch.setattr(os, "execvpe", refuse)
    monkeypatch.setattr(subprocess, "Popen", refuse)


def pytest_terminal_summary(terminalreporter) -> None:
    """The last lines name what was skipped, by its reason, and what was tried twice."""
    skipped: dict[str, list[str]] = {}
    for report in terminalreporter.stats.get("skipped", []):
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        skipped.setdefault(why.removeprefix("Skipped: "), []).append(report.nodeid)
    for why, names in skipped.items():
        terminalreporter.write_line(f"skipped, {why}: {' '.join(names)}", yellow=True)
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.write_line(f"tried twice: {report.nodeid}", yellow=True)
