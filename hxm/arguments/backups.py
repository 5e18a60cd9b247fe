"""The operands and options of the commands on backups and on the past."""

from __future__ import annotations

from typing import Annotated

from hxm.arguments.types import Operand, Option

BackupFile = Annotated[
    str | None, Operand("[FILE]", "A new file for the configuration: a path, or NAME.xml.")
]
Backups = Annotated[
    list[str] | None,
    Operand(
        "[NUMBER|FILE [NUMBER|FILE]]", "Backups, by number or as files: from which, and to which."
    ),
]
BackupWords = Annotated[
    list[str] | None,
    Operand(
        "NUMBER|FILE",
        "A backup: its number, or a file as hxm backup and cibadmin --query write it.",
        repeated=True,
    ),
]
Since = Annotated[
    str,
    Option(
        ("--since",), "WHEN", "Start of the period: 2h, 3d, yesterday, 2026-11-26, or with a time."
    ),
]
Asked = Annotated[bool, Option(("--everywhere",), "", "Ask the other nodes too, through ssh.")]
OwnPieces = Annotated[
    bool,
    Option(
        ("--pieces",), "", "What only this host knows, as JSON, for hxm on another host to read."
    ),
]
AsTimeLine = Annotated[
    bool, Option(("--timeline",), "", "Draw who was where, a row for each domU.")
]
ListKept = Annotated[
    bool, Option(("-l", "--list"), "", "List the backups and the reason for each.")
]
Sections = Annotated[
    list[str] | None,
    Option(
        ("--section",),
        "NAME",
        "Only this part, as cibadmin calls it: resources, constraints, crm_config, nodes, "
        "...; several times for several, all for everything.",
    ),
]
