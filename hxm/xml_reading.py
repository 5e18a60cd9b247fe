"""Reads XML that others wrote: no entities, any encoding, and only so deep.

Element by element the tree is walked by functions that call themselves: each depth takes a frame.
"""

from __future__ import annotations

import re
from itertools import chain
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser, fromstring

DEEPEST = 200
"""Elements within each other; Pacemaker's own documents have 12, libvirt's fewer."""
MOST_TAGS, MOST_ATTRIBUTES = 1_000_000, 3_000_000
"""An element takes 100 bytes of memory, however short it is, and so does an attribute.

A CIB of 50 MiB, of 1,000 domUs on 32 nodes, has 350,000 tags and 1,800,000 attributes.
"""
_DOCTYPE = re.compile(rb"(?:\s++|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
_DECLARATION = re.compile(r"""<\?xml[^<>]*?(?:\bencoding\s*+=\s*+["']([\w.-]+)["'][^<>]*)?\?>""")
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
"""How a document begins that is in none of the encodings that go on as ASCII (XML 1.0, F.1)."""


class XmlError(ValueError):
    """A document that is not complete, not well-formed, or not one that hxm reads."""


def parse_xml(document: bytes, *, comments: bool = False) -> Element:
    """The root of a document, with its comments or without. Raises XmlError."""
    try:
        document = in_utf8(document)
        _check(document)
        parser = XMLParser(target=TreeBuilder(insert_comments=True)) if comments else None
        root = fromstring(document, parser)
    except (ParseError, ValueError, LookupError) as error:
        raise XmlError(str(error)) from None
    level = [root]
    for _ in range(DEEPEST):
        level = list(chain.from_iterable(level))
        if not level:
            return root
    raise XmlError(f"its elements are nested deeper than {DEEPEST}")


def _check(document: bytes) -> None:
    """What would need much memory, or read other files. Raises XmlError."""
    if document.count(b"<") > MOST_TAGS or document.count(b"=") > MOST_ATTRIBUTES:
        raise XmlError("it has more elements or attributes than any cluster")
    if _DOCTYPE.match(document) and b"<!ENTITY" in document:
        raise XmlError("it defines entities")


def in_utf8(document: bytes) -> bytes:
    """The document in UTF-8, whatever it is in, without its declaration if that says otherwise.

    Raises XmlError if it is not what it says.
    """
    try:
        encoding = next((name for mark, name in _MARKS if document.startswith(mark)), "")
        text = document.decode(encoding) if encoding else ""
        declaration = _DECLARATION.match(text or document[:200].decode("ascii", "replace"))
        declared = declaration[1] if declaration else None
        if not encoding and (not declared or declared.lower() in ("utf-8", "us-ascii")):
            return document
        text = text or document.decode(declared or "utf-8")
        return text[declaration.end() if declaration else 0 :].encode()
    except (UnicodeError, LookupError) as error:
        raise XmlError(str(error)) from None
