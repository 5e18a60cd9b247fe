"""Everything from a workstation, through real sshds."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from urllib.error import HTTPError
from urllib.request import urlopen

import pexpect
import pytest
from far import XL, Far, free_port, missing
from test_live_path import live

from hxm.commands import clusters
from hxm.guard.wrapper import MARK
from hxm.host.programs import Process
from hxm.host.ssh import ssh_argv

__all__ = ["live"]

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


@pytest.fixture
def far(live):
    nodes = Far(live.sandbox, live=live)
    yield nodes
    nodes.end()


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox", "mksh"])
def test_the_list_is_that_of_the_node(far, shell):
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    (far.folder / "host1.public" / "sh").symlink_to(shutil.which(shell))
    ran = far.ok("list", "-o", "json")
    assert {domain["name"]: domain["nodes"] for domain in ran.json["domains"]} == {
        "nfs": ["host1"],
        "sles": ["host2"],
    }
    assert len(far.calls()) == 1, "round trips"
    assert far.left() == []


ODD = """
RequestTTY force
RemoteCommand true
SessionType none
StdinNull yes
ForkAfterAuthentication yes
PermitLocalCommand yes
LocalCommand echo hello
"""


def test_what_a_person_has_set_for_ssh_does_no_harm(far):
    client = far.folder / "client"
    client.write_text(client.read_text() + f"Host *\n{ODD}")
    assert "nfs: move host1 -> host2, live" in far.ok("migrate", "nfs", "host2", "--dry-run").out
    assert far.left() == []


SHELLS = ("sh", "bash", "zsh", "fish", "tcsh", "bsd-csh")
SCRIPT = (
    r"""x='a !b'; printf '%s|' "$x" 'd\\e\n' "it's" '$HOME' '`' ü \
    !! \!"""
    + 2000 * "'yes!'"
)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_goes_through_any_login_shell(shell):
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    said = [
        subprocess.run((*words, line), capture_output=True, check=True).stdout
        for words, line in ((("sh", "-c"), SCRIPT), ((shell, "-c"), ssh_argv("x", SCRIPT, 1)[-1]))
    ]
    assert said[0] == said[1]


@pytest.mark.skipif(not shutil.which("tcsh"), reason="no tcsh here")
def test_a_login_shell_may_be_csh(far):
    far.kill("host1")
    server = far.folder / "host1"
    server.write_text(server.read_text() + 'ForceCommand tcsh -c "$SSH_ORIGINAL_COMMAND"\n')
    far.start("host1")
    for node in ("host1", "host2"):
        far.program(node, "xl", XL)
    assert far.ok("migrate", "nfs", "host2", "--dry-run").err == ""
    assert "are unknown" not in far.ok("list", "--everywhere").err


READINGS = (
    *("list", "list -l nfs", "status", "nodes", "why nfs", "history", "capacity", "check", "diff"),
    *("status -o json", "graph", "enrol /none --dry-run"),
)


@pytest.mark.parametrize("words", READINGS)
def test_what_only_looks_answers_as_on_the_node(far, words):
    far.live.paused.set()
    there = far.sandbox.hxm(*words.split())
    here = far.hxm(*words.split())
    assert here.status == there.status, (here, there)
    assert here.out == there.out
    host = "this host knows", "host1 knows, and what was ordered from here"
    assert here.err == there.err.replace(*host)
    assert far.left() == []


def test_an_order_is_forecast_there_recorded_here_and_leaves_nothing(far):
    before = far.sandbox.configuration()
    dry = far.ok("migrate", "nfs", "host2", "--dry-run")
    assert "nfs: move host1 -> host2, live" in dry.out
    assert far.sandbox.configuration() == before
    assert "nfs: host1 -> host2, live" in far.ok("migrate", "nfs", "host2").out
    assert far.sandbox.nodes_of("nfs") == ["host2"]
    assert far.sandbox.configuration() == before
    assert far.left() == []
    journal = (far.folder / "state/hxm/clusters/lab/journal").read_text()
    assert '"what": "migrate nfs to host2"' in journal
    assert not (far.sandbox.folder / "journal").exists()


def test_standby_active_and_undo(far):
    far.ok("standby", "host1", "--yes")
    assert far.sandbox.nodes_of("nfs") == ["host2"]
    far.ok("undo", "--yes")
    assert "standby" not in far.sandbox.configuration()


def test_a_node_that_does_not_answer_is_left_for_the_next(far):
    far.kill("host1")
    ran = far.ok("list")
    assert ran.err.count("host1 does not answer") == 1
    assert "(no sshd there): asking host2" in ran.err
    far.kill("host2")
    ran = far.hxm("list")
    assert ran.status == 102
    assert "host2 does not answer (no sshd there), nor does any other node of lab" in ran.err


CUT = """kill -9 `cat {folder}/host1.pid`
p=$PPID; until [ "`ps -o comm= -p $p`" = sshd ]; do p=`ps -o ppid= -p $p`; done
kill -9 $p
"""


def test_what_is_done_on_a_node_is_never_done_on_another(far):
    cut = CUT.format(folder=far.folder)
    far.program("host1", "xl", f'[ "$1" != destroy ] || {{ {cut}exit 1; }}\necho')
    destroyed = far.folder / "destroyed"
    far.program("host2", "xl", f'[ "$1" != destroy ] || echo "$*" >>{destroyed}\necho')
    ran = far.hxm("destroy", "nfs", "--yes")
    assert "at once: " in ran.err, ran
    assert not destroyed.exists()


IMPATIENT = """
import sys
from hxm.host import programs
programs.TOOL_TIMEOUT = 8
from hxm.cli import guarded
sys.exit(guarded(sys.argv[1:]))
"""
NOT_A_MEMBER = {
    "stopped": "echo 'crm_mon: Connection to cluster failed' >&2; exit 102",
    "hangs": "exec sleep 60",
}


@pytest.mark.parametrize("crm_mon", NOT_A_MEMBER.values(), ids=NOT_A_MEMBER)
def test_a_node_whose_pacemaker_does_not_answer_is_left_for_the_next(far, crm_mon):
    far.program_text = IMPATIENT
    far.program("host1", "crm_mon", crm_mon)
    ran = far.ok("status")
    assert ran.err.count("host1 does not answer (") == 1
    assert "asking host2" in ran.err


def test_a_profile_may_greet_whoever_comes(far):
    (far.there / ".bashrc").write_text("echo welcome\necho -n 'no end' >&2\n")
    before = far.sandbox.configuration()
    assert "nfs" in far.ok("status").out
    far.ok("migrate", "nfs", "host2")
    assert far.sandbox.nodes_of("nfs") == ["host2"]
    assert far.sandbox.configuration() == before


def test_a_part_of_a_file_is_never_carried_out(far):
    """Of XML that ends in the middle, cibadmin takes what it can, with status 0."""
    ssh = far.folder / "here" / "ssh"
    ssh.write_text(ssh.read_text().replace("exec ", "head -c 900 | "))
    before = far.sandbox.configuration()
    ran = far.hxm("shutdown", "nfs", "--dry-run")
    assert ran.status == 102, ran
    assert far.sandbox.configuration() == before


def test_nothing_is_done_on_a_host_that_only_has_the_name_of_a_node(far):
    (far.folder / "hxm.toml").write_text('[clusters.lab]\nnodes = ["host1"]\n')
    destroyed = far.folder / "destroyed"
    far.program("host2", "xl", f'[ "$1" != destroy ] || echo "$*" >>{destroyed}\necho')
    ran = far.ok("destroy", "sles", "--yes")  # the cluster stops it, as where ssh does not work
    assert "at once: host2 is not among the nodes of lab" in ran.err
    assert not destroyed.exists()
    assert far.sandbox.nodes_of("sles") == []
    warning = "warning: host2 is not among the nodes of lab"
    assert far.ok("list", "--everywhere").err.count(warning) == 1


HASTY = """
import sys
from hxm.host import reading
reading._START_WITHIN, reading._END_WITHIN = 4, 6
from hxm.cli import guarded
sys.exit(guarded(sys.argv[1:]))
"""
"""Gives a change on a node seven seconds to begin, also on a busy machine, and six to end."""
MOMENTS = {
    "before": ("{cut}exit 1", HASTY),
    "after": (":", ""),
    "late": ("{cut}exec >/dev/null 2>&1\nsleep 1", ""),
    "too late": ("{cut}exec sleep 20", HASTY),
}
ORDERS = {
    "migrate": ("crm_resource", ("migrate", "nfs", "host2"), MOMENTS),
    "shutdown": ("crm_resource", ("shutdown", "nfs"), ("before", "after")),
    "standby": ("crm_attribute", ("standby", "host1", "--yes"), ("before", "after")),
    "lock": ("cibadmin", ("migrate", "nfs", "host2"), ("before", "after")),
    "restore": ("cibadmin", ("undo", "--yes"), ("before", "after")),
}
CHANGES = '[ -z "$CIB_file" ] && case "$*" in *--query*|-Q*|*--list*) false;; esac'
REPLACES = '[ -z "$CIB_file" ] && case "$*" in *--replace*) ;; *) false;; esac'


@pytest.mark.parametrize(
    ("tool", "words", "moment"),
    [
        pytest.param(tool, words, moment, id=f"{name}-{moment}")
        for name, (tool, words, moments) in ORDERS.items()
        for moment in moments
    ],
)
def test_an_order_goes_on_through_another_node_and_does_nothing_twice(far, tool, words, moment):
    """The node is lost as the tool that changes something starts, works, or has ended."""
    first, far.program_text = MOMENTS[moment]
    source = (far.folder / "host1.bin" / tool).read_text().removeprefix("#!/bin/sh\n")
    cut = CUT.format(folder=far.folder)
    live = REPLACES if words[0] == "undo" else CHANGES
    before = far.sandbox.configuration()
    if words[0] == "undo":
        far.ok("unmanage", "nfs")
    done = source.replace("exit $status", f"{cut if moment == 'after' else ''}exit $status")
    did = far.folder / "did"
    script = f"if {live}; then {first.format(cut=cut)}\necho >>{did}\n{done}\nfi\n{source}"
    far.program("host1", tool, script)
    counted = (far.folder / "host2.bin" / tool).read_text().removeprefix("#!/bin/sh\n")
    far.program("host2", tool, f'if {live}; then echo "$*" >>{far.folder}/changes; fi\n{counted}')
    ran = far.ok(*words)
    assert ran.err.count("host1 does not answer") == 1
    if words[0] == "migrate":
        assert far.sandbox.nodes_of("nfs") == ["host2"]
    if words[0] in ("migrate", "undo"):
        assert far.sandbox.configuration() == before
    changes = (far.folder / "changes").read_text() if (far.folder / "changes").exists() else ""
    assert did.exists() == (moment in ("after", "late"))
    if tool != "cibadmin" or live == REPLACES:
        steps = ("--move", "--set-parameter", "--update=on", "--replace")
        repeated = any(word in changes for word in steps)
        assert repeated != did.exists()
    assert did.exists() or tool == "cibadmin" or "host1 may still" in ran.err
    assert far.left() == []


def test_what_a_lost_node_does_after_the_order_has_ended_is_left_by_name(far):
    """Somebody does not wait for it: Ctrl-C. Every list tells of it then, and so it is undone."""
    source = (far.folder / "host1.bin/crm_resource").read_text().removeprefix("#!/bin/sh\n")
    ended, did = far.folder / "ended", far.folder / "did"
    wait = f"exec >/dev/null 2>&1\nuntil [ -e {ended} ]; do sleep 0.1; done"
    late = f"{CUT.format(folder=far.folder)}{wait}\n{source}".replace(
        "exit $status", f"echo >{did}\nexit $status"
    )
    far.program("host1", "crm_resource", f"if {CHANGES}; then {late}\nfi\n{source}")
    before = far.sandbox.configuration()
    argv = [sys.executable, "-m", "hxm", "migrate", "nfs", "host2"]
    order = subprocess.Popen(argv, env=far.env, stderr=subprocess.PIPE)
    said = b""
    while b"host1 may still" not in said:
        line = order.stderr.readline()
        assert line, said
        said += line
    order.send_signal(signal.SIGINT)
    order.communicate(timeout=100)
    assert order.returncode == 130
    assert far.sandbox.configuration() == before
    ended.touch()
    for _ in range(1000):
        if did.exists():
            break
        time.sleep(0.05)
    ran = far.ok("list")
    assert "cli-prefer-nfs" in ran.err
    assert "hxm unmigrate nfs" in ran.err
    far.ok("unmigrate", "nfs", "--yes")
    assert far.sandbox.configuration() == before


EXCLUDED = {
    "a sandbox as well": (("list",), {"CIB_file": "/cib.xml"}, 2, "CIB_file and --on name two"),
    "an unknown one": (("--on", "prd", "list"), {}, 2, "no cluster 'prd' is configured"),
    "an option for a name": (("--on=ssh://-oX", "list"), {}, 2, "this names no nodes"),
    "nothing": (("list", "--on"), {}, 2, "--on takes a cluster"),
    "past the guard": (("guard", "bypass", "--", "xl"), {}, 107, "goes past the guard of the host"),
    "a sandbox": (("sandbox", "new", "/x"), {}, 107, "a sandbox is a file of this host"),
    "all, for an order": (("--on", "all", "start", "nfs"), {}, 2, "start takes one cluster"),
}


@pytest.mark.parametrize(("words", "env", "status", "message"), EXCLUDED.values(), ids=EXCLUDED)
def test_what_cannot_be_done_from_here_is_said(far, words, env, status, message):
    ran = far.hxm(*words, **env)
    assert ran.status == status
    assert message in ran.err
    assert far.calls() == []


def test_the_cluster_may_be_named_before_and_behind_the_command_and_by_address(far):
    far.env.pop("HXM_ON")
    table = far.ok("--on", "lab", "list").out
    assert far.ok("list", "--on=lab").out == table
    assert far.ok("--on", "ssh://host2,host1", "list").out == table


def test_the_toolstack_is_that_of_the_node(far):
    for node in ("host1", "host2"):
        far.program(node, "xl", XL)
    assert "toolstack: xl" in far.ok("--version").out
    assert far.ok("info").out == "xl info\n"
    assert far.ok("console", "nfs").out == "login of nfs\n"
    assert [row["nodes"] for row in far.ok("list", "--everywhere", "-o", "json").json["domains"]][
        -2:
    ] == [["host1"], ["host2"]]
    far.program("host2", "xl", f"{XL.replace('echo', 'echo there:')}")
    ran = far.ok("mem-set", "sles", "300")
    assert (ran.out, "on host2:" in ran.err) == ("there: xl mem-set sles 300\n", True)
    assert far.hxm("pause", "sles").status == 107
    row = far.ok("clusters", "-o", "csv").out.splitlines()[1]
    assert row.startswith("lab,answers,yes,2/2,2/2"), "dom0 is no domU"


HXM = """
echo "hxm $*" >>{folder}/orders
case "$2" in status) echo "/usr/sbin/xl is not guarded"; exit 1;; esac
echo "/usr/sbin/xl is guarded"
"""


def test_the_guard_is_that_of_every_node(far):
    ran = far.hxm("guard", "install")
    assert ran.status == 1
    assert ran.out.count("there is no hxm, which the guard needs: hxm-install(7)") == 2
    far.program("host1", "hxm", HXM.format(folder=far.folder))
    ran = far.hxm("guard", "install")
    assert ran.status == 1
    assert ran.out.splitlines() == [
        "host1: /usr/sbin/xl is guarded",
        "host2: there is no hxm, which the guard needs: hxm-install(7)",
    ]
    far.program("host2", "hxm", HXM.format(folder=far.folder))
    assert far.ok("guard", "remove").out.count("is guarded") == 2
    ran = far.hxm("guard", "status")
    assert ran.status == 1
    assert ran.out == "".join(f"host{n}: /usr/sbin/xl is not guarded\n" for n in (1, 2))
    orders = (far.folder / "orders").read_text().splitlines()
    assert orders == ["hxm guard install", *["hxm guard remove"] * 2, *["hxm guard status"] * 2]
    far.kill("host1")
    far.calls()
    ran = far.hxm("guard", "status")
    assert ran.out == "host1: no sshd there\nhost2: /usr/sbin/xl is not guarded\n"
    assert len(far.calls()) == 3, "who did not answer is not asked again"


def test_check_tells_of_the_guard_on_the_node(far):
    def found(*words: str) -> list[tuple[str, str]]:
        findings = far.hxm("check", *words, "-o", "json").json["findings"]
        told = [(finding["code"], finding["what"]) for finding in findings]
        return [finding for finding in told if finding[0] in ("guard", "last-look")]

    for node in ("host1", "host2"):
        far.program(node, "xl", XL)
        far.program(node, "xl", XL, "public")
    path = f"{far.folder}/host1.public/xl"
    assert found() == [("guard", f"{path} is not guarded")]
    others = ("guard", f"{path.replace('host1', 'host2')} of host2 is not guarded")
    assert found("--everywhere") == [("guard", f"{path} is not guarded"), others]
    far.program("host1", "xl", f"# {MARK}xl", "public")
    assert found() == [("guard", f"{path} is broken")]
    far.program("host1", "xl.hxm-real", XL, "public")
    far.program("host1", "xl.hxm-guard", "echo silent host2 no way in", "public")
    assert found() == [("last-look", "the guard's last look cannot ask host2: no way in")]
    far.program("host1", "xl.hxm-guard", "echo clear host2", "public")
    assert found() == []


def test_the_history_is_that_of_every_node(far):
    """Transitions lie on the node that was DC: without an hxm there they are read from here."""
    for node in ("host1", "host2"):
        far.program(node, "stonith_admin", "exit 0")
    far.ok("migrate", "nfs", "host2")
    saved = far.folder / "pengine"
    saved.mkdir()
    toml = far.folder / "hxm.toml"
    toml.write_text(f'transitions = "{saved}"\n{toml.read_text()}')
    shutil.copy(far.live.file, saved / "pe-input-1.xml")
    far.calls()
    ran = far.ok("history", "--everywhere")
    assert "missing" not in ran.err
    assert ran.out.count("migrate nfs to host2") == 1
    assert len(far.calls()) < 12


def test_what_stays_open_follows_the_cluster(far):
    ran = far.ok("watch", "--count", "2", "--interval", "1")
    assert ran.out.count("quorum | 2 nodes | 2 domUs run") == 2
    night = far.folder / "night"
    night.write_text("shutdown nfs\nlist\n")
    ran = far.ok("shell", "--file", str(night))
    assert "nfs: stopped" in ran.out
    address = f"127.0.0.1:{free_port()}"
    argv = [sys.executable, "-m", "hxm", "serve", "--listen", address]
    served = subprocess.Popen(argv, env=far.env, stderr=subprocess.PIPE)
    try:
        assert b"serving http" in served.stderr.readline()
        shown = None
        while not shown:
            with (
                suppress(HTTPError),
                urlopen(f"http://{address}/status.json", timeout=60) as answer,
            ):
                shown = json.load(answer)
        assert shown["cluster"]["dc"] == "host1"
    finally:
        served.terminate()
        served.communicate(timeout=60)
    toml = far.folder / "hxm.toml"
    toml.write_text(toml.read_text() + 'colour = "magenta"\n')
    env = far.env | {"TERM": "xterm"}
    with pexpect.spawn(sys.executable, ["-m", "hxm", "shell"], env=env, timeout=60) as shell:
        shell.expect(r"35;1mlab ")  # in its colour
        shell.expect_exact("xen/host1")
        shell.send("list --on lab\r")
        shell.expect_exact("sles")
        shell.send("exit\r")
        shell.expect_exact(pexpect.EOF)


def test_another_cluster_behind_the_same_name_is_noticed(far):
    far.ok("unmanage", "nfs")
    seen = far.folder / "state/hxm/clusters/lab/seen.json"
    seen.write_text(seen.read_text().replace('"host1": "1"', '"host1": "99"'))
    before = far.sandbox.configuration()
    ran = far.hxm("manage", "nfs")
    assert ran.status == 107
    assert "lab leads to another cluster than before: another id has host1" in ran.err
    assert far.sandbox.configuration() == before
    far.ok("list")
    far.ok("manage", "nfs", "--force")
    far.ok("unmanage", "nfs")


def test_a_node_that_is_no_member_is_noticed(far):
    for node in ("host1", "host2"):
        far.program(node, "uname", "echo gone")
        far.program(node, "crm_node", "echo gone")
    ran = far.hxm("unmanage", "nfs")
    assert ran.status == 107
    assert "the node that answers for lab is not a member of its cluster" in ran.err


def test_all_clusters_at_once(far):
    far.env.pop("HXM_ON")
    path = far.folder / "hxm.toml"
    path.write_text(path.read_text() + '[clusters.gone]\nnodes = ["nowhere.invalid"]\n')
    ran = far.hxm("clusters", "-o", "csv")
    assert ran.status == 102
    assert "lab,answers,yes,2/2,2/2,none" in ran.out.splitlines()
    assert "gone,unknown" in ran.out
    ran = far.hxm("list", "--on", "all", "-o", "csv")
    assert [line.split(",")[:2] for line in ran.out.splitlines()] == [
        ["Cluster", "Name"],
        ["lab", "nfs"],
        ["lab", "sles"],
    ]
    assert ran.status == 102
    assert "gone: nowhere.invalid does not answer (its name is not known" in ran.err
    far.kill("host1")
    said = "host1 does not answer (no sshd there): asking host2"
    assert f"lab,answers,yes,2/2,2/2,{said}" in far.hxm("clusters", "-o", "csv").out.splitlines()


def test_a_cluster_that_is_silent_costs_no_other_clusters_answer():
    silent = clusters._answer(Process(("sleep", "60")), 0.1)
    assert (silent.status, silent.stdout) == (102, b"")
    error = "sleep gave no answer within 0.1 s"
    assert clusters._document(silent) == {"error": error, "status": 102}
