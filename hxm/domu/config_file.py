"""Reads a domU's configuration file, in xl's and in xm's syntax, without executing any of it.

xl's files are assignments of strings, numbers and lists; xm's were Python programs. What is read
here is all of xl's grammar, Python's literals, and the header of Xen's own xmexample.hvm. Where
Python would have to run, and where xl and xm would read the same text differently, the file is
refused with a line and a column: nothing is guessed and nothing is skipped. What is said of xl was
seen with libxlutil of Xen 4.17.7.
"""

from __future__ import annotations

import keyword
import os
import re
from collections.abc import Sequence

from hxm.errors import HxmError
from hxm.host.files import read_start

Value = str | int | list["Value"]

MAX_BYTES = 1 << 20
MAX_DEPTH = 32  # brackets within brackets: far above any real file, far below Python's own limit

_SETTING = "KEY = VALUE"

# No text, however crooked, takes more than linear time: after a blank, a comment or a part of a
# string only one alternative fits. No group is possessive: Python 3.11.2 gets `(?:..)*+` wrong.
_COMMENT = r"#[^\r\n]*+"
_BLANK = r"[ \t]*+(?:\\\r?\n[ \t]*+)*"
_BLANK_IN_LIST = rf"[ \t\n]*+(?:(?:\\?\r?\n|{_COMMENT})[ \t\n]*+)*"
_BLANK_BEFORE_KEY = rf"[ \t\n;]*+(?:(?:\\?\r?\n|{_COMMENT})[ \t\n;]*+)*"
_QUOTED = "|".join(
    rf"{q}{q}{q}[^{q}\\]*+(?:(?:\\[^\0]|{q}(?!{q}{q}))[^{q}\\]*+)*{q}{q}{q}"
    rf"|{q}(?!{q}{q})[^{q}\\\r\n]*+(?:\\(?:[^\r]|\r\n)[^{q}\\\r\n]*+)*{q}"
    for q in "\"'"
)
_match_key = re.compile(rf"{_BLANK_BEFORE_KEY}([A-Za-z_][A-Za-z_0-9]*+){_BLANK}(\+?=)(?!=)").match
_match_value = re.compile(
    rf"{_BLANK}(?:({_QUOTED})|(-?[0-9]\w*+)|(True|False|None)\b|([\[(])){_BLANK}"
).match
_STRING, _NUMBER, _CONSTANT, _BRACKET = 1, 2, 3, 4  # the groups of _match_value
_match_end = re.compile(rf"{_BLANK}(?:{_COMMENT})?(?:\r?\n|;|\Z)").match
_blank = re.compile(_BLANK)
_blank_in_list = re.compile(_BLANK_IN_LIST)

# Only what xl and Python read alike: xl refuses "\x41", and reads "\101" as an empty string.
_ESCAPES = {f"\\{c}": v for c, v in zip("abfnrtv\\'\"", "\a\b\f\n\r\t\v\\'\"", strict=True)}
_ESCAPES |= {"\\\n": "", "\\\r\n": "", "\\\r": "", "\r\n": "\n", "\r": "\n"}
_CONSTANTS = {"True": True, "False": False, "None": None}


class XmFileError(HxmError):
    """A configuration file that cannot be read; line 0 means the file as a whole."""

    def __init__(
        self, path: str, what: str, line: int = 0, column: int = 0, hint: str = ""
    ) -> None:
        super().__init__(f"{path}:{line}:{column}: {what}" if line else f"{path}: {what}", hint)
        self.path, self.line, self.column = path, line, column


class Number(int):
    """An int that keeps its spelling, since xl hands `name = 007` on as the text 007."""

    spelling: str


