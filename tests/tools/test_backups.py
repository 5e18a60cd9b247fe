"""Backup, diff, restore and undo on the real tools: what was is what the CIB says again."""

from __future__ import annotations

import json
import stat
from xml.etree import ElementTree

import pytest

PARTS = ("resources", "constraints")
CHANGES = (
    "migrate nfs host2 --keep",
    "maintenance on host1",
    "shutdown nfs",
)


def backups(sandbox):
    return sorted(sandbox.file.parent.glob("cib.xml.backups/*.xml"))


def journal(sandbox):
    lines = (sandbox.file.parent / "journal").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_undo_takes_every_change_back_and_undone_again_it_is_there_again(sandbox):
    before = sandbox.configuration()
    for words in CHANGES:
        sandbox.ok(*words.split())
        after = sandbox.configuration()
        assert after != before
        sandbox.ok("undo", "--yes")
        assert sandbox.configuration() == before
    assert "redo: shut down nfs" in sandbox.ok("undo", "--yes").out
    assert sandbox.configuration() == after


@pytest.mark.parametrize(
    "words", ["migrate nfs host2 --keep; unmigrate nfs", "shutdown nfs; start nfs"]
)
def test_undo_brings_back_what_a_change_took_away(sandbox, words):
    made, cleared = words.split("; ")
    sandbox.ok(*made.split())
    before = sandbox.configuration()
    sandbox.ok(*cleared.split())
    assert sandbox.configuration() != before
    if cleared == "start nfs":  # which undone is a stop, and asked about
        ran = sandbox.hxm("undo")
        assert (ran.status, "nfs would stop on host1" in ran.err) == (107, True), ran
    sandbox.ok("undo", "--yes")
    assert sandbox.configuration() == before


def test_undo_refuses_after_a_foreign_change_and_names_it(sandbox):
    sandbox.ok("shutdown", "nfs")
    sandbox.tool(
        *("crm_resource", "--resource=sles", "--meta"),
        *("--set-parameter=priority", "--parameter-value=7"),
    )
    before = sandbox.configuration()
    ran = sandbox.hxm("undo", "--yes")
    assert ran.status == 107
    assert "domU sles: priority is 7, was not set" in ran.err
    assert sandbox.configuration() == before
    assert "domU sles: priority is 7, was not set" in sandbox.ok("diff").out
    sandbox.ok("restore", "1", "--yes")
    assert "no differences" in sandbox.ok("diff", "1").out
    assert sandbox.nodes_of("nfs") == ["host1"]


def test_a_live_migration_leaves_nothing_to_take_back(sandbox):
    sandbox.ok("migrate", "nfs", "host2")
    assert "nothing to undo" in sandbox.ok("undo").out
    assert len(backups(sandbox)) == 1


def test_diff_points_to_the_change_that_hxm_made_last(sandbox):
    sandbox.ok("shutdown", "nfs")
    assert sandbox.ok("diff").out.splitlines()[1:] == [
        "  no differences",
        "to see what 'shut down nfs' changed: hxm diff 1",
    ]
    assert "target-role is Stopped" in sandbox.ok("diff", "1").out
    sandbox.ok("start", "nfs")
    sandbox.ok("migrate", "nfs", "host2")
    assert sandbox.ok("diff").out.count("\n") == 2, "the migration left no trace"


def test_undo_without_any_change_is_refused(sandbox):
    assert sandbox.hxm("undo").status == 107
    assert sandbox.hxm("diff").status == 105


def test_a_change_that_never_ended_is_not_undone(sandbox):
    sandbox.ok("shutdown", "nfs")
    path = sandbox.file.parent / "journal"
    path.write_text(path.read_text().splitlines()[0] + "\n")
    ran = sandbox.hxm("undo", "--yes")
    assert (ran.status, "did not finish" in ran.err, "hxm restore 1" in ran.err) == (
        107,
        True,
        True,
    )


def test_damage_is_restored_at_once_and_what_is_not_restored_is_said(sandbox):
    whole = sandbox.configuration()
    sandbox.ok("standby", "host1")
    standby = sandbox.configuration()
    for xpath in (
        "//rsc_location[@rsc='nfs']",
        "//rsc_order[@then='nfs']",
        "//primitive[@id='nfs']",
    ):
        sandbox.tool("cibadmin", "--delete", f"--xpath={xpath}")
    sandbox.tool("crm_simulate", "--simulate", f"-x{sandbox.file}", f"-O{sandbox.file}")
    assert sandbox.nodes_of("nfs") == []
    sandbox.tool("crm_attribute", "--name=no-quorum-policy", "--update=ignore")
    plan = sandbox.ok("restore", "1", "--dry-run").out
    assert "domU nfs would be added (agent ocf:heartbeat:Xen, parameter xmfile" in plan
    assert "the cluster: no-quorum-policy would be stop, is ignore" in plan
    assert "not restored (--section nodes): node host1: standby is on, was not set" in plan
    assert "nfs: start on host2" in plan
    assert "--xml-file=FILE" in plan
    assert "nfs: started on host2" in sandbox.ok("restore", "1").out
    assert sandbox.configuration() == standby
    assert sandbox.nodes_of("nfs") == ["host2"]
    sandbox.ok("restore", "1", "--section", "all", "--yes")
    assert sandbox.configuration() == whole


