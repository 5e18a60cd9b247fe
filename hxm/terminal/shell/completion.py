"""Completes command lines, from the same data as the completions of other shells."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hxm.arguments.describe import (
    Spec,
    all_specs,
    spellings,
    summaries,
    todays_toolstack,
    values_of_options,
)
from hxm.catalog import candidates
from hxm.model import Cluster
from hxm.policy import counted, listed, typed


class Offer(NamedTuple):
    """A word that may come next, and its meaning."""

    word: str
    text: str = ""


class Position(NamedTuple):
    """The position of the next word on a command line."""

    command: str = ""
    option: str = ""
    """The option whose value the word is."""
    operands: int = 0
    """The number of operands before it."""
    operands_only: bool = False
    """Whether it comes after --, where nothing is an option."""


class CommandLine:
    """Completes words, from the declarations of the commands."""

    def __init__(self) -> None:
        self.specs: dict[str, Spec] = {name: spec for spec in all_specs() for name in spec.names}
        self.values = values_of_options()
        self.own = summaries()
        self.toolstack = todays_toolstack()
        self.parents = {name.split(" ")[0] for name in self.specs if " " in name}

    def offers(self, text: str, cluster: Cluster | None) -> tuple[str, list[Offer]]:
        """The word that the text ends with, and the words that may replace it."""
        try:
            words = shlex.split(text)
        except ValueError:  # within quotation marks
            return "", []
        current = words.pop() if words and not text[-1:].isspace() else ""
        if words[:1] == ["hxm"]:
            del words[0]
        possible = self._possible(words, current, cluster)
        return current, [offer for offer in possible if offer.word.startswith(current)]

    def _possible(
        self, words: Sequence[str], current: str, cluster: Cluster | None
    ) -> Iterator[Offer]:
        position = self._position(words)
        if position is None:
            return
        spec = self.specs.get(position.command)
        if position.option:
            usual = self.values[position.option]
            kinds = self.values.get(f"{position.command} {position.option}", usual)
            yield from self._of_kinds(kinds, current, cluster)
        elif not position.command:
            yield from self._of_kinds("COMMAND", current, cluster)
        elif spec and current.startswith("-") and not position.operands_only:
            yield from (Offer(word, text) for word, text in spellings(spec))
        elif spec and spec.operands:
            kinds = spec.operands[min(position.operands, len(spec.operands) - 1)]
            if position.operands < len(spec.operands) or kinds.endswith("..."):
                yield from self._of_kinds(kinds.removesuffix("..."), current, cluster)

    def _position(self, words: Sequence[str]) -> Position | None:
        """The position after these words; None if the command is ambiguous."""
        position = Position()
        for word in words:
            if position.option:
                position = position._replace(option="")
            elif not position.command:
                if word.startswith("-"):
                    continue
                names = candidates(word)
                if len(names) != 1:
                    return None
                position = position._replace(command=names[0])
            elif word == "--":
                position = position._replace(operands_only=True)
            elif word.startswith("-") and not position.operands_only:
                position = position._replace(option=word if word in self.values else "")
            elif position.command in self.parents:
                position = position._replace(command=f"{position.command} {word}")
            else:
                position = position._replace(operands=position.operands + 1)
        return position

    def _of_kinds(self, kinds: str, current: str, cluster: Cluster | None) -> Iterator[Offer]:
        for kind in kinds.split("|"):
            if kind == "COMMAND":
                yield from (Offer(name, text) for name, text in self.own)
                # over a hundred: only once a letter is typed
                yield from (Offer(name) for name in self.toolstack if current)
            elif kind == "DOMAIN":
                yield from domains(cluster)
            elif kind == "NODE":
                yield from nodes(cluster)
            elif kind in ("FILE", "DIR"):
                yield from files(current, folders_only=kind == "DIR")
            elif kind.islower():
                yield Offer(kind)


def domains(cluster: Cluster | None) -> Iterator[Offer]:
    """The domUs with their roles and nodes."""
    for domain in cluster.domains if cluster else ():
        where = f" on {listed(domain.nodes)}" if domain.nodes else ""
        yield Offer(typed(domain), f"{domain.role or 'not managed'}{where}")


def nodes(cluster: Cluster | None) -> Iterator[Offer]:
    """The nodes with their condition and the number of their domUs."""
    for node in cluster.nodes if cluster else ():
        count = sum(node.name in domain.nodes for domain in cluster.domains) if cluster else 0
        yield Offer(node.name, f"{node.condition}, {counted(count, 'domU')}")


def files(current: str, *, folders_only: bool) -> Iterator[Offer]:
    """The files whose names begin with `current`; hidden ones only after a dot."""
    folder, start = os.path.split(current)
    try:
        entries = sorted(os.scandir(folder or "."), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(".") and not start.startswith("."):
            continue
        if entry.is_dir():
            yield Offer(os.path.join(folder, entry.name) + "/")
        elif not folders_only:
            yield Offer(os.path.join(folder, entry.name))
