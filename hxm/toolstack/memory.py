"""What `xl info` and `xm info` tell of a host's memory (verified against xl 4.17.7)."""

from __future__ import annotations

import re
from typing import NamedTuple

from hxm.errors import CannotAsk

INFO = "info"
_LIMITED = re.compile(r"(^| )dom0_mem=")


class Info(NamedTuple):
    """The memory of a host in MiB: all of it, and what no domain has."""

    total: int
    free: int
    elastic: bool = False
    """Whether dom0 is not limited, and so gives memory away when a domU starts."""


def parse_info(printed: bytes) -> Info:
    """The memory in what the toolstack's `info` printed. Raises CannotAsk if it is not there.

    Where the hypervisor was started without dom0_mem, xl takes from dom0 what a domU needs
    (autoballoon in xl.conf(5)), and free_memory says nothing.
    """
    text = printed.decode("utf-8", "replace")
    values = {
        key.strip(): value.strip()
        for key, colon, value in (line.partition(":") for line in text.splitlines())
        if colon
    }
    total, free = (values.get(key, "") for key in ("total_memory", "free_memory"))
    if not total.isdecimal() or not free.isdecimal():
        raise CannotAsk("the toolstack's info tells no memory")
    line = values.get("xen_commandline")
    return Info(int(total), int(free), line is not None and not _LIMITED.search(line))