class _UnreadableError(Exception):
    def __init__(self, position: int, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.position, self.what, self.hint = position, what, hint


def read_text(path: str) -> str:
    """Return the text of a regular file of at most 1 MiB, or raise XmFileError.

    Bytes that are not UTF-8 come as surrogates (surrogateescape). Nothing else is opened: to open
    a fifo may wait for ever, and to open a device may do something.
    """
    try:
        data = read_start(path, MAX_BYTES + 1)
    except OSError as error:
        raise XmFileError(path, f"cannot be read: {error.strerror}") from None
    except ValueError:  # a NUL in it
        raise XmFileError(repr(path), "is not a path") from None
    if len(data) > MAX_BYTES:
        raise XmFileError(path, "is larger than 1 MiB, so it is not a domU's configuration")
    return data.decode("utf-8", "surrogateescape")


def read_xmfile(path: str, more: Sequence[str] = ()) -> dict[str, Value]:
    """Return the settings in the file, or raise XmFileError if any of it cannot be read.

    `more` are lines of the command line; xl reads them as the file's last ones, so that `+=` adds
    to what the file says.
    """
    return parse_xmfile("\n".join((read_text(path), *more)), path)


def candidate_files(word: str) -> tuple[str, ...]:
    """Where the file may be that the word names to xl or xm: xm looks in /etc/xen as well."""
    return (word, os.path.join("/etc/xen", word)) if word else ()


def parse_xmfile(text: str, path: str = "<text>") -> dict[str, Value]:
    """Return the settings in the text, or raise XmFileError at the first thing not understood.

    Of two assignments to a key the last one counts, and `+=` joins strings and lists, as for xl.
    A number is a Number, or a str where only xl takes it for one (08, 12ab). Tuples become lists;
    None, with which an xm file leaves a key unset, removes it. CRLF ends a line, as for xm.
    True and False stay what they are.
    """
    if "arch_libdir" in text:
        from hxm.domu.xm_header import as_data

        text = as_data(text)
    settings: dict[str, Value] = {}
    key = ""
    try:
        if "\0" in text:
            raise _unexpected(text, text.index("\0"), "text")
        position = 0
        while match := _match_key(text, position):
            key, operator = match.groups()
            value, position = _value(text, match.end(), 0)
            if operator == "+=":
                value = _joined(settings.get(key), value, match.start(2))
            if value is None:
                settings.pop(key, None)
            else:
                settings[key] = value
            end = _match_end(text, position)
            if not end:
                position = _skip(re.compile(rf"(?:{_COMMENT})?"), text, position)
                raise _unexpected(text, position, "the end of the line")
            position, key = end.end(), ""
        position = _skip(re.compile(_BLANK_BEFORE_KEY), text, position)
        if position < len(text):
            raise _unexpected(text, position, _SETTING)
    except _UnreadableError as error:
        # What stands in the place of a password may be one.
        what = "this value cannot be read" if "passw" in key.lower() else error.what
        start = text.rfind("\n", 0, error.position) + 1
        line = text.count("\n", 0, start) + 1
        raise XmFileError(path, what, line, error.position - start + 1, error.hint) from None
    return settings


def agent_name(text: str) -> str | None:
    r"""Return the name that ocf:heartbeat:Xen reads from the file, or None if it takes its own id.

    Source: heartbeat/Xen of resource-agents 4.12.0, in the C locale, which knows no comments, no
    quotes and no `;`: `awk '$1~/^name(=|$)/{print}' | sed 's/.*=[[:space:]]*//' | tr -d "[\"']"`,
    and nothing that `grep '[%[:space:]]'` finds. As grep goes line by line, two lines give a name
    with a newline in it, under which no domU can be created.
    """
    names = []
    for line in re.findall(r"(?m)^[ \t]*name(?:=.*|[ \t].*|)$", text):
        _, equals, rest = line.rpartition("=")
        names.append(re.sub("[][\"']", "", rest.lstrip(" \t\r\v\f") if equals else line))
    name = "\n".join(names).rstrip("\n")
    return None if not name or re.search(r"[% \t\r\v\f]", name) else name


def _value(text: str, position: int, depth: int) -> tuple[Value | None, int]:
    """Return the value at the position, and the position behind it and the blanks after it."""
    blank = _blank_in_list if depth else _blank
    match = _match_value(text, position)
    if not match:
        raise _unexpected(text, _skip(blank, text, position), "a value")
    group = match.lastindex or 0
    start, end = match.span(group)
    value: Value | None
    if group == _STRING:
        value = _string(text, start, end)
        position = _skip(blank, text, end) if depth else match.end()
        while text.startswith(("'", '"'), position):  # strings side by side are one, as in Python
            match = _match_value(text, position)
            if not match:
                raise _unexpected(text, position, "a value")
            value += _string(text, *match.span(_STRING))
            position = _skip(blank, text, match.end())
        return value, position
    if group == _BRACKET:
        value, end = _list(text, start, depth + 1)
    elif group == _NUMBER:
        value = _number(match[group], start)
    else:
        value = _CONSTANTS[match[group]]
    return value, _skip(blank, text, end)


def _list(text: str, opening: int, depth: int) -> tuple[Value | None, int]:
    """Return the list, tuple or parenthesised value that opens here, and the position behind it."""
    if depth > MAX_DEPTH:
        raise _UnreadableError(opening, f"more than {MAX_DEPTH} brackets within each other")
    closing = "]" if text[opening] == "[" else ")"
    items: list[Value] = []
    comma = True
    position = _skip(_blank_in_list, text, opening + 1)
    while not text.startswith(closing, position):
        if position == len(text):
            raise _UnreadableError(opening, f"this {text[opening]!r} is never closed")
        if not comma:
            line = text.count("\n", 0, opening) + 1
            raise _unexpected(text, position, f"',' or the {closing!r} of line {line}")
        item, end = _value(text, position, depth)
        if item is None:
            raise _UnreadableError(position, "None means nothing in a list")
        items.append(item)
        comma = text.startswith(",", end)
        position = _skip(_blank_in_list, text, end + 1) if comma else end
    if closing == ")" and len(items) == 1 and not comma:
        return items[0], position + 1
    return items, position + 1


def _string(text: str, start: int, end: int) -> str:
    quotes = 3 if end - start > 5 and text[start] == text[start + 1] else 1
    start += quotes
    body = text[start : end - quotes]
    if not body.isascii():
        try:
            body.encode()
        except UnicodeEncodeError as error:
            raise _UnreadableError(start + error.start, "a byte that is not UTF-8") from None
    if "\\" not in body and "\r" not in body:
        return body

    def plain(escape: re.Match[str]) -> str:
        if escape[0] not in _ESCAPES:
            what = "an escape that xl and xm do not both read alike"
            raise _UnreadableError(start + escape.start(), what)
        return _ESCAPES[escape[0]]

    return re.sub(r"(?s)\\(?:\r\n|.)|\r\n?", plain, body)


def _number(spelling: str, position: int) -> Value:
    value = to_int(spelling)
    if value is not None:
        number = Number(value)
        number.spelling = spelling
        return number
    if not re.fullmatch("[0-9][0-9a-fx]*", spelling):
        raise _UnreadableError(position, f"{spelling[:40]!r} is not a number")
    return spelling


def to_int(text: str) -> int | None:
    """Return the number that both C's strtol (base 0, 64 bits) and Python 2 see in the text."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isalnum() and len(digits) < 30):
        return None
    base = 16 if digits[:2] in ("0x", "0X") else 8 if digits[0] == "0" else 10
    try:
        value = int(text, base)
    except ValueError:
        return None
    return value if value.bit_length() < 64 else None


def _joined(old: Value | None, new: Value | None, position: int) -> Value:
    if old is None and isinstance(new, str | list):
        return new
    if isinstance(old, list) and isinstance(new, list):
        old.extend(new)
        return old
    if isinstance(old, str) and isinstance(new, str):
        return old + new
    raise _UnreadableError(position, "'+=' joins two strings or two lists, nothing else")


def _skip(blank: re.Pattern[str], text: str, position: int) -> int:
    match = blank.match(text, position)
    return match.end() if match else position


def _unexpected(text: str, position: int, expected: str) -> _UnreadableError:
    """Return the error that names what stands at the position instead of what was expected."""
    rest = text[position : position + 60]
    word = re.match(r"[bfruBFRU]{1,2}[\"']|[A-Za-z_][\w.]*(?:[ \t]*(?:[(\[]|==?))?", rest)
    start = word[0] if word else rest[:1]
    if (
        keyword.iskeyword(start)
        or start in ("exec", "print")
        or (word and start[-1] != "=" and set(start) & set(".([\"'"))
        or (expected != _SETTING and start in tuple("%+-*/.([{<>&|^~:"))
    ):
        hint = "A configuration file is never executed: write the value itself."
        return _UnreadableError(position, f"{start!r} is Python code", hint)
    if word and start[-1] != "=" and expected == "a value":
        hint = "A string needs quotes; a name is never looked up."
        return _UnreadableError(position, f"{start!r} is a name, not a value", hint)
    if start in ("'", '"') and not _match_value(text, position):
        return _UnreadableError(position, "this string is never closed")
    ends = {"": "the end of the file", "\n": "the end of the line"}
    start = ends.get("\n" if rest.startswith("\r\n") else start, repr(start))
    return _UnreadableError(position, f"expected {expected}, found {start}")