def test_a_section_as_cibadmin_writes_it_is_restored_alone(sandbox):
    file = sandbox.folder / "constraints.bak.xml"
    file.write_text(sandbox.tool("cibadmin", "--query", "--scope=constraints"))
    before = sandbox.configuration()
    sandbox.tool("cibadmin", "--delete", "--xpath=//rsc_order[@id='nfs_depends_configpool']")
    sandbox.tool("crm_attribute", "--name=batch-limit", "--update=3")
    ran = sandbox.ok("restore", str(file))
    assert f"done: restore {file} (constraints)" in ran.out
    assert "constraint nfs_depends_configpool was added" in ran.out
    sandbox.tool("crm_attribute", "--name=batch-limit", "--delete")
    assert sandbox.configuration() == before
    ran = sandbox.hxm("restore", str(file), "--section", "resources")
    assert (ran.status, "holds no resources" in ran.err) == (2, True)


def test_a_backup_in_a_file_is_a_cib_for_its_owner_alone(sandbox):
    file = sandbox.folder / "cib.bak.xml"
    sandbox.ok("backup", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "<lrm" not in file.read_text()
    listed = sandbox.ok("list", env={"CIB_file": str(file)}).out.splitlines()
    assert [line.split()[0] for line in listed[1:]] == ["nfs", "sles"]
    assert sandbox.hxm("backup", str(file)).status == 107
    sandbox.ok("shutdown", "nfs")
    sandbox.ok("restore", str(file))
    assert sandbox.nodes_of("nfs") == ["host1"]
    (folder,) = sandbox.file.parent.glob("*.backups")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in backups(sandbox)} == {0o600}


def test_what_is_no_backup_is_refused_in_one_line(sandbox):
    file = sandbox.folder / "bad.xml"
    other = sandbox.file.read_text()
    bad = {
        "<cib><configuration>": "it cannot be read",
        "no XML": "it cannot be read",
        "<crm_mon/>": "but a <crm_mon>",
        "<cib><configuration/></cib>": "holds no resources",
        other.replace('"pacemaker-3.0"', '"pacemaker-99.1"'): "written by pacemaker-99.1",
        other.replace('uname="host2"', 'uname="host7"'): "does not know host2",
        other.replace("rsc_order ", "rsc_odour "): "crm_verify finds an error",
    }
    sandbox.ok("shutdown", "nfs")
    before = sandbox.file.read_bytes()
    for text, said in bad.items():
        file.write_text(text)
        for answer in ("--yes", "--dry-run"):
            ran = sandbox.hxm("restore", str(file), answer, "--section", "all")
            assert (ran.status, said in ran.err + ran.out) == (107, True), ran
            assert not any(each in ran.err for each in ("Traceback", "hxm-scratch"))
    assert sandbox.hxm("restore", "99").status == 105
    assert sandbox.hxm("restore", str(file) + ".not").status == 105
    assert sandbox.hxm("restore").status == 2
    assert sandbox.file.read_bytes() == before


@pytest.mark.parametrize("name", ["nfs", "NFS", "evms", "stray", "nfs.example.org", "list"])
def test_a_name_or_a_command_is_no_file_for_all_its_passwords(sandbox, name):
    ran = sandbox.hxm("backup", name, cwd=sandbox.folder)
    assert ran.status == 2
    assert f"./{name}" in ran.err
    assert "hxm backup --list" in ran.err
    assert not (sandbox.folder / name).exists()
    ran = sandbox.ok("backup", f"./{name}", cwd=sandbox.folder)
    assert ran.out == f"the configuration, with its passwords: ./{name}\n"
    assert (sandbox.folder / name).stat().st_mode & 0o777 == 0o600


def test_no_password_is_ever_shown(sandbox):
    sandbox.ok("shutdown", "nfs")
    sandbox.replace("not-a-real-one", "another-secret")
    said = [
        repr(sandbox.hxm(*words.split()))
        for words in (
            "diff",
            "diff -o csv",
            "undo",
            "restore 1 --dry-run -o json",
            "restore 1 --yes",
            "undo --dry-run",
        )
    ]
    assert sum("ilo_password" in each for each in said) >= 5
    assert not any(secret in each for each in said for secret in ("not-a-real", "another-secret"))
    assert "secret" not in (sandbox.file.parent / "journal").read_text()


def test_a_backup_that_cannot_be_written_stops_nobody(sandbox):
    (sandbox.file.parent / "cib.xml.backups").write_text("in the way")
    ran = sandbox.ok("migrate", "nfs", "host2")
    assert "no backup in" in ran.err
    assert sandbox.nodes_of("nfs") == ["host2"]
    assert sandbox.hxm("undo").status == 107


