"""The operands and options of the commands on backups and on the past."""

from __future__ import annotations

from typing import Annotated

import typer

BackupFile = Annotated[
    str | None,
    typer.Argument(metavar="[FILE]", help="A new file for the configuration.", show_default=False),
]
Backups = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NUMBER|FILE [NUMBER|FILE]]",
        help="Backups, by number or as files: from which, and to which.",
        show_default=False,
    ),
]
BackupWords = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NUMBER|FILE",
        help="A backup: its number, or a file as hxm backup and cibadmin --query write it.",
        show_default=False,
    ),
]
Since = Annotated[
    str,
    typer.Option(
        "--since",
        metavar="WHEN",
        help="From when on: 2h, 3d, yesterday, 2026-11-26, or with a time.",
        show_default=False,
    ),
]
Asked = Annotated[
    bool,
    typer.Option("--everywhere", help="Ask the other nodes too, through ssh."),
]
OwnPieces = Annotated[
    bool,
    typer.Option("--pieces", help="What this host alone knows, as JSON, for the hxm of another."),
]
ListKept = Annotated[bool, typer.Option("-l", "--list", help="List what is kept, and why.")]
Sections = Annotated[
    list[str] | None,
    typer.Option(
        "--section",
        metavar="NAME",
        help="Only this part, as cibadmin calls it: resources, constraints, crm_config, nodes, "
        "...; several times for several, all for everything.",
        show_default=False,
    ),
]
