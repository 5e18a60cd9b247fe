"""Reads and writes where others may put files: no link of theirs is followed, nothing unbounded.

To open a fifo may wait for ever, to read a device may never end, and to read a file of any size
takes the memory of a host on which the cluster's own programs run.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1 << 20
MOST = 256 * MIB
"""Bytes of a whole CIB at most: that of 1,000 domUs on 32 nodes has 50 MiB."""
_EPERM, _EINVAL, _EFBIG = 1, 22, 27  # the module errno is not worth its import


def read_whole(path: str, most: int = MOST) -> bytes:
    """The contents of a regular file. Raises OSError, also if it is another or a larger one."""
    data = read_start(path, most + 1)
    if len(data) > most:
        raise OSError(_EFBIG, f"it is larger than {most // MIB} MiB", path)
    return data


def read_start(path: str, size: int) -> bytes:
    """The first `size` bytes of a regular file. Raises OSError, also for any other kind of file."""
    if not stat.S_ISREG(os.stat(path).st_mode):  # even to open a device may do something
        raise OSError(_EINVAL, "it is not a regular file", path)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(size)


def write_new(path: str, data: bytes, mode: int = 0o600) -> None:
    """A new file of that mode, whatever the umask. Raises OSError, also if there is one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(data)


def append_line(path: str, line: bytes) -> None:
    """A line more in a file of ours, which its owner alone may read. Raises OSError.

    A link is followed only out of a folder in which nobody else could have made it.
    """
    real = os.path.realpath(path) if _is_ours(os.path.dirname(path) or ".") else path
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(real, flags, 0o600)
    except OSError as error:
        if os.path.islink(real):
            why = "it is a link, in a folder of somebody else's"
            raise OSError(error.errno, why, path) from None
        raise
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(_EINVAL, "it is not a regular file", path)
        if status.st_uid not in (0, os.geteuid()):
            raise OSError(_EPERM, "it belongs to somebody else", path)
        os.write(descriptor, line + b"\n")
    finally:
        os.close(descriptor)


def make_private(folder: str) -> None:
    """See to it that there is a folder of ours in which nobody else can make a file or a link.

    Raises OSError if somebody else has one of that name, or could change it.
    """
    os.makedirs(folder, 0o700, exist_ok=True)
    linked = os.path.islink(folder) and not _is_ours(os.path.dirname(os.path.abspath(folder)))
    if linked or not _is_ours(folder):
        raise OSError(_EPERM, "somebody else could change what is in it", folder)


def _is_ours(folder: str) -> bool:
    """Whether root and this user alone can make anything in it."""
    status = os.stat(folder)
    return status.st_uid in (0, os.geteuid()) and not status.st_mode & 0o022


def lines_of_all(path: str, since: float = 0.0) -> Iterator[bytes]:
    """The lines of a log and of what logrotate(8) made of it, oldest first; none if unreadable.

    What was written to for the last time before `since`, in seconds since the epoch, is left out.
    """
    for name in (*_rotated(path, since), path):
        try:
            yield from _lines_of(name)
        except (OSError, EOFError, ValueError):  # cut off, or no longer there
            continue


def _rotated(path: str, since: float) -> list[str]:
    """`log.1`, `log.2.gz`, `log-20261129.gz` and the like, the oldest first."""
    import re

    ending = re.compile(r"[.-][0-9]+(?:\.(?:gz|bz2|xz))?")
    folder, base = os.path.split(path)
    found = []
    try:
        entries = list(os.scandir(folder or "."))
    except OSError:
        return []
    for entry in entries:
        name = ending.fullmatch(entry.name.removeprefix(base))
        if name and entry.name.startswith(base) and entry.is_file(follow_symlinks=False):
            found.append((entry.stat().st_mtime, entry.path))
    return [path for changed, path in sorted(found) if changed >= since]


_PACKED = {"gz": "gzip", "bz2": "bz2", "xz": "lzma"}


def _lines_of(path: str) -> Iterator[bytes]:
    if not stat.S_ISREG(os.stat(path).st_mode):
        return
    packed = _PACKED.get(path.rpartition(".")[2])
    if packed:
        from importlib import import_module

        with import_module(packed).open(path, "rb") as file:
            yield from file
    else:
        with open(path, "rb") as file:
            yield from file
