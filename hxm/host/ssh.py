"""The one place that builds an ssh command line, and what ssh says when it fails."""

from __future__ import annotations

import os

from hxm.errors import CannotAsk, UsageError
from hxm.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

NOBODY = "no answer from its sshd"
FAILED = 255
"""Ssh's own exit status for a trouble of its own; else it is the remote command's (ssh(1))."""
FAULTS = (
    ("UNKNOWN port 65535", "its jump host does not lead to it"),
    (
        "REMOTE HOST IDENTIFICATION",
        "its host key has changed; if it is right: ssh-keygen -R {key}",
    ),
    ("Host key verification failed", "its host key is not known yet: ssh {node} by hand once"),
    ("Permission denied", "it lets nobody in without a password: ssh-copy-id {node}"),
    ("Could not resolve", "its name is not known: /etc/hosts"),
    ("banner exchange", "its sshd hangs"),
    ("timed out", NOBODY),
    ("No route to host", NOBODY),
    ("Connection refused", "no sshd there"),
)
"""What OpenSSH 9.2 says on stderr, and what it means here."""


def no_way_in(destination: str, stderr: str) -> str:
    """Why ssh did not get in, by what it said; nothing if it did, or if it is not known."""
    what = next((what for part, what in FAULTS if part in stderr), "")
    login, port = _login_and_port(destination)
    host = host_of(login)
    return what.format(
        node=as_typed(destination), key=host if port in ("", "22") else f"'[{host}]:{port}'"
    )


def as_typed(destination: str) -> str:
    """The destination for the command line of ssh or ssh-copy-id, of any age."""
    login, port = _login_and_port(destination)
    return f"-p {port} {login}" if port else login


def _login_and_port(destination: str) -> tuple[str, str]:
    login, _, port = destination.removeprefix("ssh://").partition(":")
    return login, port


def ssh_argv(
    destination: str, script: str, timeout: float, options: Sequence[str] = ()
) -> tuple[str, ...]:
    """A script for sh at the destination; what is given to the script is quoted in it.

    Whatever ssh_config(5) says, nothing of this host is handed on: no agent (-a), no display (-x),
    no port (ClearAllForwardings). Whoever is root on that node could use it. ssh asks nothing, and
    nothing comes between the script and its output: no terminal (-T), no local command.
    """
    return (
        "ssh",
        "-T",
        *options,
        *_shared,
        *("-o", "BatchMode=yes"),
        *("-o", "ClearAllForwardings=yes"),
        *("-o", "PermitLocalCommand=no"),
        *("-o", f"ConnectTimeout={max(1, round(timeout * _OF_IT))}"),
        "-ax",
        "--",
        destination,
        _for_sh(script),
    )


_OF_IT = 0.8
"""The part of the time that a connection may take: nobody there is no slow answer."""
_READ_OTHERWISE = str.maketrans({c: f"\\0{ord(c):03o}" for c in "'\\!\n"})
"""What csh or fish changes within quotes, and how printf(1) is told of it."""
_WORD = 250
"""Characters, each written as five at most: csh takes words of 8,192 bytes, or of 1,024."""


def _for_sh(script: str) -> str:
    """The line for a login shell of whatever kind, which hands the script on as it is."""
    if len(script) <= _WORD and script == script.translate(_READ_OTHERWISE):
        return f"exec sh -c '{script}'"
    parts = [script[start : start + _WORD] for start in range(0, len(script), _WORD)]
    safe = " ".join(f"'{part.translate(_READ_OTHERWISE)}'" for part in parts)
    return f"""exec sh -c 'eval "$(printf %b "$@")"' sh {safe}"""


_shared: tuple[str, ...] = ()
_UNDISTURBED = (
    "IgnoreUnknown=RemoteCommand,SessionType,StdinNull,ForkAfterAuthentication",
    "RemoteCommand=none",
    "SessionType=default",
    "StdinNull=no",
    "ForkAfterAuthentication=no",
)
"""Against what a person's own ssh_config(5) may say of a host that is worked on by hand."""
_LASTS = 60
"""Seconds for which a connection stays after its last use."""
_LONGEST = 107 - len("/") - 40 - len(".") - 16
"""Characters in the folder of a socket: unix(7), ssh's %C, and its name while it is being made."""
LEAVE_NOTHING = ("-o", "ControlMaster=no")
"""For a program that owns stderr: before OpenSSH 8.5, what keeps a connection holds that open."""


