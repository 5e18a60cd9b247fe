"""How a cell is drawn, in Rich's words: by the state that it begins with."""

from __future__ import annotations

_STYLES = {
    "Started": "green",
    "online": "green",
    "Stopped": "yellow",
    "standby": "yellow",
    "maintenance": "yellow",
    "unmanaged": "yellow",
    "pending": "yellow",
    "takes": "yellow",
    "Migrating": "cyan",
    "Starting": "cyan",
    "Stopping": "cyan",
    "OFFLINE": "red",
    "UNCLEAN": "bold red",
    "failed": "red",
    "failed-to-start": "red",
    "probe-failed": "red",
    "gone": "red",
    "blocked": "bold red",
}


def style_of(cell: str) -> str:
    """The style of a cell, or nothing for one that begins with no state."""
    return _STYLES.get(cell.partition(" ")[0], "")