def test_only_so_many_are_kept_and_the_newest_is_never_kept_twice(sandbox):
    (sandbox.folder / "hxm.toml").write_text("backups_kept = 3\n")
    for verb in ("shutdown", "start", "shutdown"):
        sandbox.ok(verb, "nfs")
    assert [each.name[:6] for each in backups(sandbox)] == ["000002", "000003", "000004"]
    entries = journal(sandbox)
    assert "hxm-scratch" not in json.dumps(entries)
    assert [(each["before"], each.get("after")) for each in entries[-2:]] == [(3, None), (3, 4)]
    listed = sandbox.ok("backup", "--list", "-o", "json").json["backups"]
    assert [(each["after"], each["before"]) for each in listed[1:]] == [
        ("start nfs (root)", "shut down nfs (root)"),
        ("shut down nfs (root)", None),
    ]
    assert sandbox.ok("backup", "-o", "json").json["number"] == 4
    (sandbox.folder / "hxm.toml").write_text("backups_kept = 0\n")
    sandbox.ok("start", "nfs")
    assert len(backups(sandbox)) == 3


def test_an_image_of_a_saved_domu_is_still_the_toolstacks(xen):
    image = xen.folder / "other.save"
    image.write_bytes(b"Xen saved domain, xl format\n \0 \r\0\1")
    assert "whom restore means" in xen.hxm("restore", str(image)).err
    assert "the cluster manages nfs" in xen.hxm("restore", "nfs", str(image)).err


def test_a_domu_that_runs_outside_is_not_started_by_a_restore(sandbox):
    sandbox.ok("withdraw", "nfs")
    sandbox.ok("standby", "host1")
    before = sandbox.configuration()
    for words in ("restore 1 --yes", "restore 1 --yes --force"):
        ran = sandbox.hxm(*words.split())
        assert (ran.status, "nfs runs on host1" in ran.err) == (107, True), ran
        assert "hxm enrol" in ran.err
    assert sandbox.configuration() == before


def test_an_enrolment_is_not_undone(sandbox):
    sandbox.ok("withdraw", "nfs")
    sandbox.ok("enrol", str(sandbox.file.parent / "nfs.xm"))
    for words in ("undo --yes", "undo --yes --force"):
        ran = sandbox.hxm(*words.split())
        assert (ran.status, "hxm withdraw nfs" in ran.err) == (107, True), ran
    assert sandbox.nodes_of("nfs") == ["host1"]
    sandbox.ok("withdraw", "nfs")
    assert "nfs runs on host1" in sandbox.hxm("undo", "--yes").err


def test_what_a_restore_takes_out_of_the_cluster_is_said_to_be_stopped(sandbox):
    sandbox.ok("backup")
    web = sandbox.file.parent / "web.xm"
    web.write_text('name = "web"\nmemory = 512\nkernel = "/boot/vmlinuz"\ndisk = []\n')
    sandbox.ok("enrol", str(web))
    plan = sandbox.hxm("restore", "1", "--dry-run").out
    assert "constraint web-connected would be removed (rsc web, a rule with pingd)\n" in plan
    assert plan.count("asked about: ") == 1
    ran = sandbox.hxm("restore", "1")
    assert (ran.status, "web would be stopped" in ran.err) == (107, True), ran
    (place,) = sandbox.nodes_of("web")
    said = f"web: stopped and removed from the cluster, was on {place}"
    assert said in sandbox.ok("restore", "1", "--yes").out
    assert sandbox.nodes_of("web") == []


def test_what_a_part_of_a_configuration_lacks_stays(sandbox):
    file = sandbox.folder / "part.xml"
    resources = sandbox.tool("cibadmin", "--query", "--scope=resources")
    sandbox.tool("crm_resource", "--resource=sles", "--meta", "-ppriority", "-v7")
    sandbox.tool("crm_attribute", "--name=batch-limit", "--update=3")
    constraints = sandbox.tool("cibadmin", "--query", "--scope=constraints")
    file.write_text(f"<cib><configuration>{resources}{constraints}</configuration></cib>")
    ran = sandbox.ok("restore", str(file))
    assert f"not restored, as it is not in {file}: crm_config" in ran.out
    now = sandbox.configuration()
    assert 'name="batch-limit"' in now
    assert "<rsc_order " in now
    assert 'name="priority"' not in now


def test_a_restore_that_takes_a_fencing_device_away_asks(sandbox):
    whole = sandbox.folder / "whole.xml"
    sandbox.ok("backup", str(whole))
    root = ElementTree.fromstring(whole.read_text())
    resources, constraints = (root.find(f"configuration/{each}") for each in PARTS)
    stonith = ".//primitive[@class='stonith']"
    gone = [each for each in resources if each.tag == "clone" and each.find(stonith) is not None]
    gone += resources.findall("primitive[@id='STONITH-iLO-host2']")
    for each in gone:
        resources.remove(each)
    for each in constraints.findall("rsc_location[@rsc='STONITH-iLO-host2']"):
        constraints.remove(each)
    whole.write_bytes(ElementTree.tostring(root))
    ran = sandbox.hxm("restore", str(whole))
    assert (ran.status, "no fencing resource is for host2" in ran.err) == (107, True), ran


def test_where_nothing_is_kept_yet_that_is_said(sandbox):
    ran = sandbox.ok("backup", "--list")
    assert (ran.out, "there is no backup yet" in ran.err) == ("", True)
