"""hxm watch: the list, live."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hxm.config import read_config

if TYPE_CHECKING:
    from hxm.arguments.options import Count, Interval


def run(interval: Interval = 5.0, count: Count = None) -> int:
    """Watch the cluster: its domUs, what moves, and what fails as it happens.

    Where not all domUs fit, what moves comes first, then what is wrong; where there is room, the
    nodes and what needs attention follow. Below stand the last events, the newest first. The keys
    n, f and e look closer, at the nodes, the failures and all events, ? explains, and q quits. The
    cluster is asked every --interval seconds, and every second while something is under way; where
    it takes long to answer, for a tenth of the time at most, or a third. The last line tells how
    often it was asked in the last minute, and how old the picture is.

    Into a pipe or a file, or with --count, the list is printed again and again, below the time and
    what has changed; a look that fails is one line, and the next one follows.

    Example: `hxm watch`, or `hxm watch --count 60 --interval 10 > night.log`.
    """
    from hxm.terminal.watch import watch, watch_plainly

    if count is None and os.isatty(0) and os.isatty(1):
        return watch(read_config(), interval)
    return watch_plainly(read_config(), interval, count)
