"""Clusters of other generations behind real sshds: the forecast is by the node's own scheduler."""

from __future__ import annotations

from pathlib import Path

import pytest
import test_live_path
from far import Far, missing
from test_heartbeat import NO_SCHEDULER, heartbeat
from test_live_path import TOOLS, Live

__all__ = ["heartbeat"]

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())
UNPACKED = Path(__file__).parents[2] / ".cache" / "generations"
SUITES = {
    "bullseye": "Pacemaker 2.0",
    "trixie": "Pacemaker 2.1",  # of a CIB without a DC's version, XML that is 2.1.9's
    "forky": "Pacemaker 2.1",
    "sid": "Pacemaker 3.0",
}


@pytest.fixture
def far(request, bare, monkeypatch):
    """A cluster of the suite that the test is called with."""
    tools = UNPACKED / request.param / "bin"
    if not (tools / "crm_mon").exists():
        pytest.skip(f"the tools of {request.param} are not unpacked: make test-generations")
    for tool in TOOLS:
        monkeypatch.setitem(test_live_path.REAL, tool, str(tools / tool))
        (bare.bin / tool).symlink_to(tools / tool)
    bare.ok("sandbox", "new", str(bare.file.parent))
    for tool in TOOLS:
        (bare.bin / tool).unlink()
    live = Live(bare)
    nodes = Far(bare)
    live.thread.start()
    yield nodes
    nodes.end()
    live.over.set()
    live.thread.join()


@pytest.mark.parametrize(
    ("far", "dialect"),
    [
        pytest.param(suite, dialect, marks=[pytest.mark.thorough] * (suite in ("trixie", "forky")))
        for suite, dialect in SUITES.items()
    ],
    ids=SUITES,
    indirect=["far"],
)
def test_a_pacemaker_of_another_release(far, dialect):
    shown = far.ok("status", "-o", "json").json
    assert shown["cluster"]["dialect"] == dialect
    assert [domain["nodes"] for domain in shown["domains"]] == [["host1"], ["host2"]]
    before = far.sandbox.configuration()
    assert "nfs: move host1 -> host2, live" in far.ok("migrate", "nfs", "host2", "--dry-run").out
    assert "nfs" in far.ok("why", "nfs").out
    assert far.sandbox.configuration() == before
    assert "nfs: host1 -> host2, live" in far.ok("migrate", "nfs", "host2").out
    assert far.sandbox.nodes_of("nfs") == ["host2"]
    assert far.sandbox.configuration() == before
    far.ok("shutdown", "nfs")
    assert far.sandbox.nodes_of("nfs") == []
    far.ok("start", "nfs")
    assert far.sandbox.configuration() == before
    far.ok("standby", "host2", "--yes")
    assert far.sandbox.nodes_of("sles") == ["host1"]
    far.ok("active", "host2")
    assert far.sandbox.configuration() == before
    assert far.left() == []


def test_a_heartbeat(heartbeat):
    far = Far(heartbeat, NO_SCHEDULER)
    try:
        shown = far.ok("status", "-o", "json").json
        assert shown["cluster"]["dialect"] == "Heartbeat 2.1"
        assert [domain["nodes"] for domain in shown["domains"]] == [["host1"], ["host2"]]
        assert "sles" in far.ok("list").out
        before = heartbeat.file.read_bytes()
        ran = far.hxm("migrate", "nfs", "host2", "--dry-run")
        assert "crm_resource -M -f -r nfs -H host2\n      not simulated" in ran.out
        assert far.hxm("shutdown", "nfs").status == 107
        assert heartbeat.file.read_bytes() == before
        assert "nfs: stopped, was on host1" in far.ok("shutdown", "nfs", "--yes").out
        assert b'value="stopped"' in heartbeat.file.read_bytes()
        far.ok("start", "nfs", "--yes")
        assert b"stopped" not in heartbeat.file.read_bytes()
        assert far.left() == []
    finally:
        far.end()
