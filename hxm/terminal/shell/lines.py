"""Lines of the shell: splits them into words and runs an hxm process for each."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from hxm.catalog import candidates
from hxm.errors import DONE, Interrupted, UsageError
from hxm.host import programs
from hxm.host.safe_files import MIB, read_whole
from hxm.host.signals import handled
from hxm.output.render import beside, note

LEAVING = ("exit", "quit")
_LONGEST = 20_000  # shlex takes quadratic time
_OPERATORS = frozenset({"|", "||", ">", ">>", "<", "&", "&&", ";"})


def words_of(line: str) -> list[str]:
    """The words of a line, quoted as in any shell; a # begins a comment. Raises UsageError.

    A byte order mark, which some editors put before the first line, is ignored.
    """
    if len(line) > _LONGEST:
        raise UsageError(f"a line has at most {_LONGEST} characters, not {len(line)}")
    try:
        words = shlex.split(line.removeprefix("\ufeff"), comments=True)
    except ValueError as error:
        fault = str(error).lower()
        raise UsageError(f"{fault}: {line.strip()[:60]}", "close the quotation mark") from None
    if operator := next((word for word in words if word in _OPERATORS), ""):
        raise UsageError(
            f"hxm shell has no pipes or redirections: {operator!r}", "run hxm from another shell"
        )
    return words[1:] if words[:1] == ["hxm"] else words


def checked(words: Sequence[str]) -> None:
    """Raises UsageError for a line that names no command, before anything is done."""
    name = next((word for word in words if not word.startswith("-")), "")
    if name and name not in LEAVING and not candidates(name):
        raise UsageError(f"unknown command {name[:60]!r}", "all commands: hxm --help")


def carry_out(words: Sequence[str], *, stdin: int | None = None) -> int:
    """Run the command in an hxm process of its own, on this terminal; returns its exit status.

    Ctrl-C reaches that process only; the terminal is restored however it ends.
    """
    ignored = {signal.SIGINT: lambda *_: None}  # SIG_IGN would be inherited
    with _restored_terminal(), handled(ignored):
        return programs.beside((*myself(), *words), stdin, here=True)


def myself() -> tuple[str, ...]:
    """The command line that starts another hxm like this one."""
    program = os.path.abspath(sys.argv[0])
    if os.path.basename(program) == "hxm" and os.access(program, os.X_OK):
        return (program,)
    return (sys.executable, "-P", "-m", "hxm")


@contextmanager
def _restored_terminal() -> Iterator[None]:
    if not sys.stdin.isatty():
        yield
        return
    import termios

    before = termios.tcgetattr(0)
    try:
        yield
    finally:
        with suppress(termios.error):
            termios.tcsetattr(0, termios.TCSADRAIN, before)


def from_file(name: str, lines: Iterator[str], *, keep_going: bool, stdin: int | None) -> int:
    """Carry the lines out one by one; returns the status of the first that failed, or 0.

    Stops at the first failure unless `keep_going`, and always at Ctrl-C. Raises Interrupted for a
    Ctrl-C between two commands, with the number of the last line that was carried out.
    """
    first, number = DONE, 0
    try:
        for number, line in enumerate(lines, 1):
            status = _carry_out_line(f"{name}, line {number}", line, stdin)
            if status is None:
                return first
            first = first or status
            if status == Interrupted.status or (status != DONE and not keep_going):
                return status if status == Interrupted.status else first
    except KeyboardInterrupt:
        if not number:
            raise
        raise Interrupted(f"interrupted: {name} was carried out up to line {number}") from None
    return first


def _carry_out_line(place: str, line: str, stdin: int | None) -> int | None:
    """The exit status of a line; None if the line leaves the shell."""
    try:
        words = words_of(line)
        checked(words)
    except UsageError as error:
        note(f"{place}: {error.message}", error.hint, *error.more)
        return error.status
    if words and words[0] in LEAVING:
        return None
    if not words:
        return DONE
    beside(f"hxm> {line.strip()}")
    status = carry_out(words, stdin=stdin)
    if status != DONE:
        note(f"{place}: {shlex.join(words)}: ended with status {status}")
    return status


def read_all(path: str) -> list[str]:
    """The lines of a file. Raises UsageError for the first that is not a valid command line."""
    try:
        lines = read_whole(path, MIB).decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"{path} cannot be read: {why}") from None
    for number, line in enumerate(lines, 1):
        try:
            checked(words_of(line))
        except UsageError as error:
            raise UsageError(
                f"{path}, line {number}: {error.message}", f"{error.hint}; nothing was done"
            ) from None
    return lines
