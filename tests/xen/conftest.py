"""Two emulated Xen hosts for all tests here, which only `make xen-test` runs: they take an hour."""

from __future__ import annotations

import pytest
from hosts import Lab, missing


@pytest.fixture(scope="session")
def booted():
    if why := missing():
        pytest.skip(f"no emulated hosts: {why}")
    with Lab() as lab:
        lab.boot()
        for host in lab.hosts.values():
            host.ok("hxm guard install")
        yield lab


@pytest.fixture
def lab(booted: Lab):
    """The cluster at rest; after the test no guest has been there twice."""
    booted.until("the cluster is at rest", booted.settled)
    yield booted
    assert booted.doubles() == []
