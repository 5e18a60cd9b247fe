"""Reads files that others may have put there: regular ones only, and never more than is expected.

To open a fifo may wait for ever, to read a device may never end, and to read a file of any size
takes the memory of a host on which the cluster's own programs run.
"""

from __future__ import annotations

import os
import stat

MIB = 1 << 20
MOST = 256 * MIB
"""Bytes of a whole CIB at most: that of 1,000 domUs on 32 nodes has 50 MiB."""
_EINVAL, _EFBIG = 22, 27  # the module errno is not worth its import


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
