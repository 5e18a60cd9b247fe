"""Reads a log and its rotated files (logrotate(8)) backwards, only as far as needed.

What is packed is unpacked as a whole, because it can be read from its beginning only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import BinaryIO

from hxm.host import safe_files

MOST_UNPACKED = 32 * safe_files.MIB
"""Bytes of one packed log; a larger one is left out. The logrotate(8) of hxm packs 10 MiB."""
_LONGEST = safe_files.MIB
"""Bytes of a line; a longer one is cut off at its beginning."""
_BLOCK = 1 << 16
_ENDING = re.compile(r"[.-][0-9]+(?:\.(?:gz|bz2|xz))?")
_PACKED = {"gz": "gzip", "bz2": "bz2", "xz": "lzma"}


def lines_backwards(path: str, since: float = 0.0) -> Iterator[bytes]:
    """The lines of a log and of what was put aside, the newest first; none if unreadable.

    A file that belongs neither to root nor to this user is left out, and so is one that was
    written to for the last time before `since`, in seconds since the epoch.
    """
    for name in (path, *_rotated(path, since)):
        try:
            with safe_files.open_own(name) as file:
                yield from _backwards(_unpacked(file, name))
        except (OSError, EOFError, ValueError):  # damaged, not ours, or no longer there
            continue


def _rotated(path: str, since: float) -> list[str]:
    """`log.1`, `log.2.gz`, `log-20261129.gz` and the like, the newest first."""
    folder, base = os.path.split(path)
    rotated = []
    try:
        entries = list(os.scandir(folder or "."))
        for entry in entries:
            ending = entry.name.removeprefix(base)
            if ending != entry.name and _ENDING.fullmatch(ending) and not entry.is_symlink():
                rotated.append((entry.stat(follow_symlinks=False).st_mtime, entry.path))
    except OSError:  # no such folder, or it is being rotated
        pass
    return [path for changed, path in sorted(rotated, reverse=True) if changed >= since]


def _unpacked(file: BinaryIO, name: str) -> BinaryIO:
    """The contents of an open log. Raises OSError, EOFError or ValueError, also for a huge one."""
    packed = _PACKED.get(name.rpartition(".")[2])
    if not packed:
        return file
    import io
    from importlib import import_module

    with import_module(packed).open(file) as unpacker:
        data = unpacker.read(MOST_UNPACKED + 1)
    if len(data) > MOST_UNPACKED:
        raise ValueError("too large")
    return io.BytesIO(data)


def _backwards(file: BinaryIO) -> Iterator[bytes]:
    start = file.seek(0, os.SEEK_END)
    rest = b""
    while start > 0:
        end, start = start, max(0, start - _BLOCK)
        file.seek(start)
        rest, *lines = (file.read(end - start) + rest).split(b"\n")
        yield from filter(None, reversed(lines))
        rest = rest[-_LONGEST:]
    if rest:
        yield rest
