"""What goes to the toolstack: untouched, with its own output and status; and what does not."""

from __future__ import annotations

import pytest

UUID_NFS = "135631b2-d539-4d73-bc0a-16ef7192fe00"
UUID_OTHER = "235631b2-d539-4d73-bc0a-16ef7192fe00"

PASSED = {
    "uptime": "[uptime]",
    "-v uptime -s nfs": "[-v][uptime][-s][nfs]",
    "info -n": "[info][-n]",
    "migrate-receive": "[migrate-receive]",
    "vcpu-l nfs": "[vcpu-list][nfs]",
    "vbd-list nfs": "[block-list][nfs]",
    "unpause nfs": "[unpause][nfs]",
    "pause other": "[pause][other]",
    "pause 7": "[pause][7]",
    f"pause {UUID_OTHER}": f"[pause][{UUID_OTHER}]",
    "destroy other": "[destroy][other]",
    "destroy -f 7": "[destroy][-f][7]",
    "shutdown -w -F other": "[shutdown][-F][-w][other]",
    "shutdown other --yes --reason tidy --timeout 5": "[shutdown][other]",
    "reboot -F other": "[reboot][-F][other]",
    "-v destroy other": "[-v][destroy][other]",
    "shutdown other -yFojson": "[shutdown][-F][other]",
    "destroy 7 --reason=tidy -W": "[destroy][7]",
    "migrate --live other hostX": "[migrate][--live][other][hostX]",
    "migrate -C new.cfg other hostX": "[migrate][-C][new.cfg][other][hostX]",
    "sysrq other b": "[sysrq][other][b]",
    "mem-set other 256": "[mem-set][other][256]",
    "save other /tmp/x": "[save][other][/tmp/x]",
    "mem-set nfs 256": "[mem-set][nfs][256]",
    "balloon nfs 256": "[mem-set][nfs][256]",
    "sysrq nfs h": "[sysrq][nfs][h]",
    "block-attach --local-only nfs phy:x xvdb w": "[block-attach][nfs][phy:x][xvdb][w]",
}


@pytest.mark.parametrize("words", PASSED)
def test_passed_with_the_toolstacks_own_status(xen, words):
    ran = xen.hxm(*words.split())
    assert ran.status == 42, ran
    assert ran.out == PASSED[words] + "\n"


REFUSED = [
    "pause nfs", "pause nfs --help", "pause -- nfs --help", "pause 3",
    f"pause {UUID_NFS}", "pause nfs--incoming", "pau nfs",
    "save -c nfs /tmp/x", "suspend nfs", "restore nfs /tmp/x", "rename nfs other",
    "rename other nfs", "trigger nfs reset", "sysrq nfs b", "sysrq nfs o", "dump-core nfs /tmp/x",
    "block-attach nfs phy:x xvdb w", "vbd-create nfs phy:x xvdb w", "network-detach nfs 0",
    "pci-attach nfs 0:0:1", "config-update nfs nfs.cfg", "new nfs",
    "remus nfs hostX", "button-press nfs power", "qemu-monitor-command nfs quit", "cd-eject nfs x",
    "pause sles", "resume sles",
]  # fmt: skip


@pytest.mark.parametrize("words", REFUSED)
def test_refused_for_a_managed_domu_with_the_right_command(xen, words):
    ran = xen.hxm(*words.split())
    assert ran.status == 107, ran
    assert ran.out == ""
    assert "the cluster manages" in ran.err
    assert "instead: " in ran.err


def test_help_for_a_toolstacks_command_tells_the_verdict_and_then_the_toolstacks_own(xen):
    for words in (("pause", "--help"), ("help", "pause"), ("pau", "-h")):
        ran = xen.hxm(*words)
        assert ran.out.startswith("hxm pause: is refused if the cluster manages the domU")
        assert ran.out.endswith("[pause][--help]\n")
    own, everything = xen.ok("help").out, xen.ok("help", "all").out
    assert "pci-attach" in everything and "pci-attach" not in own
    assert own.endswith("hxm help all\n") and "migrate" in own
    (xen.bin / "xl").unlink()
    assert "passed on at once" in xen.ok("help", "info").out


def test_several_are_handed_to_xl_one_by_one_as_it_takes_no_more(xen):
    plan = xen.ok("-N", "destroy", "other", "scratch").out
    assert [line.split()[-2:] for line in plan.splitlines()] == [
        ["destroy", "other"],
        ["destroy", "scratch"],
    ]
    ran = xen.hxm("destroy", "other", "scratch")
    assert (ran.status, ran.out) == (42, "[destroy][other]\n[destroy][scratch]\n")


def test_start_of_an_unmanaged_domu_is_not_promised_of_xl(xen):
    ran = xen.hxm("start", "other")
    assert (ran.status, "hxm create FILE" in ran.err) == (107, True), ran


