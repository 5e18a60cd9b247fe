"""What xm prints, by the printf formats of xen/xm/main.py, as the domains of this host."""

from __future__ import annotations

from contextlib import suppress

import pytest
from factories import cluster, domain, local
from hypothesis import given
from hypothesis import strategies as st

from hxm.errors import CannotAsk
from hxm.policy.names import find_domains
from hxm.toolstack.xl import LocalDomain
from hxm.toolstack.xm import parse_list, parse_uuids

HEAD = f"{'Name':<40} {'ID':>5} {'Mem':>5} {'VCPUs':>5} {'State':>10} {'Time(s)':>9}\n"


def row(name, number, memory, vcpus, state, time) -> str:
    return f"{name:<40} {number:>5} {memory:>5d} {vcpus:>5d} {state:>10} {time:>8.1f}\n"


LISTS = {
    "running": (
        row("Domain-0", 0, 768, 2, "r-----", 263.4) + row("nfs", 3, 512, 1, "-b----", 7.5),
        [
            LocalDomain("Domain-0", 0, 768, 2, "r-----", 263.4),
            LocalDomain("nfs", 3, 512, 1, "-b----", 7.5),
        ],
    ),
    "xend's own, not running": (
        row("old", "", 256, 1, "", 0.0),
        [LocalDomain("old", None, 256, 1, "------", 0.0)],
    ),
    "one that has crashed": (
        row("bad", 4, 256, 1, "---sc-", 1.0),
        [LocalDomain("bad", 4, 256, 1, "---sc-", 1.0)],
    ),
    "migrating": (
        row("migrating-nfs", 5, 512, 1, "--p---", 0.0),
        [LocalDomain("migrating-nfs", 5, 512, 1, "--p---", 0.0)],
    ),
    "a name that ends with a number": (
        row("web 12", "", 256, 1, "", 0.0),
        [LocalDomain("web 12", None, 256, 1, "------", 0.0)],
    ),
    "a name of digits": (
        row("42", 7, 256, 1, "-b----", 1.0),
        [LocalDomain("42", 7, 256, 1, "-b----", 1.0)],
    ),
    "a name longer than its column": (
        row("a" * 50, 7, 256, 1, "-b----", 1.0),
        [LocalDomain("a" * 50, 7, 256, 1, "-b----", 1.0)],
    ),
    "none": ("", []),
}


@pytest.mark.parametrize(("rows", "expected"), LISTS.values(), ids=LISTS)
def test_a_domain_is_never_lost_or_misread(rows, expected):
    assert list(parse_list(HEAD + rows)) == expected


def test_the_header_of_xen_3_0_is_one():
    head = "Name                              ID Mem(MiB) VCPUs State  Time(s)\n"
    text = head + "Domain-0                           0      512     1 r-----   121.8\n"
    assert list(parse_list(text)) == [LocalDomain("Domain-0", 0, 512, 1, "r-----", 121.8)]


def test_a_label_is_never_a_time():
    text = HEAD.rstrip("\n") + "      Label\n" + row("nfs", 3, 512, 1, "-b----", 7.5).rstrip("\n")
    assert list(parse_list(text + "   INACTIVE\n")) == [LISTS["running"][1][1]]


NO_LIST = {
    "nothing": "",
    "xend is down": "Error: Unable to connect to xend: Connection refused. Is xend running?\n",
    "no Xen": "ERROR: Could not obtain handle on privileged command interface (2 = No such file)\n",
    "a broken row": HEAD + "Domain-0  0   768\n",
    "a row of words": HEAD + "a b c d e f\n",
}


@pytest.mark.parametrize("text", NO_LIST.values(), ids=NO_LIST)
def test_no_answer_is_never_a_host_without_domains(text):
    with pytest.raises(CannotAsk):
        parse_list(text)


LONG = """(domain
    (domid 3)
    (uuid 135631b2-d539-4d73-bc0a-16ef7192fe00)
    (vcpus 1)
    (name nfs)
    (image (linux (kernel '/boot/vm (1)')))
    (device (vif (uuid 99999999-d539-4d73-bc0a-16ef7192fe00) (name other)))
)
(domain (domid 7) (name 'my domU') (uuid 235631B2-d539-4d73-bc0a-16ef7192fe00))
"""


def test_uuids_are_those_of_the_domains_and_not_of_their_devices():
    assert parse_uuids(LONG) == {
        "nfs": "135631b2-d539-4d73-bc0a-16ef7192fe00",
        "my domU": "235631b2-d539-4d73-bc0a-16ef7192fe00",
    }


WHO = {
    "xl, a domid": ("xl", "7", ["7", "other"]),
    "xm, a name before a domid": ("xm", "7", ["7"]),
    "xm by its path": ("/usr/sbin/xm", "7", ["7"]),
    "xm, a domid": ("xm", "8", ["7"]),
    "xm, a uuid": ("xm", "135631b2-d539-4d73-bc0a-16ef7192fe00", ["other"]),
}


@pytest.mark.parametrize(("toolstack", "word", "expected"), WHO.values(), ids=WHO)
def test_a_word_means_whom_xend_means(toolstack, word, expected):
    uuid = "135631b2-d539-4d73-bc0a-16ef7192fe00"
    seen = cluster(
        domain("7", "host1", resource="seven", id=8),
        local("other", 7, uuid=uuid),
        toolstack=toolstack,
    )
    assert [each.name for each in find_domains(seen, word)] == expected


@given(
    st.text() | st.lists(st.text(max_size=60), max_size=4).map(lambda rows: HEAD + "\n".join(rows))
)
def test_no_text_ever_does_worse_than_cannot_ask(text):
    with suppress(CannotAsk):
        assert all(isinstance(each, LocalDomain) for each in parse_list(text))
    assert isinstance(parse_uuids(text), dict)
