"""What to type instead of another tool's line. Loaded only for a word that hxm has not.

The answer is a line that does what was meant, or a note: a word that has no place in hxm's command
is never left out of a line, moved or taken for another one.
"""

from __future__ import annotations

from typing import NamedTuple

from hxm.catalog import COMMANDS
from hxm.catalog.command import LOOK, READS
from hxm.catalog.foreign.equivalents import MEANINGS
from hxm.catalog.foreign.lacking import BEYOND, TRANSLATIONS
from hxm.catalog.foreign.meaning import TOOLS, Meaning
from hxm.catalog.foreign.patterns import (
    Fit,
    Pattern,
    Values,
    filled,
    fit,
    operands_of,
    pattern_of,
)
from hxm.catalog.foreign.typed import NEVER, OF_EVERY_TOOL, Typed, spelled, taken_apart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hxm.catalog.foreign.typed import Takes

    Declared = Callable[[str, Sequence[str]], Mapping[str, Takes]]

NOUNS = frozenset(
    (
        *("resource", "resources", "node", "nodes", "cluster", "host"),
        *("vm", "vms", "instance", "domain", "domu", "pod", "pods"),
    )
)
"""What other tools say before the verb, where hxm says nothing."""
_THEMSELVES = ("hxm", "xl", "xm", "sudo")
"""What hxm itself, and what it replaces, is called: typed twice, or in hxm's own shell."""


class Translation(NamedTuple):
    """The words to type after `hxm`, none where there is no such line, and notes."""

    command: tuple[str, ...]
    notes: tuple[str, ...] = ()


class Asked(NamedTuple):
    """What a translation needs to know of hxm and of the cluster."""

    declared: Declared
    """The options of a command of hxm's, by their spellings."""
    kind: Callable[[str], str]
    """Whether a word is a node or a domU; empty if neither, or if the cluster does not say."""


def _by_word() -> list[Pattern]:
    """What single words mean without their tool."""
    return [
        pattern_of("", " ".join((word, *_operands(meaning.command))), meaning)
        for meaning in MEANINGS
        for word in meaning.words.split()
    ]


def _operands(command: str) -> list[str]:
    return [word for word in command.split() if any(map(str.isupper, word))]


def _by_tool() -> list[Pattern]:
    """What the lines of the other tools mean, with their tool."""
    return [
        pattern_of(tool, line, meaning)
        for meaning in (*MEANINGS, *BEYOND)
        for tool, line in meaning.elsewhere
    ]


_WORDS = _by_word()
_LINES = _by_tool()


def _shortened() -> list[Pattern]:
    """The lines without their tool, and also without its noun (`resource move`, `move`).

    A line that means different things in two tools is left out.
    """
    meant: dict[tuple[str, ...], set[Meaning]] = {}
    short = []
    for pattern in _LINES:
        noun = pattern.key[:1] != () and pattern.key[0] in NOUNS
        for key in {pattern.key, pattern.key[1:] if noun else pattern.key} - {()}:
            meant.setdefault(key, set()).add(pattern.meaning)
            short.append(pattern._replace(key=key))
    words = {pattern.key for pattern in _WORDS}
    tools: dict[tuple[str, ...], set[str]] = {}
    for pattern in short:
        tools.setdefault(pattern.key, set()).add(pattern.tool)
    return [
        pattern
        for pattern in short
        if pattern.key not in words
        and (len(meant[pattern.key]) == 1 or len(tools[pattern.key]) == 1)
    ]


_SHORT = _shortened()


def translate(words: Sequence[str], asked: Asked, *, least: int = 1) -> Translation | None:
    """The command for another tool's line; None for no such line.

    The command has the operands that were typed, and names those that are missing. At least so
    many words must be known ones.
    """
    first, rest = words[0], words[1:]
    if first in _THEMSELVES and rest:
        return _own(rest, asked, first) or translate(rest, asked)
    if first in TOOLS:
        of_tool = [pattern for pattern in _LINES if pattern.tool == first]
        return (
            _best(rest, of_tool, asked, tool=first)
            or (_own(_without_noun(rest), asked, "") if rest else None)
            or (_best(_without_noun(rest), _WORDS, asked, tool=first) if rest else None)
            or Translation((), (TRANSLATIONS,))
        )
    answer = _best(words, [*_SHORT, *_WORDS], asked, least=least)
    if answer is None and _without_noun(words) != list(words):
        bare = _without_noun(words)
        return _own(bare, asked, first) or _best(bare, [*_SHORT, *_WORDS], asked)
    return answer


