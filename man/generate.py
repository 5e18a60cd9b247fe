"""Generates the man pages from man/*.rst: run it after a change of these or of hxm's own tables.

The parts between `.. begin NAME` and `.. end NAME` are generated too: so a forge shows them.
"""

from __future__ import annotations

import ast
import os
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from glob import glob
from typing import Any

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
from hxm.catalog.foreign.equivalents import MEANINGS  # noqa: E402
from hxm.catalog.foreign.meaning import TOOLS, Meaning  # noqa: E402
from hxm.config import SETTINGS, Config, Reached  # noqa: E402
from hxm.policy.audit import CODES  # noqa: E402
from man.roff import to_roff  # noqa: E402

_PLAIN = frozenset({"DOMAIN", "NODE"})
"""Operands that the section on names explains."""


_MARK = "generated from hxm/ by `make docs`"


def generate() -> dict[str, str]:
    """The text of each file, by its name in this folder: the sources and the pages in roff."""
    files = {}
    for path in sorted(glob(os.path.join(HERE, "*.rst"))):
        name = os.path.basename(path)
        source = _read(path)
        if name in _PARTS:
            source = _filled(source, name, _PARTS[name]())
        files[name] = source
        files[name.removesuffix(".rst")] = to_roff(source, name, __version__)
    return files


def _parts_of_hxm() -> dict[str, Iterable[str]]:
    return {
        "commands": _commands(),
        "options": _options(shared_options("order")),
        "forms": _options(shared_options("form")),
        "aliases": [prose(", ".join(f"`{old}` (`{new}`)" for old, new in ALIASES.items()) + ".")],
        "passed": _names(READS, HOST),
        "warned": _judged(RUNTIME),
        "refused": _judged(REFUSED),
        "checks": _checks(),
        "statuses": _statuses(),
        "settings": _settings(),
    }


def _parts_of_hxm_from_crm() -> dict[str, Iterable[str]]:
    return {"crm": [_beside_crm()], "others": [_beside_others()], "words": [_words()]}


def _filled(source: str, page: str, parts: dict[str, Iterable[str]]) -> str:
    """The source with what stands between its marks replaced by what is generated now."""
    for name, blocks in parts.items():
        before, begin, rest = source.partition(f"\n.. begin {name}: {_MARK}\n")
        _, end, after = rest.partition(f"\n.. end {name}\n")
        if not (begin and end):
            sys.exit(f"{page} lacks the marks of the part {name}")
        source = "".join((before, begin, "\n", "\n\n".join(blocks), "\n", end, after))
    return source


def _read(*path: str) -> str:
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def escape(text: str) -> str:
    """Text from the program: `code` and --options become literal, no other character is markup."""
    parts = re.split("`([^`]*)`", text)
    for number in range(0, len(parts), 2):
        text = re.sub(r"([\\*|]|_(?=\W|$))", r"\\\1", parts[number])
        parts[number] = re.sub(r"(?<!\S)--[a-z-]+", lambda option: _literal(option[0]), text)
    parts[1::2] = [_literal(part) for part in parts[1::2]]
    return "".join(parts)


def _literal(text: str) -> str:
    return f"``{text}``"


def prose(text: str, indent: str = "") -> str:
    """Running text: each sentence begins a line of the source."""
    unbroken = re.sub("`[^`]*`", lambda code: code[0].replace(" ", "\0"), " ".join(text.split()))
    return "\n".join(
        textwrap.fill(
            escape(sentence),
            99,
            initial_indent=indent,
            subsequent_indent=indent,
            break_on_hyphens=False,
            break_long_words=False,
        ).replace("\0", " ")
        for sentence in re.split(r"(?<=[.?!]) (?=[A-Z`-]|hxm )", unbroken)
    )


def _item(term: str, text: str, *blocks: str) -> str:
    """One item of a definition list: paragraphs, then blocks that are rst already."""
    paragraphs = [prose(paragraph, "    ") for paragraph in text.split("\n\n")]
    inner = (textwrap.indent(block, "    ") for block in blocks)
    return "\n\n".join([f"{term}\n{paragraphs[0]}", *paragraphs[1:], *inner])


def _section(title: str) -> str:
    return f"{title}\n{'-' * len(title)}"


def _commands() -> Iterator[str]:
    for group in GROUPS:
        yield _section(group)
        for entry in own_commands():
            if entry.group == group:
                yield from _command(entry)


def _command(entry: Entry) -> Iterator[str]:
    shown = [option for option in entry.options if not option.hidden]
    explained = [
        _item(_metavar(operand.metavar), operand.help)
        for operand in entry.operands
        if not set(operand.kinds) <= _PLAIN
    ]
    from_xl = [option.spellings[0] for option in entry.options if option.hidden]
    rest = [prose(f"Of xl and xm, for a domU that is not managed: {_listed(from_xl)}.")]
    yield _item(
        _synopsis(entry, shown),
        entry.text,
        *explained,
        *_options(shown),
        *(rest if from_xl else []),
    )
    for subcommand in entry.subcommands:
        yield from _command(subcommand)


def _synopsis(entry: Entry, options: Iterable[Option]) -> str:
    words = [_literal(entry.name)]
    if entry.subcommands:
        words.append("*COMMAND*")
    words += [f"[{_spelled(option, short=True)}]" for option in options]
    words += [_metavar(operand.metavar) for operand in entry.operands]
    return " ".join(words)


def _metavar(text: str) -> str:
    """Capitals stand for something and are italic; other words are typed as they are."""
    parts = re.split(r"([A-Z]+|-*[a-z]+|--)", text)
    for number in range(1, len(parts), 2):
        word = parts[number]
        parts[number] = f"*{word}*" if word.isupper() else _literal(word)
    for number in range(0, len(parts) - 1, 2):  # rst asks for a blank or a bracket before markup
        separator = re.sub("([|=])", r"\\\1", parts[number])
        parts[number] = separator + ("" if separator[-1:] in ("", *" [:-") else "\\ ")
    return "".join(parts)


