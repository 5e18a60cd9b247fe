"""Files of the host that programs run on: this one, or the node that `--on` leads to.

On a node, one ssh brings all that is asked for at once; the answers hold for a few seconds.
"""

from __future__ import annotations

import os
import stat as modes
import time

from hxm.errors import CannotAsk
from hxm.host import programs, safe_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_ENOENT, _EACCES, _ENOTDIR, _EINVAL, _EFBIG = 2, 13, 20, 22, 27
_FRESH = 5.0
"""Seconds for which what a node told of a file is taken for true."""
_USUAL = 4096
"""Bytes of a file that come with what is asked of it."""
_AT_ONCE = 500
"""Files for one command line."""
SCRIPT = r"""
mark=$1 most=$2 last=- place=; shift 2
{ printf '%s facts\n' "$mark"; stat -L -c '%f %d %i %t %T %s %Y %n' -- "$@"; } 2>/dev/null
for file do
    link= real=
    [ -L "$file" ] && link=link
    case $link${file##*/} in
    link*|''|.|..) real=`readlink -f -- "$file"`;;
    *)  above=${file%"${file##*/}"}
        [ "$above" = "$last" ] || { place=`cd -P -- "$above" && pwd -P`; last=$above; }
        real=${place:+${place%/}/${file##*/}}
    esac 2>/dev/null
    printf '\n%s look\0%s\0%s\0%s\0' "$mark" "$file" "$link" "$real"
    if [ -f "$file" ]; then head -c "$most" -- "$file"
    elif [ -d "$file" ]; then ls -A -- "$file"
    fi 2>/dev/null
    printf '\n%s end %s' "$mark" $?
done
"""
"""Prints what each file is, and how it begins, or what is in the folder; runs few programs."""


class Seen:
    """What a node told of a path."""

    def __init__(
        self, link: bool, facts: Sequence[str], real: str, content: bytes, *, read: bool
    ) -> None:
        self.at = time.monotonic()
        self.link = link
        self.there = len(facts) == 7
        self.real = real
        self.content = content
        self.readable = read
        mode, device, inode, major, minor, size, changed = facts if self.there else ["0"] * 7
        self.st_mode = int(mode, 16)
        self.st_dev, self.st_ino, self.st_size = int(device), int(inode), int(size)
        self.st_rdev = os.makedev(int(major, 16), int(minor, 16))
        self.st_mtime = float(changed)


_seen: dict[str, tuple[int, Seen]] = {}
"""What was told of each path, and how many bytes of it."""


def bring(paths: Iterable[str], size: int = _USUAL) -> None:
    """Ask for the files that are about to be read, all at once; on this host, nothing."""
    if not programs.elsewhere():
        return
    wanted = [path for path in dict.fromkeys(paths) if path and not _known(path, size)]
    odd = [path for path in wanted if "\n" in path]  # stat prints one on two lines
    wanted = [path for path in wanted if path not in odd]
    groups = [wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE)]
    for some in [*groups, *([path] for path in odd)]:
        mark = f"hxm-{os.urandom(8).hex()}"
        result = programs.output(("sh", "-c", SCRIPT, "sh", mark, str(size), *some))
        learn(result.stdout, mark, size)


def forget() -> None:
    """Take nothing more for true: another node is asked from now on."""
    _seen.clear()


def learn(printed: bytes, mark: str, size: int = _USUAL) -> None:
    """Take what the script printed for true, for a few seconds. Raises CannotAsk for nonsense."""
    try:
        parsed = _parse(printed, mark.encode())
    except (ValueError, OverflowError):
        raise CannotAsk("what the node tells of its files cannot be understood") from None
    for path, seen in parsed:
        _seen[path] = size, seen


def _known(path: str, size: int) -> Seen | None:
    most, seen = _seen.get(path, (0, None))
    if seen is None or time.monotonic() - seen.at > _FRESH:
        return None
    return seen if size <= most or len(seen.content) < most else None


def _parse(printed: bytes, mark: bytes) -> list[tuple[str, Seen]]:
    head, *parts = printed.split(b"\n" + mark + b" look\0")
    lines = os.fsdecode(head.partition(mark + b" facts\n")[2]).split("\n")
    facts = {name: words for *words, name in (line.split(" ", 7) for line in lines)}
    known = []
    for part in parts:
        path, link, real, rest = part.split(b"\0", 3)
        content, _, status = rest.rpartition(b"\n" + mark + b" end ")
        name = os.fsdecode(path)
        words = facts.get(name.partition("\n")[0], ())
        seen = Seen(bool(link), words, os.fsdecode(real), content, read=status.strip() == b"0")
        known.append((name, seen))
    return known


def _look(path: str, size: int = 0) -> Seen:
    if "\0" in path:
        raise ValueError("embedded null byte")
    seen = _known(path, size)
    if seen is None:
        bring([path], max(size, _USUAL))
        seen = _known(path, size)
    if seen is None:
        raise OSError(_EINVAL, "the node does not tell", path)
    return seen


def _existing(path: str, size: int = 0) -> Seen:
    seen = _look(path, size)
    if not seen.there:
        raise FileNotFoundError(_ENOENT, os.strerror(_ENOENT), path)
    return seen


def stat(path: str) -> os.stat_result | Seen:
    """What a path leads to. Raises OSError."""
    return _existing(path) if programs.elsewhere() else os.stat(path)


def lexists(path: str) -> bool:
    """Whether there is anything of that name, be it a link to nothing."""
    if not programs.elsewhere():
        return os.path.lexists(path)
    seen = _look(path)
    return seen.link or seen.there


def exists(path: str) -> bool:
    """Whether the path leads to anything."""
    return _look(path).there if programs.elsewhere() else os.path.exists(path)


def is_file(path: str) -> bool:
    """Whether the path leads to a regular file."""
    if not programs.elsewhere():
        return os.path.isfile(path)
    return "\0" not in path and modes.S_ISREG(_look(path).st_mode)


def is_folder(path: str) -> bool:
    """Whether the path leads to a folder."""
    return modes.S_ISDIR(_look(path).st_mode) if programs.elsewhere() else os.path.isdir(path)


def realpath(path: str) -> str:
    """The path without links, as far as it leads anywhere."""
    if not programs.elsewhere():
        return os.path.realpath(path)
    return _look(path).real or os.path.normpath(path)


def names_in(folder: str) -> list[str]:
    """What is in a folder. Raises OSError."""
    if not programs.elsewhere():
        return os.listdir(folder)
    seen = _existing(folder, safe_files.MIB)
    if not modes.S_ISDIR(seen.st_mode):
        raise NotADirectoryError(_ENOTDIR, os.strerror(_ENOTDIR), folder)
    if not seen.readable:
        raise PermissionError(_EACCES, os.strerror(_EACCES), folder)
    return os.fsdecode(seen.content).split("\n")[:-1]


def read_start(path: str, size: int) -> bytes:
    """The first `size` bytes of a regular file. Raises OSError, also for any other kind of file."""
    if not programs.elsewhere():
        return safe_files.read_start(path, size)
    seen = _existing(path, size)
    if not modes.S_ISREG(seen.st_mode):
        raise OSError(_EINVAL, "it is not a regular file", path)
    if not seen.readable:
        raise PermissionError(_EACCES, os.strerror(_EACCES), path)
    return seen.content[:size]


def read_whole(path: str, most: int = safe_files.MOST) -> bytes:
    """The contents of a regular file. Raises OSError, also if it is another or a larger one."""
    data = read_start(path, most + 1)
    if len(data) > most:
        raise OSError(_EFBIG, f"it is larger than {most // safe_files.MIB} MiB", path)
    return data
