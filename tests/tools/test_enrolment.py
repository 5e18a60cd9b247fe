"""A domU put under the cluster and taken out again, on the real scheduler."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

WEB = (
    'name = "web"\nmemory = 512\nbootloader = "pygrub"\n'
    'disk = [ "phy:/dev/evms/san2/web,xvda,w" ]\n'
)


@pytest.fixture
def web(sandbox):
    """The file of a domU that the cluster does not know."""
    path = sandbox.file.parent / "web.xm"
    path.write_text(WEB)
    sandbox.web = str(path)
    sandbox.first = sandbox.configuration()
    return sandbox


def primitive(sandbox, name="web"):
    root = ElementTree.fromstring(sandbox.configuration())
    return root.find(f"resources//primitive[@id='{name}']")


def timeouts(sandbox):
    return {
        op.get("name"): op.get("timeout") for op in primitive(sandbox).iterfind("operations/op")
    }


def test_the_cluster_starts_it_and_it_runs_on_when_it_leaves(web):
    ran = web.ok("enrol", web.web)
    (place,) = web.nodes_of("web")
    assert f"web: started on {place}" in ran.out
    assert "is-managed" not in web.configuration()
    assert web.hxm("pause", "web").status == 107
    ran = web.ok("withdraw", "web")
    assert ("and still runs on" in ran.out, "stopped" in ran.out) == (True, False)
    assert web.configuration() == web.first
    assert web.nodes_of("web") == []
    listed = web.ok("list", "--everywhere", "-o", "json").json["domains"]
    assert [each["nodes"] for each in listed if each["name"] == "web"] == [[place]]


def test_one_that_runs_comes_in_without_a_restart(web):
    web.ok("withdraw", "sles")
    assert 'lrm_resource id="sles"' not in web.file.read_text()
    ran = web.ok("enrol", str(web.file.parent / "sles.xm"), "-o", "json")
    assert [(each["how"], each["after"]) for each in ran.json["domains"]] == [
        ("unchanged", ["host2"])
    ]
    assert web.nodes_of("sles") == ["host2"]
    operations = web.file.read_text().split('lrm_resource id="sles"')[2]
    assert "sles_start_0" not in operations


def test_it_has_what_its_neighbours_have(web):
    web.ok("enrol", web.web)
    text = web.configuration()
    assert '<rsc_order id="web_depends_configpool" first="configpool" then="web"' in text
    assert '<rsc_location id="web-connected" rsc="web">' in text
    assert timeouts(web) == {
        "start": "60s",
        "stop": "90s",
        "monitor": "60s",
        "migrate_to": "120s",
        "migrate_from": "120s",
    }
    params = {pair.get("name"): pair.get("value") for pair in primitive(web).iter("nvpair")}
    assert params == {"name": "web", "xmfile": web.web, "allow-migrate": "true"}


def test_the_configuration_file_may_say_other_timings(web):
    Path(web.env["HXM_CONFIG"]).write_text('enrol_operations = "stop=5min interval=20"\n')
    web.ok("enrol", web.web)
    assert timeouts(web)["stop"] == "300s"
    assert 'interval="20s"' in web.configuration()
    web.ok("withdraw", "web")
    Path(web.env["HXM_CONFIG"]).write_text('enrol_operations = "stop=soon"\n')
    ran = web.hxm("enrol", web.web)
    assert ran.status == 2, ran
    assert "enrol_operations: 'stop=soon' is not a timing" in ran.err
    assert web.configuration() == web.first


def test_neighbours_that_differ_are_not_averaged(web):
    web.replace('<rsc_order id="sles_depends_configpool"', '<rsc_order id="sles_depends_evms"')
    web.replace('first="configpool" then="sles"', 'first="evms" then="sles"')
    before = web.configuration()
    ran = web.hxm("enrol", web.web)
    assert ran.status == 107, ran
    assert "the domUs differ" in ran.err
    assert "--like DOMAIN" in ran.err
    web.ok("enrol", web.web, "--like", "sles")
    assert 'first="evms" then="web"' in web.configuration()
    web.ok("withdraw", "web")
    assert web.configuration() == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (WEB.replace('"web"', '"web'), "web.xm:1:8: this string is never closed"),
        (WEB.replace("memory", "memroy"), "has no memory"),
        (WEB.replace("name", "nmae"), "has no name"),
        (WEB + 'brigde = 1\nbootlaoder = "pygrub"\n', "is bootloader meant?"),
        (WEB.replace("san2/web", "san2/vm2"), "web and nfs share"),
        (WEB.replace(",xvda,w", ",xvda,w,x,y,z"), "cannot be understood"),
        (WEB.replace('"web"', '"nfs"'), "the resource nfs is nfs, by"),
    ],
)
def test_a_slip_in_its_file_never_comes_to_the_cluster(web, text, said):
    Path(web.web).write_text(text)
    before = web.file.read_bytes()
    ran = web.hxm("enrol", web.web)
    assert ran.status == 107, ran
    assert said in ran.err
    assert web.file.read_bytes() == before


def test_a_complaint_about_what_is_not_yet_loaded_is_told_with_what_helps(web):
    web.program(
        "crm_verify",
        """for file; do :; done