def _without_noun(words: Sequence[str]) -> list[str]:
    return list(words[1:] if words[1:] and words[0] in NOUNS else words)


def _own(words: Sequence[str], asked: Asked, behind: str) -> Translation | None:
    """A command line that is hxm's own already, behind the name of a tool or a noun."""
    row = COMMANDS.get(words[0])
    if row is None or not (row.group or behind in _THEMSELVES):
        return None
    if row.policy:
        return Translation(tuple(words))
    declared = _may_be_kept(asked.declared(words[0], words[1:]), of_tool=not behind)
    typed = taken_apart(words, (), {}, declared)
    return _with_options(tuple(typed.words), typed, asked)


def _best(
    words: Sequence[str],
    patterns: Sequence[Pattern],
    asked: Asked,
    *,
    tool: str = "",
    least: int = 1,
) -> Translation | None:
    """The answer of the pattern that has the most of the words, as they are."""
    plain = [word for word in words if word[:1] != "-"]
    keys = sorted({pattern.key for pattern in patterns}, key=len, reverse=True)
    for key in keys:
        if len(key) < (least if not tool else 0) or tuple(plain[: len(key)]) != key:
            continue
        fitting = [
            (placed, typed)
            for pattern in patterns
            if pattern.key == key
            for placed, typed in _tried(pattern, words, asked, tool)
        ]
        if fitting:
            placed, typed = max(fitting, key=_how_well)
            if not (_is_subcommand(placed) and key):
                return _answer(placed, typed, asked)
    return None


def _how_well(fitting: tuple[Fit, Typed]) -> tuple[bool, bool, int, bool]:
    placed, typed = fitting
    return (
        not placed.surplus and not typed.doubt,
        not placed.surplus,
        placed.exact,
        bool(placed.pattern.meaning.command),
    )


def _is_subcommand(placed: Fit) -> bool:
    """Whether the first word that has no place may be a command of the other tool's."""
    pattern = placed.pattern
    return bool(placed.surplus) and not pattern.places and pattern.key[-1] in NOUNS


def _tried(
    pattern: Pattern, words: Sequence[str], asked: Asked, tool: str
) -> list[tuple[Fit, Typed]]:
    """What was typed in the places of the pattern; empty if it does not fit."""
    options = {name: bool(p.word) for name, p in pattern.by_name.items() if name[0] == "-"}
    command = pattern.meaning.command.split()
    every = asked.declared(command[0], command[1:]) if command else {}
    declared = _may_be_kept(every, of_tool=bool(tool))
    behind = tool or pattern.tool
    tools = [behind, " ".join((behind, *pattern.key[:1]))]
    typed = taken_apart(words, tools, options, declared)
    key = len(pattern.key)
    if tuple(typed.words[:key]) != pattern.key:
        return []
    placed = fit(pattern, typed.words[key:], typed.of_pattern)
    return [(placed, typed)] if placed else []


def _may_be_kept(declared: Mapping[str, Takes], *, of_tool: bool) -> dict[str, Takes]:
    return {
        name: option
        for name, option in declared.items()
        if name not in NEVER and not (of_tool and name not in OF_EVERY_TOOL)
    }


def _answer(placed: Fit, typed: Typed, asked: Asked) -> Translation:
    meaning = placed.pattern.meaning
    note = (meaning.note,) if meaning.note else ()
    if not meaning.command:
        return Translation((), note)
    like = f"the like is: hxm {meaning.command}"
    if typed.doubt:
        return Translation(
            (), (like, f"whether {typed.doubt!r} is an option with its value is unclear")
        )
    if placed.surplus:
        return Translation((), (like, f"it has no place for {' '.join(placed.surplus)}", *note))
    values, options = _everything(meaning.command, placed.values, typed.of_hxm, asked)
    if values is None:
        return Translation((), (like, "it takes names, or -a alone"))
    if wrong := _unusable(placed.pattern, values, asked):
        return Translation((), (like, wrong, *note))
    values = _in_units(placed.pattern, values)
    if values is None:
        return Translation((), (like, *note))
    other = _by_kind(meaning.command, values, asked)
    if isinstance(other, Translation):
        rest = (*other.notes, *(() if other.command else note))
        return _with_options(other.command, typed, asked, rest) if other.command else other
    command = tuple(filled(meaning.command, other))
    if "-a" in options or "--all" in options:
        command = tuple(word for word in command if word != "DOMAIN...")
    return _with_options(command, typed._replace(of_hxm=options), asked, note)


