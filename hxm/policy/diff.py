"""What two configurations differ in, in words: neutral facts in, sentences out.

A configuration is here what `pacemaker.cib_flatten` makes of its XML: for each thing in it, a node
or a domU or a constraint, its facts by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from hxm.policy import listed


class Item(NamedTuple):
    """A thing in a configuration: its kind, its id, and the section that it stands in."""

    kind: str
    id: str
    section: str

    @property
    def called(self) -> str:
        """Its name in a sentence."""
        return f"{self.kind} {self.id}" if self.id else f"the {self.kind}"


class Fact(NamedTuple):
    """A value in a configuration, and whether it may be shown."""

    value: str
    shown: bool = True

    def __str__(self) -> str:
        """The value for a sentence.

        Of `user:password@host` the password is left out as well, and of a URL its query.
        """
        if not self.shown:
            return f"({HIDDEN})"
        value, question, _ = self.value.partition("?")
        before, _, after = value.rpartition("@")
        user, colon, _ = before.partition(":")
        value = f"{user}:({HIDDEN})@{after}" if colon else value
        return f"{value}?({HIDDEN})" if question else value or '""'


Facts = Mapping[Item, Mapping[str, Fact]]
HIDDEN = "not shown"


class Difference(NamedTuple):
    """One fact that is not the same in both; None where it is missing.

    Without a `name` it is the whole thing that was added or removed, and its facts.
    """

    item: Item
    name: str
    before: Fact | None
    after: Fact | None
    facts: Mapping[str, Fact] = {}

    @property
    def added(self) -> bool:
        """Whether the whole thing was not there before."""
        return not self.name and self.before is None

    @property
    def removed(self) -> bool:
        """Whether the whole thing is not there any more."""
        return not self.name and self.after is None

    @property
    def only_changed(self) -> bool:
        """Whether there is a value in both, and one of them is not to be shown."""
        return bool(self.before and self.after and not (self.before.shown and self.after.shown))


def differences(before: Facts, after: Facts) -> list[Difference]:
    """What is not the same, thing by thing, in the order of the two configurations."""
    return [
        difference
        for item in dict.fromkeys((*before, *after))
        for difference in _of(item, before.get(item), after.get(item))
    ]


_HERE = Fact("here")


def _of(
    item: Item, before: Mapping[str, Fact] | None, after: Mapping[str, Fact] | None
) -> Iterator[Difference]:
    if before is None or after is None:
        facts = after if before is None else before
        was, now = (_HERE, None) if after is None else (None, _HERE)
        yield Difference(item, "", was, now, facts or {})
        return
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            yield Difference(item, name, before.get(name), after.get(name))


def sentence(difference: Difference, *, brief: bool = False) -> str:
    """One difference as a line: what is so now, and what was; `brief` leaves rules undescribed."""
    called = difference.item.called
    if not difference.name:
        what = "was removed" if difference.removed else "was added"
        return f"{called} {what}{_described(difference.facts, brief=brief)}"
    subject = f"{called}: {difference.name}"
    if difference.only_changed:
        return f"{subject} was changed ({HIDDEN})"
    return f"{subject} is {_value(difference.after)}, was {_value(difference.before)}"


def intention(difference: Difference) -> str:
    """One difference as a line of a plan: what would be so, and what is; rules are only named."""
    called = difference.item.called
    if not difference.name:
        what = "removed" if difference.removed else "added"
        return f"{called} would be {what}{_described(difference.facts, brief=True)}"
    subject = f"{called}: {difference.name}"
    if difference.only_changed:
        return f"{subject} would be changed ({HIDDEN})"
    then = f"be {difference.after}" if difference.after else "not be set"
    return f"{subject} would {then}, is {_value(difference.before)}"


def _value(fact: Fact | None) -> str:
    return "not set" if fact is None else str(fact)


def _described(facts: Mapping[str, Fact], *, brief: bool) -> str:
    """What there is to say of a whole thing, in brackets."""
    rules = [name for name in facts if brief and name.startswith("rule ")]
    parts = [f"{name} {facts[name]}".strip() for name in facts if name not in rules]
    if rules:
        about = dict.fromkeys(str(facts[name]) for name in rules if name.endswith(" attribute"))
        parts.append(f"a rule with {listed(list(about))}" if about else "a rule")
    return f" ({listed(parts, 6)})" if parts else ""


def as_row(difference: Difference) -> dict[str, object]:
    """A difference for programs; what is not to be shown is left out."""
    before, after = (
        str(fact) if fact and difference.name else None
        for fact in (difference.before, difference.after)
    )
    return {
        "kind": difference.item.kind,
        "id": difference.item.id,
        "section": difference.item.section,
        "change": _change(difference),
        "name": difference.name or None,
        "before": before,
        "after": after,
        "facts": {name: str(fact) for name, fact in difference.facts.items()},
        "says": sentence(difference),
    }


def _change(difference: Difference) -> str:
    if difference.name:
        return "changed"
    return "removed" if difference.removed else "added"


def summed_up(differences: Sequence[Difference], most: int = 3) -> str:
    """The first few differences in one line."""
    more = f"; {len(differences) - most} more" if len(differences) > most else ""
    return "; ".join(sentence(difference, brief=True) for difference in differences[:most]) + more
