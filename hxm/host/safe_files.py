"""Reads and writes where others may put files: no link of theirs is followed, nothing unbounded.

Opening a fifo may wait for ever, reading a device may never end, and a file without a bound takes
the memory that the cluster's own programs on this host need.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import BufferedReader

MIB = 1 << 20
MOST = 256 * MIB
"""Bytes of a whole CIB at most: that of 1,000 domUs on 32 nodes has 50 MiB."""
_EPERM, _ENOTDIR, _EINVAL, _EFBIG = 1, 20, 22, 27  # the module errno is not worth its import


def read_whole(path: str, most: int = MOST) -> bytes:
    """The contents of a regular file. Raises OSError, also if it is another or a larger one."""
    data = read_start(path, most + 1)
    if len(data) > most:
        raise OSError(_EFBIG, f"it is larger than {most // MIB} MiB", path)
    return data


def read_start(path: str, size: int) -> bytes:
    """The first `size` bytes of a regular file. Raises OSError, also for any other kind of file."""
    with open_regular(path) as file:
        return file.read(size)


def open_regular(path: str) -> BufferedReader:
    """A regular file, for reading. Raises OSError, also for any other kind of file."""
    if not stat.S_ISREG(os.stat(path).st_mode):  # even to open a device may do something
        raise OSError(_EINVAL, "it is not a regular file", path)
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # another one in the meantime
        file.close()
        raise OSError(_EINVAL, "it is not a regular file", path)
    return file


def open_own(path: str) -> BufferedReader:
    """A regular file of root's or of this user's, for reading. Raises OSError."""
    file = open_regular(path)
    if os.fstat(file.fileno()).st_uid not in (0, os.geteuid()):
        file.close()
        raise OSError(_EPERM, "it belongs to somebody else", path)
    return file


def write_new(path: str, data: bytes, mode: int = 0o600) -> None:
    """A new file of that mode, whatever the umask. Raises OSError, also if there is one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(data)


def replace(path: str, data: bytes, mode: int = 0o600) -> None:
    """Write a file, new or in the place of another: whole or not at all. Raises OSError."""
    folder, name = os.path.split(path)
    beside = os.path.join(folder, f".{name}.{os.getpid()}")
    try:
        if os.path.lexists(beside):  # of a killed one
            os.unlink(beside)
        write_new(beside, data, mode)
        os.replace(beside, path)
    finally:
        if os.path.lexists(beside):
            os.unlink(beside)


def append_line(path: str, line: bytes) -> None:
    """A line more in a file of ours, which its owner alone may read. Raises OSError.

    A link, hard or symbolic, is followed only out of a folder in which nobody else could have made
    it.
    """
    real = os.path.realpath(path) if is_ours(os.path.dirname(path) or ".") else path
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
        if status.st_nlink > 1 and not is_ours(os.path.dirname(real) or "."):
            raise OSError(_EPERM, "it is a hard link, in a folder of somebody else's", path)
        os.write(descriptor, line + b"\n")
    finally:
        os.close(descriptor)


def make_private(folder: str) -> None:
    """See to it that there is a folder of ours in which nobody else can make a file or a link.

    Raises OSError if somebody else has one of that name, or could change it.
    """
    make_folders(folder, 0o700)
    linked = os.path.islink(folder) and not is_ours(os.path.dirname(os.path.abspath(folder)))
    if linked or not is_ours(folder):
        raise OSError(_EPERM, "somebody else could change what is in it", folder)


def make_folders(path: str, mode: int) -> None:
    """A folder and those above it; new ones get that mode, whatever the umask. Raises OSError."""
    if os.path.isdir(path):
        return
    make_folders(os.path.dirname(os.path.abspath(path)), mode)
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        if os.path.isdir(path):  # made by another in the meantime
            return
        raise NotADirectoryError(_ENOTDIR, os.strerror(_ENOTDIR), path) from None
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def is_ours(folder: str) -> bool:
    """Whether root and this user alone can make anything in it."""
    status = os.stat(folder)
    return status.st_uid in (0, os.geteuid()) and not status.st_mode & 0o022
