"""Who is meant: the one domU, or 105 with those that exist, or 109 with all that it may be."""

from __future__ import annotations

import pytest
from factories import cluster, domain, local, node, primitive

from hxm.arguments.retype import parted
from hxm.errors import Ambiguous, Joined, NotFound, WrongKind
from hxm.policy.names import find_domain, find_domains, find_node, shown

UUID = "8a2f7a9e-7d5a-4b9c-9f57-1d1f0c1a2b3c"
NFS = domain("nfs", "host1", resource="vm-nfs", id=5, uuid=UUID)
SLES = domain("sles", "host2")
OTHER = local("other", 7)
SEEN = cluster(NFS, SLES, OTHER, local("Domain-0", 0))

MEANT = {
    "name": ("nfs", NFS),
    "resource id": ("vm-nfs", NFS),
    "file": ("/etc/xen/vm/nfs.xm", NFS),
    "file, crookedly": ("/etc/xen/../xen/vm//nfs.xm", NFS),
    "file, without its folder": ("nfs.xm", NFS),
    "file, from /etc/xen": ("vm/nfs.xm", NFS),
    "domid": ("5", NFS),
    "uuid": (UUID, NFS),
    "uuid, in capitals": (UUID.upper(), NFS),
    "arriving": ("nfs--incoming", NFS),
    "leaving": ("nfs--migratedaway", NFS),
    "arriving, under xm": ("migrating-nfs", NFS),
    "one that is not managed": ("other", OTHER),
    "its domid": ("7", OTHER),
}


@pytest.mark.parametrize(("word", "meant"), MEANT.values(), ids=MEANT)
def test_a_word_never_means_another_domu(word, meant):
    assert find_domain(SEEN, word) == meant


def test_a_relative_file_means_the_one_in_this_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    here = domain("nfs", "host1", xmfile=str(tmp_path / "nfs.cfg"))
    assert find_domain(cluster(here), "./nfs.cfg").name == "nfs"


SAME_FILE = "/etc/xen/vm/one.xm"
AMBIGUOUS = {
    "one's name, another's resource": (
        "web",
        [domain("web", resource="a"), domain("b", resource="web")],
    ),
    "one's name, another's domid": ("42", [domain("42"), domain("nfs", "host1", id=42)]),
    "one file for two": (
        SAME_FILE,
        [domain("a", xmfile=SAME_FILE), domain("b", xmfile=SAME_FILE)],
    ),
    "one name for two": ("nfs", [domain("nfs", resource="a"), domain("nfs", resource="b")]),
    "a travelling domU's domid, another's name": (
        "9",
        [domain("nfs", role="Migrating"), local("nfs--incoming", 9), domain("9")],
    ),
    "one name, managed and not": ("nfs", [domain("nfs", resource="a"), local("nfs")]),
}


@pytest.mark.parametrize(("word", "domains"), AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_of_two_that_may_be_meant_none_is_ever_chosen(word, domains):
    with pytest.raises(Ambiguous) as raised:
        find_domain(cluster(*domains), word)
    assert raised.value.status == 109
    for each in domains:
        assert each.resource is None or each.resource in raised.value.message


UNKNOWN = {
    "a slip": ("nsf", "did you mean nfs?"),
    "another slip": ("slse", "did you mean sles?"),
    "nothing like it": ("xyzzy", "there are: nfs, sles, other"),
    "every one": ("all", "every domU is '*', or -a "),
    "a free domid": ("99", "there are: "),
    "an unknown uuid": ("0" * 8 + UUID[8:], "there are: "),
    "an unknown file": ("/etc/xen/vm/none.xm", "there are: "),
    "part of a name": ("nf", "did you mean nfs?"),
    "in capitals": ("NFS", "did you mean nfs?"),
}


@pytest.mark.parametrize(("word", "hint"), UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_word_never_means_anything(word, hint):
    with pytest.raises(NotFound) as raised:
        find_domain(SEEN, word)
    assert raised.value.status == 105
    assert raised.value.hint.startswith(hint)


@pytest.mark.parametrize(
    ("word", "joined"),
    [
        *(("nfs,sles", True), ("nfs,vm-nfs,", True), ("nfs,other,7", True)),
        *(("nfs,nobody", False), (",", False), ("", False), ("a,b", False)),
    ],
)
def test_names_with_commas_between_them_are_told_from_unknown_ones(word, joined):
    with pytest.raises(NotFound) as raised:
        find_domain(SEEN, word)
    assert isinstance(raised.value, Joined) == joined


def test_the_answer_to_commas_is_the_line_with_blanks():
    error = Joined("nfs,sles")
    parted("migrate", ["nfs,sles", "host2", "--reason", "a,b"], error)
    assert error.instead == "hxm migrate nfs sles host2"


def test_of_a_thousand_domus_never_all_are_listed():
    many = cluster(*(domain(f"vm{number}") for number in range(1000)))
    with pytest.raises(NotFound) as raised:
        find_domain(many, "xyzzy")
    assert raised.value.hint.endswith("(1000 in all)")


HOSTILE = {
    "an option": "-rf",
    "a long option": "--all",
    "shell": "a;b",
    "more shell": "$(reboot)",
    "a number": "42",
    "negative": "-1",
    "300 characters": "x" * 300,
    "5000 digits": "9" * 5000,
    "digits of another script": "٤٢",
    "a superscript": "²",
    "control characters": "nfs\x1b[2J\x07",
    "a line's end": "nfs\n",
    "a NUL": "nfs\0",
    "a path with a NUL": "/etc/xen/\0",
    "not UTF-8": "nfs\udcff",
    "empty": "",
    "blank": " ",
    "dot": ".",
    "dots": "..",
    "root": "/",
    "only the suffix": "--incoming",
    "a wildcard": "*",
    "a format": "{0}",
    "right to left": "\u202esfn",
}


@pytest.mark.parametrize("word", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("find", [find_domain, find_node], ids=["domain", "node"])
def test_a_hostile_word_never_means_anything_nor_spoils_the_terminal(find, word):
    with pytest.raises(NotFound) as raised:
        find(SEEN, word)
    said = raised.value.message + raised.value.hint
    assert said.isprintable()
    assert len(said) < 200


def test_a_word_is_never_shown_longer_than_a_line():
    assert shown("x" * 300) == repr("x" * 57 + "...")
    assert shown("nfs") == "'nfs'"


def test_a_node_is_only_ever_found_by_its_whole_name():
    assert find_node(SEEN, "host2") == node("host2")
    with pytest.raises(NotFound) as raised:
        find_node(SEEN, "host")
    assert raised.value.hint.startswith("there are: host")


def test_an_arriving_domu_is_never_taken_for_one_that_no_cluster_manages():
    """xl lists it under a name and a domid of its own: acting on that would break the migration."""
    seen = cluster(domain("nfs", "host2", role="Migrating"), local("nfs--incoming", 9))
    for word in ("9", "nfs--incoming"):
        assert any(each.resource == "nfs" for each in find_domains(seen, word)), word


@pytest.mark.parametrize("word", ["disk", "store", "store-clone"])
def test_a_resource_that_is_no_domu_is_told_as_what_it_is(word):
    storage = primitive("disk", parent="store", clone="store-clone")
    with pytest.raises(WrongKind, match=f"^{word} is a resource of the cluster, and no domU$"):
        find_domain(cluster(domain("nfs"), storage), word)
