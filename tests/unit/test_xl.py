"""What xl prints, captured from a real Xen 4.17, as the domains of this host."""

from __future__ import annotations

from contextlib import suppress

import pytest
from factories import DATA
from hypothesis import given
from hypothesis import strategies as st

from hxm.errors import CannotAsk
from hxm.toolstack.xl import MOST_ROWS, LocalDomain, parse_list, parse_uuids

XEN = DATA / "xen-4.17"
HEAD = "Name                                        ID   Mem VCPUs\tState\tTime(s)\n"


def printed(sample: str) -> list[str]:
    """What each command in the sample wrote to stdout."""
    text = (XEN / sample).read_text(encoding="utf-8")
    return [part.split("--- stderr")[0] for part in text.split("--- stdout\n")[1:]]


LISTS = {
    "two": (
        printed("xl-list.txt")[0],
        [
            LocalDomain("Domain-0", 0, 768, 1, "r-----", 263.4),
            LocalDomain("vm1", 1, 128, 1, "------", 7.5),
        ],
    ),
    "dom0 alone": (
        printed("xl-list-empty.txt")[0],
        [LocalDomain("Domain-0", 0, 768, 1, "r-----", 222.1)],
    ),
    "arriving": (
        HEAD + "vm1--incoming                                5     0     0     --p---       0.0\n",
        [LocalDomain("vm1--incoming", 5, 0, 0, "--p---", 0.0)],
    ),
    "a name with blanks": (
        HEAD + "my domU                                      3   512     2     -b----      12.3\n",
        [LocalDomain("my domU", 3, 512, 2, "-b----", 12.3)],
    ),
    "a name as long as the column": (
        HEAD + "a" * 50 + " 3   512     2     -b----      12.3\n",
        [LocalDomain("a" * 50, 3, 512, 2, "-b----", 12.3)],
    ),
    "a name of digits": (
        HEAD + "42                                           3   512     2     -b----      12.3\n",
        [LocalDomain("42", 3, 512, 2, "-b----", 12.3)],
    ),
    "xm: managed by xend, not running": (
        HEAD + "old                                              256     1                 0.0\n",
        None,
    ),
    "xm: not running, with a state": (
        HEAD + "old                                              256     1     ------      0.0\n",
        [LocalDomain("old", None, 256, 1, "------", 0.0)],
    ),
    "nothing but the head": (HEAD, []),
}


@pytest.mark.parametrize(("text", "expected"), LISTS.values(), ids=LISTS)
def test_a_domain_of_this_host_is_never_lost_or_misread(text, expected):
    if expected is None:
        with suppress(CannotAsk):
            assert [each.name for each in parse_list(text)] == ["old"]
    else:
        assert list(parse_list(text)) == expected


NO_LIST = {
    "nothing": "",
    "no Xen": (XEN / "xl-no-xen.txt").read_text(encoding="utf-8"),
    "an error": "xencall: error: Could not obtain handle\n",
    "another table": "Name ID State\n",
    "a broken row": HEAD + "Domain-0  0   768\n",
    "a row of words": HEAD + "a b c d e f\n",
    "no seconds": HEAD + "x 3 1 1 r----- nan\n",
    "seconds without end": HEAD + "x 3 1 1 r----- inf\n",
    "digits of another script": HEAD + "x 3 ٣ 1 r----- 1.0\n",
    "digits in groups": HEAD + "x 3 1_000 1 r----- 1.0\n",
    "less than nothing": HEAD + "x 3 -1 1 r----- 1.0\n",
    "more than a host has": HEAD + "x 3 1 1 r----- 1.0\n" * (MOST_ROWS + 1),
}


@pytest.mark.parametrize("text", NO_LIST.values(), ids=NO_LIST)
def test_no_answer_is_never_a_host_without_domains(text):
    with pytest.raises(CannotAsk):
        parse_list(text)


def test_half_a_row_is_never_another_domain():
    whole = LISTS["two"][0]
    known = {each[:4] for each in parse_list(whole)}
    for end in range(len(whole)):
        with suppress(CannotAsk):
            assert {each[:4] for each in parse_list(whole[:end])} <= known


def test_uuids_are_found_by_name():
    assert parse_uuids(printed("xl-vm-list.txt")[0]) == {
        "Domain-0": "00000000-0000-0000-0000-000000000000",
        "vm1": "135631b2-d539-4d73-bc0a-16ef7192fe00",
    }


ROW = st.text(alphabet=" \tvm1-rb.0259٣²x\r\x0b\x85", max_size=60)


@given(st.text() | st.lists(ROW, max_size=4).map(lambda rows: HEAD + "\n".join(rows)))
def test_no_text_ever_does_worse_than_cannot_ask(text):
    with suppress(CannotAsk):
        assert all(isinstance(each, LocalDomain) for each in parse_list(text))
    assert isinstance(parse_uuids(text), dict)
