"""What the reading commands share: who left an interim constraint behind, and when."""

from __future__ import annotations

from hxm.config import read_config
from hxm.model import Cluster


def origins(cluster: Cluster) -> dict[str, str]:
    """For each interim constraint what the journal knows of it; the CIB itself keeps no times."""
    if not cluster.constraints:
        return {}
    from hxm.journal import journal_path, read_entries

    known = {each.id: "not set by hxm on this host" for each in cluster.constraints}
    before: set[str] = set()
    for entry in read_entries(journal_path(read_config(), cluster.sandbox)):
        left = set(entry.get("left") or ())
        for name in left - before:
            if name in known:
                known[name] = f"by {entry.get('who')} at {entry.get('at')}: {entry.get('what')}"
        before = left
    return known
