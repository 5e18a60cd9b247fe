"""Puts a script in a program's place and takes it away again, at no moment without the program.

The real program stays in its folder under another name, because it may be a relative link; it is
called through a link of its own name, because it may be a script that goes by its name (Debian's
xen-utils-wrapper is both).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from hxm import programs
from hxm.errors import CannotAsk, Failed

PROGRAMS = ("xl", "xm", "virsh")
KEPT = ".hxm-real"
"""What is added to the name of a program that a guard stands in front of."""

GUARDED = "guarded"
OUTDATED = "outdated"
UNDONE = "undone"
BROKEN = "broken"
OPEN = "not guarded"


class Place(NamedTuple):
    """A program, and the guard that stands or could stand in front of it."""

    program: str
    path: str

    @property
    def kept(self) -> str:
        """Where the real program is while it is guarded."""
        return self.path + KEPT

    @property
    def link(self) -> str:
        """How the real program is called while it is guarded."""
        return real(self.program)


def real(program: str) -> str:
    """The path by which a guarded program is called past the guard."""
    return os.path.join(programs.real_folder(), program)


def places() -> Iterator[Place]:
    """The programs that are installed, or were once guarded; each where everybody finds it."""
    for program in PROGRAMS:
        link = real(program)
        if os.path.islink(link):
            yield Place(program, os.readlink(link).removesuffix(KEPT))
            continue
        for folder in programs.search_path(os.environ, guarded=True).split(":"):
            path = os.path.join(os.path.realpath(folder or "."), program)
            if os.access(path, os.X_OK) and os.path.isfile(path):
                yield Place(program, path)
                break


def state(place: Place, mark: str, text: str) -> str:
    """How the program stands; a guard's script is known by its `mark`, today's by its `text`."""
    found = _script(place.path)
    if mark not in found:
        return UNDONE if os.path.islink(place.link) or os.path.lexists(place.kept) else OPEN
    if not os.access(place.link, os.X_OK):
        return BROKEN
    return GUARDED if found == text else OUTDATED


def install(place: Place, mark: str, text: str) -> None:
    """Put the script in the program's place. Safe to repeat; raises Failed if it cannot be done."""
    try:
        if mark not in _script(place.path):
            _put(place.kept, lambda path: os.link(place.path, path, follow_symlinks=False))
        elif not os.path.lexists(place.kept):
            raise Failed(f"{place.kept} is gone", f"install {place.program} again from its package")
        os.makedirs(os.path.dirname(place.link), mode=0o755, exist_ok=True)
        _put(place.link, lambda path: os.symlink(place.kept, path))
        _divert(place, "--add")
        _put(place.path, lambda path: _write(path, text))
    except OSError as error:
        raise _cannot(place, error) from None


def remove(place: Place, mark: str) -> None:
    """Put the program back as it was, to the byte. Safe to repeat; raises Failed."""
    try:
        if mark in _script(place.path):
            os.replace(place.kept, place.path)
        elif os.path.lexists(place.kept):
            os.unlink(place.kept)  # an upgrade has put a newer one into its place
        _divert(place, "--remove")
        for end in (os.unlink, lambda link: os.rmdir(os.path.dirname(link))):
            try:
                end(place.link)
            except OSError:
                continue
    except OSError as error:
        raise _cannot(place, error) from None


def _script(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(1 << 16).decode("utf-8", "replace")
    except OSError:
        return ""


def _put(path: str, make: Callable[[str], None]) -> None:
    """Let `make` make something under a passing name, and rename it to the path at once."""
    passing = f"{path}.{os.getpid()}"
    make(passing)
    os.replace(passing, path)
    if os.path.lexists(passing):  # both were links to one file, and rename(2) did nothing
        os.unlink(passing)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o755)
        file.write(text)
        file.flush()
        os.fsync(descriptor)


def _divert(place: Place, how: str) -> None:
    """Let dpkg unpack later versions under the other name; only for what a package owns.

    dpkg-divert is not to rename anything: between its two renames there would be no program, and
    a monitor that finds none has failed.
    """
    if not programs.find("dpkg-divert"):
        return
    if how == "--add" and programs.output(("dpkg-query", "--search", place.path)).status != 0:
        return
    argv = ("dpkg-divert", "--local", "--no-rename", "--divert", place.kept, how, place.path)
    result = programs.output(argv)
    if result.status != 0:
        raise CannotAsk(f"dpkg-divert: {result.complaint()}")


def _cannot(place: Place, error: OSError) -> Failed:
    hint = "this takes root" if isinstance(error, PermissionError) else ""
    return Failed(f"{place.program}: {error.filename or place.path}: {error.strerror}", hint)
