"""What to type instead of another tool's line. Loaded only for a word that hxm has not."""

from __future__ import annotations

from hxm.catalog import COMMANDS
from hxm.catalog.foreign.equivalents import MEANINGS, TOOLS, Meaning
from hxm.catalog.foreign.lacking import BEYOND, TRANSLATIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Known = dict[tuple[str, ...], tuple[Meaning, tuple[str, ...]]]
"""By the words that are typed as they are: the meaning, and what follows them in the other tool."""


NOUNS = frozenset(
    (
        *("resource", "resources", "node", "nodes", "cluster", "host"),
        *("vm", "vms", "instance", "domain", "domu", "pod", "pods"),
    )
)
"""What other tools say before the verb, where hxm says nothing."""
_THEMSELVES = ("hxm", "xl", "xm", "sudo")
"""What hxm itself, and what it replaces, is called: typed twice, or in hxm's own shell."""


def _known() -> Known:
    known: Known = {}
    for meaning in MEANINGS:
        _, *operands = meaning.command.split() or [""]
        for word in meaning.words.split():
            known[(word,)] = meaning, tuple(operand.strip(".[]") for operand in operands)
    for meaning in (*MEANINGS, *BEYOND):
        for tool, line in meaning.elsewhere:
            if " -" in f" {line}":  # an option that says what is meant stands anywhere
                continue
            fixed, rest = _parts(line)
            known[(tool, *fixed)] = meaning, rest
            if fixed:
                known.setdefault(fixed, (meaning, rest))
            if fixed[1:] and fixed[0] in NOUNS:
                known.setdefault(fixed[1:], (meaning, rest))
    return known


def _parts(line: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words before the first operand, and those from it on."""
    words = line.split()
    count = next((at for at, word in enumerate(words) if not word.islower()), len(words))
    return tuple(words[:count]), tuple(_operand(word) for word in words[count:])


def _operand(word: str) -> str:
    """The name in a word as other tools have it: vm=nfs, vm:nfs, pod/nfs."""
    for mark in ("vm=", "host=", "vm:", "ct:", "pod/", "node/"):
        word = word.removeprefix(mark)
    return word


Answer = tuple[tuple[str, ...], str]
"""The words to type after `hxm`, none where it has no such command, and a note."""


def answer(
    words: Sequence[str], *, least: int = 1, kind: Callable[[str], str] = lambda _: ""
) -> Answer | None:
    """The command for another tool's line; None for no such line.

    The command keeps the operands that were typed, and names those that are missing. At least so
    many words must be known ones. `kind` tells whether an operand is a node or a domU, for which
    the other tool's verb may mean another command. An option that says what is meant counts; no
    other may be among the words.
    """
    first, rest = words[0], words[1:]
    if first in _THEMSELVES and rest:
        return _own(rest) or answer(rest, kind=kind)
    known = _known()
    lengths = [count for count in range(len(words), least - 1, -1) if tuple(words[:count]) in known]
    if first in NOUNS and rest and not any(count > 1 for count in lengths):
        stripped = _own(rest) or answer(rest, least=max(least - 1, 1), kind=kind)
        if stripped:
            return stripped
    if not lengths and first in TOOLS:
        return (rest and (_own(rest) or answer(rest, kind=kind))) or ((), TRANSLATIONS)
    if not lengths:
        return None
    meaning, operands = known[tuple(words[: lengths[0]])]
    command = _filled(meaning.command.split(), operands, words[lengths[0] :])
    return (command[1:] and of_other_kind(command[0], command[1], kind(command[1]))) or (
        command,
        meaning.note,
    )


def answer_by_options(words: Sequence[str]) -> Answer | None:
    """The command for a line whose options say what is meant, such as `set nfs --state started`."""
    for meaning in MEANINGS:
        for tool, line in meaning.elsewhere:
            fixed = [word for word in line.split() if not word.isupper() and "=D" not in word]
            typed = list(words[1:] if words[0] == tool else words)
            if " -" not in f" {line}" or not set(fixed) <= set(typed):
                continue
            operands = [_operand(word) for word in line.split() if word not in fixed]
            rest = [word for word in typed if word not in fixed]
            return _filled(meaning.command.split(), operands, rest), meaning.note
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


def _filled(command: list[str], line: Sequence[str], typed: Sequence[str]) -> tuple[str, ...]:
    """The command with the typed words in the places of its operands."""
    values = dict(zip(line, map(_operand, typed), strict=False))
    more = [_operand(word) for word in typed[len(line) :]]
    filled: list[str] = []
    for word in command:
        name = word.removesuffix("...").strip("[]")
        if name in values or word[0] != "[":
            filled.append(values.get(name, word))
        if word.endswith("...") and name in values:
            filled += more
    return tuple(filled)
