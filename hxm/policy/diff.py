"""What two configurations differ in, in words: neutral facts in, sentences out.

A configuration is here what `pacemaker.written` makes of its XML: for each thing in it, a node or
a domU or a constraint, its facts by name.
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


Facts = Mapping[Item, Mapping[str, str]]


class Difference(NamedTuple):
    """One fact that is not the same in both; None where it is missing.

    Without a `name` it is the whole thing that was added or removed, and its facts.
    """

    item: Item
    name: str
    before: str | None
    after: str | None
    facts: Mapping[str, str] = {}

    @property
    def added(self) -> bool:
        """Whether the whole thing was not there before."""
        return not self.name and self.before is None

    @property
    def removed(self) -> bool:
        """Whether the whole thing is not there any more."""
        return not self.name and self.after is None

    @property
    def secret(self) -> bool:
        """Whether its values are never to be shown."""
        return is_secret(self.name)


HIDDEN = "a secret"
_SECRETS = ("passw", "passphrase", "pwd", "secret", "token", "credential", "community", "private")
_SECRET_WORDS = frozenset(("pass", "key", "auth", "pin", "apikey"))


def is_secret(name: str) -> bool:
    """Whether a parameter of that name may hold a password or a key, by what agents call theirs.

    (The fence agents of cluster-glue and of fence-agents 4.12: passwd, ilo_password, password,
    community, snmp_priv_passwd, secret_key, apikey, token.)
    """
    lower = name.lower()
    words = lower.replace("-", " ").replace("_", " ").split()
    if lower.startswith("recipient "):  # of an alert: an address, which may have a token in it
        return True
    return any(each in lower for each in _SECRETS) or not _SECRET_WORDS.isdisjoint(words)


def differences(before: Facts, after: Facts) -> list[Difference]:
    """What is not the same, thing by thing, in the order of the two configurations."""
    return [
        each
        for item in dict.fromkeys((*before, *after))
        for each in _of(item, before.get(item), after.get(item))
    ]


def _of(
    item: Item, before: Mapping[str, str] | None, after: Mapping[str, str] | None
) -> Iterator[Difference]:
    if before is None or after is None:
        facts = after if before is None else before
        was, now = ("here", None) if after is None else (None, "here")
        yield Difference(item, "", was, now, facts or {})
        return
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            yield Difference(item, name, before.get(name), after.get(name))


def sentence(each: Difference, *, brief: bool = False) -> str:
    """One difference as a line: what is so now, and what was; `brief` leaves rules undescribed."""
    if not each.name:
        what = "was removed" if each.after is None else "was added"
        return f"{each.item.called} {what}{_described(each.facts, brief=brief)}"
    subject = f"{each.item.called}: {each.name}"
    if each.secret and None not in (each.before, each.after):
        return f"{subject.removesuffix(f' ({HIDDEN})')} was changed ({HIDDEN})"
    now, was = _value(each.name, each.after), _value(each.name, each.before)
    return f"{subject} is {now}, was {was}"


def intention(each: Difference) -> str:
    """One difference as a line of a plan: what would be so, and what is; rules are only named."""
    if not each.name:
        what = "removed" if each.after is None else "added"
        return f"{each.item.called} would be {what}{_described(each.facts, brief=True)}"
    subject = f"{each.item.called}: {each.name}"
    if each.secret and None not in (each.before, each.after):
        return f"{subject.removesuffix(f' ({HIDDEN})')} would be changed ({HIDDEN})"
    then, now = _value(each.name, each.after), _value(each.name, each.before)
    return f"{subject} would be {then}, is {now}".replace("would be not set", "would not be set")


def _value(name: str, value: str | None) -> str:
    return "not set" if value is None else _shown(name, value)


def _described(facts: Mapping[str, str], *, brief: bool) -> str:
    """What there is to say of a whole thing, in brackets."""
    rules = [name for name in facts if brief and name.startswith("rule ")]
    told = [f"{each} {_shown(each, facts[each])}".strip() for each in facts if each not in rules]
    if rules:
        about = dict.fromkeys(facts[each] for each in rules if each.endswith(" attribute"))
        told.append(f"a rule with {listed(list(about))}" if about else "a rule")
    return f" ({listed(told, 6)})" if told else ""


def _shown(name: str, value: str) -> str:
    """The value, but for what may be a password: of a name, or in `user:password@host`."""
    if is_secret(name):
        return f"({HIDDEN})"
    before, _, after = value.rpartition("@")
    user, colon, _ = before.partition(":")
    return (f"{user}:({HIDDEN})@{after}" if colon else value) or '""'


def as_row(each: Difference) -> dict[str, object]:
    """A difference for programs, with secrets left out."""
    before, after = (
        None if value is None else _shown(each.name, value) for value in (each.before, each.after)
    )
    return {
        "kind": each.item.kind,
        "id": each.item.id,
        "section": each.item.section,
        "change": _change(each),
        "name": each.name or None,
        "before": before if each.name else None,
        "after": after if each.name else None,
        "facts": {name: _shown(name, value) for name, value in each.facts.items()},
        "says": sentence(each),
    }


def _change(each: Difference) -> str:
    if each.name:
        return "changed"
    return "removed" if each.after is None else "added"


def summed_up(found: Sequence[Difference], most: int = 3) -> str:
    """The first few differences in one line."""
    more = f"; {len(found) - most} more" if len(found) > most else ""
    return "; ".join(sentence(each, brief=True) for each in found[:most]) + more
