"""Puts the guard in a program's place and takes it away again, at no moment without the program.

The real program stays in its folder under another name, because it may be a relative link; it is
called through a link of its own name, because it may be a script that goes by its name (Debian's
xen-utils-wrapper is both).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

from hxm.errors import CannotAsk, Failed
from hxm.guard.wrapper import MARK, Paths, Wrapper
from hxm.host import programs
from hxm.host.folder_lock import locked
from hxm.host.safe_files import make_folders

PROGRAMS = ("xl", "xm", "virsh")
KEPT = ".hxm-real"
"""What is added to the name of a program that a guard stands in front of."""
SCRIPT = ".hxm-guard"
"""What is added to it for the script that its stub starts."""
_NEW = ".hxm-new"
"""What is added while a file is being made; only a kill leaves it, for the next to write over."""

GUARDED = "guarded"
OUTDATED = "outdated"
UNDONE = "undone"
BROKEN = "broken"
OPEN = "not guarded"


class Program(NamedTuple):
    """A program, and the guard that stands or could stand in front of it."""

    name: str
    path: str

    @property
    def paths(self) -> Paths:
        """Where the program is, and all that belongs to its guard."""
        folder = programs.real_folder()
        return Paths(self.path, self.path + KEPT, self.path + SCRIPT, folder)

    @property
    def displaced(self) -> str:
        """Where the real program is while it is guarded."""
        return self.paths.displaced

    @property
    def link(self) -> str:
        """How the real program is called while it is guarded."""
        return real(self.name)


def real(name: str) -> str:
    """The path by which a guarded program is called past the guard."""
    return os.path.join(programs.real_folder(), name)


def installed() -> Iterator[Program]:
    """The programs that are installed, or were once guarded; each where everybody finds it."""
    for name in PROGRAMS:
        link = real(name)
        if os.path.islink(link):
            yield Program(name, os.readlink(link).removesuffix(KEPT))
            continue
        for folder in programs.search_path(os.environ, guarded=True).split(":"):
            path = os.path.join(os.path.realpath(folder or "."), name)
            if os.access(path, os.X_OK) and os.path.isfile(path):
                yield Program(name, path)
                break


def state(program: Program, wrapper: Wrapper) -> str:
    """How the program stands: a guard is known by its MARK, today's by its text."""
    text = _text(program.path)
    if MARK not in text:
        return (
            UNDONE if os.path.islink(program.link) or os.path.lexists(program.displaced) else OPEN
        )
    if not os.access(program.displaced, os.X_OK):
        return BROKEN
    linked = os.access(program.link, os.X_OK)
    return GUARDED if linked and (text, _text(program.paths.script)) == wrapper else OUTDATED


def install(program: Program, wrapper: Wrapper) -> None:
    """Put the guard in the program's place. Safe to repeat; raises Failed if it cannot be done.

    Everybody may call the program afterwards, whatever the umask.
    """
    paths = program.paths
    os.umask(0o022)
    try:
        with locked(os.path.realpath(os.path.dirname(program.path))):
            if MARK not in _text(program.path):
                _put(
                    paths.displaced,
                    program,
                    lambda new: os.link(program.path, new, follow_symlinks=False),
                )
            elif not os.path.lexists(paths.displaced):
                raise _gone(program)
            _put(paths.script, program, lambda new: _write(new, wrapper.script))
            make_folders(paths.folder, 0o755)
            os.chmod(paths.folder, 0o755)  # noqa: S103 - everybody may call what only reads
            _put(program.link, program, lambda new: os.symlink(paths.displaced, new))
            _divert(program)
            _put(program.path, program, lambda new: _write(new, wrapper.stub))
    except OSError as error:
        raise _cannot(program, error) from None


def remove(program: Program, wrapper: Wrapper) -> None:
    """Put the program back as it was, to the byte. Safe to repeat; raises Failed.

    The script does it itself, and takes the lock, because it must be able to where Python is
    broken, and goes on where this hxm is killed.
    """
    result = programs.output(("sh", "-c", wrapper.script, program.paths.script, "remove"))
    if result.status != 0:
        hint = "" if os.access(os.path.dirname(program.path), os.W_OK) else "this takes root"
        raise Failed(result.complaint(), hint)


def _text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(1 << 16).decode("utf-8", "replace")
    except OSError:
        return ""


def _put(path: str, program: Program, make: Callable[[str], None]) -> None:
    """Let `make` make something under another name, and rename it to the path at once."""
    new = os.path.join(os.path.dirname(path), program.name + _NEW)
    with suppress(FileNotFoundError):
        os.unlink(new)
    make(new)
    os.replace(new, path)
    with suppress(FileNotFoundError):  # both were links to one file, and rename(2) did nothing
        os.unlink(new)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)


def _divert(program: Program) -> None:
    """Let dpkg unpack later versions under the other name; only for what a package owns.

    dpkg-divert is not to rename anything: between its two renames there would be no program, and
    a monitor that finds none has failed.
    """
    if not programs.find("dpkg-divert"):
        return
    if programs.output(("dpkg-query", "--search", program.path)).status != 0:
        return
    options = ("--local", "--no-rename", "--divert", program.displaced, "--add", program.path)
    result = programs.output(("dpkg-divert", *options))
    if result.status != 0:
        raise CannotAsk(f"dpkg-divert: {result.complaint()}")


def _gone(program: Program) -> Failed:
    return Failed(f"{program.displaced} is gone", f"install {program.name} again from its package")


def _cannot(program: Program, error: OSError) -> Failed:
    hint = "this takes root" if isinstance(error, PermissionError) else ""
    return Failed(f"{program.name}: {error.filename or program.path}: {error.strerror}", hint)
