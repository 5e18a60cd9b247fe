"""What is refused before it is read as XML, and what only looks as if it had to be."""

from __future__ import annotations

import pytest

from hxm.xml_reading import MOST_ATTRIBUTES, MOST_TAGS, XmlError, parse_xml

REFUSED = {
    "entities": (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "entities"),
    "entities behind a comment": (
        b'<?xml version="1.0"?>\n<!-- x --><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        "entities",
    ),
    "entities in UTF-16": (
        '\ufeff<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16-le"),
        "entities",
    ),
    "many elements": (b"<a>" + b"<b/>" * MOST_TAGS + b"</a>", "more elements"),
    "many attributes": (b"<a " + b'b="" ' * MOST_ATTRIBUTES + b' c=""/>', "more elements"),
}
READ = {
    "a comment about entities": b'<a><!-- <!DOCTYPE and <!ENTITY b "c"> --></a>',
    "a comment before the root": b'<!-- <!DOCTYPE a [<!ENTITY b "c">]> --><a/>',
    "a type without entities": b"<!DOCTYPE a><a/>",
}


@pytest.mark.parametrize(("document", "why"), REFUSED.values(), ids=REFUSED)
def test_what_could_cost_much_is_refused(document, why):
    with pytest.raises(XmlError, match=why):
        parse_xml(document)


@pytest.mark.parametrize("document", READ.values(), ids=READ)
def test_what_is_harmless_is_read(document):
    assert parse_xml(document).tag == "a"
