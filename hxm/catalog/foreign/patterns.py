"""Another tool's command line as a pattern, and what was typed in the places of its operands.

A line of the tables consists of words that are typed as they are, operands in capitals, what is
given by name (vm=DOMAIN) and options (--state=started, which is --state started as well).
[] stands around what may be missing, and ... behind what may be repeated.
"""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hxm.catalog.foreign.meaning import Meaning

Values = dict[str, list[str]]
"""What was typed, by the name of the operand."""


class Place(NamedTuple):
    """One word of a pattern; `name` is what it is given by: vm of vm=DOMAIN, --state."""

    name: str
    word: str
    optional: bool
    repeated: bool

    @property
    def operand(self) -> bool:
        """Whether anything may stand there, and not only this very word."""
        return self.word.isupper()


class Pattern(NamedTuple):
    """One way to say it."""

    tool: str
    """Empty for a word without its tool."""
    key: tuple[str, ...]
    """The words that find it."""
    places: tuple[Place, ...]
    meaning: Meaning

    @property
    def by_name(self) -> dict[str, Place]:
        """What is given by name, at any place."""
        return {place.name: place for place in self.places if place.name}

    @property
    def in_order(self) -> list[Place]:
        """What is known by its place."""
        return [place for place in self.places if not place.name]


class Fit(NamedTuple):
    """What was typed, in the places of a pattern."""

    pattern: Pattern
    values: Values
    exact: int
    """How many of the words are typed as they are in the pattern, or given by name."""
    surplus: tuple[str, ...]
    """The words that it has no place for."""


def pattern_of(tool: str, line: str, meaning: Meaning) -> Pattern:
    """The pattern of a line in the tables."""
    places = [_place(word) for word in line.split()]
    fixed = next((n for n, place in enumerate(places) if not _is_fixed(place)), len(places))
    key = tuple(place.word for place in places[:fixed])
    return Pattern(tool, key, tuple(places[fixed:]), meaning)


def _place(text: str) -> Place:
    bare = text.replace("...", "").strip("[]")
    name, mark, word = bare.partition("=")
    if bare[0] == "-" and not mark:
        name, word = bare, ""
    elif not mark:
        name, word = "", bare
    return Place(name, word, optional=text[0] == "[", repeated="..." in text)


def _is_fixed(place: Place) -> bool:
    return not (place.name or place.operand or place.optional)


def fit(pattern: Pattern, words: Sequence[str], options: Mapping[str, str]) -> Fit | None:
    """What follows the key, in the pattern's places; None if a word of the pattern is missing.

    An operand that is missing is no obstacle. `options` are those of the pattern that were typed.
    """
    if not pattern.meaning.command:
        exact = 0 if not pattern.places else _exact(pattern, words)
        return None if exact is None else Fit(pattern, {}, exact, ())
    by_name = pattern.by_name
    named = dict(options)
    plain: list[str] = []
    surplus: list[str] = []
    for word in words:
        name, mark, value = word.partition("=")
        name = _ALSO.get(name, name) if _ALSO.get(name) in by_name else name
        if not mark:
            plain.append(word)
        elif name in by_name and name not in named:
            named[name] = value
        else:
            surplus.append(word)
    values: Values = {}
    if not _name(by_name, named, values):
        return None
    exact = len(named)
    more = _in_order(pattern.in_order, plain, values)
    if more is None:
        return None
    return Fit(pattern, values, exact + more[0], (*more[1], *surplus))


def _exact(pattern: Pattern, words: Sequence[str]) -> int | None:
    """Of a line that hxm has no command for: how many words are there, if all are."""
    wanted = {place.word.lower() for place in pattern.places if not place.operand}
    return len(wanted) if wanted <= {word.lower() for word in words} else None


_ALSO = {"uuid": "vm"}
"""Another name by which the same thing is given."""


def _name(by_name: Mapping[str, Place], named: Mapping[str, str], values: Values) -> bool:
    """Put what was given by name into its places; False if the pattern says something else."""
    for name, place in by_name.items():
        if name not in named:
            if not (place.optional or place.operand):
                return False
        elif place.operand:
            values[place.word] = [operand(place.word, named[name])]
        elif named[name].lower() != place.word.lower():
            return False
    return True


def _in_order(
    places: Sequence[Place], words: Sequence[str], values: Values
) -> tuple[int, list[str]] | None:
    """Put the words into these places; the number of exact ones, and what is left over."""
    rest = list(words)
    exact = 0
    for number, place in enumerate(places):
        if not place.operand:
            if rest and rest[0].lower() == place.word.lower():
                rest.pop(0)
                exact += 1
            elif not place.optional:
                return None
            continue
        if place.word in values:
            continue
        later = sum(other.operand for other in places[number + 1 :])
        count = max(len(rest) - later, 1) if place.repeated else 1
        if fillers := [word for word in rest[:count] if word.lower() in _NO_NAMES]:
            return exact, fillers
        if rest:
            values[place.word] = [operand(place.word, word) for word in rest[:count]]
            rest = rest[count:]
    return exact, rest


_NO_NAMES = ("to", "from", "on", "off", "in", "at", "onto", "and", "with", "force", "now")
"""What stands between operands is none."""


_MARKS = ("vm", "ct", "pod", "pods", "node", "nodes", "deployment", "deploy", "statefulset", "sts")
"""What other tools write before a name, with a colon or a slash."""


def operand(name: str, word: str) -> str:
    """The name in a word as other tools have it: vm:nfs, pod/nfs, xen+ssh://root@host2/system."""
    _, mark, address = word.partition("://")
    if name == "NODE" and mark:
        return address.partition("/")[0].rpartition("@")[2].partition(":")[0]
    for mark in (":", "/"):
        before, _, bare = word.partition(mark)
        if name in ("NODE", "DOMAIN") and before in _MARKS and bare:
            return bare
    return word


def filled(command: str, values: Values) -> Iterator[str]:
    """The words of the command with the operands in their places, or with what is missing."""
    for text in command.split():
        place = _place(text)
        if not place.operand:
            yield text
        elif place.word in values:
            mark = f"{place.name}=" if place.name else ""
            yield from (mark + value for value in values[place.word])
        elif not place.optional:
            yield text


def operands_of(command: str) -> dict[str, Place]:
    """The operands of hxm's command, by name."""
    places = map(_place, command.split())
    return {place.word: place for place in places if place.operand}