def _options(options: Iterable[Option]) -> Iterator[str]:
    for option in options:
        default = f" The default is `{option.default}`." if option.default else ""
        yield _item(_spelled(option), option.help + default)


def _spelled(option: Option, *, short: bool = False) -> str:
    spellings = option.spellings[:1] if short else option.spellings
    value = f" {_metavar(option.value)}" if option.value else ""
    between = " \\| " if option.opposites and not short else ", "
    return between.join(map(_literal, spellings)) + value


def _names(*policies: str) -> Iterator[str]:
    yield prose(f"{_listed(sorted(toolstack_commands(*policies)))}.")
    if bygone := toolstack_commands(*policies, bygone=True):
        yield prose(f"And, where the toolstack still has it: {_listed(sorted(bygone))}.")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _judged(policy: str) -> Iterator[str]:
    """The commands that share a reason and a remedy, in the order of the table."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for row in COMMANDS.values():
        if row.policy == policy:
            reasons.setdefault((row.why, row.remedy()), []).append(row.name)
    for (why, remedy), names in reasons.items():
        lead = ". Instead: " if policy == REFUSED else "; "
        text = f"{why[0].upper()}{why[1:]}{remedy and lead}{remedy}."
        yield _item(escape(_listed(names)), text)


def _checks() -> Iterator[str]:
    """The codes of hxm check: errors first, as in its table."""
    for severity, codes in CODES.items():
        yield _section(f"{severity.capitalize()}s")
        for code, meaning in codes.items():
            yield _item(_literal(code), meaning)


def _statuses() -> Iterator[str]:
    yield _item(_literal("0"), "Done: the state was reached, or was there already.")
    for error in sorted(errors.HxmError.__subclasses__(), key=lambda error: error.status):
        if error.__module__ == errors.__name__:
            yield _item(_literal(str(error.status)), error.__doc__ or "")


def _settings() -> Iterator[str]:
    """The keys of the configuration file: the text under each field says what it is."""
    tree = ast.parse(_read(ROOT, "hxm", "config.py"))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    yield from _fields(classes["Config"], Config()._asdict(), "", SETTINGS)
    yield from _fields(classes["Reached"], Reached()._asdict(), "[clusters.NAME] ", Reached._fields)


def _fields(
    settings: ast.ClassDef, defaults: dict[str, Any], table: str, names: Iterable[str]
) -> Iterator[str]:
    for field, text in zip(settings.body, settings.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            if (name := field.target.id) not in names:
                continue
            assert isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)  # noqa: PT018
            default = defaults[name]
            shown = (
                f'"{default}"' if isinstance(default, str) else f"{default:g}" if default else "0"
            )
            if isinstance(default, (bool, tuple)):
                shown = str(default).lower() if isinstance(default, bool) else "[]"
            term = f"{_literal(table + name)} = {_literal(shown)}"
            yield _item(term, str(text.value.value))


# The words of other tools


def _grid(headers: Sequence[str], widths: str, rows: Iterable[Sequence[str]]) -> str:
    lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {widths}", ""]
    for row in (headers, *rows):
        for number, cell in enumerate(row):
            lines.append(f"   {'*' if number == 0 else ' '} - {cell}")
    return "\n".join(lines)


def _beside_crm() -> str:
    """One row for each command of hxm's that crm or pcs has too."""
    rows = [
        (_said(meaning, "crm"), _said(meaning, "pcs"), _by_hxm(meaning))
        for meaning in MEANINGS
        if {tool for tool, _ in meaning.elsewhere} & {"crm", "pcs"}
    ]
    return _grid(("crm", "pcs", "hxm"), "22 22 19", rows)


def _said(meaning: Meaning, tool: str) -> str:
    lines = [
        _as_typed(line if line.startswith("crm_") else f"{tool} {line}")
        for of_tool, line in meaning.elsewhere
        if of_tool == tool
    ]
    return ", ".join(map(_literal, lines)) or "none"


def _as_typed(line: str) -> str:
    """The line with a blank between an option of one letter and its value."""
    return re.sub(r"( \[?-\w)=", r"\1 ", line)


def _beside_others() -> str:
    """One row for each command line of the other tools, in the order of the tools."""
    rows = [
        (_literal(_as_typed(f"{tool} {line}" if tool != "gnt" else line)), _by_hxm(meaning))
        for tool in TOOLS
        for meaning in MEANINGS
        for of_tool, line in meaning.elsewhere
        if of_tool == tool and tool not in ("crm", "pcs")
    ]
    return _grid(("Elsewhere", "hxm"), "38 25", rows)


def _by_hxm(meaning: Meaning) -> str:
    command = _literal(f"hxm {meaning.command}") if meaning.command else ""
    note = escape(meaning.note)
    return f"{command} ({note})" if command and note else command or f"none: {note}"


def _words() -> str:
    """The single words that hxm answers with a command of its own."""
    rows = [
        (", ".join(map(_literal, meaning.words.split())), _literal(f"hxm {meaning.command}"))
        for meaning in MEANINGS
        if meaning.words and meaning.command
    ]
    return _grid(("Word", "hxm"), "38 25", rows)


_PARTS = {"hxm.8.rst": _parts_of_hxm, "hxm-from-crm.7.rst": _parts_of_hxm_from_crm}


if __name__ == "__main__":
    for name, content in generate().items():
        with open(os.path.join(HERE, name), "w", encoding="utf-8") as out:
            out.write(content)
