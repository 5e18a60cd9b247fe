"""hxm on a Heartbeat cluster: stand-ins for its tools, which print and write what those did.

They are as old as Heartbeat: no long options, status 0 for most errors, no crm_simulate.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

DATA = Path(__file__).parents[1] / "data"
NO_SCHEDULER = """
import sys
from hxm.host import programs
find = programs.find
programs.find = lambda name: None if name in ("crm_simulate", "ptest") else find(name)
from hxm.cli import guarded
sys.exit(guarded(sys.argv[1:]))
"""

TOOLS = r"""#!{python}
import os, sys
from xml.etree import ElementTree as E
FILE = {file!r}
tool, words = os.path.basename(sys.argv[0]), sys.argv[1:]
if any(word.startswith("--") for word in words):
    print("usage: %s [V?o:QDUCEX:t:Srwlsh:MmBfbdRx:pP5] command" % tool)
    sys.exit(0)
tree = E.parse(FILE)
root = tree.getroot()

def value(option):
    return words[words.index(option) + 1] if option in words else None

def holder(parent, tag, name):
    for each in parent.iterfind(tag):
        if each.get("id") == name:
            return each.find("attributes")
    return E.SubElement(E.SubElement(parent, tag, id=name), "attributes")

def pair(parent, tag, set_id, name, new):
    for each in parent.iter("attributes"):
        for old in list(each):
            if old.get("name") == name:
                each.remove(old)
    if new is not None:
        E.SubElement(holder(parent, tag, set_id), "nvpair", id=set_id + "-" + name, name=name,
                     value=new)

def primitive(name):
    return next(each for each in root.iter("primitive") if each.get("id") == name)

def stopped(name):
    pairs = primitive(name).iter("nvpair")
    return any(p.get("name") == "target_role" and p.get("value") == "stopped" for p in pairs)

def place(name, usual):
    for location in root.iter("rsc_location"):
        if location.get("id") == "cli-prefer-" + name:
            return next(location.iter("expression")).get("value")
    return usual

if tool == "cibadmin" and "-Q" in words:
    sys.stdout.write(open(FILE).read())
elif tool == "crm_mon":
    text = open({text!r}).read()
    for name, usual in (("nfs", "host1"), ("sles", "host2")):
        line = name + "\t(heartbeat::ocf:Xen):\t"
        now = "Stopped " if stopped(name) else "Started " + place(name, usual)
        text = text.replace(line + "Started " + usual, line + now)
    print(text.replace("Current DC: NONE", "Current DC: host1 (91275fec-a9f4)"))
elif tool == "crm_resource":
    name = value("-r")
    if "-p" in words:
        pair(primitive(name), "meta_attributes", name + "-meta-options", value("-p"), value("-v"))
    elif "-d" in words:
        pair(primitive(name), "meta_attributes", name + "-meta-options", value("-d"), None)
    elif "-M" in words and value("-H") in ("host1", "host2"):
        rules = [("prefer", "INFINITY", value("-H"))]
        if "-f" in words:
            usual = {{"nfs": "host1", "sles": "host2"}}[name]
            rules.append(("standby", "-INFINITY", place(name, usual)))
        for kind, score, node in rules:
            location = E.SubElement(next(root.iter("constraints")), "rsc_location",
                                    id="cli-" + kind + "-" + name, rsc=name)
            rule = E.SubElement(location, "rule", id="cli-" + kind + "-rule-" + name, score=score)
            E.SubElement(rule, "expression", id="cli-" + kind + "-expr-" + name,
                         attribute="#uname", operation="eq", value=node, type="string")
    elif "-U" in words:
        for constraints in root.iter("constraints"):
            for each in list(constraints):
                if each.get("id") in ("cli-prefer-" + name, "cli-standby-" + name):
                    constraints.remove(each)
elif tool == "crm_attribute":
    for each in root.iter("nvpair"):
        if each.get("name") == value("-n"):
            each.set("value", value("-v"))
if tool in ("crm_resource", "crm_attribute"):
    tree.write(FILE)
