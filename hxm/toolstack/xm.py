"""What `xm list` prints, in the forms of Xen 3.0 to 4.4 (printf formats of xen/xm/main.py)."""

from __future__ import annotations

import re

from hxm.errors import CannotAsk
from hxm.toolstack.numbers import seconds, whole
from hxm.toolstack.sexpr import expressions, facts_in
from hxm.toolstack.xl import LONGEST, LocalDomain, some_rows

UUIDS: tuple[str, ...] = ("list", "--long")
LONG = UUIDS
_HEADER = re.compile(r"Name +ID +Mem(?:\(MiB\))? +VCPUs +State +Time\(s\)( +Label)?\s*$")
_ROW = re.compile(
    r"(?P<name>.*?)(?:\s+(?P<id>\d+))?\s+(?P<memory>\d+)\s+(?P<vcpus>\d+)"
    r"(?:\s+(?P<state>[rbpscdw-]{5,6}))?\s+(?P<time>\d+\.\d+)$"
)
_LABELLED_ROW = re.compile(_ROW.pattern[:-1] + r"\s+\S+$")
_BEFORE_ID = 4  # the column of the IDs is so much wider than its title, and set to the right


def parse_list(text: str) -> tuple[LocalDomain, ...]:
    """The rows of `xm list`, with --label or without.

    A domain that xend manages and that does not run has neither an ID nor, in some releases, a
    state. Raises CannotAsk for anything that is not such a table; what xend says if it is down
    ("Error: Unable to connect to xend") is none.
    """
    lines = text.splitlines()
    start = next((number for number, line in enumerate(lines) if _HEADER.match(line)), None)
    if start is None:
        first = next((line.strip() for line in lines if line.strip()), "")
        raise CannotAsk(f"xm printed no list of domains{first and ': '}{first[:80]}")
    header = lines[start]
    pattern = _LABELLED_ROW if "Label" in header else _ROW
    width = header.index("ID") - _BEFORE_ID
    return tuple(_row(line, pattern, width) for line in some_rows(lines[start + 1 :]))


def _row(line: str, pattern: re.Pattern[str], width: int) -> LocalDomain:
    if len(line) > LONGEST:
        raise CannotAsk(f"xm printed a row that is no domain: {line[:60]!r}...")
    name, rest = line[:width], line[width:]
    # a name that fits into its column ends with it, whatever digits it ends with
    match = pattern.match(rest) if rest.startswith(" ") else None
    if match is None or match["name"].strip():
        match = pattern.match(line.strip())
        name = match["name"] if match else ""
    if match is None or not name.strip():
        raise CannotAsk(f"xm printed a row that is no domain: {line!r}")
    try:
        return LocalDomain(
            name.strip(),
            whole(match["id"]) if match["id"] else None,
            whole(match["memory"]),
            whole(match["vcpus"]),
            match["state"] or "------",
            seconds(match["time"]),
        )
    except ValueError:
        raise CannotAsk(f"xm printed a row that is no domain: {line!r}") from None


def parse_uuids(text: str) -> dict[str, str]:
    """The uuids by name in `xm list --long`, which prints an S-expression for each domain."""
    uuids: dict[str, str] = {}
    try:
        for facts in map(facts_in, expressions(text)):
            if {"name", "uuid"} <= facts.keys():
                uuids[facts["name"]] = facts["uuid"].lower()
    except ValueError:  # cut off
        pass
    return uuids
