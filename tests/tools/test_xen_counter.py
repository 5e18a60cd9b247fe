"""That the power cuts on emulated Xen hosts could find a double start: the guests' own script."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

XEN = Path(__file__).parent.parent / "xen"
sys.path.insert(0, str(XEN))
from counters import read_slot  # noqa: E402


@pytest.mark.parametrize("instances", [1, 2])
def test_a_second_counter_on_a_disk_is_found(tmp_path, instances):
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(1 << 16))
    counters = [
        subprocess.Popen(("sh", XEN / "domu/bin/counter", disk, "sync")) for _ in range(instances)
    ]
    try:
        deadline = time.monotonic() + 60
        while read_slot(disk, 0).written < 4 and time.monotonic() < deadline:
            time.sleep(0.2)
    finally:
        for counter in counters:
            counter.kill()
            counter.wait()
    seen = read_slot(disk, 0)
    assert seen.written >= 4
    assert bool(seen.double) is (instances == 2)
