"""What is typed for a cluster that ssh leads to, and what comes of it, before any ssh starts."""

from __future__ import annotations

import json

import pytest

from hxm import cli, reach
from hxm.commands import clusters
from hxm.config import Config
from hxm.errors import CannotAsk, Failed, UsageError
from hxm.host import programs, ssh
from hxm.host.node import Remote
from hxm.host.results import Result
from hxm.output import Form, render

NAMED = {
    "hxm active host1": "hxm --on prod active host1",
    "to undo it: hxm unmigrate nfs; see hxm list": "to undo it: hxm --on prod unmigrate nfs;"
    " see hxm --on prod list",
    "ssh host3 hxm guard install": "hxm --on prod guard install",
    "ssh host3 hxm check": "ssh host3 hxm check",
    "hxm waits; hxm: no": "hxm waits; hxm: no",
    "hxm --on web list": "hxm --on web list",
}


@pytest.mark.parametrize(("text", "shown"), NAMED.items())
def test_what_is_recommended_names_the_cluster(text, shown, monkeypatch, capsys):
    monkeypatch.setattr(render, "_cluster", "prod")
    render.out(text)
    render.note("no", text)
    assert capsys.readouterr() == (f"{shown}\n", f"hxm: no\n     {shown}\n")
    monkeypatch.setattr(render, "_cluster", "")
    render.out(text)
    assert capsys.readouterr().out == f"{text}\n"


MONITORS = {
    "check --nagios": True,
    "--on prod check --nagios": True,
    "--on=prod capacity --nagios": True,
    "--on check list --nagios": False,
    "check": False,
}


@pytest.mark.parametrize(("line", "expected"), MONITORS.items())
def test_a_plugin_is_one_wherever_it_looks(line, expected):
    assert cli._monitors(line.split()) is expected


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Where this user has one cluster, called lab, and no records yet."""
    (tmp_path / "hxm.toml").write_text('[clusters.lab]\nnodes = ["host1"]\n')
    monkeypatch.setenv("HXM_CONFIG", str(tmp_path / "hxm.toml"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("CIB_file", raising=False)
    return tmp_path


MISTYPED = {
    "--on prd list": "no cluster 'prd' is configured",
    "--on list": "no cluster 'list' is configured",
    "--on root@host1 list": "no cluster 'root@host1' is configured",
    "--on prod --on lab list": "--on is given twice",
    "list --on prod --on lab": "--on is given twice",
    "--on all --version": "--version takes one cluster",
}


@pytest.mark.parametrize(("line", "message"), MISTYPED.items())
def test_a_mistyped_cluster_is_said_and_leaves_nothing(line, message, home, monkeypatch, capsys):
    monkeypatch.setenv("HXM_ON", "")
    monkeypatch.setattr(cli, "_without_words", lambda: "help")
    with pytest.raises(UsageError, match=message) as raised:
        cli.dispatch(line.split())
    assert capsys.readouterr().out == ""
    assert not (home / "state").exists()
    if "@" in line:
        assert raised.value.hint.startswith("--on ssh://root@host1, or ")


TABLE = b"Name,Mem,Node\nnfs,512,host1\n"
NOT_FOUND = Result((), 105, b"", "hxm: there is no domU 'nfs'\n")
ALL = {
    "one has it": ((Result((), 0, TABLE, ""), NOT_FOUND), 0, 2, ""),
    "none has it": ((NOT_FOUND, NOT_FOUND), 105, 0, "web: there is no domU 'nfs'"),
    "one is silent": ((Result((), 102, b"", "hxm: silent\n"), NOT_FOUND), 102, 0, "lab: silent"),
}


@pytest.mark.parametrize(("answers", "status", "lines", "err"), ALL.values(), ids=ALL)
def test_what_is_asked_of_all_is_answered_by_who_has_it(
    answers, status, lines, err, monkeypatch, capsys
):
    answered = dict(zip(("lab", "web"), answers, strict=True))
    monkeypatch.setattr(clusters, "_ask", lambda *_: answered)
    assert clusters.ask_all(Config(), ["nfs"]) == status
    printed = capsys.readouterr()
    assert printed.out.count("\n") == lines
    assert err in printed.err


@pytest.mark.parametrize("output", ["csv", "json"])
def test_what_is_said_beside_an_answer_is_shown_once(output, monkeypatch, capsys):
    said = "host1 does not answer: asking host2"
    state = {"cluster": {"maintenance": False, "quorum": True}, "nodes": []}
    answer = json.dumps(state | {"domains": [], "findings": []}).encode()
    answered = {"lab": Result((), 0, answer, f"hxm: {said}\n")}
    monkeypatch.setattr(clusters, "_ask", lambda *_: answered)
    monkeypatch.setattr(clusters, "read_config", Config)
    assert clusters.run(Form(output)) == 0
    printed = capsys.readouterr()
    assert (printed.out.count(said), printed.err) == (1, "")


def test_numbers_stand_to_the_right():
    table = clusters._merged({"lab": Result((), 0, TABLE, "")})
    assert table.right == {2}


def test_the_last_word_of_a_cluster_is_why_it_is_silent():
    said = "hxm: host1 does not answer (no sshd there): asking host2\nhxm: no node of lab\n   try\n"
    assert clusters._document(Result((), 102, b"", said))["error"] == "no node of lab"


def test_who_only_looks_needs_no_records(home, monkeypatch):
    (home / "state").write_text("no folder")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home))
    monkeypatch.setenv("HXM_ON", "lab")
    reached: list[Remote] = []
    monkeypatch.setattr(programs, "run_on", reached.append)
    monkeypatch.setattr(ssh, "_shared", ())
    reach.go_to("lab", "list", ["list"])
    assert [node.destination for node in reached] == ["host1"]
    with pytest.raises(Failed, match="cannot be used: ") as raised:
        reach.go_to("lab", "migrate", ["migrate", "nfs", "host2"])
    assert "XDG_STATE_HOME" in raised.value.hint


def test_help_needs_no_cluster(home):
    assert reach.go_to("prd", "help", ["help"]) is None


def test_a_silence_that_lasts_is_told_of_once():
    said: list[str] = []
    node = Remote(ssh.Target("lab", ["host1", "host2"]), 3, said.append)
    for _ in range(2):
        node._give_up("host1", "no sshd there")
        with pytest.raises(CannotAsk, match=r"host2 does not answer \(cut\), nor does any other"):
            node._give_up("host2", "cut")
    assert said == ["host1 does not answer (no sshd there): asking host2"]
    node.learn("host1", "", {}, 0)
    node._give_up("host1", "no sshd there")
    assert len(said) == 2
