"""/etc/hxm.toml: every key with a default, so that the file need not exist."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from hxm.errors import UsageError
from hxm.host.safe_files import MIB, read_whole

PATH = "/etc/hxm.toml"
TOOLSTACKS = ("auto", "xl", "xm")
DIALECTS = ("auto", "0.6", "1.0", "1.1", "1.1.10", "1.1.13", "2.0", "2.1", "3.0")
COLOURS = ("red", "green", "yellow", "blue", "magenta", "cyan", "black", "white")


class Reached(NamedTuple):
    """A cluster that this host does not belong to: `[clusters.NAME]`, for `--on NAME`."""

    nodes: tuple[str, ...] = ()
    """Its nodes as ssh calls them; the first one that answers is used."""
    user: str = ""
    """The user to log in as; by default as in ssh_config(5)."""
    port: int = 0
    """The port of their sshd; by default as in ssh_config(5)."""
    toolstack: str = "auto"
    """As the setting of this name, for this cluster."""
    dialect: str = "auto"
    """As the setting of this name, for this cluster."""
    colour: str = "cyan"
    """The colour of its name in the prompt: red, green, yellow, blue, magenta, cyan, black or
    white."""


class Config(NamedTuple):
    """The settings of this host."""

    timeout: float = 600.0
    """Seconds that a changing command waits for the cluster."""
    poll: float = 1.0
    """Seconds between two polls of the cluster while waiting."""
    ask_timeout: float = 30.0
    """Seconds that a tool may take to report the state of the cluster; what it computes of a
    CIB_file has no such bound."""
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
    clusters: Mapping[str, Reached] = {}
    """The clusters that can be reached through ssh, by name."""
    on: str = ""
    """The cluster that is reached through ssh: a name, or ssh://...; of `--on` or HXM_ON."""


def read_config(path: str | None = None) -> Config:
    """The settings in the file, or the defaults without one. Raises UsageError for a bad file."""
    path = path or os.environ.get("HXM_CONFIG", PATH)
    try:
        text = read_whole(path, MIB)
    except FileNotFoundError:
        config = Config()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    else:
        config = parse_config(text, path)
    return for_cluster(config, on) if (on := os.environ.get("HXM_ON")) else config


def for_cluster(config: Config, on: str) -> Config:
    """The settings for a cluster that is reached through ssh: its records are its own."""
    known = config.clusters.get(on, Reached())
    folder = os.path.join(state_folder(), "clusters", _file_name(on))
    return config._replace(
        on=on,
        toolstack=config.toolstack if known.toolstack == "auto" else known.toolstack,
        dialect=config.dialect if known.dialect == "auto" else known.dialect,
        journal=os.path.join(folder, "journal"),
        backups=os.path.join(folder, "backups"),
    )


def state_folder() -> str:
    """Where this user's hxm keeps what it knows of other clusters."""
    home = os.environ.get("XDG_STATE_HOME", "")
    if not home and os.geteuid() == 0:
        return "/var/lib/hxm"
    return os.path.join(home or os.path.expanduser("~/.local/state"), "hxm")


def _file_name(on: str) -> str:
    """One for each cluster: other characters, and a point in front, as in URLs."""
    name = "".join(
        c if c.isalnum() or c in "-_.," else "".join(f"%{byte:02X}" for byte in os.fsencode(c))
        for c in on
    )
    return f"%2E{name[1:]}" if name.startswith(".") else name


SETTINGS = tuple(name for name in Config._fields if name not in ("clusters", "on"))
"""The settings that are one value each."""

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
        settings = tomllib.loads(text.decode())
    except (ValueError, RecursionError) as error:  # of one with a number of 5,000 digits as well
        raise UsageError(f"{path}: {error}") from None
    defaults = Config()
    clusters = _clusters(settings.pop("clusters", {}), path)
    for key, value in settings.items():
        if key not in SETTINGS:
            known = ", ".join(SETTINGS)
            raise UsageError(f"{path}: there is no setting {key!r}", f"there are: {known}")
        default = getattr(defaults, key)
        wanted, kind = _KINDS[type(default)]
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            raise UsageError(f"{path}: {key} must be {kind}, not {value!r}")
        if isinstance(value, (int, float)) and not 0 <= value < float("inf"):
            raise UsageError(f"{path}: {key} must be {kind} from 0 on, not {value!r}")
        _check_word(path, key, value)
    return defaults._replace(clusters=clusters, **settings)


def _clusters(tables: Any, path: str) -> dict[str, Reached]:
    """The tables [clusters.NAME]. Raises UsageError."""
    if not isinstance(tables, dict):
        raise UsageError(f"{path}: clusters must be tables", '[clusters.prod]; nodes = ["host1"]')
    clusters = {}
    for name, table in tables.items():
        where = f"{path}: [clusters.{name}]"
        if not isinstance(table, dict):
            raise UsageError(f"{where} must be a table", 'nodes = ["host1", "host2"]')
        if not table.get("nodes"):
            raise UsageError(f"{where} names no nodes", 'nodes = ["host1", "host2"]')
        if name == "all" or "/" in name or not name.isprintable() or name[:1] in ("", "-"):
            raise UsageError(f"{where}: a cluster cannot have this name")
        for key, value in table.items():
            if key not in Reached._fields:
                known = ", ".join(Reached._fields)
                raise UsageError(f"{where}: there is no setting {key!r}", f"there are: {known}")
            _check(where, key, value)
        clusters[name] = Reached(**table | {"nodes": tuple(table["nodes"])})
    return clusters


def _check(where: str, key: str, value: Any) -> None:
    """Raise UsageError for what the setting of a cluster cannot be."""
    from hxm.host.ssh import is_a_destination, is_a_name

    allowed: Callable[[Any], bool] = {
        "nodes": lambda nodes: isinstance(nodes, list) and all(map(is_a_destination, nodes)),
        "user": is_a_name,
        "port": lambda port: type(port) is int and 0 < port < 65536,
    }.get(key, lambda text: bool(text) and isinstance(text, str))
    if not allowed(value):
        raise UsageError(f"{where}: {key} cannot be {value!r}")
    _check_word(where, key, value)


_WORDS = {"toolstack": TOOLSTACKS, "dialect": DIALECTS, "colour": COLOURS}


def _check_word(where: str, key: str, value: Any) -> None:
    if key in _WORDS and value not in _WORDS[key]:
        raise UsageError(f"{where}: {key} must be one of {', '.join(_WORDS[key])}")
