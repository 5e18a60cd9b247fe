"""What to type instead of another tool's line. Loaded only for a word that hxm has not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from hxm.catalog import COMMANDS
from hxm.catalog.foreign.equivalents import MEANINGS
from hxm.catalog.foreign.lacking import BEYOND, TRANSLATIONS
from hxm.catalog.foreign.meaning import TOOLS, Meaning


class Pattern(NamedTuple):
    """How another tool is told it: what follows the words that find it, and the meaning.

    Words in capitals are operands, the others are typed as they are.
    """

    rest: tuple[str, ...]
    meaning: Meaning

    def fits(self, key: Sequence[str], typed: Sequence[str]) -> bool:
        """Whether what follows the key has the words of the pattern; nothing hides a subcommand."""
        words = [word.lower() for word in typed]
        there = all(
            name.isupper() or words[place : place + 1] == [name]
            for place, name in enumerate(self.rest)
        )
        return there and not (typed and not self.rest and self.meaning.command and key[-1] in NOUNS)


Known = dict[tuple[str, ...], list[Pattern]]
"""By the words that are typed as they are, those with the most such words behind them first."""


NOUNS = frozenset(
    (
        *("resource", "resources", "node", "nodes", "cluster", "host"),
        *("vm", "vms", "instance", "domain", "domu", "pod", "pods"),
    )
)
"""What other tools say before the verb, where hxm says nothing."""
_THEMSELVES = ("hxm", "xl", "xm", "sudo")
"""What hxm itself, and what it replaces, is called: typed twice, or in hxm's own shell."""


def _by_word() -> Known:
    """What single words mean without their tool."""
    known: Known = {}
    for meaning in MEANINGS:
        operands = tuple(word.strip(".[]") for word in meaning.command.split() if word.isupper())
        for word in meaning.words.split():
            known[(word,)] = [Pattern(operands, meaning)]
    return known


def _known() -> Known:
    known: Known = {}
    shortened: Known = {}
    for meaning in (*MEANINGS, *BEYOND):
        for tool, line in meaning.elsewhere:
            if " -" in f" {line}":  # an option that says what is meant stands anywhere
                continue
            fixed, rest = _parts(line)
            pattern = Pattern(rest, meaning)
            known.setdefault((tool, *fixed), []).append(pattern)
            if fixed:
                shortened.setdefault(fixed, []).append(pattern)
            if fixed[1:] and fixed[0] in NOUNS:
                shortened.setdefault(fixed[1:], []).append(pattern)
    known = shortened | _by_word() | known
    return {key: sorted(patterns, key=_fewest_operands) for key, patterns in known.items()}


def _fewest_operands(pattern: Pattern) -> int:
    return -sum(not word.isupper() for word in pattern.rest)