@pytest.mark.parametrize("settings", ["", 'toolstack = "xl"\n'])
def test_a_sandbox_never_lets_a_real_domu_be_changed(xen, settings):
    """What the file does not know, the cluster of this host may manage."""
    del xen.env["HXM_TEST_CIB"]
    (xen.folder / "hxm.toml").write_text(settings)
    for words in ("destroy other", "pause other", "create copy.cfg", "mem-set other 64"):
        (xen.folder / "copy.cfg").write_text('name = "fresh"\n')
        ran = xen.hxm(*words.split(), cwd=xen.folder)
        assert ran.status in (105, 107), ran
        assert ran.out == ""
    assert xen.hxm("uptime").out == "[uptime]\n"
    assert "other" not in xen.ok("list").out


def test_what_concerns_the_host_says_that_it_leaves_the_sandbox(xen):
    for words in ("debug-keys R", "cpupool-destroy x", "pci-assignable-add 1"):
        ran = xen.hxm(*words.split())
        assert ran.status == 42
        assert "is not of the sandbox: it acts on this host itself" in ran.err
        assert xen.hxm(*words.split(), env={"CIB_file": ""}).err == ""
    assert xen.hxm("info").err == ""


@pytest.mark.parametrize("variable", ["CIB_shadow", "CIB_port"])
def test_what_leads_the_tools_to_another_cluster_is_refused(xen, variable):
    for words in ("list", "destroy other", "destroy nfs"):
        ran = xen.hxm(*words.split(), env={"CIB_file": "", variable: "1234"})
        assert (ran.status, f"unset {variable}" in ran.err) == (102, True), ran


def test_refused_verbs_pass_when_the_cluster_looks_away_and_say_so(xen):
    for away, back in (
        (["unmanage", "nfs"], ["manage", "nfs"]),
        (["maintenance", "on"], ["maintenance", "off"]),
        (["maintenance", "on", "host1"], ["maintenance", "off", "host1"]),
        (["maintenance", "on", "nfs"], ["maintenance", "off", "nfs"]),
    ):
        xen.ok(*away)
        ran = xen.hxm("save", "nfs", "/tmp/x")
        assert ran.status == 42
        assert "the cluster does not look" in ran.err
        xen.ok(*back)
        assert xen.hxm("save", "nfs", "/tmp/x").status == 107


def test_warned_of_what_the_next_start_forgets(xen):
    assert "lost when the domU next starts" in xen.hxm("mem-set", "nfs", "256").err
    assert "lost when the domU next starts" in xen.hxm("xenstore-quota-set", "3", "a=1").err
    assert "lost when the domU next starts" in xen.hxm("pool-migrate", "nfs", "P").err
    assert xen.hxm("mem-set", "other", "256").err == ""


@pytest.mark.parametrize("word", ["nfs", "3", UUID_NFS, "nfs.xm"])
def test_a_managed_domu_goes_through_the_cluster_however_it_is_named(xen, word):
    xen.ok("shutdown", word)
    assert xen.nodes_of("nfs") == []
    xen.ok("create", "nfs.xm")
    assert xen.nodes_of("nfs")


def test_create_of_a_managed_name_from_any_file_is_the_clusters(xen):
    xen.ok("shutdown", "nfs")
    other = xen.folder / "copy.cfg"
    other.write_text('name = "nfs"\nmemory = 64\n')
    plan = xen.ok("create", str(other), "--dry-run").out
    assert "crm_resource" in plan
    other.write_text('name = "fresh"\nmemory = 64\n')
    assert (
        xen.hxm("create", str(other), "-c", "memory=99").out
        == f"[create][-c][{other}][memory=99]\n"
    )
    named = xen.ok("create", str(other), 'name="nfs"', "--dry-run")
    assert "crm_resource" in named.out
    assert "has no effect" not in named.out
    words = (str(other), "name='nfs'", "memory=99", "-c")
    dropped = xen.ok("create", *words, "--dry-run")
    said = "-c memory=99 has no effect on a managed domU; edit its file"
    assert f"warning: {said}" in dropped.out
    assert "crm_resource" in xen.ok("create", "-f", str(other), "name='nfs'", "--dry-run").out
    xen.ok("start", "nfs")
    assert f"already; {said}" in xen.ok("create", *words).out
    file = str(xen.file.parent / "nfs.xm")
    assert xen.hxm("create", "-n", file).out == f"[create][-n][{file}]\n"


def test_create_takes_the_options_of_xl(xen):
    fresh, nfs = xen.folder / "fresh.cfg", str(xen.file.parent / "nfs.xm")
    fresh.write_text('name = "fresh"\nmemory = 64\n')
    masks = "--ignore-global-affinity-masks"
    assert xen.hxm("create", "-i", str(fresh)).out == f"[create][-i][{fresh}]\n"
    assert xen.hxm("create", masks, str(fresh)).out == f"[create][{masks}][{fresh}]\n"
    assert xen.hxm("create", f"-f{fresh}").out == f"[create][{fresh}]\n"
    assert "runs on host1 already" in xen.ok("create", f"-f{nfs}").out
    settings = ('name="fresh"', "memory=64")
    passed = "".join(f"[{word}]" for word in ("create", "/dev/null", *settings))
    assert xen.hxm("create", "/dev/null", *settings).out == f"{passed}\n"
    assert "runs on host1 already" in xen.ok("create", "/dev/null", 'name="nfs"', "memory=64").out


