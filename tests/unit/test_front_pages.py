"""What README and CHANGELOG promise about themselves."""

from __future__ import annotations

import re
from pathlib import Path

from hxm import __version__
from hxm.errors import HxmError

ROOT = Path(__file__).parents[2]
SECTIONS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
"""Of each version, in this order, as far as there is something to say."""


def test_readme_has_every_exit_status():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text.split("## Exit statuses")[1].split("## ")[0]
    said = [int(status) for status in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)]
    assert said == sorted({0, 3, *(error.status for error in HxmError.__subclasses__())})


def test_the_changelog_has_each_section_once():
    title, *versions = re.split(
        r"^## ", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    assert title.startswith("# Changes")
    names = [version.splitlines()[0] for version in versions]
    assert names[0] == "Unreleased"
    assert all(re.fullmatch(r"\d+\.\d+\.\d+ - \d{4}-\d\d-\d\d", name) for name in names[1:])
    assert names[1].startswith(f"{__version__} - ")
    assert len({*names}) == len(names)
    for version in versions:
        sections = re.findall(r"^### (.*)$", version, re.MULTILINE)
        assert sections == [section for section in SECTIONS if section in sections]
        for line in version.split("###", 1)[-1].splitlines()[1:]:
            assert re.match(r"(- |  |### |$)", line), line


def test_every_file_that_contributing_names_is_there():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)*\.py)`", text))
    assert len(named) > 30
    there = {str(path) for path in [*ROOT.glob("hxm/**/*.py"), *ROOT.glob("tests/**/*.py")]}
    for name in named:
        assert any(path.endswith(f"/{name}") for path in there), name
