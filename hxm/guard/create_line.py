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
    line = _Line(words, xm=xm).taken_apart()
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


class _Line:
    """A command line of `create` that is taken apart, word by word."""

    def __init__(self, words: Sequence[str], *, xm: bool) -> None:
        self._left, self._xm = list(words), xm
        self._path: str | None = None
        self._settings: list[str] = []
        self._dry = self._hidden = False

    def taken_apart(self) -> _Told:
        while self._left:
            word = self._left.pop(0)
            if word == "--":
                self._operands(self._rest())
            elif word.startswith("--"):
                self._long(word[2:])
            elif word.startswith("-") and word != "-":
                self._short(word[1:])
            elif not self._xm and (self._path is not None or "=" in word):
                self._operands([word, *self._rest()])  # for getopt(3) the options end here
            else:
                self._operands([word])
        return _Told(self._path, tuple(self._settings), self._dry, self._hidden)

    def _rest(self) -> list[str]:
        rest, self._left = self._left, []
        return rest

    def _next(self) -> str | None:
        """The value of an option that has it in the next word."""
        return self._left.pop(0) if self._left else self._path

    def _long(self, option: str) -> None:
        """Unlike a letter, a name may be shortened."""
        name, equals, value = option.partition("=")
        if "defconfig".startswith(name) and len(name) > 1:
            self._path = value if equals else self._next()
        self._dry |= len(name) > 1 and any(known.startswith(name) for known in _DRY)
        self._hidden |= self._xm and not any(known.startswith(name) for known in _XM_LONG)

    def _short(self, word: str) -> None:
        """Several letters; -f takes what follows it as its value."""
        letters, file, value = word.partition("f")
        flags = _FLAGS - {"F"} if self._xm else _FLAGS
        known = set(letters) <= flags  # else one may have a value, and the rest be part of it
        self._dry |= known and bool({"n", "x"} & set(letters))
        self._hidden |= self._xm and not known
        if file:
            self._path = value or self._next()

    def _operands(self, words: Sequence[str]) -> None:
        self._settings += [word for word in words if "=" in word]
        paths = [word for word in words if "=" not in word]
        if self._path is None and paths:  # of more than one, xl and xm say how they are used
            self._path = paths[0]
