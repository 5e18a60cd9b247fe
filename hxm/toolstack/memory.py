"""What `xl info` and `xm info` tell of a host (verified against xl 4.17.7)."""

from __future__ import annotations

import re
from typing import NamedTuple

from hxm.errors import CannotAsk
from hxm.toolstack.numbers import whole

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
    values = _values(printed.decode("utf-8", "replace"))
    total, free = (values.get(key, "") for key in ("total_memory", "free_memory"))
    line = values.get("xen_commandline")
    try:
        return Info(whole(total), whole(free), line is not None and not _LIMITED.search(line))
    except ValueError:
        raise CannotAsk("the toolstack's info tells no memory") from None


_TELLS_SHADOW = (4, 13)
"""The first release whose xl tells of shadow paging (xl_info.c)."""


def can_log_dirty(text: str) -> bool:
    """Whether the hypervisor can migrate a PV domU live; False only where it surely cannot.

    That takes shadow paging, of which virt_caps tells. Debian 12's Xen is built without it: there
    xl migrate fails with "Failed to enable logdirty".
    """
    values = _values(text)
    version = values.get("xen_major", ""), values.get("xen_minor", "")
    try:
        tells = tuple(map(whole, version)) >= _TELLS_SHADOW
    except ValueError:
        return True
    if "virt_caps" not in values:
        return True
    return not tells or "shadow" in values["virt_caps"].split()


def _values(text: str) -> dict[str, str]:
    return {
        key.strip(): value.strip()
        for key, colon, value in (line.partition(":") for line in text.splitlines())
        if colon
    }