def _parts(line: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words before the first operand, and those from it on."""
    words = line.split()
    count = next((at for at, word in enumerate(words) if not word.islower()), len(words))
    return tuple(words[:count]), tuple(_value(word) for word in words[count:])


_MARKS = {
    **dict.fromkeys(("vm=", "uuid=", "vm:", "ct:", "pod/"), "DOMAIN"),
    **dict.fromkeys(("host=", "on=", "node/"), "NODE"),
}


def _marked(word: str) -> tuple[str, str]:
    """What the operand is, if the word says so, and its value: vm=nfs, vm:nfs, pod/nfs.

    A node may stand in an address, as libvirt takes one: xen+ssh://root@host2/system.
    """
    if (parts := word.partition("://"))[1]:
        return "NODE", parts[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
    for mark, name in _MARKS.items():
        if word.startswith(mark):
            return name, word.removeprefix(mark)
    return "", word


def _value(word: str) -> str:
    return _marked(word)[1]


Answer = tuple[tuple[str, ...], str]
"""The words to type after `hxm`, none where it has no such command, and a note."""
Kind = Callable[[str], str]
"""Tells of a word whether it is a node or a domU; empty: neither, or nobody knows."""


def answer(
    words: Sequence[str], *, least: int = 1, kind: Kind = lambda _: "", known: Known | None = None
) -> Answer | None:
    """The command for another tool's line; None for no such line.

    The command keeps the operands that were typed, and names those that are missing; what cannot
    be one is left out and named. At least so many words must be known ones. `kind` tells which
    operand is a node, for which the other tool's verb may mean another command. No option may be
    among the words.
    """
    first, rest = words[0], words[1:]
    if first in _THEMSELVES and rest:
        return _own(rest) or answer(rest, kind=kind)
    known = _known() if known is None else known
    fitting = [
        (count, pattern)
        for count in range(len(words), least - 1, -1)
        for pattern in known.get(tuple(words[:count]), ())
        if pattern.fits(words[:count], words[count:])
    ]
    if first in NOUNS and rest and not any(count > 1 for count, _ in fitting):
        stripped = _own(rest) or answer(rest, least=max(least - 1, 1), kind=kind)
        if stripped:
            return stripped
    if not fitting and first in TOOLS:
        by_word = rest and (_own(rest) or answer(rest, kind=kind, known=_by_word()))
        return by_word or ((), TRANSLATIONS)
    if not fitting:
        return None
    count, pattern = fitting[0]
    return _filled(pattern, words[count:], kind)


def answer_by_options(words: Sequence[str], kind: Kind = lambda _: "") -> Answer | None:
    """The command for a line whose options say what is meant, such as `set nfs --state started`."""
    for meaning in MEANINGS:
        for tool, line in meaning.elsewhere:
            fixed = [word for word in line.split() if word[0] == "-" or _value(word).islower()]
            typed = list(words[1:] if words[0] == tool else words)
            if " -" not in f" {line}" or not set(fixed) <= set(typed):
                continue
            operands = tuple(_value(word) for word in line.split() if word not in fixed)
            rest = [word for word in typed if word not in fixed]
            return _filled(Pattern(operands, meaning), rest, kind)
    return None


def _own(words: Sequence[str]) -> Answer | None:
    """A command line that is hxm's own already."""
    return (tuple(words), "") if words[0] in COMMANDS else None


FOR_A_NODE = {
    "migrate": ("standby", "it moves everything away"),
    "shutdown": ("standby", "when it is empty, power it off"),
    "reboot": ("standby", "when it is empty, reboot it; host by host: hxm update"),
    "destroy": ("standby", "when it is empty, power it off"),
    "start": ("active", "it ends standby"),
    "create": ("active", "it ends standby"),
    "unmanage": ("maintenance on", ""),
    "manage": ("maintenance off", ""),
    "list": ("list --node", ""),
}
"""What is to be typed for a node, where a command for domUs was; and a note."""
FOR_A_DOMU = {"standby": ("migrate", "the scheduler chooses the node"), "active": ("start", "")}
"""And the other way round."""


def of_other_kind(verb: str, operand: str, kind: str) -> Answer | None:
    """The command to type for an operand that is a node where a domU is wanted, or a domU."""
    table = {"node": FOR_A_NODE, "domU": FOR_A_DOMU}.get(kind, {})
    if verb not in table:
        return None
    command, note = table[verb]
    return (*command.split(), operand), note


def _filled(pattern: Pattern, typed: Sequence[str], kind: Kind) -> Answer:
    """The command with the typed words in the places of its operands, and what they leave out."""
    meaning = pattern.meaning
    if not meaning.command:
        return (), meaning.note
    values, more, left = _placed(pattern, typed, kind)
    filled: list[str] = []
    for word in meaning.command.split():
        name = word.removesuffix("...").strip("[]")
        if name in values or word[0] != "[":
            filled.append(values.get(name, word))
        if word.endswith("...") and name in values:
            known = ("domU",) if kind(values[name]) else ("domU", "")
            further = [extra for extra in more if not extra.isdigit() and kind(extra) in known]
            left += [extra for extra in more if extra not in further]
            filled, more = filled + further, []
    alone = filled[1] if filled[1:] and len(values) == 1 and not more else ""
    if other := of_other_kind(filled[0], alone, kind(alone) if alone else ""):
        return other
    left = left + more
    without = f"without {' '.join(left)}" if left else ""
    return tuple(filled), "; ".join(filter(None, (without, meaning.note)))


def _placed(
    pattern: Pattern, typed: Sequence[str], kind: Kind
) -> tuple[dict[str, str], list[str], list[str]]:
    """The operands by name, further ones, and what is none: by mark, by kind, by place."""
    names = [name for name in pattern.rest if name.isupper()]
    values: dict[str, str] = {}
    free: list[str] = []
    left: list[str] = []
    for place, word in enumerate(typed):
        if pattern.rest[place : place + 1] and not pattern.rest[place].isupper():
            continue
        name, value = _marked(word)
        if name in names and name not in values:
            values[name] = value
        elif name or word[0] == "-" or "=" in word:
            left.append(word)
        else:
            free.append(value)
    names = [name for name in names if name not in values]
    if names[:2] == ["DOMAIN", "NODE"] and [*map(kind, free[:2])] == ["node", "domU"]:
        free[:2] = reversed(free[:2])
    values |= dict(zip(names, free, strict=False))
    return values, free[len(names) :], left
