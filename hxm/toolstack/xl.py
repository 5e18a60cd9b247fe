"""What `xl list` and `xl vm-list` print (verified against xl 4.17.7)."""

from __future__ import annotations

from typing import NamedTuple

from hxm.errors import CannotAsk
from hxm.toolstack.numbers import seconds, whole

UUIDS: tuple[str, ...] = ("vm-list",)
"""What xl is asked for the uuids."""
LONG: tuple[str, ...] = ("list", "-l")
"""What it is asked for all that it has to say of its domains."""


class LocalDomain(NamedTuple):
    """A row of `xl list`: memory in MiB, time in seconds of CPU."""

    name: str
    id: int | None
    memory: int
    vcpus: int
    state: str
    time: float

    @property
    def ending(self) -> bool:
        """Whether it has shut down or is dying, and is listed only until it is taken away."""
        return "s" in self.state or "d" in self.state


def parse_list(text: str) -> tuple[LocalDomain, ...]:
    """The rows of `xl list`, split from the right since names may be long or hold blanks.

    A domain that xend manages and that does not run has no ID (xm 4.4).
    Raises CannotAsk for anything that is not such a table.
    """
    lines = text.splitlines()
    if not lines or lines[0].split()[:4] != ["Name", "ID", "Mem", "VCPUs"]:
        raise CannotAsk("the toolstack printed no list of domains")
    return tuple(_row(line) for line in some_rows(lines[1:]))


MOST_ROWS = 10_000
"""Domains of a host; the hypervisor numbers no more than 32,751 (DOMID_FIRST_RESERVED)."""
LONGEST = 1000
"""Characters of a row: no name has so many."""


def some_rows(lines: list[str]) -> list[str]:
    """The lines that hold something. Raises CannotAsk if they are more than domains can be."""
    rows = [line for line in lines if line.strip()]
    if len(rows) > MOST_ROWS:
        raise CannotAsk(f"the toolstack printed {len(rows)} rows, more than a host has domains")
    return rows


def _row(line: str) -> LocalDomain:
    if len(line) > LONGEST:
        raise CannotAsk(f"the toolstack printed a row that is no domain: {line[:60]!r}...")
    try:
        name, number, memory, vcpus, state, time = line.rsplit(None, 5)
        if number.isdigit():
            return LocalDomain(
                name.strip(), whole(number), whole(memory), whole(vcpus), state, seconds(time)
            )
    except ValueError:
        pass
    try:
        name, memory, vcpus, state, time = line.rsplit(None, 4)
        return LocalDomain(name.strip(), None, whole(memory), whole(vcpus), state, seconds(time))
    except ValueError:
        raise CannotAsk(f"the toolstack printed a row that is no domain: {line!r}") from None


def parse_uuids(text: str) -> dict[str, str]:
    """The uuids by name in `xl vm-list`, which prints UUID, ID and name in this order."""
    rows = (line.split(None, 2) for line in text.splitlines()[1:])
    return {row[2].strip(): row[0].lower() for row in rows if len(row) == 3}
