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
    """The last lines say what could not be tested on this machine, and why."""
    reasons = [
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    ]
    for what, why in (("on a live cluster", "no live lab"), ("in a browser", "no browser")):
        found = [reason for reason in reasons if why in reason]
        if found:
            said = f"{len(found)} tests {what} were skipped: {found[0]}"
            terminalreporter.write_line(said, yellow=True)
