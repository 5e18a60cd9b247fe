"""What ssh and the other nodes' toolstacks answer, and the one line that comes of it."""

from __future__ import annotations

import pytest
from factories import DATA, cluster, domain, local, node

from hxm.cluster import read
from hxm.config import Config
from hxm.errors import CannotAsk
from hxm.host import programs, ssh
from hxm.toolstack import remote
from hxm.toolstack.node_actions import destroy_argv
from hxm.toolstack.xl import LocalDomain

TABLE = (
    "Name                                        ID   Mem VCPUs\tState\tTime(s)\n"
    "Domain-0                                     0   768     1     r-----     263.4\n"
    "nfs                                          3   512     1     -b----       7.5\n"
)


def test_the_command_line():
    line = remote.ssh_argv("host2", ("xl", "destroy", "a b"), 5)
    assert line[:-1] == (
        *("ssh", "-T", "-o", "BatchMode=yes", "-o", "ClearAllForwardings=yes"),
        *("-o", "PermitLocalCommand=no", "-o", "ConnectTimeout=4", "-ax", "--", "host2"),
    )
    words = r"""'PATH="${HXM_REAL:-/usr/lib/hxm/real}:$PATH" xl destroy \0047a b\0047'"""
    assert line[-1] == f"""exec sh -c 'eval "$(printf %b "$@")"' sh {words}"""
    assert destroy_argv("xl", "nfs", "host1", "host1", 5) == ("xl", "destroy", "nfs")
    assert "ConnectTimeout=1" in remote.ssh_argv("host2", ("true",), 0.2)


@pytest.mark.parametrize(
    ("status", "err", "expected"),
    [
        (
            255,
            "Host key verification failed.\n",
            "its host key is not known yet: ssh host2 by hand once",
        ),
        (
            255,
            "@@@\nWARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\nHost key ...\n",
            "its host key has changed; if it is right: ssh-keygen -R host2",
        ),
        (
            255,
            "Welcome!\nroot@host2: Permission denied (publickey,password).\n",
            "it lets nobody in without a password: ssh-copy-id host2",
        ),
        (
            255,
            "ssh: connect to host host2 port 22: Connection timed out\n",
            "no answer from its sshd",
        ),
        (255, "Connection timed out during banner exchange\n", "its sshd hangs"),
        (255, "ssh: connect to host host2 port 22: Connection refused\n", "no sshd there"),
        (
            255,
            "ssh: connect to host jump port 22: Refused\nConnection closed by UNKNOWN port 65535\n",
            "its jump host does not lead to it",
        ),
        (255, "something new\n", "something new"),
        (127, "sh: 1: xl: not found\n", "sh: 1: xl: not found"),
        (1, "", "exit status 1"),
    ],
)
def test_one_clear_line_for_each_trouble(status, err, expected):
    assert remote.fault_of("host2", programs.Result(("ssh",), status, b"", err)) == expected


TYPED = {
    "Permission denied": "ssh-copy-id -p 2222 root@host2",
    "REMOTE HOST IDENTIFICATION": "ssh-keygen -R '[host2]:2222'",
    "Host key verification failed": "ssh -p 2222 root@host2 by hand",
}


@pytest.mark.parametrize(("err", "command"), TYPED.items())
def test_the_command_is_for_the_user_and_the_port(err, command):
    assert command in ssh.no_way_in("ssh://root@host2:2222", err)


@pytest.fixture
def answers(monkeypatch):
    """What each node answers: output, or CannotAsk."""
    given: dict[str, object] = {}
    asked: list[str] = []
    monkeypatch.setattr(programs, "ahead", lambda argv: asked.append(argv[-2]))

    def output(argv, timeout=30, **_):
        if argv[0] != "ssh":
            raise CannotAsk("not here")
        answer = given[argv[-2]]
        if isinstance(answer, Exception):
            raise answer
        return programs.Result(argv, 0, str(answer).encode(), "")

    monkeypatch.setattr(programs, "output", output)
    given["asked"] = asked
    return given


def test_a_login_script_may_say_what_it_likes(answers):
    answers["host2"] = "Last login: Monday\n" + TABLE
    found = remote.read_elsewhere("xl", ["host2"], 5)
    assert found["host2"][1] == LocalDomain("nfs", 3, 512, 1, "-b----", 7.5)
    assert remote.read_named_elsewhere("xl", ["host2"], 5)["host2"] == (found["host2"], {})


def test_one_that_hangs_and_one_that_talks_nonsense(answers):
    answers |= {"host2": programs.NoAnswer("ssh gave no answer within 0.1 s"), "host3": "hello\n"}
    assert remote.read_elsewhere("xl", ["host2", "host3"], 5) == {
        "host2": "no answer within 5 s",
        "host3": "the toolstack printed no list of domains",
    }


def test_everywhere(answers):
    uuids = "UUID  ID  name\n135631b2-d539-4d73-bc0a-16ef7192fe00  3  nfs\n"
    answers["host2"] = f"{TABLE}\nhxm:uuids\n{uuids}"
    seen = cluster(
        node("host1"),
        node("host2"),
        node("host3", unclean=True),
        node("host4", online=False),
        domain("nfs", "host2"),
        domain("sles", "host1", id=9),
        local("other"),
        local_node="host1",
        toolstack="xl",
    )
    found = read.with_other_nodes(seen, Config())
    assert answers["asked"] == ["host2"]
    assert found.unreachable == {"host3": "UNCLEAN (online)", "host4": "OFFLINE"}
    assert found.heard == ("host2",)
    assert found.domains[0].runs_as == "135631b2-d539-4d73-bc0a-16ef7192fe00"
    assert [each.seen for each in found.domains] == [("host2",), (), (), ("host2",)]
    rows = [(each.name, each.id, each.nodes) for each in found.domains]
    assert rows == [
        ("nfs", 3, ("host2",)),
        ("sles", 9, ("host1",)),
        ("other", 7, ("host1",)),
        ("Domain-0", 0, ("host2",)),
    ]


def test_of_a_sandbox_its_file_is_asked(answers):
    path = DATA / "cibs" / "base.xml"
    seen = cluster(domain("nfs", "host2"), sandbox=str(path))
    assert read.with_other_nodes(seen, Config()) == seen
