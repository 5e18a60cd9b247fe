"""Whose disks are whose: by the files, by this host's toolstack and by those of the other nodes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from factories import cluster, domain, node

from hxm.cluster.claims import all_claims
from hxm.config import Config
from hxm.errors import CannotAsk
from hxm.host import programs
from hxm.policy.guards.conflicts import FILE, NODE, THIS_HOST


def long_of(*names: str) -> str:
    rows = [
        {
            "domid": n,
            "config": {"c_info": {"name": name}, "disks": [{"pdev_path": f"/dev/vg/{name}"}]},
        }
        for n, name in enumerate(names)
    ]
    return json.dumps(rows)


@pytest.fixture
def answers(monkeypatch):
    given: dict[str, Any] = {}
    asked: list[str] = []

    def output(argv, **_):
        where = argv[-2] if argv[0] == "ssh" else "here"
        asked.append(where)
        if isinstance(given[where], Exception):
            raise given[where]
        return programs.Result(tuple(argv), 0, given[where].encode(), "")

    monkeypatch.setattr(programs, "output", output)
    monkeypatch.setattr(programs, "ahead", lambda argv: None)
    monkeypatch.setattr(programs, "find", lambda program: program)
    given["asked"] = asked
    return given


NODES = (
    node("host1"),
    node("host2"),
    node("host3"),
    node("host4", online=False),
    node("host5", unclean=True),
)


CONFIG = Config(toolstack="xl")


def told(cluster):
    return {
        (each.name, each.node): each.resource or each.fault or each.disks[0].device
        for each in all_claims(cluster, CONFIG)
    }


def test_all_are_asked_and_who_is_silent_is_named(answers):
    kinds = {"host3": NODE, "host4": NODE, "host5": NODE, "nfs": FILE}
    devices = "/sys/class/block/dm-1/dm/name:vg-b\n/sys/class/block/dm-1/dm/uuid:LVM-b\n"
    answers["here"] = long_of("Domain-0", "nfs", "a")
    answers["host2"] = (
        long_of("Domain-0", "b", "sles", "nfs--incoming") + "\nhxm:devices\n" + devices
    )
    answers["host3"] = programs.NoAnswer("ssh gave no answer within 5 s")
    answers["host4"] = answers["host5"] = CannotAsk("no sshd there")
    seen = cluster(
        *NODES, domain("nfs", "host1", xmfile="/x"), domain("sles", "host2"), local_node="host1"
    )
    found = told(seen)
    assert answers["asked"] == ["here", "host2", "host3", "host4", "host5"]
    faulty = {each.name: each.kind for each in all_claims(seen, CONFIG) if each.fault}
    assert faulty.items() >= kinds.items()
    assert found.pop(("a", "")) == "/dev/mapper/vg-a"
    assert found.pop(("b", "host2")) == "LVM-b"
    assert found.pop(("sles", "host2")) == "sles"
    assert found.pop(("nfs--incoming", "host2")) == "nfs"
    assert found.pop(("nfs", "")) == "nfs"
    assert {name: why for (name, _), why in found.items() if name.startswith("host")} == {
        "host3": "the domUs of host3 are unknown: no answer within 5 s",
        "host4": "the domUs of host4 are unknown: it is OFFLINE, and no sshd there",
        "host5": "the domUs of host5 are unknown: it is UNCLEAN (online), and no sshd there",
    }


def test_half_an_answer_is_none(answers):
    answers["here"] = "[]"
    answers["host2"] = long_of("b")
    answers["host3"] = "hello\nhxm:devices\n"
    faults = [each.fault for each in all_claims(cluster(*NODES[:3], local_node="host1"), CONFIG)]
    assert faults == [
        "the domUs of host2 are unknown: its answer was cut off",
        "the domUs of host3 are unknown: the toolstack printed nothing that tells of its domUs",
    ]


def test_a_sandbox_has_no_other_nodes(answers, monkeypatch):
    for variable in ("CIB_file", "HXM_TEST_CIB"):
        monkeypatch.setenv(variable, "cib.xml")
    answers["here"] = "nothing"
    seen = cluster(*NODES, sandbox="cib.xml", local_node="host1")
    assert "this host's other domUs are unknown" in told(seen)[("?", "")]
    assert answers["asked"] == ["here"]
    assert [each.kind for each in all_claims(seen, CONFIG)] == [THIS_HOST]