def share(folder: str = "") -> None:
    """Let all ssh, and all hxm of this user, share a connection to each host by a socket there.

    A host that is silent is given up after six seconds. Nothing is shared without a folder, or in
    one with too long a name, or with a character that ssh_config(5) gives a meaning.
    """
    global _shared  # noqa: PLW0603 - a command has one cluster
    options = [*_UNDISTURBED, "ServerAliveInterval=2", "ServerAliveCountMax=3"]
    if 0 < len(os.fsencode(folder)) <= _LONGEST and not any(mark in folder for mark in " %\"'$\\"):
        options += (
            "ControlMaster=auto",
            f"ControlPath={folder}/%C",
            f"ControlPersist={_LASTS}",
        )
    _shared = tuple(word for option in options for word in ("-o", option))


class Target:
    """A cluster to be reached: its name, and the nodes as ssh calls them, the first one first."""

    def __init__(self, name: str, nodes: Sequence[str], user: str = "", port: int = 0) -> None:
        self.name = name
        self.nodes = tuple(nodes)
        self.user = user
        self.port = port

    def knows(self, node: str) -> bool:
        """Whether the configuration says where this node of the cluster is."""
        return self.called(node) in self.nodes

    def destination(self, node: str) -> str:
        """What ssh is to be told for a node, as the cluster or as the configuration calls it.

        Raises CannotAsk for a name that ssh would take for something else.
        """
        destination = self.called(node)
        if destination not in self.nodes and not is_a_name(destination):
            raise CannotAsk(f"ssh cannot be told to go to {printable(node)}: this is no host name")
        if self.user and "@" not in destination:
            destination = f"{self.user}@{destination}"
        return f"ssh://{destination}:{self.port}" if self.port else destination

    def alone(self, node: str) -> Target:
        """The same without its other nodes."""
        return Target(self.name, [self.called(node)], self.user, self.port)

    def called(self, node: str) -> str:
        """The node as the configuration calls it, if it does."""
        if node in self.nodes:
            return node
        alike = [known for known in self.nodes if _same_host(host_of(known), node)]
        return alike[0] if len(alike) == 1 else node


def host_of(destination: str) -> str:
    """The host in [USER@]HOST[:PORT]."""
    return destination.rpartition("@")[2].partition(":")[0]


def _same_host(name: str, other: str) -> bool:
    """Whether both name one host; of one with its domain and one without, the short names do."""
    if name == other or ("." in name and "." in other):
        return name == other
    return name.partition(".")[0] == other.partition(".")[0]


def target_of(word: str) -> Target | None:
    """The cluster that `ssh://[USER@]HOST[,HOST...][:PORT]` names; None for another word."""
    if not word.startswith("ssh://"):
        return None
    names = word.removeprefix("ssh://").rstrip("/")
    user, at, hosts = names.rpartition("@")
    nodes, port = hosts.split(","), ""
    if ":" in nodes[-1]:
        nodes[-1], _, port = nodes[-1].partition(":")
    if not all(map(is_a_name, nodes)) or (at and not is_a_name(user)):
        raise UsageError(f"this names no nodes: {word[:80]}", "--on ssh://root@host1,host2")
    if port and not (port.isdecimal() and 0 < int(port) < 65536):
        raise UsageError(f"this is no port: {port}", "--on ssh://root@host1,host2:22")
    return Target(hosts, nodes, user, int(port or 0))


def is_a_name(word: object) -> bool:
    """Whether it can be the name of a host or of a user, and is nothing else to ssh."""
    if not isinstance(word, str) or not word or word[0] == "-":
        return False
    return all(c.isalnum() or c in "-._" for c in word)


def is_a_destination(word: object) -> bool:
    """Whether it is [USER@]HOST."""
    user, at, host = word.rpartition("@") if isinstance(word, str) else ("", "", "")
    return is_a_name(host) and (not at or is_a_name(user))
