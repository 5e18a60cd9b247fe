"""What a failure hides that the cluster ignores."""

from __future__ import annotations

import pytest
from factories import cluster, domain, failure

from hxm.policy.state.on_fail import ignored, unwatched

NOT_KNOWN = "whether nfs runs on host1 is not known"
HIDDEN = {
    "its monitor": ("monitor", "host1", True, NOT_KNOWN, True),
    "its start": ("start", "host1", True, NOT_KNOWN, True),
    "a stop before a start": ("stop", "host2", True, "may still run on host2", True),
    "its monitor elsewhere": ("monitor", "host2", True, "", False),
    "a monitor that counts": ("monitor", "host1", False, "", False),
    "a start elsewhere": ("start", "host2", True, "", False),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_an_ignored_failure_hides(name):
    operation, node, counts_as_none, what, flagged = HIDDEN[name]
    nfs, failed = domain("nfs", "host1"), failure(operation, where=node)
    seen = cluster(nfs, failed)
    state = seen.resources[0]._replace(ignored=counts_as_none)
    seen = seen._replace(resources=(state,))
    hidden = ignored(seen, failed)
    assert what in hidden.what if hidden else not what
    assert unwatched(seen, nfs) is flagged
