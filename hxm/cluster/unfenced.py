"""The scheduler's copies of the CIB, without what waits for a fencing that cannot come."""

from __future__ import annotations

from contextlib import AbstractContextManager

from hxm.cluster.read import read_cluster
from hxm.config import Config
from hxm.pacemaker.sandbox_past import Past
from hxm.pacemaker.simulate import Scratch, scratch
from hxm.plan import Objection
from hxm.policy.state.fencing import helpless


def cluster_copy(
    cib_file: str | None, config: Config, past: Past | None = None
) -> AbstractContextManager[Scratch]:
    """A scratch copy, as `scratch`, on which no node is fenced that nothing can fence."""
    return scratch(cib_file, config.ask_timeout, past, lambda copy: unfenced(copy, config).keys())


def unfenced(copy: Scratch, config: Config) -> dict[str, Objection]:
    """The lost nodes of the copy that nothing can fence, and what there is to say of each."""
    return helpless(read_cluster(config, copy.env, local=False))
