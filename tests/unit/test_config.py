"""The settings file: every fault names the file and the key."""

from __future__ import annotations

import pytest

from hxm.config import DIALECTS, Config, for_cluster, parse_config
from hxm.errors import UsageError
from hxm.pacemaker import dialect

FAULTS = {
    "no TOML": (b"timeout = ", "Invalid value"),
    "no UTF-8": (b"\xff", "utf-8"),
    "an unknown key": (b"tiemout = 5", "no setting 'tiemout'"),
    "a text for a number": (b'timeout = "5"', "timeout must be a number of seconds"),
    "a number for a text": (b"journal = 5", "journal must be a text"),
    "true": (b"timeout = true", "timeout must be a number of seconds"),
    "negative": (b"poll = -1", "from 0 on"),
    "not a number": (b"poll = nan", "from 0 on"),
    "for ever": (b"timeout = inf", "from 0 on"),
    "a cluster without nodes": (b"[clusters.a]", "[clusters.a] names no nodes"),
    "a cluster that is no table": (b"[clusters]\na = 3", "[clusters.a] must be a table"),
    "clusters that are none": (b"clusters = 5", "clusters must be tables"),
    "an option for a node": (b'[clusters.a]\nnodes = ["-oX"]', "nodes cannot be"),
    "a text for a port": (b'[clusters.a]\nnodes = ["a"]\nport = "22"', "port cannot be '22'"),
    "two names for one node": (b'[clusters.a]\nnodes = ["a b"]', "nodes cannot be"),
    "a node with a port": (b'[clusters.a]\nnodes = ["a:22"]', "nodes cannot be"),
    "an empty user of a node": (b'[clusters.a]\nnodes = ["@a"]', "nodes cannot be"),
    "a number for a node": (b"[clusters.a]\nnodes = [5]", "nodes cannot be"),
    "one text for all nodes": (b'[clusters.a]\nnodes = "a"', "nodes cannot be 'a'"),
    "several users": (b'[clusters.a]\nnodes = ["a"]\nuser = ["x"]', "user cannot be"),
    "an option for a user": (b'[clusters.a]\nnodes = ["a"]\nuser = "-l"', "user cannot be"),
    "no port": (b'[clusters.a]\nnodes = ["a"]\nport = 65536', "port cannot be 65536"),
    "a key that tuples have": (b'[clusters.a]\nnodes = ["a"]\ncount = 1', "no setting 'count'"),
    "a cluster with a line end": (b'[clusters."a\\nb"]\nnodes = ["a"]', "cannot have this name"),
    "a cluster that is an option": (b'[clusters.-a]\nnodes = ["a"]', "cannot have this name"),
    "a cluster's unknown key": (b'[clusters.a]\nnodes = ["a"]\nusr = "x"', "no setting 'usr'"),
    "an unknown colour": (
        b'[clusters.a]\nnodes = ["a"]\ncolour = "x"',
        "colour must be one of red",
    ),
    "a cluster called all": (b'[clusters.all]\nnodes = ["a"]', "cannot have this name"),
    "an unknown toolstack": (b'toolstack = "foo"', "toolstack must be one of auto, xl, xm"),
    "an unknown dialect": (b'dialect = "9"', "hxm.toml: dialect must be one of auto, 0.6, 1.0, 1"),
    "a cluster's unknown dialect": (
        b'[clusters.a]\nnodes = ["a"]\ndialect = "9"',
        "[clusters.a]: dialect must be one of auto, 0.6",
    ),
}


@pytest.mark.parametrize(("text", "said"), FAULTS.values(), ids=FAULTS)
def test_a_bad_setting_is_never_taken(text, said):
    with pytest.raises(UsageError) as raised:
        parse_config(text, "/etc/hxm.toml")
    assert raised.value.message.startswith("/etc/hxm.toml: ")
    assert said in raised.value.message


def test_what_is_not_set_has_its_default():
    assert parse_config(b"") == Config()
    assert parse_config(b"timeout = 5\ntoolstack = 'xm'") == Config(timeout=5, toolstack="xm")


def test_every_generation_can_be_configured():
    assert ("auto", *(known.key for known in reversed(dialect.DIALECTS))) == DIALECTS


CLUSTERS = (
    "prod",
    "prod a",
    "prod_a",
    "prod%20a",
    ".a",
    "a",
    "%2Ea",
    "ssh://root@a",
    "ssh://root_a",
    "\N{EM DASH}",
    " 14",
    "\udcff",
)


def test_no_two_clusters_have_their_records_in_one_place():
    journals = [for_cluster(Config(), name).journal for name in CLUSTERS]
    assert len({*journals}) == len(CLUSTERS)
    assert journals[0].endswith("/clusters/prod/journal")
