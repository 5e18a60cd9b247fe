"""hxm shell: a place to be in during a long night."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from hxm.config import read_config
from hxm.errors import Refused, UsageError

if TYPE_CHECKING:
    from hxm.arguments.options import KeepGoing, Script

_SCRIPT = "script"


def run(file: Script = "", keep_going: KeepGoing = False) -> int:
    """Type commands at a prompt that shows the cluster, or carry out those of a file.

    Each line is what would follow `hxm` in any other shell, and is carried out by a hxm of its own.
    The prompt names the cluster, the node and the worst trouble; the line at the bottom follows the
    cluster, every five seconds, and every second while something moves, and says how old it is
    when the cluster does not answer. Tab completes commands, options, domUs, nodes and files;
    Ctrl-R searches what was typed before; F1, `help COMMAND` or a ? at the end explains. Ctrl-C
    ends a command and not the shell; Ctrl-D, exit and quit leave it.

    With -f, or with lines on standard input, it stops at the first line that fails and ends with
    its status; --keep-going carries out the rest, and ends with the status of the first failure. A
    # begins a comment. A file is read to its end before anything is done.

    Example: `hxm shell -f night.hxm`.
    """
    from hxm.terminal.shell import lines

    script = bool(file) or not sys.stdin.isatty()
    inside = os.environ.get("HXM_SHELL")
    if inside == _SCRIPT and script:
        raise Refused("these are lines for hxm shell already", "put those of the other file here")
    if inside and not script:
        raise Refused("this is a hxm shell already", "Ctrl-D leaves it")
    os.environ["HXM_SHELL"] = _SCRIPT if script else "1"
    if file and file != "-":
        read = iter(lines.read_all(file))
        return lines.from_file(file, read, keep_going=keep_going, stdin=None)
    if script:
        sys.stdin.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
        nothing = os.open(os.devnull, os.O_RDONLY)
        return lines.from_file("stdin", sys.stdin, keep_going=keep_going, stdin=nothing)
    if keep_going:
        raise UsageError("--keep-going is for a file", "hxm shell --file FILE --keep-going")
    from hxm.terminal.shell.prompt import interactive

    return interactive(read_config())
