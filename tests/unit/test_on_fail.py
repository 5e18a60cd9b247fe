"""What a failure hides that the cluster ignores."""

from __future__ import annotations

import pytest
from factories import cluster, domain, failure, primitive

from hxm.policy.state.on_fail import ignored, unwatched

HIDDEN = {
    "its monitor": ("monitor", "host1", "ignore", "whether nfs runs on host1 is not known", True),
    "a stop before a start": ("stop", "host2", "Ignore", "may still run on host2", False),
    "its monitor elsewhere": ("monitor", "host2", "ignore", "", False),
    "a monitor that counts": ("monitor", "host1", "restart", "", False),
    "a start": ("start", "host2", "ignore", "", False),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_an_ignored_failure_hides(name):
    operation, node, on_fail, what, flagged = HIDDEN[name]
    nfs, failed = domain("nfs", "host1"), failure(operation, where=node)
    operations = ({"name": operation, "on-fail": on_fail},)
    seen = cluster(nfs, failed, primitive("nfs", operations=operations))
    hidden = ignored(seen, nfs, failed)
    assert what in hidden.what if hidden else not what
    assert unwatched(seen, nfs) is flagged
