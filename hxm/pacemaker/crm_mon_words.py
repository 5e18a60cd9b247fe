"""The words of crm_mon's text: the state of a resource, and a failed action."""

from __future__ import annotations

import re
from typing import NamedTuple

from hxm.errors import CannotAsk
from hxm.model import IN_FLIGHT, Failure, Resource
from hxm.pacemaker.status import UNNAMED, operation_in

ROLES = frozenset(
    ("Started", "Stopped", "Master", "Slave", "Promoted", "Unpromoted", "Monitoring", "Unknown")
) | frozenset(IN_FLIGHT)
_MARKS = frozenset(("ORPHANED", "REMOVED", "FAILED", "LOCKED"))
_LOOKED_AWAY = frozenset(("unmanaged", "maintenance", "blocked"))
_FLAG = re.compile(r"UNCLEAN|LOCKED|disabled|target-role:\S+|blocked|maintenance|unmanaged")
_SEVERAL_NODES = re.compile(r"\[([^\[\]]*)\]$")
_PARENTHESES = re.compile(r"[()]|[^()]+")


class _Split(NamedTuple):
    """A line's words, and what stands in parentheses between them."""

    words: list[str]
    flags: frozenset[str]
    balanced: bool


def resource_state(rest: str, line: str, *, under_node: bool, named: bool = True) -> Resource:
    """What stands behind the agent: role, nodes and flags, in any of the orders that were used.

    The role is "?" if the line has none: crm_mon leaves it out for a failed resource, and for one
    that it lists by its nodes. A resource that is on several nodes, or listed `under_node`, may
    have the administrator's description at the end of its line. `named` says that its state must
    come before that. Raises CannotAsk for any other line.
    """
    rest = rest.strip()
    several = _SEVERAL_NODES.search(rest)
    nodes = several[1].split() if several else []
    parts = _split(rest[: several.start()] if several else rest)
    words = list(parts.words)
    described = bool(several) or under_node
    marks = _leading(words, _MARKS)
    role = "".join(_leading(words, ROLES, at_most=1)) or "?"
    stateless = role == "?" and "FAILED" not in marks
    if not words and (nodes or not rest):
        stateless = False  # a list of nodes, or nothing at all, needs no word for the state
    if not described and words and words[0] not in _MARKS:
        nodes.append(words.pop(0))
    marks |= _leading(words, _MARKS)
    unclear = not parts.balanced or bool(words) or bool(set("[]") & set("".join(nodes)))
    if (stateless and (named or not described)) or (unclear and not described):
        raise CannotAsk(f"crm_mon printed a line that hxm does not know: {line!r}")
    targets = [flag.split(":", 1)[1] for flag in parts.flags if flag.startswith("target-role:")]
    return Resource(
        id="",
        agent="",
        role=role,
        target_role=targets[0] if targets else "Stopped" if "disabled" in parts.flags else None,
        managed=not parts.flags & _LOOKED_AWAY,
        failed="FAILED" in marks,
        blocked="blocked" in parts.flags,
        ignored="failure ignored" in parts.flags,
        orphaned=bool(marks & {"ORPHANED", "REMOVED"}),
        nodes=tuple(nodes),
    )


def _leading(words: list[str], known: frozenset[str], at_most: int = 9) -> set[str]:
    """Take the words that are known from the front of the list."""
    taken: set[str] = set()
    while words and words[0] in known and len(taken) < at_most:
        taken.add(words.pop(0))
    return taken


def _split(text: str) -> _Split:
    depth, outside, inside, groups = 0, "", "", []
    balanced = True
    for part in _PARENTHESES.findall(text):
        if part == "(":
            depth += 1
        elif part == ")" and depth:
            depth -= 1
            if not depth:
                groups.append(inside)
                inside, outside = "", outside + " "
        elif depth:
            inside += part
        else:
            balanced = balanced and part != ")"
            outside += part
    flags = frozenset(flag for group in groups for flag in _flags(group))
    return _Split(outside.split(), flags, balanced and not depth)


def _flags(group: str) -> list[str]:
    """The flags in a pair of parentheses: by commas, or by blanks (between 2.0.2 and 2.0.3)."""
    flags: list[str] = []
    for piece in group.split(","):
        words = piece.split()
        flags += words if all(map(_FLAG.fullmatch, words)) else [piece.strip()]
    return flags


_FAILED_AT = re.compile(
    r"(\S+) \(node=([^,]*), call=-?\d+, rc=(-?\d+)(?:, status=[^)]*)?\): (.*)$"  # to 1.1.10
)
_FAILED_ON = re.compile(r"(\S+) on (\S+) '(.*?)' \((-?\d+)\): call=(.*)$")  # 1.1.11 to 2.1.1
_FAILED_IN_WORDS = re.compile(  # 2.1.2 and newer
    r"(\S+) (?:\S+-interval )?(\S+) on (\S+) (?:returned|could not be executed) ?"
    r"(?:'([^']*)')?(?: ?\((.*)\)| because '(.*)')?(?: at (.*?))?(?: after .*)?$"
)
_REASON = re.compile(r"(?>.*?exitreason=')(.*?)'(?:,|$)")  # no later one is tried
_WHEN = re.compile(r"last-rc-change='?([^',]*)'?")


def failure_in(line: str, failures: list[Failure]) -> None:
    """Parse a line of the failed actions and append it; an unknown line is kept as it stands."""
    reason, when = _REASON.match(line), _WHEN.search(line)
    if line.startswith("last-rc-change=") and failures:
        failures[-1] = failures[-1]._replace(when=when[1] if when else "")
    elif match := _FAILED_AT.match(line):
        why = match[4] if "status=" in line else f"{match[4]}, rc={match[3]}"
        failures.append(Failure(*operation_in(match[1]), match[2], why, ""))
    elif match := _FAILED_ON.match(line):
        why = (reason and reason[1]) or match[3]
        since = when[1] if when else ""
        failures.append(Failure(*operation_in(match[1]), match[2], why, since))
    elif match := _FAILED_IN_WORDS.match(line):
        why = match[5] or match[6] or match[4] or ""
        failures.append(Failure(match[1], match[2], match[3], why, match[7] or ""))
    else:
        failures.append(Failure(line.split(maxsplit=1)[0], UNNAMED, "?", line, ""))
