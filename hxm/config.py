"""/etc/hxm.toml: every key with a default, so that the file need not exist."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from hxm.errors import UsageError
from hxm.files import MIB, read_whole

PATH = "/etc/hxm.toml"
TOOLSTACKS = ("auto", "xl", "xm")


class Config(NamedTuple):
    """The settings of this host."""

    timeout: float = 600.0
    """Seconds that a changing command waits for the cluster."""
    poll: float = 1.0
    """Seconds between two polls of the cluster while waiting."""
    ask_timeout: float = 30.0
    """Seconds that a tool may take to report the state of the cluster."""
    toolstack: str = "auto"
    """xl, xm, or auto: whichever is installed."""
    dialect: str = "auto"
    """The generation of the cluster's tools: 0.6 (and Heartbeat 2.1), 1.0, 1.1, 1.1.10, 1.1.13,
    2.0, 2.1, 3.0, or auto: the one that the cluster reports."""
    journal: str = "/var/log/hxm.journal"
    """The file in which changing commands are recorded, as JSON lines."""
    backups: str = "/var/lib/hxm/backups"
    """The directory for the configurations before and after every change."""
    backups_kept: int = 100
    """How many of them are kept; with 0, only those that `hxm backup` makes."""
    transitions: str = "auto"
    """The directory of Pacemaker's saved transitions, for `hxm history`; auto: the usual one."""
    ssh_timeout: float = 5.0
    """Seconds that another node may take to accept ssh and to answer."""
    last_look: int = 3
    """Whole seconds that the guard waits, before an agent's create, for the other nodes to answer
    whether they run the domU; with 0 it does not ask. Run `hxm guard install` after a change."""
    ask_nodes: bool = False
    """Whether `hxm list` and `hxm check` always ask the other nodes, as with --everywhere."""
    enrol_like: str = ""
    """The domU whose operations, order and rules `hxm enrol` copies; by default, those that all
    domUs have in common."""
    enrol_operations: str = ""
    """Timings for `hxm enrol`, in seconds: `start=120 stop=300 monitor=60 interval=20`, and
    `migrate_to` and `migrate_from`. The others follow from the agent, the domU's memory and the
    other domUs."""
    ignore: str = ""
    """What `hxm check` does not report: codes, or code:domU, separated by blanks; disk-shared for
    both domUs also allows them to share a disk."""


def read_config(path: str | None = None) -> Config:
    """The settings in the file, or the defaults without one. Raises UsageError for a bad file."""
    path = path or os.environ.get("HXM_CONFIG", PATH)
    try:
        text = read_whole(path, MIB)
    except FileNotFoundError:
        return Config()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    return parse_config(text, path)


_KINDS: dict[type, tuple[Any, str]] = {
    float: ((int, float), "a number of seconds"),
    int: (int, "a whole number"),
    bool: (bool, "true or false"),
    str: (str, "a text"),
}


def parse_config(text: bytes, path: str = PATH) -> Config:
    """The settings in a TOML text. Raises UsageError that names the file and the key."""
    import tomllib  # 15 ms, and most hosts have no such file

    try:
        found = tomllib.loads(text.decode())
    except (ValueError, RecursionError) as error:  # of one with a number of 5,000 digits as well
        raise UsageError(f"{path}: {error}") from None
    defaults = Config()
    for key, value in found.items():
        if key not in Config._fields:
            known = ", ".join(Config._fields)
            raise UsageError(f"{path}: there is no setting {key!r}", f"there are: {known}")
        default = getattr(defaults, key)
        wanted, kind = _KINDS[type(default)]
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            raise UsageError(f"{path}: {key} must be {kind}, not {value!r}")
        if isinstance(value, (int, float)) and not 0 <= value < float("inf"):
            raise UsageError(f"{path}: {key} must be {kind} from 0 on, not {value!r}")
        if key == "toolstack" and value not in TOOLSTACKS:
            raise UsageError(f"{path}: toolstack must be one of {', '.join(TOOLSTACKS)}")
    return defaults._replace(**found)