def _with_options(
    command: tuple[str, ...], typed: Typed, asked: Asked, notes: Sequence[str] = ()
) -> Translation:
    """The line with the options that the command has; none if it would change what was a trial."""
    declared = asked.declared(command[0], command[1:])
    options = [
        word for word in typed.of_hxm if word[:1] != "-" or word.partition("=")[0] in declared
    ]
    left_out = [*typed.left_out, *(word for word in typed.of_hxm if word not in options)]
    row = COMMANDS.get(command[0])
    harmless = row is None or row.group == LOOK or row.policy == READS
    if any(spelled(word) == "--dry-run" for word in left_out) and not harmless:
        return Translation((), (f"hxm {command[0]} has no --dry-run", *notes))
    without = (f"without {' '.join(left_out)}",) if left_out else ()
    return Translation(
        (*command, *(word for word in options if word not in command)), (*without, *notes)
    )


def _everything(
    command: str, values: Values, options: list[str], asked: Asked
) -> tuple[Values | None, list[str]]:
    """The operands and options with `all` turned into -a, where the command has that option.

    The operands are None if -a stands beside a name: the two contradict each other.
    """
    place = operands_of(command).get("DOMAIN")
    names = values.get("DOMAIN", [])
    if place is None or not place.repeated:
        return values, options
    declared = asked.declared(command.split(maxsplit=1)[0], ())
    if "all" in names and len(names) == 1 and "-a" in declared:
        return {name: value for name, value in values.items() if name != "DOMAIN"}, ["-a", *options]
    if names and ("-a" in options or "--all" in options):
        return None, options
    return values, options


_TAKE_ALL = ("default", "manage", "unmanage", "cleanup", "unmigrate")


def _unusable(pattern: Pattern, values: Values, asked: Asked) -> str:
    """Why a value cannot be a domU's name: a number is another tool's, or a domid of this host."""
    by_number = TOOLS.get(pattern.tool, "").startswith("Proxmox")
    for word in values.get("DOMAIN", ()):
        if word == "all" and not pattern.meaning.command.startswith(_TAKE_ALL):
            return "it takes names: '*' means every domU"
        if word.isdigit() and (by_number or not asked.kind(word)):
            return f"hxm takes a domU's name, not {word}"
    return ""


def _in_units(pattern: Pattern, values: Values) -> Values | None:
    """The values with virsh's KiB in hxm's MiB; None for a size that is no whole number of them."""
    if pattern.tool != "virsh" or "MEMORY" not in values:
        return values
    size = values["MEMORY"][0]
    number, unit = size.rstrip("KMGkmgiB"), size.lstrip("0123456789")[:1].upper() or "K"
    kib = int(number) * 1024 ** "KMG".index(unit) if number.isdigit() and unit in "KMG" else 1
    return None if kib % 1024 else values | {"MEMORY": [str(kib // 1024)]}


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
"""What is to be typed for a domU, where a command for nodes was; and a note."""


def of_other_kind(verb: str, operand: str, kind: str) -> Translation | None:
    """The command to type for an operand that is a node where a domU is wanted, or a domU."""
    table = {"node": FOR_A_NODE, "domU": FOR_A_DOMU}.get(kind, {})
    if verb not in table:
        return None
    command, note = table[verb]
    return Translation((*command.split(), operand), (note,) if note else ())


def _by_kind(command: str, values: Values, asked: Asked) -> Values | Translation:
    """The values, each where its kind belongs, or the command for what was named."""
    verb = command.split(maxsplit=1)[0]
    wanted = {"DOMAIN": "domU", "NODE": "node"}
    if verb not in FOR_A_NODE | FOR_A_DOMU:
        return values
    named = [(place, word) for place in wanted for word in values.get(place, ())]
    kinds = {word: asked.kind(word) for _, word in named}
    wrong = [word for place, word in named if kinds[word] not in ("", wanted[place])]
    if not wrong:
        return values
    if len(named) == 1:
        other = of_other_kind(verb, wrong[0], kinds[wrong[0]])
        if other:
            return other
    nodes = [word for _, word in named if kinds[word] == "node"]
    domus = [word for _, word in named if kinds[word] == "domU"]
    places = operands_of(command)
    if "DOMAIN" in places and places["DOMAIN"].repeated and len(domus) == len(named):
        return {"DOMAIN": domus}
    if "NODE" in places and domus and len(nodes) == 1 == len(named) - len(domus):
        return values | {"DOMAIN": domus, "NODE": nodes}
    place = "domU" if kinds[wrong[0]] == "node" else "node"
    return Translation((), (f"the like is: hxm {command}", f"{wrong[0]} is no {place}"))
