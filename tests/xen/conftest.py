"""Two emulated Xen hosts for all tests here, which only `make xen-test` runs: they take an hour."""

from __future__ import annotations

import pytest
from hosts import Lab, missing


@pytest.fixture(scope="session")
def running():
    if why := missing():
        pytest.exit(f"there can be no emulated hosts here: {why}", returncode=1)
    with Lab() as lab:
        lab.boot()
        for host in lab.hosts.values():
            host.ok("hxm guard install")
        yield lab


@pytest.fixture
def lab(running: Lab):
    """The cluster at rest; after the test no guest has been there twice."""
    running.until("the cluster is at rest", running.settled)
    yield running
    assert running.doubles() == []
