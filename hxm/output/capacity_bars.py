"""The memory of each host as a bar: dom0, domUs, what would come if another is lost, and free."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence

from hxm.output.bars import bar, marks
from hxm.policy.memory import Host, Loss, Needs

_LEAST = 20
"""Characters that a bar has at least, on however narrow a terminal."""


def lines(hosts: Sequence[Host], needs: Needs, losses: Sequence[Loss]) -> Iterator[str]:
    """A bar for each host whose memory is known, all to one scale, and what the marks mean."""
    amounts = {
        host.name: known for host in hosts if (known := _amounts(host, needs, losses)) is not None
    }
    if not amounts:
        return
    drawn = marks(sys.stdout.encoding)
    label = max(map(len, amounts))
    most = max(map(sum, amounts.values()))
    room = shutil.get_terminal_size().columns - label - len(f"{most} MiB for domUs") - 5
    width = max(room, _LEAST)
    yield ""
    for name, (dom0, domus, coming, free) in amounts.items():
        drawing = bar((dom0, domus, coming, free), most / width, drawn)
        whole = f"{dom0 + domus + coming + free} MiB{'' if dom0 else ' for domUs'}"
        yield f"{name:<{label}}  {drawing}  {whole}"
    meanings = ("dom0", "domUs", "from a lost host, at worst", "free even then")
    kinds = zip(drawn, meanings, zip(*amounts.values(), strict=True), strict=True)
    yield "  ".join(f"{mark} {meaning}" for mark, meaning, drawn_of in kinds if any(drawn_of))


def _amounts(host: Host, needs: Needs, losses: Sequence[Loss]) -> tuple[int, int, int, int] | None:
    """MiB of dom0, of the domUs, of what would come at worst, and of what is free then."""
    if host.free is None:
        return None
    here = sum(need.taken or 0 for need in needs.values() if host.name in need.domain.nodes)
    used = here if host.total is None else host.total - host.free - (host.dom0 or 0)
    coming = max(
        (
            sum(need.taken or 0 for need in place.fit)
            for loss in losses
            if loss.node != host.name
            for place in loss.places
            if place.host.name == host.name
        ),
        default=0,
    )
    return host.dom0 or 0, max(used, 0), coming, max(host.free - coming, 0)