def test_create_of_a_managed_domu_with_settings_names_its_file(sandbox):
    ran = sandbox.hxm("create", "nfs", "name=x")
    assert ran.status == 107
    assert "the cluster manages nfs" in ran.err
    assert "nfs.xm, then: hxm start nfs" in ran.err


def test_create_of_a_new_domu_in_a_sandbox_points_to_enrol(sandbox):
    file = sandbox.file.parent / "web.cfg"
    file.write_text('name = "web"\n')
    ran = sandbox.hxm("create", str(file))
    assert ran.status == 107
    assert f"or hxm enrol {file}" in ran.err


def test_the_plan_of_destroy_names_the_plug_in_a_sandbox_too(sandbox):
    assert "\n  destroy nfs on host1\n" in sandbox.ok("destroy", "nfs", "--dry-run").out


def test_create_takes_the_file_that_is_there_for_what_it_is(xen):
    """In a folder with a file of the same name as a managed domU's, that file is meant."""
    folder = xen.folder / "elsewhere"
    folder.mkdir()
    (folder / "nfs.xm").write_text('name = "fresh"\n')
    assert xen.hxm("create", "nfs.xm", cwd=folder).out == "[create][nfs.xm]\n"
    (folder / "nfs.xm").write_text('name = "nfs"\n')
    assert "runs on host1 already" in xen.ok("create", "nfs.xm", cwd=folder).out
    assert "runs on host1 already" in xen.ok("create", "--defconfig=nfs.xm", cwd=folder).out


def test_a_name_that_only_an_unreadable_file_tells_is_not_called_unmanaged(xen):
    xen.replace('<nvpair id="nfs-ia-name" name="name" value="nfs"/>', "")
    (xen.file.parent / "nfs.xm").unlink()
    (xen.folder / "copy.cfg").write_text('name = "other"\n')
    for words in ("pause other", "destroy other", "create copy.cfg"):
        ran = xen.hxm(*words.split(), cwd=xen.folder)
        assert (ran.status, ran.out) == (102, ""), ran
        assert "cannot be read here" in ran.err


def test_create_from_a_file_that_cannot_be_read_is_refused(xen):
    bad = xen.folder / "bad.cfg"
    bad.write_text('import os\nname = os.environ["NAME"]\n')
    ran = xen.hxm("create", str(bad))
    assert ran.status == 107
    assert f"{bad}:1:1" in ran.err


def test_restore_passes_with_the_file_of_a_domu_that_no_cluster_manages(xen):
    image, file = xen.folder / "image", xen.folder / "copy.cfg"
    image.write_bytes(b"Xen saved domain, xl format\n \0 \r\0\1")
    file.write_text('name = "nfs"\n')
    for words in ([str(image)], [str(file), str(image)]):
        assert xen.hxm("restore", *words).status == 107
    file.write_text('name = "fresh"\n')
    assert xen.hxm("restore", str(file), str(image)).status == 42


def test_managed_and_unmanaged_are_not_mixed(xen):
    before = xen.file.read_bytes()
    ran = xen.hxm("shutdown", "nfs", "other")
    assert ran.status == 107
    assert "separate commands" in ran.err
    assert xen.file.read_bytes() == before


def test_list_has_xls_columns_and_the_unmanaged(xen):
    lines = xen.ok("list").out.splitlines()
    assert lines[0].startswith(
        "Name                                        ID   Mem VCPUs\tState\tTime(s)"
    )
    assert lines[2].startswith(
        "nfs                                          3   512     1     -b----       7.5"
    )
    assert [line.split()[0] for line in lines[1:]] == [
        *("Domain-0", "nfs", "sles", "other", "scratch")
    ]
    domains = xen.ok("list", "-o", "json").json["domains"]
    assert [each["id"] for each in domains] == [0, 3, None, 7, 9]
    assert [each["resource"] for each in domains] == [None, "nfs", "sles", None, None]


def test_a_toolstack_that_gives_no_answer_is_said_not_guessed(xen):
    xen.program("xl", "echo cannot init xl context >&2; exit 1")
    assert "sles" in xen.ok("list").out
    assert "cannot init xl context" in repr(xen.ok("status"))
    before = xen.file.read_bytes()
    for words in ("pause 7", "shutdown 3", f"destroy {UUID_NFS}"):
        ran = xen.hxm(*words.split())
        assert (ran.status, "cannot init xl context" in ran.err) == (102, True), ran
    assert xen.file.read_bytes() == before
