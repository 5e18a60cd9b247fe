"""Goes to the cluster that `--on` or HXM_ON names, before a command is carried out."""

from __future__ import annotations

import os
from collections.abc import Sequence

from hxm.catalog import COMMANDS
from hxm.catalog.command import LOOK
from hxm.config import Config, read_config, state_folder
from hxm.errors import Failed, Refused, UsageError
from hxm.host import programs
from hxm.host.node import Remote
from hxm.host.safe_files import is_ours, make_private
from hxm.host.ssh import Target, is_a_destination, share, target_of
from hxm.output import render
from hxm.pacemaker.dialect import CONFIGURATION

EVERY = "all"
_PATHS = r"""/ name="xmfile"/{
h
s/.* value="\([^"]*\)".*/\1/w /dev/fd/3
g
}"""
"""Finds in a CIB where the domUs' files are."""
_HERE = ("help", "clusters")
"""Commands that are about hxm, and about no cluster."""
_AT_ALL = ("list", "status", "check", "capacity")
"""Commands that can ask every cluster at once."""
_ON_THE_NODE = {
    "guard bypass": "a command goes past the guard of the host that it is typed on",
    "guard wait": "a service waits on its own host",
    "sandbox": "a sandbox is a file of this host: leave out --on",
}


def go_to(on: str, command: str, words: Sequence[str], *, named: bool = False) -> int | None:
    """Let all programs run in the cluster; the exit status if that was all there is to do.

    If the command line named it, the commands that are recommended name it as well.
    Raises UsageError for a cluster that is not configured, and Refused for a command that cannot
    be given from here.
    """
    if command in _HERE or {"-h", "--help"} & set(words):
        if not words:  # the command may have been taken for the cluster's name
            target(read_config())
        return None
    if os.environ.get("CIB_file"):
        raise UsageError(
            "CIB_file and --on name two clusters", "unset CIB_file, or leave out --on (HXM_ON)"
        )
    config = read_config()
    if on == EVERY:
        if command not in _AT_ALL:
            raise UsageError(
                f"{command} takes one cluster", f"--on all is for {', '.join(_AT_ALL)}"
            )
        from hxm.commands.clusters import ask_all

        return ask_all(config, words)
    for name in (command, " ".join(words[:2])):
        if name in _ON_THE_NODE:
            raise Refused(_ON_THE_NODE[name], f"ssh NODE hxm {name}")
    cluster = target(config)
    _make_folders(config, command)
    if named and command != "shell":
        render.name_cluster(on)
    programs.run_on(Remote(cluster, config.ssh_timeout, render.note, (CONFIGURATION, _PATHS)))
    return None


def _make_folders(config: Config, command: str) -> None:
    """For the records, and for ssh's connections. Raises Failed, unless the command only looks."""
    try:
        _own(os.path.dirname(config.journal))
        share(_sockets())
    except Failed:
        if command in COMMANDS and COMMANDS[command].group != LOOK:
            raise
        share()  # who only looks records nothing


def _sockets() -> str:
    """The folder, this user's alone, of the sockets of ssh's connections."""
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    usual = "/run" if os.geteuid() == 0 else state_folder()
    above = given if os.path.isdir(given) and is_ours(given) else usual
    return _own(os.path.join(above, "hxm-ssh"))


def _own(folder: str) -> str:
    """The folder, in which nobody but this user can make anything. Raises Failed."""
    try:
        make_private(folder)
    except OSError as error:
        raise Failed(
            f"{folder} cannot be used: {error.strerror}",
            "let XDG_STATE_HOME name a folder of your own",
        ) from None
    return folder


def target(config: Config) -> Target:
    """Where the cluster is. Raises UsageError if it is not configured."""
    if named := target_of(config.on):
        return named
    if config.on not in config.clusters:
        known = ", ".join(config.clusters) or "none"
        host = config.on if is_a_destination(config.on) else "HOST"
        raise UsageError(
            f"no cluster {config.on!r} is configured (there are: {known})",
            f"--on ssh://{host if '@' in host else f'root@{host}'}, or [clusters.NAME] in"
            " /etc/hxm.toml",
        )
    cluster = config.clusters[config.on]
    return Target(config.on, cluster.nodes, cluster.user, cluster.port)
