"""The domU that a command line of `xl create`, `xm create` or `xm new` would make."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hxm.domu.config_file import Value, XmFileError, candidate_files, parse_xmfile, read_xmfile
from hxm.domu.settings import domain_name
from hxm.errors import Refused
from hxm.host import files


class Creation(NamedTuple):
    """What `xl create` is told to make; a name of None: it is told so that nobody else can tell."""

    name: str | None
    settings: Mapping[str, Value]
    dry: bool = False


_DRY = ("dryrun", "dry-run", "xmldryrun")
_FLAGS = frozenset("cdehnpqsxAFV")
"""Letters that take no value; -F only xl's: behind xm's stands a configuration in SXP."""
_XM_LONG = (*_DRY, "defconfig", "help", "help_config", "quiet", "paused", "skipdtd", "vncviewer",
    "vncviewer-autopass", "console_autoconnect")  # fmt: skip
"""Those of xm's that leave it to the file what is made; --path, --config and --load do not."""
_XM_FILE = "xmdefconfig"
"""What xm reads where no file is named (xen/xm/create.py of 4.4)."""


class _Told(NamedTuple):
    """A command line of `create`, taken apart."""

    path: str | None
    lines: tuple[str, ...]
    dry: bool
    hidden: bool
    """Whether what is made stands elsewhere than in a file that xl and xm read as one."""


def creation_of(words: Sequence[str], *, xm: bool = False) -> Creation:
    """The domU that xl or xm would create, from its file and the settings behind it.

    The first word without an equals sign is the file, or what -f is given; what the others set
    counts more than the file (held against `xl create -n` of 4.17). Raises Refused for a file that
    cannot be read.
    """
    line = _taken_apart(words, xm=xm)
    if line.hidden or line.dry:
        return Creation(None, {}, dry=not line.hidden)
    path = line.path or (_XM_FILE if xm else "")
    try:
        file = next(
            (candidate for candidate in candidate_files(path) if files.lexists(candidate)),
            None,
        )
        read = settings_of(file, line.lines, xm=xm)
    except XmFileError as error:
        raise Refused(
            f"{error.message}: it may be a domU that the cluster manages",
            error.hint or "correct the file; hxm refuses what it cannot read",
        ) from None
    return Creation(domain_name(read) or os.path.basename(path), read)


def settings_of(path: str | None, lines: Sequence[str], *, xm: bool) -> dict[str, Value]:
    """What a file and the settings behind it on the command line say, as xl or xm takes them.

    Xm takes what stands behind the equals sign as it is, instead of what the file says (opts.py).
    Of /dev/null xl takes only what stands behind it. Raises XmFileError.
    """
    if path in (None, "/dev/null"):
        return parse_xmfile("\n".join(lines), "the command line")
    if not xm:
        return read_xmfile(path, lines)
    read = read_xmfile(path)
    for key, _, value in (line.partition("=") for line in lines):
        try:
            read |= parse_xmfile(f"{key}={value}")
        except XmFileError:
            read[key] = [value] if key in ("disk", "vif") else value
    return read


def _taken_apart(words: Sequence[str], *, xm: bool) -> _Told:
    path, dry, hidden = None, False, False
    lines: list[str] = []
    flags = _FLAGS - {"F"} if xm else _FLAGS
    left = list(words)
    while left:
        word = left.pop(0)
        if word == "--":
            operands, left = left, []
        elif word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if "defconfig".startswith(name) and len(name) > 1:
                path = value if equals else left.pop(0) if left else path
            dry = dry or (len(name) > 1 and any(option.startswith(name) for option in _DRY))
            hidden = hidden or (xm and not any(option.startswith(name) for option in _XM_LONG))
            continue
        elif word.startswith("-") and word != "-":
            letters, file, value = word[1:].partition("f")
            known = set(letters) <= flags  # else one may have a value, and the rest be part of it
            dry = dry or (known and bool({"n", "x"} & set(letters)))
            hidden = hidden or (xm and not known)
            if file:
                path = value or (left.pop(0) if left else path)
            continue
        else:
            operands = [word]
            if not xm and (path is not None or "=" in word):  # for getopt(3) the options end here
                operands, left = [word, *left], []
        lines += [operand for operand in operands if "=" in operand]
        files = [operand for operand in operands if "=" not in operand]
        path = next(iter(files), None) if path is None else path  # more: both say how they are used
    return _Told(path, tuple(lines), dry, hidden)
