"""`hxm help`: the commands, and with `all` the toolstack's as well."""

from __future__ import annotations

from hxm.catalog import BYGONE, COMMANDS
from hxm.catalog.command import GROUPS, HOST, READS, REFUSED, RUNTIME


def overview(*, everything: bool = False) -> list[str]:
    """The commands by group, and with `everything` what becomes of the toolstack's own."""
    lines = [
        "Usage: hxm COMMAND [ARGUMENTS]",
        "",
        "The xm/xl for Xen hosts that are a cluster: a domU that Pacemaker manages is",
        "changed through the cluster, or not at all; everything else goes straight to xl",
        "or xm.",
    ]
    for group in GROUPS:
        lines += ["", f"{group}:"]
        rows = [row for row in COMMANDS.values() if row.group == group]
        lines += [f"  {row.name:<12} {row.summary}" for row in rows]
    lines += ["", "Every changing command takes --dry-run, --yes, --force, --wait/--no-wait,"]
    lines += ["--timeout, --reason and -o json; every command takes --help, and may be"]
    lines += ["shortened as long as it is clear which one is meant."]
    if not everything:
        return [*lines, "What becomes of xl's and xm's other commands: hxm help all"]
    for title, policies in (
        ("Passed to xl or xm at once", (READS, HOST)),
        ("Passed, with a warning for a managed domU", (RUNTIME,)),
        ("Refused for a managed domU, passed for every other", (REFUSED,)),
    ):
        names = [
            row.name
            for row in COMMANDS.values()
            if row.policy in policies and row.name not in BYGONE
        ]
        lines += ["", f"{title}:", *_wrapped(names)]
    return lines


def _wrapped(words: list[str], width: int = 79) -> list[str]:
    lines = [" "]
    for word in words:
        if len(lines[-1]) + len(word) >= width:
            lines.append(" ")
        lines[-1] += " " + word
    return lines
