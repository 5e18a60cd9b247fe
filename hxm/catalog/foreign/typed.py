"""The options in another tool's line: which of them hxm has, and which words are their values."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

OF_EVERY_TOOL = ("--dry-run", "--timeout", "--reason", "--wait")
"""What means the same in another tool's line; any other option of that tool is none of hxm's."""
NEVER = ("-y", "--yes", "--force")
"""Not put into a line to be pasted: elsewhere they mean less, and here they lift refusals."""
_DRY = ("--dry-run=client", "--dry-run=server", "--simulate", "--dryrun")
"""How other tools say --dry-run."""

_FLAGS = {
    "": "--live --online --force --yes --all --multiple --verbose --quiet --ignore-daemonsets "
    "--delete-emptydir-data --persistent --p2p --tunnelled --unsafe --undefinesource --disable "
    "--now --watch --config --current --paused --safe --brief --strict --wait --dry-run --follow "
    "--with-local-disks --overrule-shutdown --forceStop --scheduled --all-namespaces --tty --stdin "
    "-y -q -v --copy-storage-all --allow-failover --ignore-consistency --previous",
    "kubectl": "-A -w -it -i -t -R",
    "kubectl logs": "-f -p",
    "virsh": "--inactive --title --table --name --uuid --domain",
    "gnt-instance": "-f",
    "gnt-node": "-f",
    "gnt": "-L -X",
    "pcs": "-f --strict",
    "crm": "-1 -r -n -A -f -F -w -V",
}
_VALUED = {
    "": "--timeout --reason --grace-period --mode --namespace --output --selector --bwlimit "
    "--storage --target-node --container --since --tail --on",
    "kubectl": "-n -o -l -c",
    "patronictl": "-c --group",
    "virsh": "-c",
    "gnt-instance": "-n",
    "gnt-node": "-n",
}
"""Options of the other tools without and with a value, by the words that they stand behind.

Whether a word behind any other option is its value cannot be known.
"""


class Takes(NamedTuple):
    """What an option of hxm's takes."""

    value: bool
    accepts: Callable[[str], bool]
    """Whether this is a value that it can read."""


class Typed(NamedTuple):
    """What was typed, taken apart."""

    words: list[str]
    of_pattern: dict[str, str]
    """The options that belong to the other tool's pattern."""
    of_hxm: list[str]
    """The options that hxm's command has too, as they are typed."""
    left_out: list[str]
    doubt: str
    """An option and the word behind it, which may be its value or an operand."""


def taken_apart(
    typed: Sequence[str],
    tools: Sequence[str],
    of_pattern: Mapping[str, bool],
    declared: Mapping[str, Takes],
) -> Typed:
    """The words and the options of a line.

    `of_pattern` says of each option of the pattern whether it takes a value; `declared` are the
    options of hxm's command that may be kept.
    """
    flags, valued = ({word for tool in ("", *tools) for word in table.get(tool, "").split()}
                     for table in (_FLAGS, _VALUED))  # fmt: skip
    valued = valued | {name for name, option in declared.items() if option.value}
    apart = Typed([], {}, [], [], "")
    rest = list(typed)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return apart._replace(words=apart.words + rest)
        if word == "-" or word[0:1] != "-":
            apart.words.append(word)
            continue
        name, mark, value = spelled(word).partition("=")
        takes = of_pattern.get(name, name in valued and name not in of_pattern)
        if takes and not mark and rest:
            value, mark = rest.pop(0), " "
        if name in of_pattern and name not in apart.of_pattern and bool(mark) == of_pattern[name]:
            apart.of_pattern[name] = value
        elif of_hxm := _of_hxm(name, mark, value, declared):
            apart.of_hxm.extend(of_hxm)
        else:
            apart.left_out.append(word + (f" {value}" if mark == " " else ""))
            if not (mark or takes or name in flags) and rest and rest[0][:1] != "-":
                return apart._replace(doubt=f"{word} {rest[0]}")
    return apart


def spelled(word: str) -> str:
    """The option as hxm spells it: --dry-run, and --timeout for Proxmox's -timeout."""
    if word in _DRY:
        return "--dry-run"
    return f"-{word}" if word[1:2] != "-" and word[1:4].isalpha() and len(word) > 3 else word


def _of_hxm(name: str, mark: str, value: str, declared: Mapping[str, Takes]) -> list[str]:
    """The option as hxm's command takes it; empty if it does not."""
    option = declared.get(name)
    if option is None or option.value != bool(mark):
        return []
    if option.value and not option.accepts(value):
        return []
    return [name, value] if mark == " " else [f"{name}={value}"] if mark else [name]
