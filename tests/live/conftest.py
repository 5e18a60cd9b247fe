"""One lab a worker, booted once and repaired between the tests; skipped where there can be none."""

from __future__ import annotations

import re

import pytest
from lab import Lab, missing

WHY_NOT = missing()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one file, or of one verb in it, share a lab, and so a worker of pytest-xdist."""
    for item in items:
        if "lab" in getattr(item, "fixturenames", ()) or "pair" in getattr(
            item, "fixturenames", ()
        ):
            if WHY_NOT:
                item.add_marker(pytest.mark.skip(reason=f"no live lab: {WHY_NOT}"))
            verb = item.callspec.params.get("verb", "") if hasattr(item, "callspec") else ""
            item.add_marker(pytest.mark.xdist_group(f"{item.path.stem} {verb}"))


def _labs(nodes: int):
    lab = Lab(nodes)
    try:
        yield lab.boot()
    finally:
        lab.close()


@pytest.fixture(scope="session")
def three():
    yield from _labs(3)


@pytest.fixture(scope="session")
def two():
    yield from _labs(2)


def _tested(lab: Lab):
    """The lab as after its boot; after the test nothing runs twice and nothing is unmentioned."""
    lab.reset()
    yield lab
    assert not lab.doubles(), lab.story()
    unmentioned(lab)


_SIGNS = re.compile(
    r'(cli-(?:prefer|ban)-[\w-]+|hxm-lock(?=")|hxm-update(?=")|target-role|is-managed|standby)'
)
"""What hxm may leave in a CIB, as it must be named."""


def unmentioned(lab: Lab) -> None:
    """The configuration is what it was, or hxm names what is left and how to remove it."""
    host = lab.alive()[0]
    if lab.configuration(host) != lab.first:
        ran = lab.hxm(host, "status", "-o", "json")
        named = repr(ran.json["findings"]) if ran.status == 0 else ""
        for sign in set(_SIGNS.findall(lab.configuration(host))) - set(_SIGNS.findall(lab.first)):
            assert sign in named, f"{sign} is left and not named\n{ran}"


@pytest.fixture
def lab(three: Lab):
    """Three nodes and three domUs."""
    yield from _tested(three)


@pytest.fixture
def pair(two: Lab):
    """Two nodes."""
    yield from _tested(two)


@pytest.fixture
def guarded(lab: Lab):
    """The same, with the guard on every node."""
    for host in lab.hosts:
        lab.ok(host, "guard", "install")
        assert "/usr/sbin/xl is guarded" in lab.ok(host, "guard", "status").out
    yield lab
    for host in lab.hosts:
        if lab.switch("state", host) == "on":
            lab.ok(host, "guard", "remove")
