"""Generates hxm.8 from hxm.8.in and hxm's own tables: run it after a change of either."""

from __future__ import annotations

import ast
import os
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.insert(0, ROOT)

from hxm import __version__, errors  # noqa: E402
from hxm.arguments.describe import (  # noqa: E402
    Entry,
    own_commands,
    shared_options,
    toolstack_commands,
)
from hxm.arguments.types import Option  # noqa: E402
from hxm.catalog import ALIASES, COMMANDS  # noqa: E402
from hxm.catalog.command import GROUPS, HOST, READS, REFUSED, RUNTIME  # noqa: E402
from hxm.config import Config  # noqa: E402
from hxm.policy.audit import CODES  # noqa: E402

_PLAIN = frozenset({"DOMAIN", "NODE"})
"""Operands that the section on who is meant explains."""


def generate() -> str:
    """The text of hxm.8."""
    text = _read(HERE, "hxm.8.in")
    parts: dict[str, Iterable[str]] = {
        "VERSION": [roff(__version__)],
        "COMMANDS": _commands(),
        "OPTIONS": _options(shared_options("order")),
        "FORMS": _options(shared_options("form")),
        "ALIASES": [",\n".join(f"{_bold(old)} ({_bold(new)})" for old, new in ALIASES.items())],
        "PASSED": _names(READS, HOST),
        "WARNED": _judged(RUNTIME),
        "REFUSED": _judged(REFUSED),
        "CHECKS": _checks(),
        "STATUSES": _statuses(),
        "SETTINGS": _settings(),
    }
    for name, lines in parts.items():
        text = text.replace(f"@{name}@", "\n".join(lines))
    return text


def _read(*path: str) -> str:
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def roff(text: str) -> str:
    """Text from the program: no character of it means anything to roff; `code` becomes bold."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    text = re.sub("`([^`]*)`", r"\\fB\1\\fR", text)
    return re.sub(r"(?m)^(?=[.'])", r"\\&", text)


def _bold(text: str) -> str:
    return f"\\fB{roff(text)}\\fR"


def prose(text: str) -> str:
    """Running text: each sentence begins a line of the source, as roff likes it."""
    sentences = re.split(r"(?<=[.?!]) (?=[A-Z`])", " ".join(text.split()))
    return "\n".join(roff(textwrap.fill(each, 72, break_on_hyphens=False)) for each in sentences)


def _paragraphs(text: str) -> Iterator[str]:
    """A docstring within a list: paragraphs keep the indentation."""
    for number, paragraph in enumerate(text.split("\n\n")):
        if number:
            yield ".sp"
        yield prose(paragraph)


def _commands() -> Iterator[str]:
    for group in GROUPS:
        yield f".SS {group}"
        for entry in own_commands():
            if entry.group == group:
                yield from _command(entry)


def _command(entry: Entry) -> Iterator[str]:
    shown = [option for option in entry.options if not option.hidden]
    yield ".TP"
    yield _synopsis(entry, shown)
    yield from _paragraphs(entry.text)
    said = [each for each in entry.operands if not set(each.kinds) <= _PLAIN]
    from_xl = [option.spellings[0] for option in entry.options if option.hidden]
    if said or shown or from_xl:
        yield ".RS"
        for operand in said:
            yield from (".TP", _metavar(operand.metavar), prose(operand.help))
        yield from _options(shown)
        if from_xl:
            yield ".PP"
            yield "Of xl and xm, for a domU that is not managed:"
            yield _listed(from_xl) + "."
        yield ".RE"
    for each in entry.subcommands:
        yield from _command(each)


def _synopsis(entry: Entry, options: Iterable[Option]) -> str:
    words = [_bold(entry.name)]
    if entry.subcommands:
        words.append("\\fICOMMAND\\fR")
    words += [f"[{_spelled(option, short=True)}]" for option in options]
    words += [_metavar(each.metavar) for each in entry.operands]
    return "\\ ".join(words) if len(words) < 4 else " ".join(words)


def _metavar(text: str) -> str:
    """Capitals stand for something and are italic; other words are typed as they are."""
    text = re.sub("[A-Z]+", lambda found: f"\\fI{found[0]}\\fR", text)
    return re.sub(r"(?<![\\A-Za-z])[a-z]+", lambda found: f"\\fB{found[0]}\\fR", text)


def _options(options: Iterable[Option]) -> Iterator[str]:
    for option in options:
        yield ".TP"
        yield _spelled(option)
        default = f" The default is `{option.default}`." if option.default else ""
        yield prose(option.help + default)


def _spelled(option: Option, *, short: bool = False) -> str:
    spellings = option.spellings[:1] if short else option.spellings
    value = f"\\ {_metavar(option.value)}" if option.value else ""
    between = " | " if option.opposites and not short else ", "
    return between.join(map(_bold, spellings)) + value


def _names(*policies: str) -> Iterator[str]:
    yield _listed(sorted(toolstack_commands(*policies))) + "."
    if bygone := toolstack_commands(*policies, bygone=True):
        yield ".PP"
        yield "And, where the toolstack still has it:"
        yield _listed(sorted(bygone)) + "."


def _listed(names: Iterable[str]) -> str:
    return ",\n".join(map(_bold, names))


def _judged(policy: str) -> Iterator[str]:
    """The commands that share a reason and a remedy, in the order of the table."""
    reasons: dict[tuple[str, str, bool], list[str]] = {}
    for row in COMMANDS.values():
        if row.policy == policy:
            reasons.setdefault((row.why, row.instead, row.local_only), []).append(row.name)
    for (why, instead, _), names in reasons.items():
        yield ".PP"
        yield _listed(names)
        yield ".RS 4"
        lead = ". Instead: " if policy == REFUSED else "; "
        done = instead.format(domain="DOMAIN", xmfile="its configuration file")
        yield prose(why[0].upper() + why[1:] + f"{lead}{done}" * bool(done) + ".")
        yield ".RE"


def _checks() -> Iterator[str]:
    """The codes of hxm check: errors first, as in its table."""
    for severity, codes in CODES.items():
        yield f".SS {severity.capitalize()}s"
        for code, meaning in codes.items():
            yield from (".TP", _bold(code), prose(meaning))


def _statuses() -> Iterator[str]:
    yield from (".TP", _bold("0"), "Done: the state was reached, or was there already.")
    texts = {
        error.status: error.__doc__ or ""
        for error in vars(errors).values()
        if isinstance(error, type)
        and issubclass(error, errors.HxmError)
        and error is not errors.HxmError
    }
    for status, text in sorted(texts.items()):
        yield from (".TP", _bold(str(status)), prose(text))


def _settings() -> Iterator[str]:
    """The keys of the configuration file: the text under each field says what it is."""
    tree = ast.parse(_read(ROOT, "hxm", "config.py"))
    (found,) = (
        node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Config"
    )
    for field, text in zip(found.body, found.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            assert isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)  # noqa: PT018
            default = getattr(Config(), field.target.id)
            shown = f'"{default}"' if isinstance(default, str) else f"{default:g}"
            if isinstance(default, bool):
                shown = str(default).lower()
            yield from (".TP", f"{_bold(field.target.id)} = {_bold(shown)}")
            yield prose(str(text.value.value))


if __name__ == "__main__":
    with open(os.path.join(HERE, "hxm.8"), "w", encoding="utf-8") as out:
        out.write(generate())