grep -q 'primitive id="web"' "${file#*=}" || exit 0
echo "error: web has no sense" >&2; exit 78""",
    )
    ran = web.hxm("enrol", web.web)
    assert ran.status == 107, ran
    assert "crm_verify would complain: web has no sense" in ran.err
    assert ("--like DOMAIN" in ran.err, "live-check" in ran.err) == (True, False)
    assert web.configuration() == web.first


def test_a_dry_run_shows_the_xml_and_changes_nothing(web):
    before = web.file.read_bytes()
    ran = web.ok("enrol", web.web, "--dry-run")
    assert '<primitive id="web" class="ocf" provider="heartbeat" type="Xen">' in ran.out
    assert "web: start on host" in ran.out
    assert web.file.read_bytes() == before


def test_to_undo_it_is_not_to_stop_it_unasked(web):
    web.ok("enrol", web.web)
    ran = web.hxm("undo")
    assert ran.status == 107, ran
    assert "hxm withdraw web leaves it running" in ran.err
    assert web.nodes_of("web")


def test_what_has_come_in_is_in(web):
    web.ok("enrol", web.web)
    assert "has web already" in web.ok("enrol", web.web).out
    assert web.hxm("enrol", "/nowhere/else.xm").status == 105


def test_a_cluster_in_maintenance_sees_nothing(web):
    web.ok("maintenance", "on")
    assert web.hxm("enrol", web.web).status == 107


def test_a_domu_that_would_not_start_is_taken_back(web):
    for host in ("host1", "host2"):
        web.ok("sandbox", "lose-network", host)
    ran = web.hxm("enrol", web.web)
    assert ran.status == 107, ran
    assert "the scheduler would not enrol web" in ran.err
    ran = web.hxm("enrol", web.web, "--force")
    assert ran.status == 1, ran
    assert "everything was rolled back" in ran.err
    assert web.configuration() == web.first


def test_a_group_is_not_taken_apart_and_a_set_is_not_rewritten(web):
    order = (
        '<rsc_order id="both" kind="Optional"><resource_set id="both-set">'
        '<resource_ref id="nfs"/><resource_ref id="sles"/></resource_set></rsc_order>'
    )
    web.tool("cibadmin", "--create", "--scope=constraints", f"--xml-text={order}")
    ran = web.hxm("withdraw", "nfs")
    assert ran.status == 107, ran
    assert "both names nfs among others" in ran.err
    assert "both names domUs in a set" in web.hxm("enrol", web.web).err


def test_those_who_depend_on_it_are_asked_about(web):
    order = '<rsc_order id="sles_after_nfs" first="nfs" then="sles" kind="Optional"/>'
    web.tool("cibadmin", "--create", "--scope=constraints", f"--xml-text={order}")
    ran = web.hxm("withdraw", "nfs")
    assert ran.status == 107, ran
    assert "sles would lose sles_after_nfs" in ran.err
    web.ok("withdraw", "nfs", "--yes")
    assert "nfs" not in web.configuration()


KILLER = """
import os, sys
sys.argv = ["hxm", *sys.argv[2:]]
from hxm.orders import simulate as applied
from hxm.pacemaker import simulate
number, real, done = int(os.environ["KILL_AT"]), simulate.commit, []
def commit(copy, cib_file):
    if cib_file != os.environ["CIB_file"]:
        return real(copy, cib_file)
    done.append(1)
    if len(done) == number:
        os.kill(os.getpid(), 9)
    real(copy, cib_file)
applied.commit = commit
from hxm.cli import main
main()
"""


def killed(sandbox, number, *words):
    argv = (sys.executable, "-c", KILLER, "-", *words)
    env = {**sandbox.env, "KILL_AT": str(number)}
    return subprocess.run(argv, env=env, check=False, capture_output=True).returncode


@pytest.mark.parametrize(
    ("verb", "number", "way"),
    [
        pytest.param("enrol", 1, None, marks=pytest.mark.thorough),
        ("enrol", 2, "hxm withdraw web"),
        pytest.param("withdraw", 1, None, marks=pytest.mark.thorough),
        ("withdraw", 2, "hxm manage web"),  # unmanaged, and nothing else
        ("withdraw", 3, "hxm withdraw web"),
    ],
)
def test_what_a_kill_leaves_is_named_and_taken_out(web, verb, number, way):
    web.ok("enrol", web.web)
    words = ("withdraw", "web")
    if verb == "enrol":
        web.ok("withdraw", "web")
        words = ("enrol", web.web)
    assert killed(web, number, *words) == -9
    shown = web.ok("status", "-o", "json").json["findings"]
    assert [each["do"] for each in shown if "web" in each["what"]] == ([way] if way else [])
    if way == "hxm withdraw web":
        assert web.hxm("pause", "web").status == 107
        for other in ("manage", "default"):
            ran = web.hxm(other, "web", "--yes")
            assert ran.status == 107, ran
            assert way in ran.err
        assert web.hxm("enrol", web.web).status == 107
    if verb == "withdraw" or way:
        web.ok("withdraw", "web")
    assert web.configuration() == web.first
    listed = web.ok("list", "--everywhere", "-o", "json").json["domains"]
    assert "web" in [each["name"] for each in listed]


def test_a_file_that_names_nothing_to_boot_is_refused(web):
    Path(web.web).write_text('name = "web"\nmemory = 512\n')
    ran = web.hxm("enrol", web.web, "--dry-run")
    assert ran.status == 107
    assert "refused (unless --force): " in ran.out
    assert "names neither kernel nor bootloader" in ran.out
    assert "web.xm names no disk" in ran.out
    assert web.configuration() == web.first


def test_a_plan_shows_xml_in_one_line(web):
    assert "\\n" not in web.ok("withdraw", "nfs", "--dry-run").out
