"""hxm watch: the cluster, live."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hxm.config import read_config

if TYPE_CHECKING:
    from hxm.arguments.options import Count, Interval


def run(interval: Interval = 5.0, count: Count = None) -> int:
    """Watch the cluster: its domUs, movements and failures as they happen.

    If not all domUs fit, those that move come first, then those with problems; if there is room,
    the nodes and what needs attention follow. The latest events are at the bottom, the newest
    first. Keys: n shows the nodes, f the failures, e all events, ? help, q quits. hxm polls the
    cluster every --interval seconds, and every second while something is in progress. If the
    cluster answers slowly, polling takes at most a tenth of the time, or a third while something is
    in progress, but no pause is longer than 30 s, or than --interval. The last line shows the
    number of polls in the last minute and the age of the data; from 10 s on, so does the first.

    In a pipe or a file, or with --count, the list is printed repeatedly, below the time and the
    changes; a failed poll is one line, and the next poll follows.

    Example: `hxm watch`, or `hxm watch --count 60 --interval 10 > night.log`.
    """
    from hxm.terminal.watch import watch, watch_plainly

    if count is None and os.isatty(0) and os.isatty(1):
        return watch(read_config(), interval)
    return watch_plainly(read_config(), interval, count)
