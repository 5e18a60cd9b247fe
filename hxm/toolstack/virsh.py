"""A command line of virsh's, taken apart as virsh itself does it; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

_VALUED = {
    **dict.fromkeys(("c", "connect"), "uri"),
    **dict.fromkeys(("d", "debug", "e", "escape", "k", "keepalive-interval"), ""),
    **dict.fromkeys(("K", "keepalive-count", "l", "log"), ""),
}
_FLAGS = ("help", "no-pkttyagent", "quiet", "readonly", "timing", "version")
_ENDS = ("h", "v", "V", "help", "version")
"""Options of virsh that make it say something and end."""
OTHER_DRIVERS = frozenset(
    (
        *("qemu", "lxc", "test", "esx", "vpx", "gsx", "hyperv", "vbox", "vz", "openvz"),
        *("bhyve", "ch", "vmware"),
    )
)
"""The schemes of libvirt's drivers for other hypervisors than Xen."""


class Spoken(NamedTuple):
    """A command line of virsh's, taken apart."""

    commands: tuple[tuple[str, ...], ...] = ()
    uri: str = ""
    readonly: bool = False
    ends: bool = False


def spoken(words: Sequence[str]) -> Spoken:
    """The commands of a virsh command line: one, or several in one word with ; between them.

    Where generations of virsh read that word differently, those of each reading.
    """
    place, uri, given = 0, "", set()
    while place < len(words) and words[place].startswith("-") and words[place] not in ("-", "--"):
        place += 1
        for name, behind in _options(words[place - 1]):
            given.add(name)
            if name in _VALUED:
                value = behind or "".join(words[place : place + 1])
                place += not behind
                uri = value if _VALUED[name] else uri
                break
    left = words[place:]
    if [*left[:1]] == ["--"]:
        left = left[1:]
    if len(left) == 1:
        read = (_commands(left[0], lines=lines) for lines in (True, False))
        commands = tuple(dict.fromkeys(command for reading in read for command in reading))
    else:
        commands = (tuple(left),) if left else ()
    readonly = bool(given & {"r", "readonly"})
    return Spoken(commands, uri, readonly, bool(given & set(_ENDS)))


def of_another_hypervisor(uri: str) -> bool:
    """Whether libvirt finds no domU of Xen's behind this URI, whatever its own configuration says.

    It does where the scheme leaves it to the server (remote), behind an alias, and by ?name=.
    """
    scheme, colon, rest = uri.partition(":")
    return bool(colon) and scheme.partition("+")[0] in OTHER_DRIVERS and "?" not in rest


def _options(word: str) -> list[tuple[str, str]]:
    """The options in a word, each with its value if that stands behind it; long ones may be cut."""
    if not word.startswith("--"):
        return [
            (letter, word[place:] if letter in _VALUED else "")
            for place, letter in enumerate(word[1:], 2)
        ]
    name, _, value = word[2:].partition("=")
    known = [option for option in (*_VALUED, *_FLAGS) if len(option) > 1]
    fitting = [option for option in known if option.startswith(name)]
    return [(fitting[0] if len(fitting) == 1 else name, value)]


def _commands(text: str, *, lines: bool) -> list[tuple[str, ...]]:
    r"""The commands in a text, as vshCommandStringGetArg of libvirt's tools/vsh.c reads it.

    Newer ones read `lines`: a new line ends a command, # at the start of a word a line, and \ joins
    two. For older ones all three are letters as others, and no name of a command has such a one.
    """
    commands: list[list[str]] = [[]]
    word: list[str] | None = None
    quote = ""
    ends = ";\n" if lines else ";"
    letters = iter(text)
    for letter in letters:
        if letter == "\\" and quote != "'":
            escaped = next(letters, "")
            if not (lines and escaped == "\n"):
                word = word or []
                word.append(escaped)
        elif letter in ("'", '"') and quote in ("", letter):
            quote, word = "" if quote else letter, word or []
        elif not quote and letter in (" ", "\t", *ends):
            if word is not None:
                commands[-1].append("".join(word))
            word = None
            if letter in ends:
                commands.append([])
        elif lines and word is None and letter == "#":
            _skip_line(letters)
            commands.append([])
        else:
            word = word or []
            word.append(letter)
    if word is not None:
        commands[-1].append("".join(word))
    return [tuple(command) for command in commands if command and "\n" not in command[0]]


def _skip_line(letters: Iterator[str]) -> None:
    for letter in letters:
        if letter == "\n":
            return
