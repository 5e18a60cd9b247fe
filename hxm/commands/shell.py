"""hxm shell: the interactive shell."""

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
    """Start an interactive shell, or run the commands in a file.

    Each line is what follows `hxm` in any other shell, and runs in an hxm process of its own. The
    prompt shows the cluster, the node and the most serious problem. The bottom line is updated
    every five seconds, and every second while something moves; if the cluster does not answer, it
    shows the age of its data. Tab completes commands, options, domUs, nodes and files; Ctrl-R
    searches the history; F1, `help COMMAND` or a trailing ? shows help. Ctrl-C ends the running
    command, not the shell; Ctrl-D, exit and quit leave the shell.

    With -f, or with lines on standard input, the shell stops at the first line that fails and ends
    with its status; --keep-going runs the rest, and ends with the status of the first failure. A #
    begins a comment. A file is read to its end before anything is done.

    Example: `hxm shell -f night.hxm`.
    """
    from hxm.terminal.shell import lines

    script = bool(file) or not sys.stdin.isatty()
    inside = os.environ.get("HXM_SHELL")
    if inside == _SCRIPT and script:
        raise Refused(
            "hxm shell -f cannot run inside a file for hxm shell",
            "copy the lines of the other file here",
        )
    if inside and not script:
        raise Refused("this is already an hxm shell", "Ctrl-D leaves it")
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