"""


@pytest.fixture
def heartbeat(bare):
    """The small cluster of the samples, and nothing that is newer."""
    bare.file.parent.mkdir()
    cib = (DATA / "cibs" / "hb-base.xml").read_text().replace('have_quorum="false"', "")
    bare.file.write_text(cib)
    text = DATA / "heartbeat-2.1.3" / "base.mon-1r.txt"
    python = Path(
        sys.executable
    ).resolve()  # a path without a blank, as a script's first line wants
    for tool in ("crm_mon", "cibadmin", "crm_resource", "crm_attribute", "crm_standby"):
        path = bare.bin / tool
        path.write_text(TOOLS.format(python=python, file=str(bare.file), text=str(text)))
        path.chmod(0o755)
    bare.program("crmadmin", 'echo "Status of crmd@$2: S_IDLE (ok)"')
    del bare.env["CIB_file"]
    journal = bare.folder / "journal"
    backups = f'backups = "{bare.folder}/backups"\n'
    (bare.folder / "hxm.toml").write_text(f'journal = "{journal}"\npoll = 0.1\n{backups}')
    return bare


def hxm(cluster, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", NO_SCHEDULER, *words],
        capture_output=True,
        text=True,
        env=cluster.env,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )


def test_it_is_recognised_and_shown(heartbeat):
    shown = json.loads(heartbeat.ok("status", "-o", "json").out)
    assert shown["cluster"]["dialect"] == "Heartbeat 2.1"
    assert shown["cluster"]["dialect_why"] == "the CIB is in Heartbeat's layout"
    assert shown["cluster"]["quorum"]
    assert [(each["name"], each["nodes"]) for each in shown["domains"]] == [
        ("nfs", ["host1"]),
        ("sles", ["host2"]),
    ]
    assert "Heartbeat 2.1" in heartbeat.ok("--version").out


def test_a_change_that_cannot_be_simulated_is_asked_about(heartbeat):
    before = heartbeat.file.read_bytes()
    ran = hxm(heartbeat, "shutdown", "nfs")
    assert ran.returncode == 107
    assert "not simulated" in ran.stderr
    ran = hxm(heartbeat, "shutdown", "nfs", "--dry-run")
    assert "crm_resource -r nfs -m -p target_role -v stopped\n      not simulated" in ran.stdout
    assert heartbeat.file.read_bytes() == before


def test_shutdown_and_start_speak_heartbeats_words(heartbeat):
    ran = hxm(heartbeat, "shutdown", "nfs", "--yes")
    assert ran.returncode == 0, ran.stderr
    assert "nfs: stopped, was on host1" in ran.stdout
    assert '<nvpair id="nfs-meta-options-target_role" name="target_role" value="stopped" />' in (
        heartbeat.file.read_text()
    )
    assert "hxm start nfs" in heartbeat.ok("list").err
    ran = hxm(heartbeat, "start", "nfs", "--yes")
    assert ran.returncode == 0, ran.stderr
    assert "stopped" not in heartbeat.file.read_text()


def test_a_preference_stays_and_is_named_if_nobody_can_tell_what_its_absence_does(heartbeat):
    ran = hxm(heartbeat, "migrate", "nfs", "host2", "--yes")
    # no history of a live arrival: the stand-in keeps none
    assert (ran.returncode, "restarted, not live" in ran.stderr) == (1, True)
    assert "hxm unmigrate nfs" in ran.stderr
    assert "cli-prefer-nfs" in heartbeat.ok("list").err
    hxm(heartbeat, "unmigrate", "nfs", "--yes")
    assert "cli-prefer" not in heartbeat.file.read_text()


def test_maintenance_is_what_heartbeat_has_for_it(heartbeat):
    assert hxm(heartbeat, "maintenance", "on", "--yes").returncode == 0
    assert heartbeat.ok("status").out.startswith("Cluster (no name): MAINTENANCE")
    assert hxm(heartbeat, "maintenance", "off", "--yes").returncode == 0
    for subject, instead in (("host1", "hxm maintenance on"), ("nfs", "hxm unmanage")):
        ran = hxm(heartbeat, "maintenance", "on", subject, "--yes")
        assert (ran.returncode, instead in ran.stderr) == (107, True), ran.stderr


@pytest.mark.parametrize("said", ["Status of crmd@host1: S_TRANSITION_ENGINE (ok)", ""])
def test_a_migration_that_heartbeat_does_not_write_down_is_never_ruled_out(heartbeat, said):
    heartbeat.program("crmadmin", f'echo "{said}"')
    ran = hxm(heartbeat, "migrate", "nfs", "host2", "--yes")
    assert (ran.returncode, "cannot be told" in ran.stderr) == (107, True), ran.stderr
    assert "cli-prefer" not in heartbeat.file.read_text()


def test_a_tool_that_fails_with_success_is_never_believed(heartbeat):
    heartbeat.program("crm_resource", "exit 0")
    ran = hxm(heartbeat, "unmanage", "nfs", "--yes")
    assert ran.returncode == 1
    assert "the CIB does not say so" in ran.stderr


# ptest, which only computes

PTEST = 'exec /usr/sbin/crm_simulate --run "$@"'
ONLY_PTEST = NO_SCHEDULER.replace(
    'None if name in ("crm_simulate", "ptest")', 'None if name == "crm_simulate"'
)


def test_ptest_foresees_what_crm_simulate_does(sandbox):
    sandbox.program("ptest", PTEST)
    before = sandbox.file.read_bytes()
    for words in (("migrate", "nfs", "host2"), ("standby", "host1"), ("shutdown", "nfs")):
        with_simulate = sandbox.hxm(*words, "--dry-run", "-o", "json").json
        ran = subprocess.run(
            [sys.executable, "-c", ONLY_PTEST, *words, "--dry-run", "-o", "json"],
            capture_output=True,
            env=sandbox.env,
            check=False,
        )
        with_ptest = json.loads(ran.stdout)
        assert with_ptest["simulated"]
        assert with_ptest["movements"] == with_simulate["movements"]
        assert with_ptest["objections"] == with_simulate["objections"]
    assert sandbox.file.read_bytes() == before


def test_heartbeats_plan_is_seen_by_a_scheduler_in_a_copy(heartbeat):
    """What ptest is given is Heartbeat's own CIB with the step in it."""
    seen = heartbeat.folder / "seen.xml"
    heartbeat.program(
        "ptest",
        'for word; do case "$word" in --xml-file=*) cp "${word#*=}" '
        f"{seen};; --save-graph=*) echo '<transition_graph/>' >\"${{word#*=}}\";; esac; done",
    )
    ran = subprocess.run(
        [sys.executable, "-c", ONLY_PTEST, "shutdown", "nfs", "--dry-run"],
        capture_output=True,
        text=True,
        env=heartbeat.env,
        check=False,
    )
    assert "would not shut down nfs" in ran.stdout  # since this ptest says that nothing moves
    names = {pair.get("name"): pair.get("value") for pair in ElementTree.parse(seen).iter("nvpair")}
    assert names["target_role"] == "stopped"
