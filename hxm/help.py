"""`hxm help`: the commands, with `all` also those of the toolstack."""

from __future__ import annotations

import textwrap

from hxm.catalog import BYGONE, COMMANDS
from hxm.catalog.command import GROUPS, HOST, READS, REFUSED, RUNTIME


def overview(*, everything: bool = False) -> list[str]:
    """The commands by group, with `everything` also how hxm treats the toolstack's own."""
    lines = [
        "Usage: hxm COMMAND [ARGUMENTS]",
        "",
        "Replaces xm and xl on Xen hosts that run under Pacemaker. Changes to a managed",
        "domU go through the cluster or are refused; everything else goes straight to",
        "xl or xm.",
    ]
    for group in GROUPS:
        lines += ["", f"{group}:"]
        rows = [row for row in COMMANDS.values() if row.group == group]
        lines += [f"  {row.name:<12} {row.summary}" for row in rows]
    lines += ["", "Every changing command takes --dry-run, --yes, --force, --wait/--no-wait,"]
    lines += ["--timeout, --reason and -o json. Every command takes --help. Commands can be"]
    lines += ["shortened as long as they are unambiguous."]
    if not everything:
        lines += ["To try it without a cluster: hxm sandbox new DIRECTORY"]
        lines += ["To work on a cluster elsewhere: hxm --on ssh://root@HOST COMMAND"]
        return [*lines, "How hxm treats the other commands of xl and xm: hxm help all"]
    for title, policies in (
        ("Passed to xl or xm at once", (READS, HOST)),
        ("Passed, with a warning if the domU is managed", (RUNTIME,)),
        ("Refused if the domU is managed, otherwise passed", (REFUSED,)),
    ):
        names = [
            row.name
            for row in COMMANDS.values()
            if row.policy in policies and row.name not in BYGONE
        ]
        wrapped = textwrap.wrap(" ".join(names), 77, break_on_hyphens=False)
        lines += ["", f"{title}:", *(f"  {line}" for line in wrapped)]
    return lines
