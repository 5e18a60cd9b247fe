"""What an order makes of the memory of each host: a bar for now, and one for then."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from typing import TextIO

from hxm.output.bars import bar, marks
from hxm.plan import Shift

_LEAST = 12
"""Characters that a bar has at least, on however narrow a terminal."""


def lines(shifts: Sequence[Shift], stream: TextIO) -> Iterator[str]:
    """Two bars for each host, all to one scale, and the MiB that its domUs take and that are free.

    What is free is drawn where it is known.
    """
    if not shifts:
        return
    drawn_as = marks(stream.encoding)[1::2]  # the second and the fourth: of domUs, and free
    label = max(len(shift.host) for shift in shifts)
    amounts = [
        (shift.host if when == "now" else "", when, used, free)
        for shift in shifts
        for when, used, free in (
            ("now", shift.used, shift.free),
            ("then", shift.then, shift.left),
        )
    ]
    digits = max(len(str(value or 0)) for _, _, *values in amounts for value in values)
    most = max(used + max(free or 0, 0) for _, _, used, free in amounts) or 1
    columns = shutil.get_terminal_size().columns if stream.isatty() else 80
    beside = len("    then        MiB of domUs,  free") + label + 2 * digits
    width = max(columns - beside, _LEAST)
    for host, when, used, free in amounts:
        drawn = bar((used, max(free or 0, 0)), most / width, drawn_as)
        left = "?" if free is None else str(free)
        figures = f"{used:>{digits}} MiB of domUs, {left:>{digits}} free"
        yield f"  {host:<{label}}  {when:<4}  {drawn:<{width}}  {figures}"
