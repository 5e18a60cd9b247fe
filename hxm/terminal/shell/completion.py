"""What may come next on a command line, from the same data as the completions of other shells."""

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
from hxm.policy import listed, typed


class Offer(NamedTuple):
    """A word that may stand there, and what there is to say of it."""

    word: str
    said: str = ""


class CommandLine:
    """All that may be typed, built once from the declarations of the commands."""

    def __init__(self) -> None:
        self.specs: dict[str, Spec] = {name: each for each in all_specs() for name in each.names}
        self.values = values_of_options()
        self.own = summaries()
        self.toolstack = todays_toolstack()
        self.parents = {name.split(" ")[0] for name in self.specs if " " in name}

    def offers(self, text: str, cluster: Cluster | None) -> tuple[str, list[Offer]]:
        """The word that the text ends with, and what may stand in its place."""
        try:
            words = shlex.split(text)
        except ValueError:  # within quotation marks
            return "", []
        current = words.pop() if words and not text[-1:].isspace() else ""
        if words[:1] == ["hxm"]:
            del words[0]
        found = self._possible(words, current, cluster)
        return current, [each for each in found if each.word.startswith(current)]

    def _possible(
        self, words: Sequence[str], current: str, cluster: Cluster | None
    ) -> Iterator[Offer]:
        command, awaiting, only, number = "", "", False, 0
        for word in words:
            if awaiting:
                awaiting = ""
            elif not command:
                if word.startswith("-"):
                    continue
                meant = candidates(word)
                if len(meant) != 1:
                    return
                command = meant[0]
            elif word == "--":
                only = True
            elif word.startswith("-") and not only:
                awaiting = word if word in self.values else ""
            elif command in self.parents:
                command = f"{command} {word}"
            else:
                number += 1
        spec = self.specs.get(command)
        if awaiting:
            kinds = self.values.get(f"{command} {awaiting}", self.values[awaiting])
            yield from self._of_kinds(kinds, current, cluster)
        elif not command:
            yield from self._of_kinds("COMMAND", current, cluster)
        elif spec and current.startswith("-") and not only:
            yield from (Offer(word, said) for word, said in spellings(spec))
        elif spec and spec.operands:
            kinds = spec.operands[min(number, len(spec.operands) - 1)]
            if number < len(spec.operands) or kinds.endswith("..."):
                yield from self._of_kinds(kinds.removesuffix("..."), current, cluster)

    def _of_kinds(self, kinds: str, current: str, cluster: Cluster | None) -> Iterator[Offer]:
        for kind in kinds.split("|"):
            if kind == "COMMAND":
                yield from (Offer(name, said) for name, said in self.own)
                # over a hundred of them: only for who looks for one
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
    """The domUs, and where and how they are."""
    for each in cluster.domains if cluster else ():
        where = f" on {listed(each.nodes)}" if each.nodes else ""
        yield Offer(typed(each), f"{each.role or 'not managed'}{where}")


def nodes(cluster: Cluster | None) -> Iterator[Offer]:
    """The nodes, their condition and how many domUs they run."""
    for node in cluster.nodes if cluster else ():
        count = sum(node.name in each.nodes for each in cluster.domains) if cluster else 0
        yield Offer(node.name, f"{node.condition}, {count} domU{'s' * (count != 1)}")


def files(current: str, *, folders_only: bool) -> Iterator[Offer]:
    """The files that begin so, hidden ones only if asked for."""
    folder, begun = os.path.split(current)
    try:
        found = sorted(os.scandir(folder or "."), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in found:
        if entry.name.startswith(".") and not begun.startswith("."):
            continue
        if entry.is_dir():
            yield Offer(os.path.join(folder, entry.name) + "/")
        elif not folders_only:
            yield Offer(os.path.join(folder, entry.name))
